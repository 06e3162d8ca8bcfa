import { type Money, toDecimalText } from '../domain/money.ts';
import { html, type Html } from './html.ts';
import type { Language } from './language.ts';

// Currencies of countries that group digits by lakh and crore, in every language of the page.
const lakhCurrencies = new Set(['BDT', 'INR', 'NPR', 'PKR', 'LKR']);
const lakhGaps = /\B(?=(\d{2})*\d{3}$)/g;
const thousandGaps = /\B(?=(\d{3})+$)/g;
const bengaliSigns: Record<string, string> = { BDT: '৳' };
/** The code of the Bangla digit zero; the other nine follow it. */
export const bengaliZero = '০'.charCodeAt(0);

/** Returns an amount for people: `BDT 1,23,456.00` in English, `৳১,২৩,৪৫৬.০০` in Bangla. */
export function moneyText(amount: Money, language: Language): string {
  const sign = currencySign(amount.currency, language);
  return `${sign}${sign === amount.currency ? '\u00a0' : ''}${amountText(amount, language)}`;
}

/** The most characters, including the currency, that fit on the smallest screen: in the largest font, and in a smaller one. */
const SHORT_LENGTH_MAX = 12;
const WIDE_LENGTH_MAX = 16;

/** Like `moneyText`, as markup whose digits stay on one line. For a very long amount the currency may be on the line before. */
export function moneyPart(amount: Money, language: Language): Html {
  const text = moneyText(amount, language);
  if (text.length <= WIDE_LENGTH_MAX) {
    return html`<span class="money${text.length > SHORT_LENGTH_MAX && ' wide'}">${text}</span>`;
  }
  const sign = currencySign(amount.currency, language);
  return sign === amount.currency
    ? html`<span class="long">${sign} ${amountPart(amount, language)}</span>`
    : html`<span class="long money">${text}</span>`;
}

/** Renders an amount without its currency that stays on one line. */
export function amountPart(amount: Money, language: Language): Html {
  return html`<span class="money">${amountText(amount, language)}</span>`;
}

/** Returns an amount without its currency, for tables that name it once. */
export function amountText(amount: Money, language: Language): string {
  const [whole = '', fraction] = toDecimalText(amount).split('.');
  const lakh = language === 'bn' || lakhCurrencies.has(amount.currency);
  const grouped = lakh ? whole.replace(lakhGaps, ',') : whole.replace(thousandGaps, ',');
  const decimal = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  return inDigits(decimal, language);
}

/** Returns the currency as tables show it: `BDT`, `৳`. */
export function currencySign(currency: string, language: Language): string {
  return (language === 'bn' ? bengaliSigns[currency] : undefined) ?? currency;
}

/** Returns a text in the digits of its language. */
export function inDigits(text: string, language: Language): string {
  return language === 'en' ? text : text.replace(/\d/g, (digit) => String.fromCharCode(bengaliZero + Number(digit)));
}

/** Returns a count: `1,200`, `১,২০০`. */
export function countText(count: bigint, language: Language): string {
  return inDigits(count.toString().replace(language === 'bn' ? lakhGaps : thousandGaps, ','), language);
}

/** `15%`, `7.5%`, `১৫%`. */
function rateText(basisPoints: bigint, language: Language): string {
  const hundredths = (basisPoints % 100n).toString().padStart(2, '0').replace(/0+$/, '');
  return inDigits(`${basisPoints / 100n}${hundredths === '' ? '' : `.${hundredths}`}%`, language);
}

/** Returns a tax as `VAT 15%`, or only its name if it has no rate. */
export function taxLabel(name: string, basisPoints: bigint | null, language: Language): string {
  return basisPoints === null ? name : `${name} ${rateText(basisPoints, language)}`;
}
