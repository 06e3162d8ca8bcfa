import { type Money, toDecimalText } from '../../domain/money.ts';
import type { Language } from '../language.ts';

// Currencies of countries that count in lakh and crore, in whatever language the page is.
const lakhCurrencies = new Set(['BDT', 'INR', 'NPR', 'PKR', 'LKR']);
const bengaliSigns: Record<string, string> = { BDT: '৳' };
const bengaliZero = '০'.charCodeAt(0);

/** An amount for a person: `BDT 1,23,456.00` in English, `৳১,২৩,৪৫৬.০০` in Bangla. */
export function moneyText(amount: Money, language: Language): string {
  const [whole = '', fraction] = toDecimalText(amount).split('.');
  const lakh = language === 'bn' || lakhCurrencies.has(amount.currency);
  const grouped = lakh ? whole.replace(/\B(?=(\d{2})*\d{3}$)/g, ',') : whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const decimal = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  if (language === 'en') {
    return `${amount.currency}\u00a0${decimal}`;
  }
  const sign = bengaliSigns[amount.currency] ?? `${amount.currency}\u00a0`;
  return sign + bengaliDigits(decimal);
}

function bengaliDigits(text: string): string {
  return text.replace(/\d/g, (digit) => String.fromCharCode(bengaliZero + Number(digit)));
}
