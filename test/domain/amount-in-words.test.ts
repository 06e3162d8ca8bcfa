import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { amountInWords } from '../../domain/amount-in-words.ts';
import { MAX_AMOUNT_MINOR } from '../../domain/money.ts';

const taka = (taka: bigint) => ({ amountMinor: taka * 100n, currency: 'BDT' });

describe('taka in words', () => {
  test.each([
    [0n, 'Zero taka only', 'শূন্য টাকা মাত্র'],
    [1n, 'One paisa only', 'এক পয়সা মাত্র'],
    [75n, 'Seventy-five paisa only', 'পঁচাত্তর পয়সা মাত্র'],
    [100n, 'One taka only', 'এক টাকা মাত্র'],
    [9_900n, 'Ninety-nine taka only', 'নিরানব্বই টাকা মাত্র'],
    [10_001n, 'One hundred taka and one paisa only', 'একশত টাকা এক পয়সা মাত্র'],
    [99_999n, 'Nine hundred ninety-nine taka and ninety-nine paisa only', 'নয়শত নিরানব্বই টাকা নিরানব্বই পয়সা মাত্র'],
    [10_05_000n, 'Ten thousand fifty taka only', 'দশ হাজার পঞ্চাশ টাকা মাত্র'],
    [1_00_000_00n, 'One lakh taka only', 'এক লক্ষ টাকা মাত্র'],
    [1_00_00_000_00n, 'One crore taka only', 'এক কোটি টাকা মাত্র'],
    [
      12_34_56_789_10n,
      'Twelve crore thirty-four lakh fifty-six thousand seven hundred eighty-nine taka and ten paisa only',
      'বারো কোটি চৌত্রিশ লক্ষ ছাপ্পান্ন হাজার সাতশত ঊননব্বই টাকা দশ পয়সা মাত্র',
    ],
    [
      MAX_AMOUNT_MINOR,
      'Ninety lakh seven thousand one hundred ninety-nine crore twenty-five lakh forty-seven thousand four hundred nine taka and ninety-one paisa only',
      'নব্বই লক্ষ সাত হাজার একশত নিরানব্বই কোটি পঁচিশ লক্ষ সাতচল্লিশ হাজার চারশত নয় টাকা একানব্বই পয়সা মাত্র',
    ],
  ])('%s paisa', (amountMinor, english, bangla) => {
    // The words on an invoice must say the same as its figures, in lakh and crore.
    expect(amountInWords({ amountMinor, currency: 'BDT' }, 'en')).toBe(english);
    expect(amountInWords({ amountMinor, currency: 'BDT' }, 'bn')).toBe(bangla.normalize('NFC'));
  });

  test('every number below a hundred has its own Bangla word', () => {
    // The irregular words are written out by tens here, independent of the table under test.
    const endings = `
      0 শূন্য;1 এক;2 দুই;3 তিন;4 চার;5 পাঁচ;6 ছয়;7 সাত;8 আট;9 নয়;10 দশ;20 বিশ;30 ত্রিশ;40 চল্লিশ;50 পঞ্চাশ;60 ষাট;70 সত্তর;80 আশি;90 নব্বই;
      11 এগারো;12 বারো;13 তেরো;14 চৌদ্দ;15 পনেরো;16 ষোলো;17 সতেরো;18 আঠারো;21 একুশ;31 একত্রিশ;41 একচল্লিশ;51 একান্ন;61 একষট্টি;71 একাত্তর;81 একাশি;91 একানব্বই;
      22 বাইশ;32 বত্রিশ;42 বিয়াল্লিশ;52 বায়ান্ন;62 বাষট্টি;72 বাহাত্তর;82 বিরাশি;92 বিরানব্বই;23 তেইশ;33 তেত্রিশ;43 তেতাল্লিশ;53 তিপ্পান্ন;63 তেষট্টি;73 তিয়াত্তর;83 তিরাশি;93 তিরানব্বই;
      24 চব্বিশ;34 চৌত্রিশ;44 চুয়াল্লিশ;54 চুয়ান্ন;64 চৌষট্টি;74 চুয়াত্তর;84 চুরাশি;94 চুরানব্বই;25 পঁচিশ;35 পঁয়ত্রিশ;45 পঁয়তাল্লিশ;55 পঞ্চান্ন;65 পঁয়ষট্টি;75 পঁচাত্তর;85 পঁচাশি;95 পঁচানব্বই;
      26 ছাব্বিশ;36 ছত্রিশ;46 ছেচল্লিশ;56 ছাপ্পান্ন;66 ছেষট্টি;76 ছিয়াত্তর;86 ছিয়াশি;96 ছিয়ানব্বই;27 সাতাশ;37 সাঁইত্রিশ;47 সাতচল্লিশ;57 সাতান্ন;67 সাতষট্টি;77 সাতাত্তর;87 সাতাশি;97 সাতানব্বই;
      28 আটাশ;38 আটত্রিশ;48 আটচল্লিশ;58 আটান্ন;68 আটষট্টি;78 আটাত্তর;88 অষ্টাশি;98 আটানব্বই;19 উনিশ;29 ঊনত্রিশ;39 ঊনচল্লিশ;49 ঊনপঞ্চাশ;59 ঊনষাট;69 ঊনসত্তর;79 ঊনআশি;89 ঊননব্বই;99 নিরানব্বই`;
    const words = new Map(
      endings
        .normalize('NFC')
        .split(';')
        .map((pair) => pair.trim().split(' '))
        .map(([number = '', word = '']) => [Number(number), word]),
    );
    expect(words.size).toBe(100);
    expect(new Set(words.values()).size).toBe(100);
    for (const [number, word] of words) {
      expect(amountInWords(taka(BigInt(number)), 'bn')).toBe(`${word} টাকা মাত্র`);
    }
  });

  test('different amounts read differently in both languages', () => {
    // If two amounts had the same words, one could be replaced by the other unnoticed.
    const amount = fc.bigInt({ min: 0n, max: MAX_AMOUNT_MINOR });
    fc.assert(
      fc.property(amount, amount, (first, second) => {
        for (const language of ['en', 'bn'] as const) {
          const [one, other] = [first, second].map((amountMinor) =>
            amountInWords({ amountMinor, currency: 'BDT' }, language),
          );
          expect(one === other).toBe(first === second);
        }
      }),
    );
  });

  test('English words can be counted back to the amount', () => {
    // Checked by arithmetic on the words, not by another table of the same kind.
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX_AMOUNT_MINOR / 100n }), (amount) => {
        expect(countedBack(amountInWords(taka(amount), 'en').replace(' taka only', ''))).toBe(amount);
      }),
    );
  });
});

describe('other currencies in words', () => {
  test.each([
    [12_345n, 'USD', 'USD One hundred twenty-three and 45/100 only', 'USD একশত তেইশ এবং ৪৫/১০০ মাত্র'],
    [100_000_000n, 'USD', 'USD One million and 00/100 only', 'USD দশ লক্ষ এবং ০০/১০০ মাত্র'],
    [500n, 'JPY', 'JPY Five hundred only', 'JPY পাঁচশত মাত্র'],
    [12_345n, 'KWD', 'KWD Twelve and 345/1000 only', 'KWD বারো এবং ৩৪৫/১০০০ মাত্র'],
    [
      MAX_AMOUNT_MINOR,
      'JPY',
      'JPY Nine quadrillion seven trillion one hundred ninety-nine billion two hundred fifty-four million seven hundred forty thousand nine hundred ninety-one only',
      'JPY নব্বই কোটি সাত লক্ষ উনিশ হাজার নয়শত পঁচিশ কোটি সাতচল্লিশ লক্ষ চল্লিশ হাজার নয়শত একানব্বই মাত্র',
    ],
  ])('%s minor units of %s', (amountMinor, currency, english, bangla) => {
    // The currency's exponent decides how many decimals the fraction has.
    expect(amountInWords({ amountMinor, currency }, 'en')).toBe(english);
    expect(amountInWords({ amountMinor, currency }, 'bn')).toBe(bangla.normalize('NFC'));
  });

  test('neither a negative amount nor an unknown currency has words', () => {
    // An invalid amount must not appear as words that look right.
    expect(() => amountInWords({ amountMinor: -1n, currency: 'BDT' }, 'en')).toThrow(RangeError);
    expect(() => amountInWords({ amountMinor: 1n, currency: 'XXX' }, 'en')).toThrow(RangeError);
  });
});

const units: Record<string, bigint> = Object.fromEntries(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'
    .split(' ')
    .map((word, value) => [word, BigInt(value)]),
);
const tens: Record<string, bigint> = Object.fromEntries(
  'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ').map((word, at) => [word, BigInt(at + 2) * 10n]),
);
const steps: Record<string, bigint> = { hundred: 100n, thousand: 1_000n, lakh: 100_000n };

function countedBack(words: string): bigint {
  const [crores, rest] = words.toLowerCase().includes(' crore')
    ? words.toLowerCase().split(/ crore ?/)
    : ['', words.toLowerCase()];
  return (crores === '' ? 0n : below(crores ?? '') * 10_000_000n) + below(rest ?? '');
}

function below(words: string): bigint {
  let sum = 0n;
  let open = 0n;
  for (const word of words.split(/[ -]/).filter((part) => part !== '')) {
    const step = steps[word];
    if (step === undefined) {
      open += units[word] ?? tens[word] ?? -1n;
    } else if (step === 100n) {
      open *= step;
    } else {
      sum += open * step;
      open = 0n;
    }
  }
  return sum + open;
}
