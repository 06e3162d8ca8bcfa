/**
 * Which numbers a scheme gives out: a prefix as a range of its first digits, and the lengths that follow. Sources: ISO/IEC 7812-1, and the
 * schemes' public tables of issuer identification numbers.
 */
interface SchemeRange {
  readonly scheme: string;
  readonly from: string;
  readonly to: string;
  readonly lengths: readonly number[];
}

const SCHEMES: readonly SchemeRange[] = [
  { scheme: 'Visa', from: '4', to: '4', lengths: [13, 16, 19] },
  { scheme: 'Mastercard', from: '51', to: '55', lengths: [16] },
  { scheme: 'Mastercard', from: '2221', to: '2720', lengths: [16] },
  { scheme: 'American Express', from: '34', to: '34', lengths: [15] },
  { scheme: 'American Express', from: '37', to: '37', lengths: [15] },
  { scheme: 'Diners Club', from: '300', to: '305', lengths: [14, 16, 17, 18, 19] },
  { scheme: 'Diners Club', from: '3095', to: '3095', lengths: [14, 16, 17, 18, 19] },
  { scheme: 'Diners Club', from: '36', to: '36', lengths: [14, 15, 16, 17, 18, 19] },
  { scheme: 'Diners Club', from: '38', to: '39', lengths: [14, 16, 17, 18, 19] },
  { scheme: 'Discover', from: '6011', to: '6011', lengths: [16, 17, 18, 19] },
  { scheme: 'Discover', from: '644', to: '649', lengths: [16, 17, 18, 19] },
  { scheme: 'Discover and RuPay', from: '65', to: '65', lengths: [16, 17, 18, 19] },
  { scheme: 'RuPay', from: '60', to: '60', lengths: [16] },
  { scheme: 'RuPay', from: '81', to: '82', lengths: [16] },
  { scheme: 'RuPay', from: '508', to: '508', lengths: [16] },
  { scheme: 'RuPay', from: '353', to: '353', lengths: [16] },
  { scheme: 'RuPay', from: '356', to: '356', lengths: [16] },
  { scheme: 'JCB', from: '3528', to: '3589', lengths: [16, 17, 18, 19] },
  { scheme: 'UnionPay', from: '62', to: '62', lengths: [16, 17, 18, 19] },
  { scheme: 'UnionPay', from: '81', to: '81', lengths: [16, 17, 18, 19] },
  { scheme: 'Maestro', from: '50', to: '50', lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { scheme: 'Maestro', from: '56', to: '58', lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { scheme: 'Maestro', from: '67', to: '67', lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { scheme: 'Maestro', from: '6304', to: '6304', lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { scheme: 'Maestro', from: '639', to: '639', lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
];

/** In the place of an escaped space or hyphen, and of every other escape. */
const ESCAPED_GAP = '\uE000';
const ESCAPED = '\uE001';

/** A run stands alone: no letter, digit, or part of a longer run touches it. Groups are parted by one space or hyphen. */
const RUN =
  /(?<![\p{L}\p{N}_])(?<![\p{N}][ \-\uE000])\p{Nd}(?:[ \-\uE000]?\p{Nd}){11,18}(?![ \-\uE000]?\p{N})(?![\p{L}_])/gu;

const FIRST_SHOWN = 6;
const LAST_SHOWN = 4;

/**
 * Whether the text holds what reads as the number of a payment card: a stand-alone run of digits of any script with a scheme's prefix and
 * length, and a valid check digit. One run of ten passes the check digit by chance, so references and phone numbers are never asked.
 */
export function holdsCardNumber(text: string): boolean {
  return [...text.matchAll(RUN)].some(([run]) => isCardNumber(digitsOf(run)));
}

/** The text with each card number's middle digits replaced, as PCI DSS 3.4.1 lets them be shown: the first six and last four stay. */
export function maskCardNumbers(text: string): string {
  return text.replace(RUN, (run) => (isCardNumber(digitsOf(run)) ? masked(run) : run));
}

/** The same in the body of a form or in a query, where `%20` is no number and `+` is a space. */
export function maskEncodedCardNumbers(encoded: string): string {
  const escapes: string[] = [];
  const plain = encoded.replace(/%[\dA-Fa-f]{2}|[+\uE000\uE001]/g, (escape) => {
    escapes.push(escape);
    return /^(?:\+|%20|%2d)$/i.test(escape) ? ESCAPED_GAP : ESCAPED;
  });
  return maskCardNumbers(plain).replace(/[\uE000\uE001]/g, () => escapes.shift() ?? '');
}

function masked(run: string): string {
  const last = digitsOf(run).length - LAST_SHOWN;
  let place = 0;
  return run.replace(/\p{Nd}/gu, (digit) => {
    place += 1;
    return place <= FIRST_SHOWN || place > last ? digit : 'X';
  });
}

function isCardNumber(digits: string): boolean {
  const known = SCHEMES.some(({ from, to, lengths }) => {
    const prefix = digits.slice(0, from.length);
    return lengths.includes(digits.length) && from <= prefix && prefix <= to;
  });
  return known && hasCheckDigit(digits);
}

/** Source: ISO/IEC 7812-1, annex B (Luhn). */
function hasCheckDigit(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** ASCII digits of a run: Unicode keeps each script's ten digits together, beginning at its zero, and NFKC makes ASCII of those for styles. */
function digitsOf(run: string): string {
  return [...run.normalize('NFKC')].map(digitOf).join('');
}

function digitOf(character: string): string {
  if (!/\p{Nd}/u.test(character)) {
    return '';
  }
  const code = character.codePointAt(0) ?? 0;
  let zero = code;
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) {
    zero -= 1;
  }
  return String(code - zero);
}
