import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import type { Dispatch } from '../../core/dispatch.ts';
import { paymentReference } from '../../domain/references.ts';
import { clockDispatch } from '../../temporal/time-skipping.ts';
import { workflowIds } from '../../workflows/messages/names.ts';
import { connectTestTemporal, createTestNamespace, uniqueTaskQueue, type TestTemporal } from '../support/temporal.ts';

let temporal: TestTemporal;
let clock: Pick<Dispatch, 'skipsTime' | 'skipTime'>;
beforeAll(async () => {
  temporal = await connectTestTemporal({ timeSkipping: false, namespace: await createTestNamespace() });
  clock = clockDispatch(temporal.client);
});
afterAll(() => temporal.close());

const MINUTE_MS = 60_000;

/** A client whose server refuses every call with this code of gRPC, as the real ones do. */
function refusing(code: number): Client {
  const refuse = () => Promise.reject(Object.assign(new Error('refused'), { code, details: 'refused', metadata: {} }));
  return {
    options: { namespace: 'default' },
    withDeadline: (_deadline: number, call: () => Promise<unknown>) => call(),
    workflowService: {
      pollWorkflowExecutionTimeSkipping: refuse,
      describeWorkflowExecution: refuse,
      updateWorkflowExecutionOptions: refuse,
    },
  } as unknown as Client;
}

describe('whether the server can skip time', () => {
  test('is asked without a workflow', async () => {
    // The dashboard asks before anybody presses a button.
    expect(await clock.skipsTime()).toBe(true);
    expect(await clockDispatch(refusing(12)).skipsTime()).toBe(false);
  });

  test('is unknown while the server is away', async () => {
    // "Cannot" would be wrong: a minute later it can.
    await expect(clockDispatch(refusing(14)).skipsTime()).rejects.toThrow('refused');
    await expect(clockDispatch(refusing(4)).skipsTime()).rejects.toThrow('Temporal cannot be reached');
  });
});

describe('a skip', () => {
  test('of a workflow that does not run is none', async () => {
    // Most objects of a payment have no workflow any more.
    const workflow = { workflow: 'payment', reference: paymentReference() } as const;
    const skip = { id: randomUUID(), byMs: MINUTE_MS, withinMs: 10_000 };
    expect(await clock.skipTime(workflow, skip)).toBe('not-running');
  });

  test('that takes longer is told, and the same id does not begin another', async () => {
    // A workflow whose worker is away keeps its caller no longer than agreed, and gets there once.
    const reference = paymentReference();
    const workflowId = workflowIds.payment(reference);
    const handle = await temporal.client.workflow.start('paymentWorkflow', {
      workflowId,
      taskQueue: uniqueTaskQueue('nobody'),
      args: [],
    });
    const skip = { id: randomUUID(), byMs: MINUTE_MS, withinMs: 1_000 };
    expect(await clock.skipTime({ workflow: 'payment', reference }, skip)).toBe('skipping');
    expect(await clock.skipTime({ workflow: 'payment', reference }, skip)).toBe('skipping');
    const { events } = await handle.fetchHistory();
    const updates = (events ?? []).filter(
      ({ workflowExecutionOptionsUpdatedEventAttributes: update }) => update !== undefined && update !== null,
    );
    expect(updates).toHaveLength(1);
    await handle.terminate();
    expect(await clock.skipTime({ workflow: 'payment', reference }, { ...skip, id: randomUUID() })).toBe('not-running');
  });
});
