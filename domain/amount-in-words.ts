import { exponentOf } from './currency.ts';
import type { Money } from './money.ts';

type WordLanguage = 'en' | 'bn';

/**
 * Returns an amount as it is written on a cheque: `One lakh twenty-three taka and fifty paisa only`, `এক লক্ষ তেইশ টাকা পঞ্চাশ পয়সা মাত্র`.
 * Currencies other than BDT keep their code and show a remainder as a fraction: `USD One hundred and 45/100 only`.
 * English counts BDT in lakh and crore and other currencies in millions; Bangla always counts in lakh and crore.
 * @throws RangeError for a negative amount, or for a code that ISO 4217 does not list
 */
export function amountInWords({ amountMinor, currency }: Money, language: WordLanguage): string {
  if (amountMinor < 0n) {
    throw new RangeError(`amount out of range: ${amountMinor}`);
  }
  const scale = 10n ** BigInt(exponentOf(currency));
  const whole = amountMinor / scale;
  const rest = amountMinor % scale;
  if (currency === 'BDT') {
    return language === 'bn' ? takaInBangla(whole, rest) : capitalized(takaInEnglish(whole, rest));
  }
  return language === 'bn'
    ? `${currency} ${banglaNumber(whole)}${scale === 1n ? '' : ` এবং ${bengaliDigits(fraction(rest, scale))}`} মাত্র`
    : `${currency} ${capitalized(englishNumber(whole))}${scale === 1n ? '' : ` and ${fraction(rest, scale)}`} only`;
}

function takaInEnglish(taka: bigint, paisa: bigint): string {
  if (paisa === 0n) {
    return `${englishLakhNumber(taka)} taka only`;
  }
  const before = taka === 0n ? '' : `${englishLakhNumber(taka)} taka and `;
  return `${before}${englishNumber(paisa)} paisa only`;
}

function takaInBangla(taka: bigint, paisa: bigint): string {
  const parts = [
    taka > 0n || paisa === 0n ? `${banglaNumber(taka)} টাকা` : '',
    paisa > 0n ? `${banglaNumber(paisa)} পয়সা` : '',
  ];
  return `${parts.filter((part) => part !== '').join(' ')} মাত্র`;
}

function fraction(rest: bigint, scale: bigint): string {
  return `${rest.toString().padStart(scale.toString().length - 1, '0')}/${scale}`;
}

/** A step of a counting system: the quotient above it is counted in multiples of it. */
interface Step {
  readonly size: bigint;
  readonly word: string;
}

const ENGLISH_LAKH: readonly Step[] = [
  { size: 10_000_000n, word: ' crore' },
  { size: 100_000n, word: ' lakh' },
  { size: 1_000n, word: ' thousand' },
  { size: 100n, word: ' hundred' },
];
const ENGLISH_MILLION: readonly Step[] = [
  { size: 1_000_000_000_000_000n, word: ' quadrillion' },
  { size: 1_000_000_000_000n, word: ' trillion' },
  { size: 1_000_000_000n, word: ' billion' },
  { size: 1_000_000n, word: ' million' },
  { size: 1_000n, word: ' thousand' },
  { size: 100n, word: ' hundred' },
];
const BANGLA: readonly Step[] = [
  { size: 10_000_000n, word: ' কোটি' },
  { size: 100_000n, word: ' লক্ষ' },
  { size: 1_000n, word: ' হাজার' },
  { size: 100n, word: 'শত' },
];

function englishLakhNumber(value: bigint): string {
  return inSteps(value, { steps: ENGLISH_LAKH, below100: englishBelow100 });
}

function englishNumber(value: bigint): string {
  return inSteps(value, { steps: ENGLISH_MILLION, below100: englishBelow100 });
}

function banglaNumber(value: bigint): string {
  return inSteps(value, { steps: BANGLA, below100: (below) => BANGLA_BELOW_100[below] ?? '' });
}

/** Beyond the greatest step the count itself is split again: 90,07,199 crore. */
function inSteps(value: bigint, system: { steps: readonly Step[]; below100: (value: number) => string }): string {
  let left = value;
  const parts: string[] = [];
  for (const { size, word } of system.steps) {
    if (left >= size) {
      parts.push(`${inSteps(left / size, system)}${word}`);
      left %= size;
    }
  }
  if (left > 0n || parts.length === 0) {
    parts.push(system.below100(Number.parseInt(left.toString(), 10)));
  }
  return parts.join(' ');
}

const ENGLISH_BELOW_20 =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const ENGLISH_TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

function englishBelow100(value: number): string {
  const one = ENGLISH_BELOW_20[value];
  if (one !== undefined) {
    return one;
  }
  const ten = ENGLISH_TENS[Math.floor(value / 10) - 2] ?? '';
  return value % 10 === 0 ? ten : `${ten}-${ENGLISH_BELOW_20[value % 10] ?? ''}`;
}

/** Each number below one hundred has a word of its own. */
const BANGLA_BELOW_100 = [
  'শূন্য এক দুই তিন চার পাঁচ ছয় সাত আট নয়',
  'দশ এগারো বারো তেরো চৌদ্দ পনেরো ষোলো সতেরো আঠারো উনিশ',
  'বিশ একুশ বাইশ তেইশ চব্বিশ পঁচিশ ছাব্বিশ সাতাশ আটাশ ঊনত্রিশ',
  'ত্রিশ একত্রিশ বত্রিশ তেত্রিশ চৌত্রিশ পঁয়ত্রিশ ছত্রিশ সাঁইত্রিশ আটত্রিশ ঊনচল্লিশ',
  'চল্লিশ একচল্লিশ বিয়াল্লিশ তেতাল্লিশ চুয়াল্লিশ পঁয়তাল্লিশ ছেচল্লিশ সাতচল্লিশ আটচল্লিশ ঊনপঞ্চাশ',
  'পঞ্চাশ একান্ন বায়ান্ন তিপ্পান্ন চুয়ান্ন পঞ্চান্ন ছাপ্পান্ন সাতান্ন আটান্ন ঊনষাট',
  'ষাট একষট্টি বাষট্টি তেষট্টি চৌষট্টি পঁয়ষট্টি ছেষট্টি সাতষট্টি আটষট্টি ঊনসত্তর',
  'সত্তর একাত্তর বাহাত্তর তিয়াত্তর চুয়াত্তর পঁচাত্তর ছিয়াত্তর সাতাত্তর আটাত্তর ঊনআশি',
  'আশি একাশি বিরাশি তিরাশি চুরাশি পঁচাশি ছিয়াশি সাতাশি অষ্টাশি ঊননব্বই',
  'নব্বই একানব্বই বিরানব্বই তিরানব্বই চুরানব্বই পঁচানব্বই ছিয়ানব্বই সাতানব্বই আটানব্বই নিরানব্বই',
].flatMap((ten) => ten.split(' '));

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function bengaliDigits(text: string): string {
  return text.replace(/\d/g, (digit) => String.fromCharCode('০'.charCodeAt(0) + Number(digit)));
}
