import { expressionBuilder, sql, type ExpressionBuilder, type Kysely, type RawBuilder } from 'kysely';
import { filtered, list, type ListPage, type ListRow, type ListSlice, type ValuesOf } from '../../database/lists.ts';
import type { Statements } from '../../database/statements.ts';
import type { Tables } from '../../database/tables.ts';
import { statement, type Given } from '../../database/typed-statements.ts';
import type { NormalSide } from '../../domain/ledger.ts';
import type { Mode } from '../../domain/mode.ts';

/** Reads the ledger for operators: accounts with their balances, the trial balance, and the postings of an account. */

export interface AccountFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly currency?: string | undefined;
  readonly name?: string | undefined;
}

type InAccounts = Tables & { a: Tables['ledger_accounts'] };
type Before = Given<{ before: Date }>;

/** The sum of an account's postings on one side, in minor units. With `before`, of those recorded earlier. */
function sumOf(
  eb: ExpressionBuilder<InAccounts, 'a'>,
  side: 'debitAccountId' | 'creditAccountId',
  $: Before | null,
): RawBuilder<bigint> {
  const postings = eb
    .selectFrom('ledger_postings as p')
    .select((p) => p.fn.coalesce(p.fn.sum('p.amountMinor'), sql.lit(0)).as('sum'))
    .whereRef(`p.${side}`, '=', 'a.id');
  const counted = $ === null ? postings : postings.where('p.createdAt', '<', $('before'));
  return sql<bigint>`${counted}::bigint`;
}

function sumsOf(eb: ExpressionBuilder<InAccounts, 'a'>, $: Before | null) {
  return [sumOf(eb, 'debitAccountId', $).as('debitMinor'), sumOf(eb, 'creditAccountId', $).as('creditMinor')] as const;
}

function conditionsOf($: Given<ValuesOf<AccountFilter>>) {
  const eb = expressionBuilder<InAccounts, 'a'>();
  return {
    applicationId: eb('a.applicationId', '=', $('applicationId')),
    mode: eb('a.mode', '=', $('mode')),
    currency: eb('a.currency', '=', $('currency')),
    name: eb('a.name', '=', $('name')),
  };
}

function accounts(db: Kysely<Tables>, $: Before | null) {
  return db
    .selectFrom('ledger_accounts as a')
    .innerJoin('applications as o', 'o.id', 'a.applicationId')
    .select(['a.id', 'a.applicationId', 'o.name as applicationName', 'a.mode', 'a.currency', 'a.name', 'a.normalSide'])
    .select((eb) => sumsOf(eb, $));
}

const ORDERS = { id: ['a.id'] } as const;
const ACCOUNTS_NOW = list((db, $: Given<ValuesOf<AccountFilter>>) => ({
  rows: accounts(db, null),
  conditions: conditionsOf($),
  orders: ORDERS,
}));
const ACCOUNTS_BEFORE = list((db, $: Given<ValuesOf<AccountFilter & { before: Date }>>) => ({
  rows: accounts(db, $),
  // An account that did not exist yet is left out.
  conditions: { ...conditionsOf($), before: expressionBuilder<InAccounts, 'a'>()('a.createdAt', '<', $('before')) },
  orders: ORDERS,
}));

/** An account of an application in one mode and currency, with the sums of its two sides. */
export type AccountBalance = ListRow<typeof ACCOUNTS_NOW>;

/** Returns a page of the accounts in an operator's view. With `before`, their balances are those of that instant. */
export function listAccounts(
  statements: Statements,
  {
    filter,
    before,
    slice,
  }: { readonly filter: AccountFilter; readonly before: Date | null; readonly slice: ListSlice },
): Promise<ListPage<AccountBalance>> {
  return before === null
    ? ACCOUNTS_NOW.page(statements, { filter, sortBy: 'id', slice })
    : ACCOUNTS_BEFORE.page(statements, { filter: { ...filter, before }, sortBy: 'id', slice });
}

const ACCOUNT_NOW = statement((db, $: Given<{ id: bigint }>) => accounts(db, null).where('a.id', '=', $('id')));
const ACCOUNT_BEFORE = statement((db, $: Given<{ id: bigint; before: Date }>) =>
  accounts(db, $).where('a.id', '=', $('id')),
);

/** Returns null if the operator's view has no such account. */
export async function readAccount(
  statements: Statements,
  { id, before }: { readonly id: bigint; readonly before: Date | null },
): Promise<AccountBalance | null> {
  const found =
    before === null
      ? await ACCOUNT_NOW.first(statements, { id })
      : await ACCOUNT_BEFORE.first(statements, { id, before });
  return found ?? null;
}

function trialRows(db: Kysely<Tables>, $: Before | null) {
  const eb = expressionBuilder<InAccounts, 'a'>();
  return db
    .selectFrom('ledger_accounts as a')
    .select([
      'a.currency',
      'a.name',
      'a.normalSide',
      sql<bigint>`sum(${sumOf(eb, 'debitAccountId', $)})::bigint`.as('debitMinor'),
      sql<bigint>`sum(${sumOf(eb, 'creditAccountId', $)})::bigint`.as('creditMinor'),
    ])
    .groupBy(['a.currency', 'a.name', 'a.normalSide'])
    .orderBy('a.currency')
    .orderBy('a.name');
}

const TRIAL_NOW = filtered((db, $: Given<ValuesOf<AccountFilter>>) => ({
  rows: trialRows(db, null),
  conditions: conditionsOf($),
}));
const TRIAL_BEFORE = filtered((db, $: Given<ValuesOf<AccountFilter & { before: Date }>>) => ({
  rows: trialRows(db, $),
  conditions: { ...conditionsOf($), before: expressionBuilder<InAccounts, 'a'>()('a.createdAt', '<', $('before')) },
}));

/** The sums of all accounts of one name in one currency. */
export interface TrialRow {
  readonly currency: string;
  readonly name: string;
  readonly normalSide: NormalSide;
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
}

/** Returns the trial balance over an operator's view, by currency and account name. */
export function trialBalance(
  statements: Statements,
  { filter, before }: { readonly filter: AccountFilter; readonly before: Date | null },
): Promise<TrialRow[]> {
  return before === null ? TRIAL_NOW.all(statements, filter) : TRIAL_BEFORE.all(statements, { ...filter, before });
}

export interface EntryFilter {
  readonly accountId: bigint;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

const ENTRIES = list((db, $: Given<ValuesOf<EntryFilter>>) => {
  const entries = db
    .selectFrom('ledger_postings as p')
    .innerJoin('ledger_transactions as t', 't.id', 'p.transactionId')
    .innerJoin('ledger_accounts as d', 'd.id', 'p.debitAccountId')
    .innerJoin('ledger_accounts as c', 'c.id', 'p.creditAccountId');
  const eb = expressionBuilder(entries);
  return {
    rows: entries.select([
      'p.id',
      'p.transactionId',
      'p.debitAccountId',
      'd.name as debit',
      'c.name as credit',
      'p.amountMinor',
      'p.createdAt',
      't.causeType',
      't.causeId',
      't.kind',
      't.reversesId',
    ]),
    conditions: {
      accountId: eb.or([eb('p.debitAccountId', '=', $('accountId')), eb('p.creditAccountId', '=', $('accountId'))]),
      from: eb('p.createdAt', '>=', $('from')),
      before: eb('p.createdAt', '<', $('before')),
    },
    orders: { id: ['p.id'] },
  };
});

/** A posting, with the journal entry that it belongs to. */
export type AccountEntry = ListRow<typeof ENTRIES>;

/** Returns a page of the postings of an account in an operator's view. */
export function listEntries(
  statements: Statements,
  { filter, slice }: { readonly filter: EntryFilter; readonly slice: ListSlice },
): Promise<ListPage<AccountEntry>> {
  return ENTRIES.page(statements, { filter, sortBy: 'id', slice });
}

const SUMS_BEFORE = statement((db, $: Given<{ id: bigint; before: Date }>) => {
  const sum = (side: 'debitAccountId' | 'creditAccountId') =>
    sql<bigint>`coalesce((${db
      .selectFrom('ledger_postings')
      .select((eb) => eb.fn.sum('amountMinor').as('sum'))
      .where(side, '=', $('id'))
      .where('createdAt', '<', $('before'))}), 0)::bigint`;
  return db.selectNoFrom([sum('debitAccountId').as('debitMinor'), sum('creditAccountId').as('creditMinor')]);
});

/** Returns the sums of an account's sides before an instant; nothing without one. */
export async function sumsBefore(
  statements: Statements,
  { id, before }: { readonly id: bigint; readonly before: Date | null },
): Promise<{ readonly debitMinor: bigint; readonly creditMinor: bigint }> {
  const found = before === null ? undefined : await SUMS_BEFORE.first(statements, { id, before });
  return found ?? { debitMinor: 0n, creditMinor: 0n };
}
