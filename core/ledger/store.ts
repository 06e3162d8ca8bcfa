import { checkTransaction, normalSideOf, reversal, type LedgerTransaction } from '../../domain/ledger.ts';
import type { Statements } from '../../database/statements.ts';

export type PostOutcome = 'posted' | 'already-posted';

/** The cause was already posted with different postings. One of the two callers is wrong, and no retry helps. */
export class LedgerConflict extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LedgerConflict';
  }
}

/**
 * Posts within the caller's transaction, once per cause and kind. A second caller with the same postings gets `already-posted`; if the first is still
 * open, it waits for it. Takes one statement if the accounts exist, three for the first posting of a new account. No row is updated, so two payments
 * of one application never wait for each other.
 * @throws RangeError if the transaction cannot be stored, LedgerConflict if the cause is posted with different postings
 */
export async function postTransaction(statements: Statements, transaction: LedgerTransaction): Promise<PostOutcome> {
  checkTransaction(transaction);
  let result = await insertTransaction(statements, transaction);
  if (!result.accountsComplete) {
    await insertMissingAccounts(statements, transaction);
    result = await insertTransaction(statements, transaction);
  }
  if (result.postings === transaction.postings.length) {
    return 'posted';
  }
  if (!result.accountsComplete || result.postings !== 0) {
    throw new LedgerConflict('the scope of this database session does not own the accounts of the posting');
  }
  await requireSamePostings(statements, transaction);
  return 'already-posted';
}

/** Reverses what is posted for a cause, once. Throws if nothing is posted. */
export async function postReversal(statements: Statements, original: LedgerTransaction): Promise<PostOutcome> {
  const { cause, kind } = original;
  const [row] = await statements.execute<{ id: string }[]>(
    'select id from ledger_transactions where cause_type = ? and cause_id = ? and kind = ?',
    [cause.type, cause.id, kind],
  );
  if (row === undefined) {
    throw new LedgerConflict(`${kind} of ${cause.type} ${cause.id} is not posted`);
  }
  await requireSamePostings(statements, original);
  return postTransaction(statements, reversal({ ...original, id: BigInt(row.id) }));
}

/** Reads the accounts and writes the transaction and its postings in one statement. Writes nothing if an account is missing. */
const INSERT_TRANSACTION = `
with wanted as (
  select w.position, w.debit, w.credit, w.amount
  from jsonb_to_recordset(?::jsonb) as w (position integer, debit text, credit text, amount bigint)
), found as (
  select a.id, a.name from ledger_accounts a
  where a.application_id = ?::bigint and a.mode = ? and a.currency = ?
    and a.name in (select debit from wanted union select credit from wanted)
), complete as (
  select (select count(*) from found) = ?::bigint as yes
), added as (
  insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind, reverses_id)
  select ?::bigint, ?, ?, ?, ?, ?, ?::bigint from complete where complete.yes
  on conflict (cause_type, cause_id, kind) do nothing
  returning id, application_id, mode, currency
), posted as (
  insert into ledger_postings (transaction_id, application_id, mode, currency, debit_account_id, credit_account_id, amount_minor)
  select added.id, added.application_id, added.mode, added.currency, d.id, c.id, w.amount
  from added cross join wanted w join found d on d.name = w.debit join found c on c.name = w.credit
  order by w.position
  returning 1
)
select complete.yes as "accountsComplete", (select count(*) from posted)::integer as postings from complete`;

interface InsertResult {
  readonly accountsComplete: boolean;
  readonly postings: number;
}

async function insertTransaction(statements: Statements, transaction: LedgerTransaction): Promise<InsertResult> {
  const { applicationId, mode, currency, cause, kind, reversesId, postings } = transaction;
  const wanted = postings.map(({ debit, credit, amountMinor }, index) => ({
    position: index + 1,
    debit,
    credit,
    amount: amountMinor.toString(),
  }));
  const [result] = await statements.execute<InsertResult[]>(INSERT_TRANSACTION, [
    JSON.stringify(wanted),
    applicationId,
    mode,
    currency,
    accountNames(transaction).length,
    applicationId,
    mode,
    currency,
    cause.type,
    cause.id,
    kind,
    reversesId ?? null,
  ]);
  if (result === undefined) {
    throw new Error('the posting statement returned no row');
  }
  return result;
}

/** Inserted in a fixed order, so that two first postings of one application cannot deadlock. */
async function insertMissingAccounts(statements: Statements, transaction: LedgerTransaction): Promise<void> {
  const { applicationId, mode, currency } = transaction;
  const accounts = accountNames(transaction).map((name) => ({ name, side: normalSideOf(name) }));
  await statements.execute(
    `insert into ledger_accounts (application_id, mode, currency, name, normal_side)
     select ?::bigint, ?, ?, w.name, w.side from jsonb_to_recordset(?::jsonb) as w (name text, side text)
     where not exists (
       select from ledger_accounts a
       where a.application_id = ?::bigint and a.mode = ? and a.currency = ? and a.name = w.name)
     order by w.name
     on conflict (application_id, mode, currency, name) do nothing`,
    [applicationId, mode, currency, JSON.stringify(accounts), applicationId, mode, currency],
  );
}

function accountNames({ postings }: LedgerTransaction): string[] {
  return [...new Set(postings.flatMap(({ debit, credit }) => [debit, credit]))].sort();
}

interface StoredPosting {
  readonly owner: string;
  readonly debit: string;
  readonly credit: string;
  readonly amount: string;
}

async function requireSamePostings(statements: Statements, transaction: LedgerTransaction): Promise<void> {
  const { applicationId, mode, currency, cause, kind, reversesId, postings } = transaction;
  const stored = await statements.execute<StoredPosting[]>(
    `select concat_ws(' ', t.application_id, t.mode, t.currency, t.reverses_id) as owner, d.name as debit, c.name as credit,
       p.amount_minor::text as amount
     from ledger_transactions t
       join ledger_postings p on p.transaction_id = t.id
       join ledger_accounts d on d.id = p.debit_account_id
       join ledger_accounts c on c.id = p.credit_account_id
     where t.cause_type = ? and t.cause_id = ? and t.kind = ?
     order by p.id`,
    [cause.type, cause.id, kind],
  );
  const owner = [applicationId, mode, currency, ...(reversesId === undefined ? [] : [reversesId])].join(' ');
  const same =
    stored.length === postings.length &&
    postings.every(({ debit, credit, amountMinor }, index) => {
      const row = stored[index];
      return (
        row?.owner === owner && row.debit === debit && row.credit === credit && row.amount === amountMinor.toString()
      );
    });
  if (!same) {
    throw new LedgerConflict(
      `${kind} of ${cause.type} ${cause.id} is already posted with a different owner or different postings`,
    );
  }
}
