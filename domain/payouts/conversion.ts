import { exponentOf, isCurrency } from '../currency.ts';
import type { Movement } from './matching.ts';
import type { PayoutLine } from './payout-line.ts';

/** In which currency, and at which rate, a movement was settled. */
export interface Conversion {
  readonly currency: string;
  /** Decimal text. Null: in the movement's own currency. */
  readonly rate: string | null;
}

const RATE = /^\d{1,12}(?:[.]\d{1,18})?$/;

/** Returns how a line was converted. Null: it is in another currency and does not say how it became so. */
export function conversionOf(movement: Movement, line: PayoutLine): Conversion | null {
  const { currency, originalCurrency, exchangeRate: rate } = line;
  if (currency === movement.currency) {
    return { currency, rate: null };
  }
  const isKnown = originalCurrency === movement.currency && isCurrency(currency) && isCurrency(originalCurrency);
  return isKnown && rate !== null && RATE.test(rate) ? { currency, rate } : null;
}

/** Returns an amount in the movement's currency as it is settled. */
export function settledAs({ currency, rate }: Conversion, amountMinor: bigint, movement: Movement): bigint {
  return rate === null ? amountMinor : converted(amountMinor, { from: movement.currency, to: currency, rate });
}

/**
 * Converts signed minor units at an exchange rate, rounded half up by magnitude, so that a refund converts like its charge.
 *
 * @param rate - decimal text: 1 of `from` is so much of `to`
 */
function converted(
  amountMinor: bigint,
  { from, to, rate }: { readonly from: string; readonly to: string; readonly rate: string },
): bigint {
  const [whole = '', fraction = ''] = rate.split('.');
  const scale = exponentOf(to) - exponentOf(from) - fraction.length;
  const product = magnitude(amountMinor) * BigInt(`${whole}${fraction}`);
  const rounded = scale >= 0 ? product * 10n ** BigInt(scale) : halfUp(product, 10n ** BigInt(-scale));
  return amountMinor < 0n ? -rounded : rounded;
}

/** Returns a share of an amount in ten-thousandths, rounded half up. */
export function shareOf(amountMinor: bigint, shareBps: number): bigint {
  return halfUp(amountMinor * BigInt(Math.round(shareBps)), 10_000n);
}

export function magnitude(amountMinor: bigint): bigint {
  return amountMinor < 0n ? -amountMinor : amountMinor;
}

/** Both are positive. */
function halfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}
