import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { WORKFLOWS } from '../../worker/workflow-bundle.ts';
import { loopProgressQuery, pauseSignal, resumeSignal, wakeSignal } from '../../workflows/messages/loop.ts';
import type { RememberedHeadRecord, SealLedgerInput, SealLedgerResult } from '../../workflows/messages/seal-ledger.ts';
import type { SweepResult } from '../../workflows/messages/maintenance.ts';
import { WORKFLOW_TYPES } from '../../workflows/messages/names.ts';
import { connectTestTemporal, createTestNamespace, uniqueTaskQueue, type TestTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const DAY_MS = 86_400_000;
const NOTHING: SweepResult = { actions: {}, nextInMs: DAY_MS };
const HEAD: SealLedgerResult = { sealId: '7', hash: 'a'.repeat(64), totalTransactions: '12', drained: true };

const taskQueue = uniqueTaskQueue('loops');
let temporal: TestTemporal;
let skipping: TestTemporal;
let worker: Worker;
let running: Promise<void>;
let sweeps = 0;
let sweep: () => Promise<SweepResult>;
let seal: (remembered?: RememberedHeadRecord) => Promise<SealLedgerResult>;
beforeAll(async () => {
  const namespace = await createTestNamespace();
  temporal = await connectTestTemporal({ timeSkipping: false, namespace });
  skipping = await connectTestTemporal({ timeSkipping: true, namespace });
  worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace,
    taskQueue,
    ...WORKFLOWS,
    activities: {
      sweep: () => {
        sweeps += 1;
        return sweep();
      },
      sealLedger: (remembered?: RememberedHeadRecord) => seal(remembered),
    },
  });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await temporal.close();
  await skipping.close();
});

let loop: WorkflowHandle;
beforeEach(() => {
  sweeps = 0;
  sweep = () => Promise.resolve(NOTHING);
  seal = () => Promise.resolve(HEAD);
});
afterEach(() => loop.terminate().catch(() => undefined));

async function started(
  type: keyof typeof WORKFLOW_TYPES = 'sweep',
  { client = temporal.client, args = [] }: { client?: TestTemporal['client']; args?: [SealLedgerInput] | [] } = {},
): Promise<WorkflowHandle> {
  loop = await client.workflow.start(WORKFLOW_TYPES[type], { workflowId: randomUUID(), taskQueue, args });
  return loop;
}

const stateOf = async (): Promise<string> => (await loop.query(loopProgressQuery)).state;
const detailsOf = async (): Promise<string> => {
  const { currentDetails } = await loop.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return currentDetails ?? '';
};

describe('the sweeper', () => {
  test('waits as long as a pass says, and tells what the last one did', async () => {
    // Otherwise what is due in five seconds waits for half a minute, and nobody sees in the UI what the sweeper does.
    const answers: SweepResult[] = [{ actions: { paymentsStarted: 2, deliveriesStarted: 1 }, nextInMs: 1_500 }];
    sweep = () => Promise.resolve(answers.shift() ?? NOTHING);
    await started();
    await until(async () => (await stateOf()) === 'waiting');
    expect(await detailsOf()).toMatch(
      /^The last pass ended at \d\d:\d\d:\d\d UTC: 2 payments or ended workflows checked, 1 deliveries started\. The next is due at /,
    );
    await until(() => sweeps === 2);
    await until(async () => (await detailsOf()).includes('nothing was due'));
  });

  test('looks at once when it is woken', async () => {
    await started();
    await until(async () => (await stateOf()) === 'waiting');
    await loop.signal(wakeSignal);
    await until(() => sweeps === 2);
  });

  test('goes on after a pass that failed', async () => {
    // If the loop ended with a pass, nothing would restart what is lost until a worker notices.
    sweep = () => Promise.reject(new Error('no database'));
    await started('sweep', { client: skipping.client });
    await until(() => sweeps >= 3);
    expect((await loop.describe()).status.name).toBe('RUNNING');
    await until(async () => (await detailsOf()).includes('failed, as the log of the worker explains'));
  });

  test('makes no pass while it is paused, but one for each wake, and goes on when it is resumed', async () => {
    // A measurement must not count what the sweeper does.
    const released = Promise.withResolvers<SweepResult>();
    sweep = () => released.promise;
    // This clock skips every wait, so a loop that is not paused would pass again at once.
    await started('sweep', { client: skipping.client });
    await until(() => sweeps >= 1);
    await loop.signal(pauseSignal);
    released.resolve(NOTHING);
    await until(async () => (await stateOf()) === 'paused');
    const { passes } = await loop.query(loopProgressQuery);
    const before = sweeps;
    await sleep(500);
    expect(sweeps).toBe(before);
    expect(await detailsOf()).toContain('until the signal `resume`');
    await loop.signal(wakeSignal);
    await until(async () => (await loop.query(loopProgressQuery)).passes === passes + 1);
    await until(async () => (await stateOf()) === 'paused');
    await loop.signal(resumeSignal);
    await until(() => sweeps > before + 2);
  });

  test('ends when it is cancelled', async () => {
    await started();
    await until(async () => (await stateOf()) === 'waiting');
    await loop.cancel();
    await until(async () => (await loop.describe()).status.name === 'CANCELLED');
  });

  test('costs six events a pass, so that a few runs last a day', async () => {
    // A pass every half minute is most of what an idle installation stores. A run ends at 4,096 events.
    sweep = () => Promise.resolve({ actions: {}, nextInMs: 30_000 });
    await started('sweep', { client: skipping.client });
    await until(() => sweeps >= 60);
    const { events = [] } = await loop.fetchHistory();
    // A clock that skips adds an event of its own.
    const stored = (events ?? []).filter((event) => !Object.keys(event).some((name) => /timeSkipping/i.test(name)));
    expect(stored.length).toBeGreaterThan(6 * 50);
    expect(stored.length).toBeLessThanOrEqual(6 * sweeps + 6);
  });
});

describe('the sealer', () => {
  test('passes again at once while more is to be sealed', async () => {
    // After an outage the unsealed end of the ledger must not wait half a minute for each batch.
    let seals = 0;
    seal = () => {
      seals += 1;
      return Promise.resolve({ ...HEAD, drained: seals >= 4 });
    };
    await started('sealLedger');
    await until(async () => (await stateOf()) === 'waiting');
    expect(seals).toBe(4);
    expect(await detailsOf()).toContain('seal 7 ends the chain of 12 ledger transactions');
  });

  test('keeps the head that the database lacks, and says so', async () => {
    // An older database runs without `npm run restore`. The sealer must remember the seal until a person has looked.
    const asked: (string | undefined)[] = [];
    seal = (remembered) => {
      asked.push(remembered?.sealId);
      return Promise.resolve(asked.length === 1 ? { ...HEAD, drained: false } : { ...HEAD, headLost: true });
    };
    await started('sealLedger');
    await until(async () => (await detailsOf()).includes('the database lacks seal 7, so nothing was sealed'));
    await loop.signal(wakeSignal);
    await until(() => Promise.resolve(asked.length === 3));
    expect(asked).toEqual([undefined, '7', '7']);
  });

  test('begins a new run with the head of the chain when its history is long', async () => {
    // The head is what `npm run verify` compares with the chain. It must outlive the run that recorded it.
    let seals = 0;
    seal = () => {
      seals += 1;
      return Promise.resolve({ ...HEAD, sealId: String(seals), drained: seals % 500 === 0 });
    };
    await started('sealLedger', { client: skipping.client });
    const { runId } = await loop.describe();
    await until(async () => (await temporal.client.workflow.getHandle(loop.workflowId).describe()).runId !== runId);
    const first = temporal.client.workflow.getHandle(loop.workflowId, runId);
    const { events } = await first.fetchHistory();
    const payload = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.input?.payloads?.[0]?.data;
    expect(JSON.parse(Buffer.from(payload ?? []).toString())).toEqual({
      head: {
        sealId: expect.stringMatching(/^\d{4}$/),
        hash: HEAD.hash,
        totalTransactions: '12',
        recordedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
    });
  });
});
