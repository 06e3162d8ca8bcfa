import { z } from 'zod';
import { stateAmount } from '../../core/payouts/state-bank-amount.ts';
import {
  listEntries,
  listPayoutLines,
  listPayouts,
  payoutsOfSameAmount,
  readPayout,
  sumsByKind,
  type EntryRecord,
  type PayoutRecord,
} from '../../core/payouts/store/payout-list.ts';
import { waitingChanges } from '../../core/operators/store/pending-changes.ts';
import { notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import {
  BankAmount,
  BankEntry,
  EntriesQuery,
  Payout,
  PayoutDetail,
  PayoutLine,
  PayoutLinesQuery,
  PayoutParams,
  PayoutsQuery,
} from './payout-schemas.ts';
import { lineView } from './payout-views.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Payouts';

/** Returns the routes for payouts, their lines, and the bank entries in which they arrived. */
export function payoutRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), one(deps), lines(deps), bankAmount(deps), bankEntries(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payouts',
    operationId: 'listPayouts',
    tag: TAG,
    summary: 'List payouts',
    permission: 'report:read',
    everyApp: true,
    query: PayoutsQuery,
    response: { status: 200, schema: z.array(Payout), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'id');
      const { mode = 'LIVE', gateway, storeId, status, from, to } = query;
      const filter = { mode, gateway, storeId, status, from, to };
      const page = await deps.database.withOperator(caller.view, (em) => listPayouts(em, { filter, slice }));
      return { status: 200, data: page.rows.map(payoutView), pagination: paginationOf(slice, page) };
    },
  });
}

function one(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payouts/{reference}',
    operationId: 'getPayout',
    tag: TAG,
    summary: 'Retrieve a payout with the sums of its lines by kind',
    permission: 'report:read',
    everyApp: true,
    params: PayoutParams,
    response: { status: 200, schema: PayoutDetail },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({ status: 200, data: await detail(deps, caller, params.reference) }),
  });
}

function lines(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payouts/{reference}/lines',
    operationId: 'listPayoutLines',
    tag: TAG,
    summary: 'List the lines of a payout',
    permission: 'report:read',
    everyApp: true,
    params: PayoutParams,
    query: PayoutLinesQuery,
    response: { status: 200, schema: z.array(PayoutLine), list: true },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params, query }) => {
      const slice = sliceOf({ order: 'ASC', ...query }, 'id');
      const page = await deps.database.withOperator(caller.view, async (em) => {
        const payout = await readPayout(em, params.reference);
        return payout === null ? null : listPayoutLines(em, { payoutId: payout.id, slice });
      });
      if (page === null) {
        throw notFound('payout');
      }
      const data = page.rows.map(({ id, file, fileLine, ordinal, period, ...line }) => ({
        id: toJsonInteger(id),
        file,
        fileLine,
        ordinal,
        period,
        ...lineView(line),
      }));
      return { status: 200, data, pagination: paginationOf(slice, page) };
    },
  });
}

function bankAmount(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/payouts/{reference}/bank-amount',
    operationId: 'statePayoutBankAmount',
    tag: TAG,
    summary: 'State what the bank received of a payout, where no statement says so',
    description:
      'For two payouts in one transfer, and for a bank without statements. Entries that name the payout count instead, once there are any. An amount that moves what has arrived by more than the approval threshold waits in `pendingChanges` for a second operator.',
    permission: 'reconciliation:manage',
    everyApp: true,
    sensitive: true,
    params: PayoutParams,
    body: BankAmount,
    response: { status: 200, schema: PayoutDetail },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      await stateAmount(deps, caller, { ...params, ...body, amountMinor: BigInt(body.amountMinor) });
      return { status: 200, data: await detail(deps, caller, params.reference) };
    },
  });
}

function bankEntries(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/bank-entries',
    operationId: 'listBankEntries',
    tag: TAG,
    summary: 'List the entries of bank statements, with payouts that they might be',
    permission: 'report:read',
    everyApp: true,
    query: EntriesQuery,
    response: { status: 200, schema: z.array(BankEntry), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'id');
      const { mode = 'LIVE', account, matched, from, to } = query;
      const unmatched = matched === undefined ? undefined : matched === 'false';
      const { page, candidates } = await deps.database.withOperator(caller.view, async (em) => {
        const found = await listEntries(em, { filter: { mode, account, unmatched, from, to }, slice });
        const open = found.rows.filter(({ payout }) => payout === null).map(({ id }) => id);
        return { page: found, candidates: await payoutsOfSameAmount(em, open) };
      });
      const byEntry = Map.groupBy(candidates, ({ entryId }) => entryId);
      const data = page.rows.map((entry) => ({
        ...entryView(entry),
        candidates: (byEntry.get(entry.id) ?? []).map(({ reference }) => reference),
      }));
      return { status: 200, data, pagination: paginationOf(slice, page) };
    },
  });
}

async function detail(
  deps: AdminDependencies,
  { view }: OperatorCaller,
  reference: string,
): Promise<z.infer<typeof PayoutDetail>> {
  return deps.database.withOperator(view, async (em) => {
    const payout = await readPayout(em, reference);
    if (payout === null) {
      throw notFound('payout');
    }
    const { bankReference } = payout;
    const changes = await waitingChanges(em, 'payout', [reference]);
    return {
      ...payoutView(payout),
      bankReference,
      kinds: await sumsByKind(em, payout.id),
      pendingChanges: changes.map(pendingChangeView),
    };
  });
}

function payoutView(payout: PayoutRecord): z.infer<typeof Payout> {
  const { linesMinor, statedMinor, bankMinor } = payout;
  const told = bankMinor ?? statedMinor;
  return {
    reference: payout.reference,
    mode: payout.mode,
    gateway: payout.gateway,
    storeId: payout.storeId,
    storeApplicationId: payout.storeApplicationId === null ? null : toJsonInteger(payout.storeApplicationId),
    gatewayReference: payout.gatewayReference,
    currency: payout.currency,
    status: payout.status,
    arrivesOn: payout.arrivesOn,
    lines: payout.lines,
    linesMinor: linesMinor.toString(),
    statedMinor: statedMinor?.toString() ?? null,
    bankMinor: bankMinor?.toString() ?? null,
    residualMinor: told === null ? null : (told - linesMinor).toString(),
    itemized: payout.itemized,
    createdAt: payout.createdAt.toISOString(),
    updatedAt: payout.updatedAt.toISOString(),
  };
}

function entryView(entry: EntryRecord): Omit<z.infer<typeof BankEntry>, 'candidates'> {
  return {
    id: toJsonInteger(entry.id),
    mode: entry.mode,
    file: entry.file,
    account: entry.account,
    currency: entry.currency,
    amountMinor: toJsonInteger(entry.amountMinor),
    bookedOn: entry.bookedOn,
    valueOn: entry.valueOn,
    bankReference: entry.bankReference,
    remittance: entry.remittance,
    payout: entry.payout,
  };
}
