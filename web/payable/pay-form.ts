import { MAX_AMOUNT_MINOR, minorFromDecimalText } from '../../domain/money.ts';
import { bengaliZero } from '../money-text.ts';
import type { AmountBounds, AmountProblem } from './view.ts';

/** What the payer chose: the requested amount, everything due, or an amount of their own. */
export const PAY_CHOICES = ['asked', 'rest', 'amount'] as const;
export type PayChoice = (typeof PAY_CHOICES)[number];

export interface PayForm {
  readonly choice: PayChoice;
  /** As typed; null for the other choices. */
  readonly typedAmount: string | null;
  /** The amount that the page showed: the requested one, or everything due for the other choices. */
  readonly expectedMinor: bigint;
}

/** More than the page's own form can send. */
const FORM_LENGTH_MAX = 1_000;
/** The limit of a typed amount; the page's field has the same. */
export const TYPED_LENGTH_MAX = 60;
const FIELDS = ['choice', 'expected', 'amount'];

/** Reads a form of the page from its URL-encoded body. Returns null for a form that the page never sends. */
export function readPayForm(text: string): PayForm | null {
  if (text.length > FORM_LENGTH_MAX) {
    return null;
  }
  const fields = new URLSearchParams(text);
  const twice = FIELDS.some((name) => fields.getAll(name).length > 1);
  const choice = PAY_CHOICES.find((known) => known === fields.get('choice'));
  const expectedMinor = expectedOf(fields.get('expected') ?? '');
  const typedAmount = choice === 'amount' ? fields.get('amount') : null;
  if (twice || choice === undefined || expectedMinor === null || (choice === 'amount' && typedAmount === null)) {
    return null;
  }
  return { choice, typedAmount, expectedMinor };
}

function expectedOf(text: string): bigint | null {
  const amountMinor = /^\d{1,16}$/.test(text) ? BigInt(text) : 0n;
  return amountMinor > 0n && amountMinor <= MAX_AMOUNT_MINOR ? amountMinor : null;
}

/** Returns an amount typed by the payer in minor units, or the problem with it. */
export function readTypedAmount(
  text: string,
  { currency, minMinor, maxMinor }: AmountBounds & { readonly currency: string },
): bigint | AmountProblem {
  const amountMinor = minorFromTypedText(text, currency);
  if (amountMinor === null) {
    return 'not_an_amount';
  }
  if (amountMinor < minMinor) {
    return 'too_little';
  }
  return amountMinor > maxMinor ? 'too_much' : amountMinor;
}

// Separators must be at thousands or lakhs: "1,5" is a decimal comma and must not become fifteen.
const GROUPED = /^(?:\d{1,3}(?:([, ])\d{3})(?:\1\d{3})*|\d{1,2}(?:([, ])\d{2})(?:\2\d{2})*\2\d{3})(?:\.\d+)?$/;
const SIGNS: Readonly<Record<string, string>> = { BDT: '৳|tk\\.?|টাকা' };

/**
 * Returns the minor units of an amount as people write it: digits of either language, thousands or lakhs separated by commas or spaces, the currency
 * before or after it. Null for anything else, and for more decimal places than the currency has.
 */
export function minorFromTypedText(text: string, currency: string): bigint | null {
  if (text.length > TYPED_LENGTH_MAX) {
    return null;
  }
  const sign = `(?:${currency}${SIGNS[currency] === undefined ? '' : `|${SIGNS[currency]}`})`;
  const bare = text
    .replace(/[০-৯]/g, (digit) => String(digit.charCodeAt(0) - bengaliZero))
    .replace(/\s+/g, ' ')
    .trim()
    .replace(new RegExp(`^${sign} ?| ?${sign}$`, 'i'), '');
  return minorFromDecimalText(GROUPED.test(bare) ? bare.replace(/[, ]/g, '') : bare, currency, 'exact');
}
