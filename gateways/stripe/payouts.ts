import { z } from 'zod';
import { isCurrency } from '../../domain/currency.ts';
import { addDays, type PlainDate } from '../../domain/plain-date.ts';
import { readCursor } from '../cursor.ts';
import { readAnswer } from '../json.ts';
import { GatewayFailure, type PayoutPage, type PayoutWindow, type StatedPayout } from '../port.ts';
import type { Answered, StripeLibrary } from './library.ts';
import { BalanceTransaction, isTransferItself, payoutLineOf, type ItemizedPayout } from './payout-lines.ts';
import { fromStripeBalance } from './units.ts';

/** Few, because the ids of a page's payouts wait in the cursor for their lines. */
const PAYOUTS_PER_PAGE = 20;
/** A charge of real life is some 4 KB, and an answer has at most 1 MB. */
const LINES_PER_PAGE = 50;

const Payout = z.looseObject({
  id: z.string().min(1).max(255),
  amount: z.int(),
  currency: z.string(),
  arrival_date: z.int().min(0).max(253_402_300_799),
  automatic: z.boolean(),
  reconciliation_status: z.string(),
  status: z.string(),
  trace_id: z.looseObject({ status: z.string(), value: z.string().max(255).nullish() }).nullish(),
});
type Payout = z.infer<typeof Payout>;

const listOf = <Schema extends z.ZodType>(item: Schema, most: number) =>
  z.looseObject({ object: z.literal('list'), data: z.array(item).max(most), has_more: z.boolean() });
const PayoutList = listOf(Payout, PAYOUTS_PER_PAGE);
const TransactionList = listOf(BalanceTransaction, LINES_PER_PAGE);

const Id = z.string().min(1).max(255);
const Cursor = z.strictObject({
  /** Where the list of payouts goes on; null once it has ended. */
  payoutsAfter: Id.nullable(),
  /** Payouts whose lines are still to be read. */
  itemize: z.array(z.strictObject({ id: Id, on: z.iso.date() })).max(PAYOUTS_PER_PAGE),
  /** The last line read of the first of them. */
  linesAfter: Id.nullable(),
});
type Cursor = z.infer<typeof Cursor>;

/**
 * Reads a page of payouts, or a page of the lines of one of them: one request each. An automatic payout appears once Stripe has assigned its lines
 * (`payout.reconciliation_completed`); until then another read would find others.
 */
export async function readPayouts(library: StripeLibrary, { from, to, after }: PayoutWindow): Promise<PayoutPage> {
  const cursor = after === null ? null : readCursor(Cursor, after);
  const [payout, ...others] = cursor?.itemize ?? [];
  return cursor === null || payout === undefined
    ? payoutsFrom(library, { from, to, startingAfter: cursor?.payoutsAfter ?? null })
    : linesFrom(library, payout, { ...cursor, itemize: others });
}

async function payoutsFrom(
  library: StripeLibrary,
  { from, to, startingAfter }: { from: PlainDate; to: PlainDate; startingAfter: string | null },
): Promise<PayoutPage> {
  const answered = await library.call((stripe) =>
    stripe.payouts.list({
      arrival_date: { gte: unixSeconds(from), lt: unixSeconds(addDays(to, 1)) },
      limit: PAYOUTS_PER_PAGE,
      ...(startingAfter === null ? {} : { starting_after: startingAfter }),
    }),
  );
  const list = readAnswer(PayoutList, valueOf(answered));
  const shown = list.data.filter((payout) => !payout.automatic || payout.reconciliation_status === 'completed');
  return {
    payouts: shown.map(statedPayout),
    lines: [],
    rejected: [],
    next: following({
      payoutsAfter: lastIdOf(list, startingAfter),
      itemize: shown.filter(isItemized).map(({ id, arrival_date: arrival }) => ({ id, on: dayOf(arrival) })),
      linesAfter: null,
    }),
  };
}

async function linesFrom(library: StripeLibrary, payout: ItemizedPayout, rest: Cursor): Promise<PayoutPage> {
  const { linesAfter } = rest;
  const answered = await library.call((stripe) =>
    stripe.balanceTransactions.list({
      payout: payout.id,
      limit: LINES_PER_PAGE,
      expand: ['data.source'],
      ...(linesAfter === null ? {} : { starting_after: linesAfter }),
    }),
  );
  const list = readAnswer(TransactionList, valueOf(answered));
  const outcomes = list.data
    .filter((transaction) => !isTransferItself(transaction, payout))
    .map((transaction) => payoutLineOf(transaction, payout));
  const last = lastIdOf(list, linesAfter);
  return {
    payouts: [],
    lines: outcomes.flatMap((outcome) => ('line' in outcome ? outcome.line : [])),
    rejected: outcomes.flatMap((outcome) => ('rejected' in outcome ? outcome.rejected : [])),
    next: following(
      last === null ? { ...rest, linesAfter: null } : { ...rest, itemize: [payout, ...rest.itemize], linesAfter: last },
    ),
  };
}

function following(cursor: Cursor): string | null {
  return cursor.itemize.length === 0 && cursor.payoutsAfter === null ? null : JSON.stringify(cursor);
}

/** Returns where the next page of a list begins, or null if this was the last. A page that does not go on would be read for ever. */
function lastIdOf(
  { data, has_more: hasMore }: { data: readonly { id: string }[]; has_more: boolean },
  startingAfter: string | null,
): string | null {
  if (!hasMore) {
    return null;
  }
  const last = data.at(-1)?.id;
  if (last === undefined || last === startingAfter) {
    throw new GatewayFailure('ambiguous', 'the gateway announces more of a list and does not go on');
  }
  return last;
}

function valueOf(answered: Answered<object>): object {
  if (!answered.ok) {
    throw new GatewayFailure('invalid', `the gateway refused to list payouts: ${answered.error.code}`);
  }
  return answered.value;
}

const STATUSES: ReadonlyMap<string, StatedPayout['status']> = new Map([
  ['paid', 'PAID'],
  ['failed', 'FAILED'],
  ['canceled', 'CANCELLED'],
]);

function statedPayout(payout: Payout): StatedPayout {
  const currency = payout.currency.toUpperCase();
  const amountMinor = isCurrency(currency) ? fromStripeBalance(payout.amount, currency) : null;
  if (amountMinor === null) {
    throw new GatewayFailure('ambiguous', 'the gateway states a payout whose amount or currency cannot be read');
  }
  const traced = payout.trace_id?.status === 'supported' ? (payout.trace_id.value ?? null) : null;
  return {
    payoutReference: payout.id,
    currency,
    amountMinor,
    // `pending`, `in_transit`, and words that Stripe may add: not an end.
    status: STATUSES.get(payout.status) ?? 'PENDING',
    arrivesOn: dayOf(payout.arrival_date),
    bankReference: traced === '' ? null : traced,
    itemized: isItemized(payout),
  };
}

function isItemized({ automatic, reconciliation_status: reconciliation }: Payout): boolean {
  return automatic && reconciliation === 'completed';
}

function unixSeconds(date: PlainDate): number {
  return Date.parse(`${date}T00:00:00Z`) / 1_000;
}

/** Stripe dates arrivals by midnight UTC. */
function dayOf(seconds: number): PlainDate {
  return new Date(seconds * 1_000).toISOString().slice(0, 10);
}
