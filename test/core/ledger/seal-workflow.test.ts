import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLedgerActivities } from '../../../activities/ledger.ts';
import { createLogger } from '../../../runtime/logger.ts';
import type { Witness } from '../../../core/ledger/verify/verify-chain.ts';
import { sealingWitnesses } from '../../../scripts/commands/sealing-witnesses.ts';
import { WORKFLOWS } from '../../../worker/workflow-bundle.ts';
import { loopProgressQuery, wakeSignal } from '../../../workflows/messages/loop.ts';
import { LOOP_IDS, WORKFLOW_TYPES } from '../../../workflows/messages/names.ts';
import type { SealLedgerInput } from '../../../workflows/messages/seal-ledger.ts';
import {
  connectTestTemporal,
  createTestNamespace,
  uniqueTaskQueue,
  type TestTemporal,
} from '../../support/temporal.ts';
import { until } from '../../support/until.ts';
import { createApplication, openLedger, payPayment, type LedgerFixture } from './ledger-fixture.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const log = createLogger({ service: 'test', level: 'silent' });

const TIMEOUT_MS = 60_000;
const workflowId = LOOP_IDS.sealLedger;

let ledger: LedgerFixture;
let temporal: TestTemporal;
beforeAll(async () => {
  ledger = await openLedger();
  temporal = await connectTestTemporal({ timeSkipping: false, namespace: await createTestNamespace() });
}, TIMEOUT_MS);
afterAll(async () => {
  await temporal.close();
  await ledger.close();
});

/** Runs the sealer for some passes, then ends it by hand. */
async function sealByWorkflow({ passes, input = {} }: { passes: number; input?: SealLedgerInput }): Promise<void> {
  const taskQueue = uniqueTaskQueue('maintenance');
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue,
    ...WORKFLOWS,
    activities: createLedgerActivities({ database: ledger.database, log }),
  });
  await worker.runUntil(async () => {
    const handle = await temporal.client.workflow.start(WORKFLOW_TYPES.sealLedger, {
      workflowId,
      taskQueue,
      args: [input],
    });
    for (let passed = 1; passed <= passes; passed += 1) {
      await until(async () => (await handle.query(loopProgressQuery)).passes === passed);
      if (passed < passes) {
        await handle.signal(wakeSignal);
      }
    }
    await handle.terminate('by hand');
  });
}

const witnesses = (all = false): Promise<Witness[]> => sealingWitnesses({ ...temporal, all });

describe('the sealer', () => {
  // An attacker who rewrites the database cannot change what Temporal stores about the chain.
  test(
    'leaves every head in Temporal, and a chain that was written anew contradicts it',
    async () => {
      const applicationId = await createApplication(ledger.database);
      await payPayment(ledger.database, { applicationId });
      await ledger.sealable();
      await sealByWorkflow({ passes: 2 });
      const remembered = await witnesses();
      expect(remembered).toEqual([
        {
          sealId: 1n,
          hash: expect.stringMatching(/^[0-9a-f]{64}$/),
          source: `workflow ${workflowId}`,
          at: expect.any(Date),
        },
      ]);
      expect(await witnesses(true)).toEqual(remembered);
      expect((await ledger.verify(remembered)).findings).toEqual([]);

      await ledger.asIntruder('delete from ledger_sealed_rows');
      await ledger.asIntruder('delete from ledger_seals');
      await sleep(5);
      await ledger.seal();
      const { findings } = await ledger.verify(remembered);
      expect(findings[0]).toMatchObject({ check: 'witness', table: 'ledger_seals', id: '1' });
      expect(findings[0]?.what).toMatch(/workflow lenden-seal-ledger recorded/);

      // What the sealer records from now on agrees with the new chain. What it recorded before still contradicts it.
      await sealByWorkflow({ passes: 1 });
      await until(async () => (await witnesses()).length === 2);
      expect((await ledger.verify(await witnesses())).findings).toHaveLength(1);
    },
    TIMEOUT_MS,
  );

  test(
    'hands its last head over to the next run, with the time at which it was recorded',
    async () => {
      // A run that begins after a restore must not make a head of the lost state look new.
      const head = {
        sealId: '9',
        hash: 'b'.repeat(64),
        totalTransactions: '20',
        recordedAt: '2026-01-01T00:00:00.000Z',
      };
      await sealByWorkflow({ passes: 1, input: { head } });
      await until(async () => (await witnesses()).some(({ sealId }) => sealId === 9n));
      expect(await witnesses()).toContainEqual({
        sealId: 9n,
        hash: head.hash,
        source: `workflow ${workflowId}`,
        at: new Date(head.recordedAt),
      });
    },
    TIMEOUT_MS,
  );
});
