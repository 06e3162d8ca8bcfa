import { exponentOf } from './currency.ts';

/** An amount in the currency's minor unit (paisa for BDT). Never a float, and never a JSON number inside the core. */
export interface Money {
  readonly amountMinor: bigint;
  readonly currency: string;
}

/** The greatest amount that every wire format can carry exactly: 2^53 − 1 minor units. */
export const MAX_AMOUNT_MINOR = BigInt(Number.MAX_SAFE_INTEGER);

const DECIMAL = /^(\d{1,16})(?:\.(\d{1,12}))?$/;

/** Returns a positive amount within what the wire format can carry. Throws RangeError otherwise. */
export function money(amountMinor: bigint, currency: string): Money {
  if (amountMinor <= 0n || amountMinor > MAX_AMOUNT_MINOR) {
    throw new RangeError(`amount out of range: ${amountMinor}`);
  }
  exponentOf(currency);
  return { amountMinor, currency };
}

/** Formats an amount as decimal text: `10000n BDT` → `"100.00"`, `500n JPY` → `"500"`. */
export function toDecimalText({ amountMinor, currency }: Money): string {
  const exponent = exponentOf(currency);
  const sign = amountMinor < 0n ? '-' : '';
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  return exponent === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-exponent)}`;
}

/** How a decimal with more digits than the minor unit is converted. */
export type Rounding = 'exact' | 'down';

/**
 * Parses decimal text into minor units. Accepts unpadded and over-precise text as gateways send it (`"69"`, `"1224.585"`). Returns null if the text
 * is not a plain decimal, or for `exact` if digits beyond the minor unit are not zero.
 */
export function minorFromDecimalText(text: string, currency: string, rounding: Rounding): bigint | null {
  const match = DECIMAL.exec(text);
  if (match === null) {
    return null;
  }
  const exponent = exponentOf(currency);
  const fraction = match[2] ?? '';
  const kept = fraction.slice(0, exponent).padEnd(exponent, '0');
  const dropped = fraction.slice(exponent);
  if (rounding === 'exact' && /[1-9]/.test(dropped)) {
    return null;
  }
  return BigInt(`${match[1]}${kept}`);
}

/** Returns the native API's JSON integer. Throws RangeError if a JSON number cannot hold the amount exactly. */
export function toJsonInteger(amountMinor: bigint): number {
  if (amountMinor > MAX_AMOUNT_MINOR || amountMinor < -MAX_AMOUNT_MINOR) {
    throw new RangeError(`amount does not fit a JSON integer: ${amountMinor}`);
  }
  return Number.parseInt(amountMinor.toString(), 10);
}

/** Returns a JSON integer for a sum or difference, which may be beyond any amount: it stops at ±(2^53 − 1), so that no row makes a list fail. */
export function toBoundedJsonInteger(sumMinor: bigint): number {
  const least = sumMinor < -MAX_AMOUNT_MINOR ? -MAX_AMOUNT_MINOR : sumMinor;
  return toJsonInteger(least > MAX_AMOUNT_MINOR ? MAX_AMOUNT_MINOR : least);
}
