import type { Dispute, Payout } from '../kit/payouts/book.ts';
import type { Account } from './accounts.ts';
import type { Call } from './answers.ts';
import { ApiError, invalidParameter, missing, missingParameter } from './errors.ts';
import { listOf } from './form-encoding.ts';
import type { Parameters } from './form-encoding.ts';
import type { Gateway } from './gateway.ts';
import { disputeFields, movementFields, payoutFields, sourceFields, transferFields } from './payout-records.ts';
import { listFields } from './records.ts';
import type { Fields } from './records.ts';
import { refuseUnknown, wholeNumber } from './session-request.ts';

type Asked = { gateway: Gateway; account: Account; given: Parameters; id: string };

/** The merchant's calls about payouts, the transactions in them, and disputes. */
export const payoutCalls: readonly ['get', string, (asked: Asked) => Call][] = [
  ['get', '/v1/payouts', listPayouts],
  ['get', '/v1/payouts/:id', readPayout],
  ['get', '/v1/balance_transactions', listTransactions],
  ['get', '/v1/disputes', listDisputes],
  ['get', '/v1/disputes/:id', readDispute],
];

const pageMembers = ['limit', 'starting_after', 'ending_before', 'expand'];

/** Newest first, by the day of arrival as by that of creation. */
function listPayouts({ gateway, account, given }: Asked): Call {
  refuseUnknown(given, [...pageMembers, 'arrival_date', 'status'], '');
  const arrives = rangeOf(given['arrival_date'], 'arrival_date');
  const all = payoutsOf(gateway, account)
    .toSorted((left, right) => (left.on < right.on ? 1 : left.on > right.on ? -1 : left.id < right.id ? -1 : 1))
    .map((payout) => payoutFields(gateway, payout))
    .filter(({ arrival_date: at, status }) => arrives(Number(at)) && status === (given['status'] ?? status));
  return query(() => pageOf(all, given, '/v1/payouts'));
}

function readPayout({ gateway, account, given, id }: Asked): Call {
  refuseUnknown(given, ['expand'], '');
  const payout = payoutNamed(gateway, account, id);
  return query(() => payoutFields(gateway, payout));
}

/** Lists the transactions of one automatic payout, the payout's own among them. The simulator lists no others. */
function listTransactions({ gateway, account, given }: Asked): Call {
  refuseUnknown(given, [...pageMembers, 'payout', 'type'], '');
  const { payout: payoutId, type } = given;
  if (payoutId === undefined) {
    throw missingParameter('payout');
  }
  const payout = payoutNamed(gateway, account, String(payoutId), 'payout');
  if (!payout.automatic) {
    const message = 'Balance transaction history can only be filtered on automatic transfers, not manual.';
    throw new ApiError({ param: 'payout', message });
  }
  const paths = listOf(given['expand']).map(String);
  const unknown = paths.find((path) => path !== 'data.source');
  if (unknown !== undefined) {
    throw new ApiError({ param: 'expand', message: `This property cannot be expanded (${unknown}).` });
  }
  const expanded = paths.length > 0;
  const all = [
    transferFields(payout, expanded ? payoutFields(gateway, payout) : payout.id),
    ...payout.lines
      .toReversed()
      .map((line) => movementFields(payout, line, expanded ? sourceFields(gateway, line) : line.sourceId || null)),
  ].filter((transaction) => type === undefined || transaction['type'] === type);
  return query(() => pageOf(all, given, '/v1/balance_transactions'));
}

function listDisputes({ gateway, account, given }: Asked): Call {
  refuseUnknown(given, [...pageMembers, 'charge', 'created', 'payment_intent'], '');
  const { charge, payment_intent: intent } = given;
  const created = rangeOf(given['created'], 'created');
  const all = disputesOf(gateway, account)
    .toReversed()
    .map((dispute) => disputeFields(gateway, dispute))
    .filter((dispute) => created(Number(dispute['created'])))
    .filter((dispute) => charge === undefined || dispute['charge'] === charge)
    .filter((dispute) => intent === undefined || dispute['payment_intent'] === intent);
  return query(() => pageOf(all, given, '/v1/disputes'));
}

function readDispute({ gateway, account, given, id }: Asked): Call {
  refuseUnknown(given, ['expand'], '');
  const dispute = disputesOf(gateway, account).find((one) => one.id === id);
  if (!dispute) {
    throw missing('dispute', id);
  }
  return query(() => disputeFields(gateway, dispute));
}

function query(act: () => Fields): Call {
  return { operation: 'query', scope: '', script: {}, finished: true, act };
}

function payoutsOf({ desk }: Gateway, { id }: Account): Payout[] {
  return [...desk.book().payouts.values()].filter(({ owner }) => owner === id);
}

function disputesOf({ desk }: Gateway, { id }: Account): Dispute[] {
  return [...desk.book().disputes.values()].filter(({ owner }) => owner === id);
}

/** A payout of another account counts as missing. */
function payoutNamed(gateway: Gateway, account: Account, id: string, param = 'id'): Payout {
  const payout = payoutsOf(gateway, account).find((one) => one.id === id);
  if (!payout) {
    throw missing('payout', id, param);
  }
  return payout;
}

const listMax = 100;

function pageOf(all: readonly Fields[], given: Parameters, url: string): Fields {
  const limit = given['limit'] === undefined ? 10 : wholeNumber(given['limit'], 'limit');
  if (limit < 1 || limit > listMax) {
    throw invalidParameter('limit', `Invalid limit: from 1 to ${listMax}`);
  }
  const { starting_after: after } = given;
  const before = all.findIndex((one) => one['id'] === after);
  if (after !== undefined && before === -1) {
    throw missing('object', String(after), 'starting_after');
  }
  return listFields({ url, data: all.slice(before + 1, before + 1 + limit), more: before + 1 + limit < all.length });
}

/** Reads a range like `arrival_date[gte]`, or an exact time. */
function rangeOf(value: string | Parameters | undefined, param: string): (at: number) => boolean {
  if (value === undefined) {
    return () => true;
  }
  if (typeof value === 'string') {
    const exact = wholeNumber(value, param);
    return (at) => at === exact;
  }
  refuseUnknown(value, ['gt', 'gte', 'lt', 'lte'], param);
  const bound = (name: string, none: number): number =>
    value[name] === undefined ? none : wholeNumber(value[name], `${param}[${name}]`);
  const [above, from] = [bound('gt', -Infinity), bound('gte', -Infinity)];
  const [below, to] = [bound('lt', Infinity), bound('lte', Infinity)];
  return (at) => at > above && at >= from && at < below && at <= to;
}
