import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createPayoutActivities } from '../../activities/payouts.ts';
import { LedgerConflict } from '../../core/ledger/store.ts';
import type { Database } from '../../database/connection.ts';
import { MissingRow } from '../../database/missing-row.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { WORKFLOWS } from '../../worker/workflow-bundle.ts';
import { workflowIds, WORKFLOW_TYPES } from '../../workflows/messages/names.ts';
import { connectTestTemporal, createTestNamespace, uniqueTaskQueue, type TestTemporal } from '../support/temporal.ts';

const REFERENCE = 'pof_0000000000000000000000';
let temporal: TestTemporal;

beforeAll(async () => {
  temporal = await connectTestTemporal({ timeSkipping: false, namespace: await createTestNamespace() });
}, 60_000);
afterAll(() => temporal.close());

/** Runs an import whose database fails in this way to its end. Returns what Temporal and the log keep of it. */
async function importOn(failure: Error): Promise<{ history: History; log: string }> {
  const lines: string[] = [];
  const database = { withSystem: () => Promise.reject(failure) } satisfies Partial<Database>;
  const taskQueue = uniqueTaskQueue('failures');
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue,
    ...WORKFLOWS,
    activities: createPayoutActivities({
      database: database as unknown as Database,
      calendar: calendarIn(BUSINESS_TIME_ZONE),
      log: pino({ level: 'trace' }, { write: (line) => void lines.push(line) }),
    }),
  });
  const workflowId = workflowIds.payoutImport(REFERENCE);
  const handle = await worker.runUntil(async () => {
    const started = await temporal.client.workflow.start(WORKFLOW_TYPES.payoutImport, {
      workflowId,
      taskQueue,
      args: [{ reference: REFERENCE }],
    });
    await expect(started.result()).rejects.toThrow();
    return started;
  });
  return { history: await handle.fetchHistory(), log: lines.join('') };
}

function failuresIn({ events }: History) {
  return (events ?? []).flatMap(
    ({ activityTaskFailedEventAttributes: activity, workflowExecutionFailedEventAttributes: workflow }) =>
      [activity?.failure, workflow?.failure].flatMap((failure) => failure ?? []),
  );
}

test('a failure reaches Temporal with its type and message, and without a file of the installation', async () => {
  // The Temporal UI shows the history to everybody who may look at a workflow.
  const { history } = await importOn(new MissingRow('payout file', REFERENCE));
  const failures = failuresIn(history);
  expect(failures).toHaveLength(2);
  for (const failure of failures) {
    expect(failure).toMatchObject({
      message: 'the database has no such payout file',
      applicationFailureInfo: { type: 'ROW_MISSING', nonRetryable: true },
    });
  }
  expect(JSON.stringify(history)).not.toMatch(/\.[jt]s\b|node_modules/);
}, 60_000);

test('the log of the worker keeps the trace that Temporal does not get', async () => {
  // Who looks for a fault needs to know where it arose.
  const { history, log } = await importOn(new LedgerConflict('of a test'));
  expect(failuresIn(history).map(({ stackTrace }) => stackTrace)).not.toContainEqual(expect.stringContaining('at '));
  expect(log).toMatch(/LedgerConflict.*failures-in-temporal\.test\.ts/);
}, 60_000);
