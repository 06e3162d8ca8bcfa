import { expressionBuilder, sql, type AliasedRawBuilder, type QueryCreator } from 'kysely';
import { rowOf } from '../../database/expressions.ts';
import type { Statements } from '../../database/statements.ts';
import type { Tables } from '../../database/tables.ts';
import { statement, type Given } from '../../database/typed-statements.ts';
import { checkTransaction, reversal, type Cause, type LedgerTransaction } from '../../domain/ledger.ts';
import { accountNames, insertMissingAccounts, type AccountsOf } from './accounts.ts';

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
  return completePosting(statements, transaction, await insertTransaction(statements, transaction));
}

/**
 * Completes what the first statement of a transaction did: posts again if an account was missing, or compares with what is posted.
 * @throws LedgerConflict as `postTransaction` does
 */
export async function completePosting(
  statements: Statements,
  transaction: LedgerTransaction,
  first: PostingResult,
): Promise<PostOutcome> {
  let result = first;
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

interface CauseKey {
  readonly causeType: Cause['type'];
  readonly causeId: string;
  readonly kind: LedgerTransaction['kind'];
}

function causeKeyOf({ cause: { type: causeType, id: causeId }, kind }: LedgerTransaction): CauseKey {
  return { causeType, causeId, kind };
}

const FIND = statement((db, $: Given<CauseKey>) =>
  db
    .selectFrom('ledger_transactions')
    .select('id')
    .where('causeType', '=', $('causeType'))
    .where('causeId', '=', $('causeId'))
    .where('kind', '=', $('kind')),
);

/** Reverses what is posted for a cause, once. Throws if nothing is posted. */
export async function postReversal(statements: Statements, original: LedgerTransaction): Promise<PostOutcome> {
  const { cause, kind } = original;
  const posted = await FIND.first(statements, causeKeyOf(original));
  if (posted === undefined) {
    throw new LedgerConflict(`${kind} of ${cause.type} ${cause.id} is not posted`);
  }
  await requireSamePostings(statements, original);
  return postTransaction(statements, reversal({ ...original, id: posted.id }));
}

export interface InsertedTransaction extends AccountsOf, CauseKey {
  readonly reversesId: bigint | null;
  /** The postings in their order, as JSON. */
  readonly postings: string;
  /** The number of different accounts in the postings. */
  readonly accounts: number;
}

function wantedPostings({ postings }: LedgerTransaction) {
  const wanted = postings.map(({ debit, credit, amountMinor }, index) => ({
    position: index + 1,
    debit,
    credit,
    amount: amountMinor.toString(),
  }));
  return JSON.stringify(wanted);
}

interface WantedPosting {
  readonly position: number;
  readonly debit: string;
  readonly credit: string;
  readonly amount: bigint;
}

function wantedFrom($: Given<Pick<InsertedTransaction, 'postings'>>): AliasedRawBuilder<WantedPosting, 'w'> {
  return sql<WantedPosting>`jsonb_to_recordset(${$('postings')}::jsonb)`.as<'w'>(
    sql`w(position integer, debit text, credit text, amount bigint)`,
  );
}

/** What the statement did of a transaction. */
export interface PostingResult {
  readonly accountsComplete: boolean;
  readonly postings: number;
}

/**
 * Reads the accounts and writes the transaction and its postings, in a statement that may have other parts and selects `POSTED`. Writes nothing if an
 * account is missing.
 */
export function postingTransaction(db: QueryCreator<Tables>, $: Given<InsertedTransaction>) {
  return db
    .with('wanted', (q) => q.selectFrom(wantedFrom($)).select(['w.position', 'w.debit', 'w.credit', 'w.amount']))
    .with('found', (q) =>
      q
        .selectFrom('ledger_accounts as a')
        .select(['a.id', 'a.name'])
        .where('a.applicationId', '=', $('applicationId'))
        .where('a.mode', '=', $('mode'))
        .where('a.currency', '=', $('currency'))
        .where('a.name', 'in', (eb) =>
          eb
            .selectFrom('wanted')
            .select('wanted.debit as name')
            .union(eb.selectFrom('wanted').select('wanted.credit as name')),
        ),
    )
    .with('complete', (q) =>
      q.selectNoFrom((eb) =>
        eb(
          eb.selectFrom('found').select((found) => found.fn.countAll<bigint>().as('count')),
          '=',
          eb.cast<bigint>($('accounts'), 'bigint'),
        )
          .$castTo<boolean>()
          .as('yes'),
      ),
    )
    .with('added', (q) => {
      const source = q.selectFrom('complete').where((eb) => eb.ref('complete.yes'));
      const eb = expressionBuilder(source);
      const row = rowOf('ledger_transactions', {
        applicationId: eb.cast<bigint>($('applicationId'), 'bigint'),
        mode: $('mode'),
        currency: $('currency'),
        causeType: $('causeType'),
        causeId: $('causeId'),
        kind: $('kind'),
        reversesId: eb.cast<bigint | null>($('reversesId'), 'bigint'),
      });
      return q
        .insertInto('ledger_transactions')
        .columns(row.columns)
        .expression(source.select(row.values))
        .onConflict((conflict) => conflict.columns(['causeType', 'causeId', 'kind']).doNothing())
        .returning(['id', 'applicationId', 'mode', 'currency']);
    })
    .with('posted', (q) => {
      const source = q
        .selectFrom('added')
        .crossJoin('wanted as w')
        .innerJoin('found as d', 'd.name', 'w.debit')
        .innerJoin('found as c', 'c.name', 'w.credit')
        .orderBy('w.position');
      const eb = expressionBuilder(source);
      const row = rowOf('ledger_postings', {
        transactionId: eb.ref('added.id'),
        applicationId: eb.ref('added.applicationId'),
        mode: eb.ref('added.mode'),
        currency: eb.ref('added.currency'),
        debitAccountId: eb.ref('d.id'),
        creditAccountId: eb.ref('c.id'),
        amountMinor: eb.ref('w.amount'),
      });
      return q.insertInto('ledger_postings').columns(row.columns).expression(source.select(row.values)).returning('id');
    });
}

/** The result of `postingTransaction`. */
export const POSTED = (() => {
  const eb = expressionBuilder<{ complete: { yes: boolean }; posted: { id: bigint } }, never>();
  return [
    eb.selectFrom('complete').select('complete.yes').$asScalar().$notNull().as('accountsComplete'),
    eb
      .cast<number>(
        eb.selectFrom('posted').select((posted) => posted.fn.countAll().as('count')),
        'integer',
      )
      .as('postings'),
  ] as const;
})();

const INSERT_TRANSACTION = statement((db, $: Given<InsertedTransaction>) =>
  postingTransaction(db, $).selectNoFrom([...POSTED]),
);

async function insertTransaction(statements: Statements, transaction: LedgerTransaction): Promise<PostingResult> {
  const result = await INSERT_TRANSACTION.first(statements, insertedTransaction(transaction));
  if (result === undefined) {
    throw new Error('the posting statement returned no row');
  }
  return result;
}

/**
 * A transaction as its statement takes it.
 * @throws RangeError if it cannot be stored
 */
export function insertedTransaction(transaction: LedgerTransaction): InsertedTransaction {
  checkTransaction(transaction);
  const { applicationId, mode, currency, reversesId = null } = transaction;
  return {
    ...causeKeyOf(transaction),
    applicationId,
    mode,
    currency,
    reversesId,
    postings: wantedPostings(transaction),
    accounts: accountNames(transaction).length,
  };
}

const READ_POSTINGS = statement((db, $: Given<CauseKey>) =>
  db
    .selectFrom('ledger_transactions as t')
    .innerJoin('ledger_postings as p', 'p.transactionId', 't.id')
    .innerJoin('ledger_accounts as d', 'd.id', 'p.debitAccountId')
    .innerJoin('ledger_accounts as c', 'c.id', 'p.creditAccountId')
    .select([
      't.applicationId',
      't.mode',
      't.currency',
      't.reversesId',
      'd.name as debit',
      'c.name as credit',
      'p.amountMinor',
    ])
    .where('t.causeType', '=', $('causeType'))
    .where('t.causeId', '=', $('causeId'))
    .where('t.kind', '=', $('kind'))
    .orderBy('p.id'),
);

async function requireSamePostings(statements: Statements, transaction: LedgerTransaction): Promise<void> {
  const { applicationId, mode, currency, cause, kind, reversesId = null, postings } = transaction;
  const stored = await READ_POSTINGS.all(statements, causeKeyOf(transaction));
  const same =
    stored.length === postings.length &&
    postings.every(({ debit, credit, amountMinor }, index) => {
      const row = stored[index];
      return (
        row !== undefined &&
        row.applicationId === applicationId &&
        row.mode === mode &&
        row.currency === currency &&
        row.reversesId === reversesId &&
        row.debit === debit &&
        row.credit === credit &&
        row.amountMinor === amountMinor
      );
    });
  if (!same) {
    throw new LedgerConflict(
      `${kind} of ${cause.type} ${cause.id} is already posted with a different owner or different postings`,
    );
  }
}
