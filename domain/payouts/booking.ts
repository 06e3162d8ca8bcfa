import { PAYOUT_ACCOUNTS, type PayoutAccount, type PayoutAmounts } from '../ledger.ts';
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

/**
 * Returns by how much the lines of one movement credit each account, by the line's id. What matches is covered in clearing; costs that only the line states
 * are booked with it; what is not explained waits in `unexplained`. The sum of a line's amounts is its net amount.
 */
export function bookingsOfGroup(movement: Movement, judged: readonly JudgedLine[]): Map<bigint, PayoutAmounts> {
  const byId = new Map(judged.map((one) => [one.line.id, one]));
  let owedMinor = owedFor(movement);
  const amounts = new Map<bigint, PayoutAmounts>();
  for (const { id } of inLineOrder(judged.map(({ line }) => line))) {
    const one = byId.get(id);
    if (one !== undefined) {
      const booked = one.accepted ? acceptedAs(one, { movement, owedMinor }) : bookedAs(one, movement);
      owedMinor -= booked.clearing ?? 0n;
      amounts.set(id, booked);
    }
  }
  return amounts;
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

function bookedAs({ line, verdict }: JudgedLine, movement: Movement | null): PayoutAmounts {
  if (verdict.status !== 'MATCHED' || verdict.detail === 'CONVERTED') {
    return only('unexplained', line.netMinor);
  }
  switch (line.kind) {
    case 'CHARGE':
    case 'REFUND':
    case 'ADJUSTMENT':
      return movement === null || movement.feeMinor !== null
        ? only('clearing', line.netMinor)
        : withCosts('clearing', line);
    case 'FEE':
      return verdict.detail === 'COST_OF_CHARGE' && movement?.feeMinor !== null
        ? only('clearing', line.netMinor)
        : withTax('fees', line);
    case 'TAX':
      return verdict.detail === 'COST_OF_CHARGE' && movement?.feeMinor !== null
        ? only('clearing', line.netMinor)
        : only('taxes', line.netMinor);
    case 'DISPUTE':
      return withCosts('disputes', line);
    case 'RESERVE':
      return withCosts('reserve', line);
  }
}

/** The first accepted line of a movement settles what is still owed for it; the rest is a difference. */
function acceptedAs(
  { line, verdict: { reason } }: JudgedLine,
  { movement, owedMinor }: { readonly movement: Movement; readonly owedMinor: bigint },
): PayoutAmounts {
  const settles = (reason === 'AMOUNT' || reason === 'FEE') && line.currency === movement.currency;
  return settles
    ? nonZero({ clearing: owedMinor, differences: line.netMinor - owedMinor })
    : only('differences', line.netMinor);
}

function only(account: PayoutAccount, amountMinor: bigint): PayoutAmounts {
  return nonZero({ [account]: amountMinor });
}

function withCosts(account: 'clearing' | 'disputes' | 'reserve', line: StoredLine): PayoutAmounts {
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
