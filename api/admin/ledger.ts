import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  listAccounts,
  listEntries,
  readAccount,
  sumsBefore,
  trialBalance,
  type AccountBalance,
  type AccountEntry,
  type AccountFilter,
  type EntryFilter,
  type TrialRow,
} from '../../core/ledger/books.ts';
import { readProof } from '../../core/ledger/proof.ts';
import { recordAudit } from '../../core/operators/store/audit.ts';
import type { ListPage, ListSlice } from '../../database/lists.ts';
import { csvLine } from '../../domain/csv.ts';
import { notFound } from '../../domain/errors.ts';
import { balanceOf, type AccountSums, type NormalSide } from '../../domain/ledger.ts';
import { toDecimalText, toJsonInteger } from '../../domain/money.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { momentRange } from './filters.ts';
import {
  AccountQuery,
  AccountsQuery,
  EntriesExportQuery,
  EntriesQuery,
  LedgerAccount,
  LedgerEntry,
  LedgerProof,
  TrialBalance,
  TrialBalanceQuery,
} from './ledger-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Ledger';
const EXPORT_BATCH = 500;

/** Returns the routes by which operators read the ledger. */
export function ledgerRoutes(deps: AdminDependencies): AdminRoute[] {
  return [proof(deps), trial(deps), accounts(deps), account(deps), entries(deps), exportEntries(deps)];
}

function proof(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/ledger/proof',
    operationId: 'getLedgerProof',
    tag: TAG,
    summary: 'Retrieve how far the ledger is sealed, and what its last verification found',
    permission: 'report:read',
    response: { status: 200, schema: LedgerProof },
    errors: [],
    handler: async ({ caller }) => {
      const { seal, unsealedSince, verification } = await deps.database.withOperator(caller.view, readProof);
      return {
        status: 200,
        data: {
          seal: seal && {
            number: toJsonInteger(seal.id),
            hash: Buffer.from(seal.hash).toString('hex'),
            transactions: toJsonInteger(seal.totalTransactions),
            sealedAt: seal.createdAt.toISOString(),
          },
          unsealedSince: unsealedSince?.toISOString() ?? null,
          verification: verification && {
            verifiedAt: verification.createdAt.toISOString(),
            findingCount: verification.findingCount,
            firstFinding: caller.view === 'every-app' ? verification.firstFinding : null,
            sealNumber: verification.lastSealId === null ? null : toJsonInteger(verification.lastSealId),
            transactions: toJsonInteger(verification.sealedTransactions),
            witnesses: verification.witnesses,
            queriedCharges: verification.queriedCharges,
          },
        },
      };
    },
  });
}

function trial(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/ledger/trial-balance',
    operationId: 'getTrialBalance',
    tag: TAG,
    summary: 'Retrieve the trial balance, by currency and account',
    description: 'Covers LIVE unless `mode` is TEST, and the applications that the caller may see.',
    permission: 'report:read',
    query: TrialBalanceQuery,
    response: { status: 200, schema: TrialBalance },
    errors: [],
    handler: async ({ caller, query }) => {
      const before = beforeOf(query);
      const filter = filterOf(query);
      const rows = await deps.database.withOperator(caller.view, (em) => trialBalance(em, { filter, before }));
      return { status: 200, data: { mode: filter.mode, at: query.at ?? null, currencies: byCurrency(rows) } };
    },
  });
}

function accounts(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/ledger/accounts',
    operationId: 'listLedgerAccounts',
    tag: TAG,
    summary: 'List the accounts of applications with their balances',
    description: 'Covers LIVE unless `mode` is TEST. `account=app:payable` lists what each application is owed.',
    permission: 'report:read',
    query: AccountsQuery,
    response: { status: 200, schema: z.array(LedgerAccount), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'id');
      const page = await deps.database.withOperator(caller.view, (em) =>
        listAccounts(em, { filter: filterOf(query), before: beforeOf(query), slice }),
      );
      return { status: 200, data: page.rows.map(accountView), pagination: paginationOf(slice, page) };
    },
  });
}

function account(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/ledger/accounts/{id}',
    operationId: 'getLedgerAccount',
    tag: TAG,
    summary: 'Retrieve an account with its balance, now or at a past instant',
    permission: 'report:read',
    params: IdParams,
    query: AccountQuery,
    response: { status: 200, schema: LedgerAccount },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params, query }) => ({
      status: 200,
      data: accountView(await find(deps, caller, { id: params.id, before: beforeOf(query) })),
    }),
  });
}

function entries(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/ledger/accounts/{id}/entries',
    operationId: 'listLedgerEntries',
    tag: TAG,
    summary: 'List the postings of an account',
    permission: 'report:read',
    params: IdParams,
    query: EntriesQuery,
    response: { status: 200, schema: z.array(LedgerEntry), list: true },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params, query }) => {
      const slice = sliceOf(query, 'id');
      const { id } = await find(deps, caller, { id: params.id, before: null });
      const filter = { accountId: id, ...momentRange(query) };
      const page = await deps.database.withOperator(caller.view, (em) => listEntries(em, { filter, slice }));
      return {
        status: 200,
        data: page.rows.map((entry) => entryView(entry, id)),
        pagination: paginationOf(slice, page),
      };
    },
  });
}

const COLUMNS = [
  'id',
  'createdAt',
  'transactionId',
  'kind',
  'causeType',
  'causeId',
  'otherAccount',
  'debit',
  'credit',
  'balance',
  'currency',
] as const;

function exportEntries(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/ledger/accounts/{id}/entries/export',
    operationId: 'exportLedgerEntries',
    tag: TAG,
    summary: 'Export the statement of an account as CSV, oldest first',
    description:
      'RFC 4180 in UTF-8, with decimal amounts and the running balance. The first line is the opening balance, the last one the closing balance; a file without it is incomplete. A cell that a spreadsheet would read as a formula is prefixed with an apostrophe.',
    permission: 'report:read',
    params: IdParams,
    query: EntriesExportQuery,
    response: { status: 200, schema: z.string(), contentType: 'text/csv; charset=utf-8' },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params, query }) => {
      const found = await find(deps, caller, { id: params.id, before: null });
      const filter = { accountId: found.id, ...momentRange(query) };
      await deps.database.withOperator(caller.view, (em) =>
        recordAudit(em, {
          actor: caller.actor,
          action: 'ledger.exported',
          target: { type: 'ledger-account', id: found.id },
          application: { id: found.applicationId, mode: found.mode },
          after: { from: filter.from, before: filter.before },
        }),
      );
      return {
        status: 200,
        headers: { 'Content-Disposition': `attachment; filename="ledger-account-${found.id}.csv"` },
        stream: Readable.from(linesOf(deps, caller, { account: found, filter })),
      };
    },
  });
}

/** Reads each batch in a transaction of its own, so that a long export blocks nothing. The cursor prevents duplicates between batches. */
async function* linesOf(
  deps: AdminDependencies,
  { view }: OperatorCaller,
  { account: { id, currency, normalSide }, filter }: { readonly account: AccountBalance; readonly filter: EntryFilter },
): AsyncGenerator<string> {
  const amount = (amountMinor: bigint) => ({ decimal: toDecimalText({ amountMinor, currency }) });
  const opening = await deps.database.withOperator(view, (em) => sumsBefore(em, { id, before: filter.from }));
  let balance = balanceOf(opening, normalSide);
  const balanceLine = (label: string): string =>
    csvLine([null, null, null, label, null, null, null, null, null, amount(balance), currency]);
  yield csvLine(COLUMNS) + balanceLine('opening balance');
  for (let cursor: string | null = null; ;) {
    const slice: ListSlice = { order: 'ASC', limit: EXPORT_BATCH, offset: 0, cursor };
    const page: ListPage<AccountEntry> = await deps.database.withOperator(view, (em) =>
      listEntries(em, { filter, slice }),
    );
    let lines = '';
    for (const entry of page.rows) {
      const sums = sumsOf(entry, id);
      balance += balanceOf(sums, normalSide);
      lines += csvLine([
        entry.id.toString(),
        entry.createdAt.toISOString(),
        entry.transactionId.toString(),
        entry.kind,
        entry.causeType,
        entry.causeId,
        otherAccount(entry, id),
        amount(sums.debitMinor),
        amount(sums.creditMinor),
        amount(balance),
        currency,
      ]);
    }
    yield lines;
    if (page.nextCursor === null) {
      yield balanceLine('closing balance');
      return;
    }
    cursor = page.nextCursor;
  }
}

async function find(
  deps: AdminDependencies,
  { view }: OperatorCaller,
  wanted: { readonly id: bigint; readonly before: Date | null },
): Promise<AccountBalance> {
  const found = await deps.database.withOperator(view, (em) => readAccount(em, wanted));
  if (found === null) {
    throw notFound('ledger account');
  }
  return found;
}

/** The instant after the last one that counts: a date counts as a whole day. */
function beforeOf({ at }: { readonly at?: string | undefined }): Date | null {
  return momentRange({ to: at }).before;
}

function filterOf({ applicationId, mode = 'LIVE', currency, account: name }: z.infer<typeof TrialBalanceQuery>) {
  return { applicationId, mode, currency, name } satisfies AccountFilter;
}

function sumsView(sums: AccountSums, normalSide: NormalSide) {
  return {
    debitMinor: sums.debitMinor.toString(),
    creditMinor: sums.creditMinor.toString(),
    balanceMinor: balanceOf(sums, normalSide).toString(),
  };
}

function accountView({
  id,
  applicationId,
  applicationName,
  mode,
  currency,
  name,
  normalSide,
  ...sums
}: AccountBalance) {
  return {
    id: toJsonInteger(id),
    applicationId: toJsonInteger(applicationId),
    applicationName,
    mode,
    currency,
    account: name,
    normalSide,
    ...sumsView(sums, normalSide),
  };
}

function byCurrency(rows: readonly TrialRow[]) {
  return [...Map.groupBy(rows, ({ currency }) => currency)].map(([currency, accountsOf]) => {
    const debitMinor = accountsOf.reduce((sum, row) => sum + row.debitMinor, 0n);
    const creditMinor = accountsOf.reduce((sum, row) => sum + row.creditMinor, 0n);
    return {
      currency,
      debitMinor: debitMinor.toString(),
      creditMinor: creditMinor.toString(),
      balanced: debitMinor === creditMinor,
      accounts: accountsOf.map(({ name, normalSide, ...sums }) => ({
        account: name,
        normalSide,
        ...sumsView(sums, normalSide),
      })),
    };
  });
}

/** What a posting adds to the two sides of one of its accounts. */
function sumsOf({ debitAccountId, amountMinor }: AccountEntry, accountId: bigint): AccountSums {
  return debitAccountId === accountId
    ? { debitMinor: amountMinor, creditMinor: 0n }
    : { debitMinor: 0n, creditMinor: amountMinor };
}

function otherAccount({ debitAccountId, debit, credit }: AccountEntry, accountId: bigint): string {
  return debitAccountId === accountId ? credit : debit;
}

function entryView(entry: AccountEntry, accountId: bigint) {
  const { debitMinor, creditMinor } = sumsOf(entry, accountId);
  return {
    id: toJsonInteger(entry.id),
    transactionId: toJsonInteger(entry.transactionId),
    kind: entry.kind,
    cause: { type: entry.causeType, id: entry.causeId },
    reversesId: entry.reversesId === null ? null : toJsonInteger(entry.reversesId),
    otherAccount: otherAccount(entry, accountId),
    debitMinor: debitMinor.toString(),
    creditMinor: creditMinor.toString(),
    createdAt: entry.createdAt.toISOString(),
  };
}
