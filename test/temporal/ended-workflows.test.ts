import { expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { endedWorkflowsDispatch } from '../../temporal/ended-workflows.ts';

interface Listed {
  readonly type: string;
  readonly workflowId: string;
}

/** A client whose list has these workflows, and what it was asked. How many were taken from the list is counted. */
function clientWith(workflows: readonly Listed[]) {
  const asked: unknown[] = [];
  let taken = 0;
  const list = async function* (options: unknown) {
    asked.push(options);
    for (const workflow of workflows) {
      taken += 1;
      yield workflow;
    }
  };
  return { client: { workflow: { list } } as unknown as Client, asked, taken: () => taken };
}

const SINCE = new Date('2026-01-01T00:00:00Z');

test('workflows that ended without a result are asked for by type, end and time, and told apart by their type', async () => {
  const { client, asked } = clientWith([
    { type: 'paymentWorkflow', workflowId: 'payment:pay_1' },
    { type: 'unappliedPaymentWorkflow', workflowId: 'unapplied:att_1' },
    { type: 'invoiceWorkflow', workflowId: 'invoice:inv_1' },
    { type: 'paymentWorkflow', workflowId: 'payment:pay_2' },
  ]);
  expect(await endedWorkflowsDispatch(client).endedWorkflows({ since: SINCE, max: 100 })).toEqual({
    payments: ['pay_1', 'pay_2'],
    invoices: ['inv_1'],
    unappliedPayments: ['att_1'],
  });
  expect(asked).toEqual([
    {
      pageSize: 100,
      query: `WorkflowType in ('paymentWorkflow', 'invoiceWorkflow', 'unappliedPaymentWorkflow') and ExecutionStatus in ('Terminated', 'Failed', 'TimedOut', 'Canceled') and CloseTime > '2026-01-01T00:00:00.000Z'`,
    },
  ]);
});

test('no more of them are taken than asked for', async () => {
  // An administrator can terminate ten thousand workflows at once.
  const many = Array.from({ length: 150 }, (_, n) => ({ type: 'paymentWorkflow', workflowId: `payment:pay_${n}` }));
  const { client, taken } = clientWith(many);
  const { payments } = await endedWorkflowsDispatch(client).endedWorkflows({ since: SINCE, max: 100 });
  expect(payments).toHaveLength(100);
  expect(taken()).toBe(100);
});
