import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLedgerActivities } from '../../../activities/ledger.ts';
import { createLogger } from '../../../runtime/logger.ts';
import type { Database } from '../../../database/connection.ts';
import type { SealOutcome } from '../../../core/ledger/seal.ts';
import { noteRestore } from '../../../core/maintenance/store/after-restore.ts';
import { createApplication, openLedger, type LedgerFixture } from './ledger-fixture.ts';

const log = createLogger({ service: 'test', level: 'silent' });

let ledger: LedgerFixture;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

/** A fake database that counts its seals and reports the backlog as drained at the given one. */
function draining(at: number): { database: Pick<Database, 'withSystem'>; seals: () => number } {
  let seals = 0;
  const outcome = (): SealOutcome => ({
    head: { sealId: BigInt(seals), hash: Buffer.alloc(32, seals), totalTransactions: BigInt(seals * 500) },
    drained: seals >= at,
  });
  return {
    database: {
      withSystem: <T>() => {
        seals += 1;
        return Promise.resolve(outcome() as T);
      },
    },
    seals: () => seals,
  };
}

test.each([
  [1, 1, true],
  [3, 3, true],
  [20, 20, true],
  [21, 20, false],
])('a backlog that the seal %i drains takes %i seals, and says so: %p', async (at, expected, drained) => {
  // Each call is bounded, and the workflow must know whether to call again.
  const { database, seals } = draining(at);
  const result = await createLedgerActivities({ database: database as Database, log }).sealLedger();
  expect(seals()).toBe(expected);
  expect(result).toEqual({
    sealId: String(expected),
    hash: Buffer.alloc(32, expected).toString('hex'),
    totalTransactions: String(expected * 500),
    drained,
  });
});

test('a seal holds five hundred transactions at most', async () => {
  // Each seal is one database transaction, small enough not to delay payments.
  const applicationId = await createApplication(ledger.database);
  await ledger.database.withScope({ applicationId, mode: 'TEST' }, (em) =>
    em.execute(
      `with accounts as (
         insert into ledger_accounts (application_id, mode, currency, name, normal_side)
         values (?, 'TEST', 'BDT', 'bank', 'debit'), (?, 'TEST', 'BDT', 'suspense', 'credit') returning id, name),
       transactions as (
         insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind)
         select ?, 'TEST', 'BDT', 'payment', 'pay_' || n, 'charge' from generate_series(1, 501) n returning id)
       insert into ledger_postings (transaction_id, application_id, mode, currency, debit_account_id, credit_account_id, amount_minor)
       select t.id, ?, 'TEST', 'BDT', d.id, c.id, 100
       from transactions t, accounts d, accounts c where d.name = 'bank' and c.name = 'suspense'`,
      [applicationId, applicationId, applicationId, applicationId],
    ),
  );
  await ledger.sealable();
  const result = await createLedgerActivities({ database: ledger.database, log }).sealLedger();
  expect(result).toMatchObject({ sealId: '2', totalTransactions: '501', drained: true });
});

describe('a head that the sealer remembers', () => {
  const activities = () => createLedgerActivities({ database: ledger.database, log });
  const past = () => new Date(Date.now() - 60_000).toISOString();
  const lost = { sealId: '900', hash: 'ab'.repeat(32), totalTransactions: '5000' };

  test('is held by the chain, and sealing goes on', async () => {
    const { drained: _drained, ...head } = await activities().sealLedger();
    expect(await activities().sealLedger({ ...head, recordedAt: past() })).toEqual({ ...head, drained: true });
  });

  test('and is missing stops the sealing, until `npm run restore` was run', async () => {
    // Sealing on would give the number of a lost seal to another one, and two copies of the ledger would both look whole.
    const remembered = { ...lost, recordedAt: past() };
    expect(await activities().sealLedger(remembered)).toEqual({ ...lost, drained: true, headLost: true });
    await ledger.database.withSystem(noteRestore);
    expect(await activities().sealLedger(remembered)).not.toHaveProperty('headLost');
    const later = { ...lost, recordedAt: new Date(Date.now() + 60_000).toISOString() };
    expect(await activities().sealLedger(later)).toHaveProperty('headLost', true);
  });

  test('and has another hash in the chain stops the sealing, whatever was restored', async () => {
    const { sealId, totalTransactions, hash } = await activities().sealLedger();
    expect(Number(sealId)).toBeGreaterThan(0);
    const forged = { sealId, totalTransactions, hash: hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) };
    await ledger.database.withSystem(noteRestore);
    expect(await activities().sealLedger({ ...forged, recordedAt: past() })).toHaveProperty('headLost', true);
  });
});
