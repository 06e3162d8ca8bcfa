import { exponentOf } from '../../../../domain/currency.ts';
import { toDecimalText } from '../../../../domain/money.ts';

/** Digits, or groups of a thousand or a lakh. A comma elsewhere may have been meant as a decimal point, so it is no amount. */
const AMOUNT = /^(\d{1,13}|\d{1,3}(?:,\d{2,3}){0,4},\d{3})(?:\.(\d+))?$/;

/** Returns an amount as a form holds it: `120.50`. */
export function plainTextOf(amountMinor: number, currency: string): string {
  return toDecimalText({ amountMinor: BigInt(amountMinor), currency });
}

/** Returns the minor units of an amount that a person has written in Latin or Bangla digits, `1,20,500.50`. Null: it is no amount of this currency. */
export function minorUnitsOf(text: string, currency: string): number | null {
  const plain = text.replace(/[০-৯]/g, (digit) => String(digit.charCodeAt(0) - '০'.charCodeAt(0)));
  const [, whole = '', fraction = ''] = AMOUNT.exec(plain) ?? [];
  const places = exponentOf(currency);
  if (whole === '' || fraction.length > places) {
    return null;
  }
  return Number(`${whole.replaceAll(',', '')}${fraction.padEnd(places, '0')}`);
}

/** Like `minorUnitsOf`, for amounts that may be negative. */
export function signedMinorUnitsOf(text: string, currency: string): number | null {
  const unsigned = text.replace(/^[-−]\s*/, '');
  const amountMinor = minorUnitsOf(unsigned, currency);
  return amountMinor === null || unsigned === text ? amountMinor : -amountMinor;
}
