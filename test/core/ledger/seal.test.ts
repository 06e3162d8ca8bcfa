import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLedgerActivities } from '../../../activities/ledger.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { postTransaction } from '../../../core/ledger/store.ts';
import { sealBatch } from '../../../core/ledger/seal.ts';
import { paymentPosting } from '../../../domain/ledger.ts';
import { createApplication, openLedger, payPayment, type LedgerFixture } from './ledger-fixture.ts';

const log = createLogger({ service: 'test', level: 'silent' });

let ledger: LedgerFixture;
let applicationId: bigint;
beforeEach(async () => {
  ledger = await openLedger();
  applicationId = await createApplication(ledger.database);
});
afterEach(() => ledger.close());

async function pay(times: number): Promise<void> {
  for (let paid = 0; paid < times; paid += 1) {
    await payPayment(ledger.database, { applicationId });
  }
}

async function sealedCauses(): Promise<string[]> {
  const rows = await ledger.database.withSystem((em) =>
    em.execute<{ cause: string }[]>(
      `select t.cause_id as cause from ledger_sealed_rows s join ledger_transactions t on t.id = s.row_id
       where s.table_name = 'ledger_transactions' order by s.seal_id, s.position`,
    ),
  );
  return rows.map(({ cause }) => cause);
}

describe('sealing', () => {
  // Every posted row must be in the chain exactly once, and the chain must be valid.
  test('seals accounts, transactions and postings once, in bounded batches', async () => {
    await pay(5);
    expect((await ledger.seal(2)).drained).toBe(false);
    expect((await ledger.seal(2)).drained).toBe(false);
    const last = await ledger.seal(2);
    expect(last).toMatchObject({ drained: true, head: { sealId: 3n, totalTransactions: 5n } });
    const report = await ledger.verify();
    expect(report.findings).toEqual([]);
    expect(report.chain).toMatchObject({ seals: 3n, sealedTransactions: 5n, sealedRows: 18n });
    expect(report.unsealed).toEqual({ transactions: 0n, oldestSeconds: null });
  });

  test('an empty pass keeps the head', async () => {
    expect((await ledger.seal()).head).toMatchObject({ sealId: 0n, hash: Buffer.alloc(32) });
    await pay(1);
    const { head } = await ledger.seal();
    expect(await ledger.seal()).toEqual({ head, drained: true });
  });

  // A row with a lower number may commit later, and must not be skipped.
  test('a transaction that began earlier and commits later is not skipped', async () => {
    await pay(1);
    await ledger.seal();
    const posted = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const older = ledger.database.withScope({ applicationId, mode: 'TEST' }, async (em) => {
      await postTransaction(em, settlement('older'));
      posted.resolve();
      await mayCommit.promise;
    });
    await posted.promise;
    await post('newer');
    expect((await sealAtOnce()).head.totalTransactions).toBe(1n);
    mayCommit.resolve();
    await older;
    expect((await ledger.seal()).head.totalTransactions).toBe(3n);
    expect((await sealedCauses()).slice(1)).toEqual(['older', 'newer']);
  });

  // Two workers may seal at the same time, and must extend the same chain.
  test('sealers at the same time make one unbroken chain', async () => {
    await pay(9);
    const outcomes = await Promise.all(Array.from({ length: 3 }, () => ledger.seal(2)));
    expect(outcomes.some(({ head }) => head.sealId > 0n)).toBe(true);
    let drained = false;
    for (let passes = 0; passes < 20 && !drained; passes += 1) {
      drained = (await ledger.seal(2)).drained;
    }
    const report = await ledger.verify();
    expect(report.findings).toEqual([]);
    expect(report.chain.sealedTransactions).toBe(9n);
  });

  test('a pass that fails leaves the chain as it was', async () => {
    await pay(2);
    await ledger.sealable();
    await expect(
      ledger.database.withSystem(async (em) => {
        await sealBatch(em, { transactionsMax: 10 });
        throw new Error('the worker died');
      }),
    ).rejects.toThrow('the worker died');
    expect((await ledger.verify()).chain.seals).toBe(0n);
    expect((await ledger.seal()).head.totalTransactions).toBe(2n);
  });

  // After a restore into another cluster, transaction numbers start again below the sealed ones.
  test('goes on after a restore into another cluster, and skips nothing', async () => {
    await pay(3);
    await ledger.seal(2);
    await ledger.asIntruder(`update ledger_transactions set xid = '900000000000'::xid8`);
    await restoredFromElsewhere();
    await pay(2);
    expect((await ledger.seal(2)).drained).toBe(false);
    expect((await ledger.seal(2)).drained).toBe(true);
    await pay(1);
    const { head } = await ledger.seal(2);
    expect(head.totalTransactions).toBe(6n);
    expect((await ledger.verify()).unsealed.transactions).toBe(0n);
  });

  // The activity seals a whole backlog in one call and returns the head, which Temporal stores.
  test('the activity answers the head of the chain', async () => {
    await pay(3);
    await ledger.sealable();
    const activities = createLedgerActivities({ database: ledger.database, log });
    const result = await activities.sealLedger();
    expect(result).toEqual({
      sealId: '1',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      totalTransactions: '3',
      drained: true,
    });
    expect(await activities.sealLedger()).toEqual(result);
  });

  // The cost of a run must not grow with the ledger.
  test('finds the next batch by index, not by looking at what is sealed', async () => {
    const plan = await ledger.database.withSystem(async (em) => {
      await em.execute('set local enable_seqscan = off');
      await em.execute('set local enable_sort = off');
      return em.execute<{ 'QUERY PLAN': string }[]>(
        `explain select id from ledger_transactions t
         where (t.xid, t.id) > ('5'::xid8, 5) and t.xid < pg_snapshot_xmin(pg_current_snapshot()) order by t.xid, t.id limit 500`,
      );
    });
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toMatch(/Index.* ledger_transactions_xid_idx/);
    expect(text).toMatch(/Index Cond: .*ROW\(xid, id\)/);
  });
});

function settlement(reference: string) {
  const money = { gateway: 'sslcommerz', grossMinor: 100n, feeMinor: 1n };
  return paymentPosting({ applicationId, mode: 'TEST', currency: 'BDT', reference, ...money });
}

/** Seals without waiting for open transactions. */
function sealAtOnce(): ReturnType<typeof sealBatch> {
  return ledger.database.withSystem((em) => sealBatch(em, { transactionsMax: 100 }));
}

function post(reference: string): Promise<unknown> {
  return ledger.database.withScope({ applicationId, mode: 'TEST' }, (em) => postTransaction(em, settlement(reference)));
}

/** Makes the last seal name another cluster, as after the restore of a dump. */
function restoredFromElsewhere(): Promise<void> {
  return ledger.asIntruder(`update ledger_seals set cluster = '1', through_xid = '900000000000'::xid8`);
}
