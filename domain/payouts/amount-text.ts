import { exponentOf } from '../currency.ts';
import { MAX_AMOUNT_MINOR, minorFromDecimalText } from '../money.ts';
import { asciiDigits, hasMixedDigits, plainSpaces } from './digits.ts';

/** Why text is no amount. */
export type AmountProblem = 'empty' | 'exponent' | 'mixed digits' | 'not an amount' | 'too precise' | 'too large';

/** What people and programs write beside an amount of a currency, besides its ISO code. */
const MARKS: Readonly<Record<string, readonly string[]>> = {
  BDT: ['৳', 'tk.', 'tk', 'taka', 'টাকা'],
  EUR: ['€'],
  GBP: ['£'],
  USD: ['us$', '$'],
};

/** As programs write amounts: nothing below changes it. */
const PLAIN = /^-?\d+(?:\.\d+)?$/;
const MINUS = /^-|-$/;
const SIGN = /^[+-]|-$/;
const IN_PARENTHESES = /^\((.*)\)$/;
const DIGITS_MAX = 16;

/** Separator of groups → digits in thousands (`1,234,567`) or in lakh (`12,34,567`), one separator throughout. */
const GROUPED: Readonly<Record<string, RegExp>> = {
  ',': grouped(','),
  '.': grouped(String.raw`\.`),
  ' ': grouped(' '),
};

function grouped(separator: string): RegExp {
  const thousands = String.raw`\d{1,3}(?:${separator}\d{3})+`;
  const lakh = String.raw`\d{1,2}(?:${separator}\d{2})+${separator}\d{3}`;
  return new RegExp(`^(?:${thousands}|${lakh})$`);
}

/**
 * Reads an amount as a spreadsheet or a bank writes it: Bangla digits, grouping in thousands or in lakh, a minus before or after, parentheses for a
 * negative, the currency's code or symbol on either side. Returns signed minor units, or why the text is refused. It never rounds.
 *
 * @param decimalComma - whether a comma, not a point, separates the decimals
 */
export function amountFromText(
  text: string,
  currency: string,
  { decimalComma }: { decimalComma: boolean },
): bigint | AmountProblem {
  if (!decimalComma && PLAIN.test(text)) {
    const isNegative = text.startsWith('-');
    const minor = exactMinor(isNegative ? text.slice(1) : text, currency);
    return typeof minor === 'bigint' && isNegative ? -minor : minor;
  }
  const plain = plainSpaces(text).toLowerCase().replaceAll('\u2212', '-');
  if (plain === '') {
    return 'empty';
  }
  if (hasMixedDigits(plain)) {
    return 'mixed digits';
  }
  const { negative, digits } = withoutSign(asciiDigits(plain), [currency.toLowerCase(), ...(MARKS[currency] ?? [])]);
  if (/\de[+-]?\d/.test(digits)) {
    return 'exponent';
  }
  const decimal = plainDecimal(digits, decimalComma);
  if (decimal === null) {
    return 'not an amount';
  }
  const minor = exactMinor(decimal, currency);
  return typeof minor === 'bigint' && negative ? -minor : minor;
}

/** Takes off one sign and one mark of the currency, whichever is outside. A second sign or mark stays, so that the text is refused. */
function withoutSign(text: string, marks: readonly string[]): { negative: boolean; digits: string } {
  const unmarked = withoutMark(text, marks);
  const inner = IN_PARENTHESES.exec(unmarked)?.[1] ?? unmarked.replace(SIGN, '');
  const unsigned = inner.trim();
  const negative = unmarked.startsWith('(') || MINUS.test(unmarked);
  return { negative, digits: unmarked === text ? withoutMark(unsigned, marks) : unsigned };
}

function withoutMark(text: string, marks: readonly string[]): string {
  const before = marks.find((mark) => text.startsWith(mark));
  if (before !== undefined) {
    return text.slice(before.length).trim();
  }
  const after = marks.find((mark) => text.endsWith(mark));
  return after === undefined ? text : text.slice(0, -after.length).trim();
}

/** Returns digits with a point before the decimals, or null. */
function plainDecimal(text: string, decimalComma: boolean): string | null {
  const parts = text.split(decimalComma ? ',' : '.');
  const [whole = '', fraction] = parts;
  if (parts.length > 2 || (fraction !== undefined && !/^\d+$/.test(fraction))) {
    return null;
  }
  const digits = ungrouped(whole, decimalComma ? ['.', ' '] : [',', ' ']);
  if (digits === null || (digits === '' && fraction === undefined)) {
    return null;
  }
  return `${digits === '' ? '0' : digits}${fraction === undefined ? '' : `.${fraction}`}`;
}

function ungrouped(whole: string, separators: readonly string[]): string | null {
  if (/^\d*$/.test(whole)) {
    return whole;
  }
  const separator = separators.find((separator) => GROUPED[separator]?.test(whole) === true);
  return separator === undefined ? null : whole.replaceAll(separator, '');
}

function exactMinor(decimal: string, currency: string): bigint | AmountProblem {
  const [whole = '', fraction = ''] = decimal.split('.');
  const significant = whole.replace(/^0+(?=\d)/, '');
  const decimals = fraction.replace(/0+$/, '');
  if (significant.length > DIGITS_MAX) {
    return 'too large';
  }
  if (decimals.length > exponentOf(currency)) {
    return 'too precise';
  }
  const minor = minorFromDecimalText(decimals === '' ? significant : `${significant}.${decimals}`, currency, 'exact');
  if (minor === null) {
    return 'not an amount';
  }
  return minor > MAX_AMOUNT_MINOR ? 'too large' : minor;
}

const RATE = /^\d{1,12}(?:[.]\d{1,18})?$/;

/** Returns an exchange rate as plain decimal text, or null if the text is not a positive decimal. */
export function rateFromText(text: string, { decimalComma }: { decimalComma: boolean }): string | null {
  const plain = plainSpaces(text);
  if (hasMixedDigits(plain)) {
    return null;
  }
  const ascii = asciiDigits(plain);
  const rate = decimalComma ? ascii.replace(',', '.') : ascii;
  return RATE.test(rate) && /[1-9]/.test(rate) ? rate : null;
}
