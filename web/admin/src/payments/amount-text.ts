import { exponentOf } from '../../../../domain/currency.ts';
import { toDecimalText } from '../../../../domain/money.ts';

/** Returns an amount as a form holds it: `120.50`. */
export function plainTextOf(amountMinor: number, currency: string): string {
  return toDecimalText({ amountMinor: BigInt(amountMinor), currency });
}

/** Returns the minor units of an amount that a person has written in Latin or Bangla digits, `1,20,500.50`. Null: it is no amount of this currency. */
export function minorUnitsOf(text: string, currency: string): number | null {
  const plain = text.replace(/[০-৯]/g, (digit) => String(digit.charCodeAt(0) - '০'.charCodeAt(0))).replaceAll(',', '');
  const [, whole = '', fraction = ''] = /^(\d{1,13})(?:\.(\d+))?$/.exec(plain) ?? [];
  const places = exponentOf(currency);
  if (whole === '' || fraction.length > places) {
    return null;
  }
  return Number(`${whole}${fraction.padEnd(places, '0')}`);
}
