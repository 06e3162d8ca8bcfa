import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Client, WithStartWorkflowOperation, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/workflow-bundle.ts';
import { WORKFLOW_TYPES } from '../../workflows/messages/names.ts';
import { callbackSignal, checkoutOpenedUpdate, type PaymentActivities } from '../../workflows/messages/payment.ts';
import { TRACE_HEADER, type WorkflowEnd } from '../../workflows/messages/telemetry.ts';
import { connectTestTemporal, uniqueTaskQueue, type TestTemporal } from '../support/temporal.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let temporal: TestTemporal;
let withTrace: WorkflowBundle;
let withoutTrace: WorkflowBundle;
const ends: WorkflowEnd[] = [];
const sinks = {
  telemetry: {
    workflowEnded: {
      fn: (_info: unknown, end: WorkflowEnd): void => {
        ends.push(end);
      },
    },
  },
};

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const logger = new DefaultLogger('ERROR');
  withoutTrace = await bundleWorkflows({ workflowInterceptorModules: [], logger });
  withTrace = await bundleWorkflows({ logger });
  temporal = await connectTestTemporal();
});
afterAll(() => temporal.close());

const activities: PaymentActivities = {
  openCheckout: () => Promise.resolve({ kind: 'open', expiresAtMs: Date.now() + 60_000, attention: false }),
  verifyPayment: () => Promise.resolve({ kind: 'charged' }),
  finalizePayment: ({ status }) => Promise.resolve(status),
  markForReview: () => Promise.resolve(),
  readReviewDecision: () => Promise.resolve({ kind: 'none' }),
  declineDecision: () => Promise.resolve(),
  lookForUnappliedMoney: () => Promise.resolve(),
};

/** Records the happy path, run by a worker with or without the interceptor, and started with or without a trace. */
async function record(workflowBundle: WorkflowBundle, traced: boolean): Promise<History> {
  const taskQueue = uniqueTaskQueue('telemetry');
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    taskQueue,
    activities,
    workflowBundle,
    sinks,
  });
  return worker.runUntil(async () => {
    const handle = await start(taskQueue, traced);
    await handle.signal(callbackSignal, '1');
    expect(await handle.result()).toBe('SUCCEEDED');
    return handle.fetchHistory();
  });
}

async function start(taskQueue: string, traced: boolean): Promise<WorkflowHandle> {
  const headers = traced ? { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent: TRACEPARENT }) } : {};
  const client = tracing(headers);
  const reference = `pay_${randomUUID()}`;
  const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOW_TYPES.payment, {
    workflowId: `payment:${reference}`,
    taskQueue,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [{ paymentId: '1', reference, applicationId: '1', mode: 'TEST' }],
  });
  await client.workflow.executeUpdateWithStart(checkoutOpenedUpdate, { startWorkflowOperation });
  return startWorkflowOperation.workflowHandle();
}

function tracing(headers: Headers): Client {
  return new Client({
    connection: temporal.client.connection,
    namespace: temporal.namespace,
    interceptors: {
      workflow: [{ startUpdateWithStart: (input, next) => next({ ...input, workflowStartHeaders: headers }) }],
    },
  });
}

async function replay(workflowBundle: WorkflowBundle, history: History): Promise<string> {
  const results: string[] = [];
  for await (const { error } of Worker.runReplayHistories({ workflowBundle, sinks }, [
    { workflowId: 'replayed', history },
  ])) {
    results.push(error === undefined ? 'ok' : error.message);
  }
  return results.join();
}

const eventTypes = ({ events }: History): unknown[] => (events ?? []).map(({ eventType }) => eventType);

describe('the workflow with and without its trace', () => {
  test('has the same events, and each history replays with either code', async () => {
    // Telemetry may be switched on or off while payments are open, and their replay must not break.
    const histories = [
      await record(withoutTrace, false),
      await record(withTrace, false),
      await record(withTrace, true),
    ];
    expect(new Set(histories.map((history) => eventTypes(history).join())).size).toBe(1);
    const replays = await Promise.all(
      histories.flatMap((history) => [replay(withTrace, history), replay(withoutTrace, history)]),
    );
    expect(replays).toEqual(Array(6).fill('ok'));
  });

  test('tells its end once per run, in no replay, and names the span that its activities saw', async () => {
    // If a payment were counted again whenever a worker restarts, the metric would be worthless.
    expect(ends.map(({ parent, outcome }) => ({ parent, outcome }))).toEqual([
      { parent: null, outcome: 'SUCCEEDED' },
      { parent: TRACEPARENT, outcome: 'SUCCEEDED' },
    ]);
    expect(ends[1]?.spanId).toMatch(/^[0-9a-f]{16}$/);
  });
});
