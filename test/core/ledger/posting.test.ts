import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledText } from '../../../database/compiled-text.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { LedgerConflict, postTransaction } from '../../../core/ledger/store.ts';
import { accountBalances, trialBalance } from '../../../core/ledger/verify/balances.ts';
import { paymentPosting, reversal, type LedgerTransaction } from '../../../domain/ledger.ts';
import { createApplication, openLedger, type LedgerFixture } from './ledger-fixture.ts';

let ledger: LedgerFixture;
let applicationId: bigint;
beforeAll(async () => {
  ledger = await openLedger();
  applicationId = await createApplication(ledger.database);
});
afterAll(() => ledger.close());

function settlement(reference: string, change: Partial<Parameters<typeof paymentPosting>[0]> = {}): LedgerTransaction {
  const money = { gateway: 'sslcommerz', grossMinor: 10_000n, feeMinor: 250n };
  return paymentPosting({ applicationId, mode: 'TEST', currency: 'BDT', ...money, reference, ...change });
}

function post(transaction: LedgerTransaction): Promise<string> {
  const { applicationId, mode } = transaction;
  return ledger.database.withScope({ applicationId, mode }, (em) => postTransaction(em, transaction));
}

async function postingsOf(causeId: string): Promise<number> {
  const [row] = await ledger.database.withSystem((em) =>
    em.execute<{ count: number }[]>(
      `select count(*)::integer from ledger_transactions t join ledger_postings p on p.transaction_id = t.id where t.cause_id = ?`,
      [causeId],
    ),
  );
  return row?.count ?? 0;
}

describe('posting', () => {
  // A retried activity must not post twice.
  test('the same cause posts once and answers that it stands', async () => {
    expect(await post(settlement('pay_once'))).toBe('posted');
    expect(await post(settlement('pay_once'))).toBe('already-posted');
    expect(await postingsOf('pay_once')).toBe(2);
  });

  // "Already posted" must mean the same posting. Another amount under the same cause is a bug that must be reported.
  test.each([
    ['another amount', { grossMinor: 10_001n }],
    ['another fee', { feeMinor: 0n }],
    ['another currency', { currency: 'USD' }],
  ])('the same cause with %s is a conflict', async (name, change) => {
    const reference = `pay_conflict_${name}`;
    await post(settlement(reference));
    await expect(post(settlement(reference, change))).rejects.toThrow(LedgerConflict);
    expect(await postingsOf(reference)).toBe(2);
  });

  // An app must not take another app's posting for its own.
  test('the same cause in another app or mode is a conflict, not "already posted"', async () => {
    await post(settlement('pay_owned'));
    const other = await createApplication(ledger.database);
    await expect(post(settlement('pay_owned', { applicationId: other }))).rejects.toThrow(LedgerConflict);
    await expect(post(settlement('pay_owned', { mode: 'LIVE' }))).rejects.toThrow(LedgerConflict);
  });

  // If two workers finalize one payment at once, one posts, and the other waits and learns of it.
  test('the second of two open transactions waits and does not post', async () => {
    await post(settlement('pay_warm'));
    const first = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const scope = { applicationId, mode: 'TEST' } as const;
    const winner = ledger.database.withScope(scope, async (em) => {
      const outcome = await postTransaction(em, settlement('pay_race'));
      first.resolve();
      await mayCommit.promise;
      return outcome;
    });
    await first.promise;
    const loser = post(settlement('pay_race'));
    await waitUntilBlocked();
    mayCommit.resolve();
    expect(await Promise.all([winner, loser])).toEqual(['posted', 'already-posted']);
    expect(await postingsOf('pay_race')).toBe(2);
  });

  test('the second posts when the first rolls back', async () => {
    const first = Promise.withResolvers<void>();
    const mayFail = Promise.withResolvers<void>();
    const scope = { applicationId, mode: 'TEST' } as const;
    const failing = ledger.database.withScope(scope, async (em) => {
      await postTransaction(em, settlement('pay_rollback'));
      first.resolve();
      await mayFail.promise;
      throw new Error('the worker died');
    });
    await first.promise;
    const second = post(settlement('pay_rollback'));
    await waitUntilBlocked();
    mayFail.resolve();
    await expect(failing).rejects.toThrow('the worker died');
    expect(await second).toBe('posted');
    expect(await postingsOf('pay_rollback')).toBe(2);
  });

  // The first postings of an app may run at once. None may fail because another one creates the same account.
  test('many first postings of a new app at once all post', async () => {
    const fresh = await createApplication(ledger.database);
    const references = Array.from({ length: 12 }, (_, index) => `pay_first_${index}`);
    const outcomes = await Promise.all(
      references.map((reference) => post(settlement(reference, { applicationId: fresh }))),
    );
    expect(outcomes).toEqual(references.map(() => 'posted'));
    const balances = await ledger.database.withSystem((em) => accountBalances(em, { applicationId: fresh }));
    expect(balances.map(({ account, balanceMinor }) => [account, balanceMinor])).toEqual([
      ['app:payable', 120_000n],
      ['gateway:fees', 3_000n],
      ['gateway:sslcommerz:clearing', 117_000n],
    ]);
  });

  // Every payment posts, so posting must take one statement and must not lock a row that two payments share.
  test('costs one statement once the accounts exist, and updates nothing', async () => {
    await post(settlement('pay_before_count'));
    const statements = await countStatements((em) => postTransaction(em, settlement('pay_count')));
    expect(statements).toHaveLength(1);
    expect(statements[0]).not.toMatch(/\bupdate\b/i);
  });

  test('another payment of the same app posts while one is still open', async () => {
    await post(settlement('pay_open_warm'));
    await ledger.database.withScope({ applicationId, mode: 'TEST' }, async (em) => {
      await postTransaction(em, settlement('pay_open'));
      expect(await post(settlement('pay_beside'))).toBe('posted');
    });
  });

  test('a reversal brings every balance back and is posted once', async () => {
    const fresh = await createApplication(ledger.database);
    const original = settlement('pay_reversed', { applicationId: fresh });
    await post(original);
    const [row] = await ledger.database.withSystem((em) =>
      em.execute<{ id: string }[]>(`select id::text from ledger_transactions where cause_id = 'pay_reversed'`),
    );
    const back = reversal({ ...original, id: BigInt(row?.id ?? 0) });
    expect(await post(back)).toBe('posted');
    expect(await post(back)).toBe('already-posted');
    const balances = await ledger.database.withSystem((em) => accountBalances(em, { applicationId: fresh }));
    expect(balances.map(({ balanceMinor }) => balanceMinor)).toEqual([0n, 0n, 0n]);
  });
});

describe('balances', () => {
  test('a scoped session sees no account of another app', async () => {
    const other = await createApplication(ledger.database);
    await post(settlement('pay_other_app', { applicationId: other }));
    const own = await ledger.database.withScope({ applicationId: other, mode: 'TEST' }, (em) => accountBalances(em));
    expect(own.length).toBeGreaterThan(0);
    expect(own.every((balance) => balance.applicationId === other)).toBe(true);
  });

  test('the trial balance shows equal debits and credits for each currency', async () => {
    await post(settlement('pay_usd', { currency: 'USD', grossMinor: 777n, feeMinor: 0n }));
    const lines = await ledger.database.withSystem((em) => trialBalance(em));
    expect(lines.map(({ mode, currency }) => `${mode} ${currency}`)).toEqual(['TEST BDT', 'TEST USD']);
    expect(lines.every(({ debitsMinor, creditsMinor }) => debitsMinor === creditsMinor && debitsMinor > 0n)).toBe(true);
  });

  test('sums beyond 2^53 are exact', async () => {
    const rich = await createApplication(ledger.database);
    const grossMinor = 2n ** 53n - 1n;
    for (const reference of ['pay_rich_1', 'pay_rich_2', 'pay_rich_3']) {
      await post(settlement(reference, { applicationId: rich, grossMinor, feeMinor: 0n }));
    }
    const balances = await ledger.database.withSystem((em) => accountBalances(em, { applicationId: rich }));
    expect(balances.find(({ account }) => account === 'app:payable')?.balanceMinor).toBe(3n * grossMinor);
  });
});

/** Waits until a session waits for a lock. */
async function waitUntilBlocked(): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const [row] = await ledger.asOwner((em) =>
      em.execute<{ waiting: number }[]>(
        `select count(*)::integer as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      ),
    );
    if ((row?.waiting ?? 0) > 0) {
      return;
    }
    await sleep(10);
  }
  throw new Error('nobody waits for a lock');
}

async function countStatements(work: (em: EntityManager) => Promise<unknown>): Promise<string[]> {
  return ledger.database.withScope({ applicationId, mode: 'TEST' }, async (em) => {
    const execute = jest.spyOn(em, 'execute');
    await work(em);
    return execute.mock.calls.map(([statement]) =>
      statement instanceof CompiledText ? statement.sql : String(statement),
    );
  });
}
