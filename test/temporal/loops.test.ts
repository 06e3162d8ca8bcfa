import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger } from '../../runtime/logger.ts';
import { createDispatch } from '../../temporal/dispatch.ts';
import { ensureLoop, SWEEPER } from '../../temporal/loops.ts';
import { keepLoops } from '../../worker/loops.ts';
import { LOOP_IDS } from '../../workflows/messages/names.ts';
import { connectTestTemporal, createTestNamespace, type TestTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';

const log = createLogger({ service: 'test', level: 'silent' });

let temporal: TestTemporal;
beforeAll(async () => {
  temporal = await connectTestTemporal({ timeSkipping: false, namespace: await createTestNamespace() });
});
afterAll(() => temporal.close());

const describeLoop = (id: string) => temporal.client.workflow.getHandle(id).describe();

describe('the loops', () => {
  test('run once, however many workers start them', async () => {
    // Two sweepers would drive everything twice, and each would be half of the runs in the Temporal UI.
    const started = await Promise.all([1, 2, 3].map(() => ensureLoop(temporal.client, SWEEPER)));
    expect(started).toContain(true);
    const { runId, memo, staticSummary } = await describeSummary();
    expect(memo).toEqual({});
    expect(staticSummary).toBe('Sweeper: restarts whatever is stored but not picked up');
    expect(await ensureLoop(temporal.client, SWEEPER)).toBe(false);
    expect((await describeLoop(LOOP_IDS.sweep)).runId).toBe(runId);
  });

  test('are started again by a running worker after someone ended them', async () => {
    // Nothing else restarts what restarts everything else.
    const kept = await keepLoops({ client: temporal.client, log, everyMs: 200 });
    try {
      for (const id of Object.values(LOOP_IDS)) {
        const { runId, status } = await describeLoop(id);
        expect(status.name).toBe('RUNNING');
        await temporal.client.workflow.getHandle(id).terminate('by hand');
        await until(async () => (await describeLoop(id)).runId !== runId);
        expect((await describeLoop(id)).status.name).toBe('RUNNING');
      }
    } finally {
      await kept.end();
    }
  });

  test('are left alone while Temporal cannot be reached, and the worker goes on', async () => {
    const client = {
      workflow: { getHandle: () => ({ describe: () => Promise.reject(new Error('14 UNAVAILABLE')) }) },
    };
    const kept = await keepLoops({ client: client as never, log, everyMs: 50 });
    await kept.end();
  });

  test('the sweeper is woken by a signal, and its absence is an answer', async () => {
    // A caller has made rows due. If nothing runs, a worker starts the sweeper soon, and the caller must not fail.
    const dispatch = createDispatch(temporal.client);
    await ensureLoop(temporal.client, SWEEPER);
    expect(await dispatch.wakeSweeper()).toBe(true);
    const { events } = await temporal.client.workflow.getHandle(LOOP_IDS.sweep).fetchHistory();
    expect(events?.at(-1)?.workflowExecutionSignaledEventAttributes?.signalName).toBe('wake');
    await temporal.client.workflow.getHandle(LOOP_IDS.sweep).terminate();
    expect(await dispatch.wakeSweeper()).toBe(false);
  });
});

async function describeSummary() {
  const described = await describeLoop(LOOP_IDS.sweep);
  return { ...described, staticSummary: await described.staticSummary() };
}
