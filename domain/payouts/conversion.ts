import { exponentOf, isCurrency } from '../currency.ts';
import type { Movement } from './matching.ts';
import type { PayoutLine } from './payout-line.ts';

/** In which currency, and at which rate, a movement was settled. */
export interface Conversion {
  readonly currency: string;
  /** Decimal text. Null: in the movement's own currency. */
  readonly rate: string | null;
}

/** No amount is greater: the largest integer that a JSON number holds exactly. A rate that leads beyond it is no rate. */
const CONVERTED_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** Greater than 0: nothing can be converted back at a rate of nothing. */
export const RATE = /^(?=.*[1-9])\d{1,12}(?:[.]\d{1,18})?$/;

/** Returns how a line was converted. Null: it is in another currency and does not say how it became so. */
export function conversionOf(movement: Movement, line: PayoutLine): Conversion | null {
  const { currency, originalCurrency, exchangeRate: rate } = line;
  if (currency === movement.currency) {
    return { currency, rate: null };
  }
  const isKnown = originalCurrency === movement.currency && isCurrency(currency) && isCurrency(originalCurrency);
  if (!isKnown || rate === null || !RATE.test(rate)) {
    return null;
  }
  const conversion = { currency, rate };
  return magnitude(settledAs(conversion, movement.amountMinor, movement)) <= CONVERTED_MAX ? conversion : null;
}

/** Returns an amount in the movement's currency as it is settled. */
export function settledAs({ currency, rate }: Conversion, amountMinor: bigint, movement: Movement): bigint {
  return rate === null ? amountMinor : converted(amountMinor, { from: movement.currency, to: currency, rate });
}

/** Returns an amount as it was settled in the movement's currency: the inverse of `settledAs`, but for rounding. */
export function originalOf({ currency, rate }: Conversion, amountMinor: bigint, movement: Movement): bigint {
  return rate === null ? amountMinor : convertedBack(amountMinor, { from: movement.currency, to: currency, rate });
}

interface Exchange {
  readonly from: string;
  readonly to: string;
  /** Decimal text: 1 of `from` is so much of `to`. */
  readonly rate: string;
}

/** Converts signed minor units at an exchange rate, rounded half up by magnitude, so that a refund converts like its charge. */
function converted(amountMinor: bigint, exchange: Exchange): bigint {
  const { dividend, divisor } = minorRateOf(exchange);
  return signedHalfUp(amountMinor * dividend, divisor);
}

/** Converts at a share of an exchange rate in ten-thousandths, rounded half up by magnitude. */
export function convertedAt(amountMinor: bigint, exchange: Exchange, shareBps: bigint): bigint {
  const { dividend, divisor } = minorRateOf(exchange);
  return signedHalfUp(amountMinor * dividend * shareBps, divisor * 10_000n);
}

function convertedBack(amountMinor: bigint, exchange: Exchange): bigint {
  const { dividend, divisor } = minorRateOf(exchange);
  return signedHalfUp(amountMinor * divisor, dividend);
}

/** One minor unit of `from` is `dividend` / `divisor` minor units of `to`. */
function minorRateOf({ from, to, rate }: Exchange): { readonly dividend: bigint; readonly divisor: bigint } {
  const [whole = '', fraction = ''] = rate.split('.');
  return {
    dividend: BigInt(`${whole}${fraction}`) * 10n ** BigInt(exponentOf(to)),
    divisor: 10n ** BigInt(exponentOf(from) + fraction.length),
  };
}

/** The divisor is positive. */
function signedHalfUp(dividend: bigint, divisor: bigint): bigint {
  const rounded = halfUp(magnitude(dividend), divisor);
  return dividend < 0n ? -rounded : rounded;
}

const RATE_DECIMALS = 18;

/**
 * Returns the rate by which an amount became another, as decimal text: so exact that it leads from the one to the other. Null: none of the rates that are
 * taken does.
 */
export function impliedRate(
  { originalCurrency, paidMinor }: { readonly originalCurrency: string; readonly paidMinor: bigint },
  { currency, grossMinor }: { readonly currency: string; readonly grossMinor: bigint },
): string | null {
  if (paidMinor === 0n) {
    return null;
  }
  const scale = 10n ** BigInt(RATE_DECIMALS);
  const dividend = magnitude(grossMinor) * scale * 10n ** BigInt(exponentOf(originalCurrency));
  const rate = halfUp(dividend, magnitude(paidMinor) * 10n ** BigInt(exponentOf(currency)));
  const decimals = (rate % scale).toString().padStart(RATE_DECIMALS, '0').replace(/0+$/, '');
  const text = decimals === '' ? `${rate / scale}` : `${rate / scale}.${decimals}`;
  return RATE.test(text) ? text : null;
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
