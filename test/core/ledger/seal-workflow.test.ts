import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLedgerActivities } from '../../../activities/ledger.ts';
import { createLogger } from '../../../runtime/logger.ts';
import type { Witness } from '../../../core/ledger/verify/verify-chain.ts';
import { sealingWitnesses } from '../../../scripts/commands/sealing-witnesses.ts';
import { WORKFLOW_TYPES } from '../../../workflows/messages/names.ts';
import type { SealLedgerResult } from '../../../workflows/messages/seal-ledger.ts';
import {
  connectTestTemporal,
  createTestNamespace,
  uniqueTaskQueue,
  type TestTemporal,
} from '../../support/temporal.ts';
import { createApplication, openLedger, payPayment, type LedgerFixture } from './ledger-fixture.ts';

const log = createLogger({ service: 'test', level: 'silent' });

const TIMEOUT_MS = 60_000;

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

async function sealByWorkflow(workflowIds: readonly string[]): Promise<SealLedgerResult[]> {
  const taskQueue = uniqueTaskQueue('maintenance');
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('../../../workflows/seal-ledger.ts', import.meta.url)),
    activities: createLedgerActivities({ database: ledger.database, log }),
  });
  return worker.runUntil(() =>
    Promise.all(
      workflowIds.map((workflowId) =>
        temporal.client.workflow.execute<() => Promise<SealLedgerResult>>(WORKFLOW_TYPES.sealLedger, {
          workflowId,
          taskQueue,
        }),
      ),
    ),
  );
}

/** Returns the witnesses. Temporal's visibility shows an ended workflow a moment later. */
async function witnesses(count: number): Promise<Witness[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await sealingWitnesses({ ...temporal, all: false });
    if (found.length >= count) {
      return found;
    }
    await sleep(100);
  }
  throw new Error('the sealing workflows are not listed');
}

describe('the sealing workflow', () => {
  // An attacker who rewrites the database cannot change what Temporal stores about the chain.
  test(
    'answers the head, and a chain that was written anew contradicts it',
    async () => {
      const applicationId = await createApplication(ledger.database);
      await payPayment(ledger.database, { applicationId });
      await ledger.sealable();
      const results = await sealByWorkflow(['seal-1', 'seal-2']);
      expect(results.map(({ sealId, totalTransactions }) => ({ sealId, totalTransactions }))).toContainEqual({
        sealId: '1',
        totalTransactions: '1',
      });
      const remembered = await witnesses(1);
      expect(remembered.every(({ sealId }) => sealId === 1n)).toBe(true);
      expect(await sealingWitnesses({ ...temporal, all: true })).toEqual(expect.arrayContaining(remembered));
      expect((await ledger.verify(remembered)).findings).toEqual([]);

      await ledger.asIntruder('delete from ledger_sealed_rows');
      await ledger.asIntruder('delete from ledger_seals');
      await sleep(5);
      await ledger.seal();
      const { findings } = await ledger.verify(remembered);
      expect(findings[0]).toMatchObject({ check: 'witness', table: 'ledger_seals', id: '1' });
      expect(findings[0]?.what).toMatch(/workflow seal-[12] recorded/);
    },
    TIMEOUT_MS,
  );
});
