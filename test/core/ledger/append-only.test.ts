import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sqlStateOf } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';
import { createApplication, openLedger, payPayment, type LedgerFixture } from './ledger-fixture.ts';

const TABLES = ['ledger_accounts', 'ledger_transactions', 'ledger_postings', 'ledger_seals', 'ledger_sealed_rows'];
const INSUFFICIENT_PRIVILEGE = '42501';
const RESTRICT_VIOLATION = '23001';
const FOREIGN_KEY_VIOLATION = '23503';
const CHECK_VIOLATION = '23514';
const UNIQUE_VIOLATION = '23505';

let ledger: LedgerFixture;
let applicationId: bigint;
let otherId: bigint;
beforeAll(async () => {
  ledger = await openLedger();
  applicationId = await createApplication(ledger.database);
  otherId = await createApplication(ledger.database);
  await payPayment(ledger.database, { applicationId });
  await payPayment(ledger.database, { applicationId, mode: 'LIVE' });
  await payPayment(ledger.database, { applicationId: otherId });
  await ledger.seal();
});
afterAll(() => ledger.close());

type Session = (sql: string) => Promise<unknown>;
const asApp: Session = (sql) => ledger.database.withScope({ applicationId, mode: 'TEST' }, (em) => em.execute(sql));
const asSystem: Session = (sql) => ledger.database.withSystem((em) => em.execute(sql));
const asOwner: Session = (sql) => ledger.asOwner((em) => em.execute(sql));

const CHANGES = TABLES.flatMap((table) => [
  { table, sql: `update ${table} set created_at = now()`, kind: 'update' },
  { table, sql: `delete from ${table}`, kind: 'delete' },
  { table, sql: `truncate ${table} cascade`, kind: 'truncate' },
]).map((change) => ({
  ...change,
  sql: change.sql.replace('ledger_sealed_rows set created_at = now()', 'ledger_sealed_rows set position = 1'),
}));

describe('the ledger is append-only in the database itself', () => {
  test.each(CHANGES)('the app role cannot $kind $table', async ({ sql }) => {
    expect(await refusalOf(asApp(sql))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  test.each(CHANGES)('the system role cannot $kind $table', async ({ sql }) => {
    expect(await refusalOf(asSystem(sql))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  // A mistake of the owner at a database console must not change history.
  test.each(CHANGES)('the owner cannot $kind $table', async ({ sql }) => {
    expect(await refusalOf(asOwner(sql))).toBe(RESTRICT_VIOLATION);
  });

  test('the app role cannot disable triggers', async () => {
    expect(await refusalOf(asApp('alter table ledger_postings disable trigger all'))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await refusalOf(asApp('set local session_replication_role = replica'))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  // Seals prove something only because the runtime that posts cannot write them.
  test('the app role neither reads nor writes seals', async () => {
    expect(await refusalOf(asApp('select from ledger_seals'))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await refusalOf(asApp('select from ledger_sealed_rows'))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await refusalOf(asApp('insert into ledger_seals default values'))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  // With a chosen transaction number, a row could be placed where sealing never looks.
  test.each([
    ['xid', `'99999999'::xid8`],
    ['created_at', `now() - interval '1 year'`],
  ])('the app role cannot choose %s of a transaction', async (column, value) => {
    const sql = `insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind, ${column})
      values (${applicationId}, 'TEST', 'BDT', 'payment', 'forged', 'charge', ${value})`;
    expect(await refusalOf(asApp(sql))).toBe(INSUFFICIENT_PRIVILEGE);
  });
});

describe('an unbalanced or misplaced posting cannot be written, even in raw SQL', () => {
  // Each case inserts its own journal entry first, then the posting that must be refused.
  const CASES: readonly [string, Partial<PostingColumns>, string][] = [
    ['an amount of zero', { amount: '0' }, CHECK_VIOLATION],
    ['a negative amount', { amount: '-5' }, CHECK_VIOLATION],
    ['one account on both sides', { credit: account('gateway:sslcommerz:clearing') }, CHECK_VIOLATION],
    ['a credit account of another app', { credit: account('app:payable', { app: 'other' }) }, FOREIGN_KEY_VIOLATION],
    ['a credit account of the other mode', { credit: account('app:payable', { mode: 'LIVE' }) }, FOREIGN_KEY_VIOLATION],
    ['another currency than its accounts', { currency: 'USD' }, FOREIGN_KEY_VIOLATION],
    ['another mode than its transaction', { mode: 'LIVE' }, FOREIGN_KEY_VIOLATION],
    ['another app than its transaction', { app: 'other' }, FOREIGN_KEY_VIOLATION],
    ['an account that does not exist', { credit: '999999' }, FOREIGN_KEY_VIOLATION],
  ];

  // The keys refuse it for every role, including the owner.
  test.each(CASES)('the owner cannot post %s', async (_name, change, state) => {
    expect(await refusalOf(ledger.asOwner((statements) => insertPosting(statements, change)))).toBe(state);
  });

  // For the app role, row-level security may refuse first if the row belongs to another scope.
  test.each(CASES)('the app role cannot post %s', async (_name, change, state) => {
    const refused = await refusalOf(
      ledger.database.withScope({ applicationId, mode: 'TEST' }, (statements) => insertPosting(statements, change)),
    );
    expect([state, INSUFFICIENT_PRIVILEGE, '23502']).toContain(refused);
  });

  test('a posting cannot be added to an older transaction', async () => {
    const older = `(select min(id) from ledger_transactions where application_id = ${applicationId} and mode = 'TEST')`;
    expect(await refusalOf(ledger.asOwner((statements) => insertPosting(statements, { transaction: older })))).toBe(
      RESTRICT_VIOLATION,
    );
    expect(
      await refusalOf(
        ledger.database.withScope({ applicationId, mode: 'TEST' }, (statements) =>
          insertPosting(statements, { transaction: older }),
        ),
      ),
    ).toBe(RESTRICT_VIOLATION);
  });

  test('a cause cannot be posted twice by hand', async () => {
    const sql = `insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind)
      select application_id, mode, currency, cause_type, cause_id, kind from ledger_transactions order by id limit 1`;
    expect(await refusalOf(asOwner(sql))).toBe(UNIQUE_VIOLATION);
  });

  // A reversal must stay within the app, mode and currency of the entry that it reverses.
  test('a transaction cannot reverse one of another app', async () => {
    const sql = `insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind, reverses_id)
      select ${applicationId}, 'TEST', 'BDT', 'transaction', id::text, 'reversal', id from ledger_transactions where application_id = ${otherId} limit 1`;
    expect(await refusalOf(asOwner(sql))).toBe(FOREIGN_KEY_VIOLATION);
  });
});

interface PostingColumns {
  readonly transaction: string;
  readonly app: 'own' | 'other';
  readonly mode: string;
  readonly currency: string;
  readonly credit: string;
  readonly amount: string;
}

/** Returns SQL that finds an account's id, because the ids of the apps are known only when the test runs. */
function account(name: string, { app = 'own', mode = 'TEST' }: { app?: 'own' | 'other'; mode?: string } = {}): string {
  return `(select id from ledger_accounts where name = '${name}' and mode = '${mode}' and application_id = :${app})`;
}

async function insertPosting(statements: Statements, change: Partial<PostingColumns>): Promise<void> {
  const posting = {
    transaction: '(select max(id) from ledger_transactions)',
    app: 'own',
    mode: 'TEST',
    currency: 'BDT',
    credit: account('app:payable'),
    amount: '100',
    ...change,
  };
  const named = (sql: string): string =>
    sql.replaceAll(':own', String(applicationId)).replaceAll(':other', String(otherId));
  await statements.execute(
    `insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind)
     values (${applicationId}, 'TEST', 'BDT', 'payment', 'raw', 'charge')`,
  );
  await statements.execute(
    named(`insert into ledger_postings (transaction_id, application_id, mode, currency, debit_account_id, credit_account_id, amount_minor)
      values (${posting.transaction}, :${posting.app}, '${posting.mode}', '${posting.currency}', ${account('gateway:sslcommerz:clearing')},
        ${posting.credit}, ${posting.amount})`),
  );
  throw new Error('the posting was written');
}

/** Returns the SQLSTATE with which a statement was refused, or undefined if it was not. */
async function refusalOf(attempt: Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    return sqlStateOf(error);
  }
}
