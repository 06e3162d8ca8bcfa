import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DefaultLogger, Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/workflow-bundle.ts';
import { connectTestTemporal, uniqueTaskQueue, type TestTemporal } from '../support/temporal.ts';
import { openTheatre, type Theatre } from '../workflows/staged-payments.ts';

let temporal: TestTemporal;
let theatre: Theatre;
beforeAll(async () => {
  temporal = await connectTestTemporal();
  theatre = await openTheatre();
});
afterAll(async () => {
  await theatre.close();
  await temporal.close();
});

describe('the workflows of a worker', () => {
  test('share their modules and nothing else', async () => {
    // A copy of every module for each cached workflow doubles what an open payment takes of the worker's memory. Globals stay apart.
    const taskQueue = uniqueTaskQueue('modules');
    const worker = await Worker.create({
      connection: temporal.nativeConnection,
      taskQueue,
      workflowBundle: await bundleWorkflows({
        workflowsPath: join(import.meta.dirname, 'remembering-workflow.ts'),
        workflowInterceptorModules: [],
        logger: new DefaultLogger('ERROR'),
      }),
    });
    const run = (name: string): Promise<unknown> =>
      temporal.client.workflow.execute('rememberingWorkflow', { taskQueue, workflowId: randomUUID(), args: [name] });
    const [first, second] = await worker.runUntil(async () => [await run('first'), await run('second')]);
    expect(first).toEqual({ module: ['first'], global: null });
    expect(second).toEqual({ module: ['first', 'second'], global: null });
  });

  test('do not see each other’s payments', async () => {
    // Two payments that take turns in one worker must not confuse their messages, times or ends.
    const wait = { timeoutMs: 60_000, unreachableMs: 30_000 };
    const { dispatch } = theatre.realTime;
    const paid = theatre.stage({ verify: () => ({ kind: 'charged' }) }, 600_000);
    const open = theatre.stage({}, 1_200_000);
    await dispatch.openCheckout(paid.payment, wait);
    await dispatch.openCheckout(open.payment, wait);
    await dispatch.signalCallback(paid.payment.reference, 1n);
    expect(await paid.handle().result()).toBe('SUCCEEDED');
    expect(paid.asked.settle).toHaveLength(1);
    expect(await open.progress()).toEqual({
      status: 'PENDING',
      waitingFor: 'payer',
      until: new Date(open.expiresAtMs).toISOString(),
      reviewReason: null,
    });
    expect(open.asked).toMatchObject({ verify: [], settle: [] });
  });
});
