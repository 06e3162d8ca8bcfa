import { exponentOf, isCurrency } from '../../domain/currency.ts';
import type { Money } from '../../domain/money.ts';

/** Source: Stripe's list of zero-decimal currencies. ISO 4217 counts MGA in hundredths; ISK and UGX the other way round. */
const ZERO_DECIMAL = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '));
const THREE_DECIMAL = new Set('BHD JOD KWD OMR TND'.split(' '));

/** Source: Stripe takes amounts of up to eight digits. */
const AMOUNT_MAX = 99_999_999n;

/**
 * An amount as Stripe counts it, or null where it cannot be said: too large, a fraction of what Stripe knows, or a last digit that it does
 * not take (three-decimal currencies go by tens).
 */
export function toStripeAmount({ amountMinor, currency }: Money): number | null {
  const shift = stripeExponent(currency) - exponentOf(currency);
  const factor = 10n ** BigInt(Math.abs(shift));
  if (amountMinor <= 0n || (shift < 0 && amountMinor % factor !== 0n)) {
    return null;
  }
  const amount = shift < 0 ? amountMinor / factor : amountMinor * factor;
  const wrongLastDigit = THREE_DECIMAL.has(currency) && amount % 10n !== 0n;
  return amount > AMOUNT_MAX || wrongLastDigit ? null : Number.parseInt(amount.toString(), 10);
}

/** Our minor units of what Stripe counted, or null where our unit is too coarse for it or the currency is none. */
export function fromStripeAmount(amount: number, currency: string): bigint | null {
  if (!isCurrency(currency) || !Number.isSafeInteger(amount) || amount < 0) {
    return null;
  }
  const shift = exponentOf(currency) - stripeExponent(currency);
  const factor = 10n ** BigInt(Math.abs(shift));
  const counted = BigInt(amount);
  if (shift >= 0) {
    return counted * factor;
  }
  return counted % factor === 0n ? counted / factor : null;
}

function stripeExponent(currency: string): number {
  return ZERO_DECIMAL.has(currency) ? 0 : THREE_DECIMAL.has(currency) ? 3 : 2;
}
