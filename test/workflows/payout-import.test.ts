import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { createDispatch } from '../../temporal/dispatch.ts';
import { WORKFLOWS } from '../../worker/workflow-bundle.ts';
import { TASK_QUEUES, workflowIds } from '../../workflows/messages/names.ts';
import type { PayoutImportOutcome } from '../../workflows/messages/payout-import.ts';
import type { ReconciliationInput } from '../../workflows/messages/reconciliation.ts';
import { connectTestTemporal, createTestNamespace, type TestTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';

const REFERENCE = 'pof_0000000000000000000001';
const OUTCOME: PayoutImportOutcome = {
  state: 'IMPORTED',
  problem: null,
  rowsRead: 2,
  linesAdded: 2,
  linesKnown: 0,
  linesRejected: 0,
};
const dayOf = (period: string): ReconciliationInput => ({ mode: 'LIVE', gateway: 'sslcommerz', period });
const [FIRST, SECOND] = ['2026-11-03', '2026-11-04'] as const;

let temporal: TestTemporal;
let worker: Worker;
let running: Promise<void>;
/** What happened to the runs, in order. */
const seen: string[] = [];

beforeAll(async () => {
  const namespace = await createTestNamespace();
  temporal = await connectTestTemporal({ timeSkipping: false, namespace });
  worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace,
    ...WORKFLOWS,
    taskQueue: TASK_QUEUES.maintenance,
    activities: {
      importPayoutFile: () => Promise.resolve(OUTCOME),
      daysOfImport: () => Promise.resolve([dayOf(FIRST), dayOf(SECOND)]),
      cancelPayoutImport: () => {
        seen.push('import cancelled');
        return Promise.resolve({ ...OUTCOME, state: 'CANCELLED' });
      },
      openReconciliation: ({ period }: ReconciliationInput) => {
        seen.push(`${period} begins`);
        return Promise.resolve(period);
      },
      // The run of the first day goes on until it is cancelled.
      async fetchPayouts(reference: string) {
        if (reference !== FIRST) {
          return 0;
        }
        for (;;) {
          Context.current().heartbeat();
          await Context.current().sleep(50);
        }
      },
      advanceReconciliation: (reference: string) => {
        seen.push(`${reference} ends`);
        return Promise.resolve({ goesOn: false, step: 'done', linesDone: 0, movementsDone: 0 });
      },
      cancelReconciliation: (reference: string) => {
        seen.push(`${reference} is cancelled`);
        return Promise.resolve();
      },
    },
    maxHeartbeatThrottleInterval: 100,
    defaultHeartbeatThrottleInterval: 100,
  });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await temporal.close();
});

async function importUntilFirstRun() {
  seen.length = 0;
  await createDispatch(temporal.client).startPayoutImport({
    reference: REFERENCE,
    mode: 'LIVE',
    gateway: 'sslcommerz',
    storeId: 'teststore',
    digest: null,
  });
  await until(() => seen.includes(`${FIRST} begins`));
  const { workflow } = temporal.client;
  return {
    payoutImport: workflow.getHandle(workflowIds.payoutImport(REFERENCE)),
    firstRun: workflow.getHandle(workflowIds.reconciliation(dayOf(FIRST))),
  };
}

describe('the runs after an import', () => {
  test('go on with the next day after one that somebody has cancelled', async () => {
    // A cancelled child looks like a cancellation of our own, which ended the import and left the other days unmatched.
    const { payoutImport, firstRun } = await importUntilFirstRun();
    await firstRun.cancel();
    expect(await payoutImport.result()).toEqual(OUTCOME);
    expect(seen).toEqual([`${FIRST} begins`, `${FIRST} is cancelled`, `${SECOND} begins`, `${SECOND} ends`]);
  });

  test('end with the import when that is cancelled', async () => {
    const { payoutImport } = await importUntilFirstRun();
    await payoutImport.cancel();
    await expect(payoutImport.result()).rejects.toThrow();
    expect(seen).toContain('import cancelled');
    expect(seen).not.toContain(`${SECOND} begins`);
    await temporal.client.workflow
      .getHandle(workflowIds.reconciliation(dayOf(FIRST)))
      .terminate()
      .catch(() => undefined);
  });
});
