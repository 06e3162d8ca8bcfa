import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowUpdateStage, type WorkflowHandle } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../../workflows/messages/names.ts';
import { connectTestTemporal, createTestNamespace, uniqueTaskQueue, type TestTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import {
  answerUpdate,
  beginSignal,
  hasBegunQuery,
  noteSignal,
  releaseSignal,
  renewingWorkflow,
} from './renewing-workflow.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const taskQueue = uniqueTaskQueue('renewing');
let temporal: TestTemporal;
let worker: Worker;
let running: Promise<void>;
beforeAll(async () => {
  const namespace = await createTestNamespace();
  temporal = await connectTestTemporal({ timeSkipping: false, namespace });
  worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace,
    taskQueue,
    workflowsPath: join(import.meta.dirname, 'renewing-workflow.ts'),
  });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await temporal.close();
});

type Handle = WorkflowHandle<typeof renewingWorkflow>;

async function started({ events }: { events?: number } = {}): Promise<Handle> {
  const handle = await temporal.client.workflow.start(renewingWorkflow, {
    workflowId: randomUUID(),
    taskQueue,
    args: events === undefined ? [] : [events],
    typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.reference, value: 'pay_renewed' }]),
  });
  // The first workflow task writes the events.
  await until(async () => (await handle.describe()).historyLength >= (events ?? 4_096));
  return handle;
}

const runIdOf = async (handle: Handle): Promise<string> => (await handle.describe()).runId;

/** Starts the loop and waits until the workflow continues in a new run. */
async function renewed(handle: Handle): Promise<void> {
  const before = await runIdOf(handle);
  await handle.signal(beginSignal);
  await until(async () => (await runIdOf(handle)) !== before);
}

/** Starts the loop while an update waits, and lets the update answer only once the loop has reached the renewal. Returns the run that answered. */
async function renewedDuring(handle: Handle, how: 'by-itself' | 'by-the-loop'): Promise<number> {
  const answer = await handle.startUpdate(answerUpdate, { args: [how], waitForStage: WorkflowUpdateStage.ACCEPTED });
  const before = await runIdOf(handle);
  await handle.signal(beginSignal);
  await until(() => handle.query(hasBegunQuery));
  expect(await runIdOf(handle)).toBe(before);
  await handle.signal(releaseSignal);
  await until(async () => (await runIdOf(handle)) !== before);
  return answer.result();
}

describe('a workflow that renews itself', () => {
  test('goes on in a new history when the old one is long, and is found by the same attributes', async () => {
    // A history ends at 51,200 events, and callbacks may be sent forever.
    const handle = await started();
    await renewed(handle);
    const { typedSearchAttributes, historyLength } = await handle.describe();
    expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.reference)).toBe('pay_renewed');
    expect(historyLength).toBeLessThan(100);
    await handle.signal(noteSignal, 'stop');
    expect(await handle.result()).toEqual(['stop in run 2']);
  });

  test('stays in a history that is short', async () => {
    // Each new run costs a start and a read of the row.
    const handle = await started({ events: 10 });
    await handle.signal(beginSignal);
    await handle.signal(noteSignal, 'stop');
    expect(await handle.result()).toEqual(['stop in run 1']);
  });

  test('first takes up what it was told', async () => {
    // A signal reaches only one run. If the next run does not get it, its message waits minutes for the sweeper.
    const handle = await started();
    await handle.signal(noteSignal, 'decision');
    await renewed(handle);
    await handle.signal(noteSignal, 'stop');
    expect(await handle.result()).toEqual(['decision in run 1', 'stop in run 2']);
  });

  test('first lets a handler finish that answers by itself', async () => {
    // An update whose run ends before it fails for its caller.
    const handle = await started();
    expect(await renewedDuring(handle, 'by-itself')).toBe(1);
    await handle.signal(noteSignal, 'stop');
    expect(await handle.result()).toEqual(['stop in run 2']);
  });

  test('goes on for a handler whose message the loop has to take up', async () => {
    // Otherwise loop and handler would wait for each other forever.
    const handle = await started();
    expect(await renewedDuring(handle, 'by-the-loop')).toBe(1);
    await handle.signal(noteSignal, 'stop');
    expect(await handle.result()).toEqual(['by-the-loop in run 1', 'stop in run 2']);
  });
});
