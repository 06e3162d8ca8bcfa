import { exponentOf, isCurrency } from '../../domain/currency.ts';
import type { Money } from '../../domain/money.ts';

/** Source: Stripe's list of zero-decimal currencies. ISO 4217 gives MGA two decimals; for ISK and UGX it is the other way round. */
const ZERO_DECIMAL = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '));
const THREE_DECIMAL = new Set('BHD JOD KWD OMR TND'.split(' '));

/** Source: Stripe accepts amounts of up to eight digits. */
const AMOUNT_MAX = 99_999_999n;

/**
 * Converts an amount to Stripe's units. Returns null if that is impossible: too large, a fraction of Stripe's unit, or a last digit that Stripe does
 * not accept (three-decimal amounts must be multiples of ten).
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

/** Converts Stripe's units to minor units. Returns null if our unit is too coarse or the currency is unknown. */
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

/** Converts a signed amount of Stripe's balance to minor units. Returns null where `fromStripeAmount` does. */
export function fromStripeBalance(amount: number, currency: string): bigint | null {
  const size = fromStripeAmount(Math.abs(amount), currency);
  return size === null || amount >= 0 ? size : -size;
}

function stripeExponent(currency: string): number {
  return ZERO_DECIMAL.has(currency) ? 0 : THREE_DECIMAL.has(currency) ? 3 : 2;
}
