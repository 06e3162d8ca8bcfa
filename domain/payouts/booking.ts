import { PAYOUT_ACCOUNTS, type PayoutAccount, type PayoutAmounts } from '../ledger.ts';
import { conversionOf, originalOf, settledAs } from './conversion.ts';
import { feeSaidWith } from './expected-fee.ts';
import { inLineOrder } from './line-order.ts';
import type { LineVerdict, Movement, StoredLine } from './matching.ts';
import type { CorrectionAccount } from './reconciliation.ts';

/** A line with what was said of it. */
export interface JudgedLine {
  readonly line: StoredLine;
  readonly verdict: LineVerdict;
  /** People have taken its difference as it is. */
  readonly accepted: boolean;
  /** The account that people have chosen for it. */
  readonly account?: CorrectionAccount | undefined;
}

/** To what a line is booked. */
export interface LineBooking {
  /** In the currency of the line. They add up to its net amount. */
  readonly amounts: PayoutAmounts;
  /** By how much it credits clearing in the currency of its movement, against `conversion`. Null: no currency was converted. */
  readonly converted: { readonly currency: string; readonly amountMinor: bigint } | null;
}

/**
 * Returns to what the lines of one movement are booked, by the line's id. What matches is covered in clearing; costs that only the line states are booked
 * with it; what is not explained waits in `unexplained`. A line that the gateway has converted covers clearing in the movement's currency, and
 * `conversion` takes the counterpart in both currencies. What people accept settles what no matched line has covered.
 */
export function bookingsOfGroup(movement: Movement, judged: readonly JudgedLine[]): Map<bigint, LineBooking> {
  const byId = new Map(judged.map((one) => [one.line.id, one]));
  const inOrder = inLineOrder(judged.map(({ line }) => line)).flatMap(({ id }) => byId.get(id) ?? []);
  const last = lastConverted(movement, inOrder);
  let owedMinor = owedFor(movement);
  const bookings = new Map<bigint, LineBooking>();
  for (const one of [...inOrder.filter(({ accepted }) => !accepted), ...inOrder.filter(({ accepted }) => accepted)]) {
    const booking = one.accepted
      ? acceptedAs(one, { movement, owedMinor })
      : matchedAs(one, { movement, group: inOrder, restMinor: one === last ? owedMinor : null });
    owedMinor -= coveredBy(booking);
    bookings.set(one.line.id, booking);
  }
  return bookings;
}

function coveredBy({ amounts, converted }: LineBooking): bigint {
  return converted === null ? (amounts.clearing ?? 0n) : converted.amountMinor;
}

/** Returns by how much a line that points to no movement credits each account. */
export function bookingAlone(one: JudgedLine): PayoutAmounts {
  if (one.account !== undefined) {
    return only(one.account, one.line.netMinor);
  }
  return one.accepted ? only('differences', one.line.netMinor) : bookedAs(one, null);
}

/** Returns how a movement is written off for which no line ever came. */
export function writtenOff(movement: Movement): PayoutAmounts {
  const owedMinor = owedFor(movement);
  return { clearing: owedMinor, differences: -owedMinor };
}

/** What clearing holds for a movement: a fee that came with the charge is booked already. */
function owedFor({ kind, amountMinor, feeMinor, reversed }: Movement): bigint {
  if (reversed) {
    return 0n;
  }
  return kind === 'REFUND' ? -amountMinor : amountMinor - (feeMinor ?? 0n);
}

interface OfGroup {
  readonly movement: Movement;
  readonly group: readonly JudgedLine[];
  /** What the line covers in clearing if the gateway has converted it. Null: what it is worth at its rate. */
  readonly restMinor: bigint | null;
}

/** Books a line that people have not accepted. */
function matchedAs(one: JudgedLine, { movement, group, restMinor }: OfGroup): LineBooking {
  const amounts = bookedAs(one, movement);
  if (!isConverted(movement, one)) {
    return { amounts, converted: null };
  }
  const amountMinor = restMinor ?? backAtRate(amounts.conversion ?? 0n, { movement, line: one.line, group });
  return { amounts, converted: { currency: movement.currency, amountMinor } };
}

/** Reports whether a line covers what the gateway owes for its movement, in another currency. */
function isConverted(movement: Movement, one: JudgedLine): boolean {
  return one.line.currency !== movement.currency && settledBy(one, movement);
}

/** Reports whether a line covers what the gateway owes for its movement, or a fee that came with it. */
function settledBy({ line, verdict: { status, detail } }: JudgedLine, movement: Movement): boolean {
  return status === 'MATCHED' && (isAmount(line) || (detail === 'COST_OF_CHARGE' && isFeeKnown(line, movement)));
}

function isAmount({ kind }: StoredLine): boolean {
  return kind === 'CHARGE' || kind === 'REFUND' || kind === 'ADJUSTMENT';
}

/** Reports whether the books hold the fee of the movement already. */
function isFeeKnown({ currency }: StoredLine, movement: Movement): boolean {
  return feeSaidWith(movement, { isConverted: currency !== movement.currency }) !== null;
}

/**
 * Converted amounts are rounded. So the last line that explains the movement covers what is still owed, and all of them together exactly that. Undefined:
 * no line explains it by a converted amount.
 */
function lastConverted(movement: Movement, inOrder: readonly JudgedLine[]): JudgedLine | undefined {
  const converted = inOrder.filter((one) => !one.accepted && isConverted(movement, one));
  return converted.some(({ line }) => isAmount(line)) ? converted.at(-1) : undefined;
}

/** Returns what a converted amount is worth in the movement's currency. A fee in a line of its own may lack the rate, which its charge states. */
function backAtRate(
  amountMinor: bigint,
  { movement, line, group }: Omit<OfGroup, 'restMinor'> & { readonly line: StoredLine },
): bigint {
  const conversion =
    conversionOf(movement, line) ??
    group
      .map((other) => conversionOf(movement, other.line))
      .find((stated) => stated !== null && stated.currency === line.currency);
  return conversion === undefined || conversion === null ? 0n : originalOf(conversion, amountMinor, movement);
}

function bookedAs(one: JudgedLine, movement: Movement | null): PayoutAmounts {
  const { line, verdict } = one;
  if (verdict.status !== 'MATCHED') {
    return only('unexplained', line.netMinor);
  }
  const covered = movement === null || line.currency === movement.currency ? 'clearing' : 'conversion';
  switch (line.kind) {
    case 'CHARGE':
    case 'REFUND':
    case 'ADJUSTMENT':
      return movement === null || isFeeKnown(line, movement) ? only(covered, line.netMinor) : withCosts(covered, line);
    case 'FEE':
      return movement !== null && settledBy(one, movement) ? only(covered, line.netMinor) : withTax('fees', line);
    case 'TAX':
      return movement !== null && settledBy(one, movement)
        ? only(covered, line.netMinor)
        : only('taxes', line.netMinor);
    case 'DISPUTE':
      return withCosts('disputes', line);
    case 'RESERVE':
      return withCosts('reserve', line);
  }
}

/**
 * The first accepted line of a movement settles what is still owed for it; the rest is a difference. A converted line is worth what it should have been at
 * its rate. Without a rate nobody can say what the difference is, so it is worth what it is.
 */
function acceptedAs(
  { line, verdict: { reason } }: JudgedLine,
  { movement, owedMinor }: { readonly movement: Movement; readonly owedMinor: bigint },
): LineBooking {
  const settles = isAmount(line) && (reason === 'AMOUNT' || reason === 'FEE' || reason === 'CURRENCY');
  if (!settles || owedMinor === 0n) {
    return { amounts: only('differences', line.netMinor), converted: null };
  }
  if (line.currency === movement.currency) {
    return {
      amounts: nonZero({ clearing: owedMinor, differences: line.netMinor - owedMinor }),
      converted: null,
    };
  }
  const conversion = conversionOf(movement, line);
  const worthMinor = conversion === null ? line.netMinor : settledAs(conversion, owedMinor, movement);
  return {
    amounts: nonZero({ conversion: worthMinor, differences: line.netMinor - worthMinor }),
    converted: { currency: movement.currency, amountMinor: owedMinor },
  };
}

function only(account: PayoutAccount, amountMinor: bigint): PayoutAmounts {
  return nonZero({ [account]: amountMinor });
}

function withCosts(account: 'clearing' | 'conversion' | 'disputes' | 'reserve', line: StoredLine): PayoutAmounts {
  const { netMinor, feeMinor, taxMinor } = line;
  return nonZero({ [account]: netMinor + feeMinor + taxMinor, fees: -feeMinor, taxes: -taxMinor });
}

function withTax(account: 'fees', { netMinor, taxMinor }: StoredLine): PayoutAmounts {
  return nonZero({ [account]: netMinor + taxMinor, taxes: -taxMinor });
}

function nonZero(amounts: PayoutAmounts): PayoutAmounts {
  return Object.fromEntries(Object.entries(amounts).filter(([, amountMinor]) => amountMinor !== 0n));
}

/** Returns `a` + `b`, account by account. */
export function plus(a: PayoutAmounts, b: PayoutAmounts): PayoutAmounts {
  return nonZero(Object.fromEntries(PAYOUT_ACCOUNTS.map((name) => [name, (a[name] ?? 0n) + (b[name] ?? 0n)])));
}

export function minus(amounts: PayoutAmounts): PayoutAmounts {
  return Object.fromEntries(Object.entries(amounts).map(([name, amountMinor]) => [name, -amountMinor]));
}

export function isNothing(amounts: PayoutAmounts): boolean {
  return Object.values(amounts).every((amountMinor) => amountMinor === 0n);
}

/** Writes amounts as JSON, in the order of the chart, so that equal amounts are equal text. */
export function amountsText(amounts: PayoutAmounts): string {
  const entries = PAYOUT_ACCOUNTS.flatMap((name) => {
    const amountMinor = amounts[name] ?? 0n;
    return amountMinor === 0n ? [] : [[name, amountMinor.toString()]];
  });
  return JSON.stringify(Object.fromEntries(entries));
}

/** @throws SyntaxError or RangeError if the text is not one that `amountsText` has written */
export function amountsFrom(text: string): PayoutAmounts {
  const read: unknown = JSON.parse(text);
  return Object.fromEntries(
    Object.entries(typeof read === 'object' && read !== null ? read : {}).map(([name, amount]: [string, unknown]) => {
      if (!isPayoutAccount(name) || typeof amount !== 'string') {
        throw new RangeError(`not an amount of a payout account: ${name}`);
      }
      return [name, BigInt(amount)];
    }),
  );
}

function isPayoutAccount(name: string): name is PayoutAccount {
  return PAYOUT_ACCOUNTS.some((account) => account === name);
}
