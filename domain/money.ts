import { exponentOf } from './currency.ts';

/** An amount in the currency's minor unit (paisa for BDT). Never a float, never a JSON number inside the core. */
export interface Money {
  readonly amountMinor: bigint;
  readonly currency: string;
}

/** The greatest amount that every wire format can carry exactly: 2^53 − 1 minor units. */
export const MAX_AMOUNT_MINOR = BigInt(Number.MAX_SAFE_INTEGER);

const DECIMAL = /^(\d{1,16})(?:\.(\d{1,12}))?$/;

/** A positive amount within what the wire can carry. Throws RangeError otherwise. */
export function money(amountMinor: bigint, currency: string): Money {
  if (amountMinor <= 0n || amountMinor > MAX_AMOUNT_MINOR) {
    throw new RangeError(`amount out of range: ${amountMinor}`);
  }
  exponentOf(currency);
  return { amountMinor, currency };
}

/** `10000n BDT` → `"100.00"`, `500n JPY` → `"500"`. */
export function toDecimalText({ amountMinor, currency }: Money): string {
  const exponent = exponentOf(currency);
  const sign = amountMinor < 0n ? '-' : '';
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  return exponent === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-exponent)}`;
}

/** How a decimal that is finer than the minor unit becomes an integer. */
export type Rounding = 'exact' | 'down';

/**
 * Decimal text to minor units. Takes unpadded and over-precise text as gateways send it (`"69"`, `"1224.585"`).
 * Returns null when the text is no plain decimal, or when `exact` is asked and digits beyond the minor unit are not zero.
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

/** The native API's JSON integer. Throws RangeError where a JSON number could not hold the amount exactly. */
export function toJsonInteger(amountMinor: bigint): number {
  if (amountMinor > MAX_AMOUNT_MINOR || amountMinor < -MAX_AMOUNT_MINOR) {
    throw new RangeError(`amount does not fit a JSON integer: ${amountMinor}`);
  }
  return Number.parseInt(amountMinor.toString(), 10);
}
