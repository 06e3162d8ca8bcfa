/**
 * The numbers that a card scheme issues: a range of leading digits and the lengths of the whole number. Sources: ISO/IEC 7812-1 and the schemes'
 * public tables of issuer identification numbers.
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

/** A stand-alone run of digits: not adjacent to a letter, a digit or a longer run. Groups are separated by one space or hyphen. */
const RUN = /(?<![\p{L}\p{N}_])(?<![\p{N}][ -])\p{Nd}(?:[ -]?\p{Nd}){11,18}(?![ -]?\p{N})(?![\p{L}_])/gu;

const FIRST_SHOWN = 6;
const LAST_SHOWN = 4;

/**
 * Reports whether the text contains what looks like a payment card number: a stand-alone run of digits in any script with a scheme's prefix and
 * length and a valid check digit. One run in ten passes the check digit by chance, so this must not be used on references and phone numbers.
 */
export function holdsCardNumber(text: string): boolean {
  return [...text.matchAll(RUN)].some(([run]) => isCardNumber(digitsOf(run)));
}

/**
 * Replaces the middle digits of each card number. As PCI DSS 3.4.1 allows, the first six and last four stay. In a form, a query string, JSON, or a
 * nesting of them, a digit may be written as `%34` or `\u0034`, and the reader may see the text decoded. A number is therefore masked if it appears
 * in any decoding; everything else stays as it was written.
 */
export function maskCardNumbers(text: string): string {
  const known = new Set([text]);
  let readings: readonly Reading[] = [{ text, starts: null }];
  const hidden: Span[] = [];
  for (let depth = 0; readings.length > 0; depth += 1) {
    for (const reading of readings) {
      hidden.push(...hiddenIn(reading));
    }
    const deeper =
      depth === DEPTH_MAX ? [] : readings.flatMap((reading) => CODES.map((code) => decoded(reading, code)));
    readings = deeper.filter((reading) => reading !== null).filter((reading) => isNew(known, reading.text));
  }
  return withMasks(text, hidden);
}

function isNew(known: Set<string>, text: string): boolean {
  const isKnown = known.has(text);
  known.add(text);
  return !isKnown;
}

/** Deep enough for JSON in JSON in a form. Nobody reads text that is encoded more often than that. */
const DEPTH_MAX = 4;

interface Code {
  /** Matches one escape sequence, which stands for one character. */
  readonly escape: RegExp;
  read(escape: string): string;
}

const FORM: Code = {
  escape:
    /\+|%(?:[0-7][\dA-F]|[CD][\dA-F]%[89AB][\dA-F]|E[\dA-F](?:%[89AB][\dA-F]){2}|F[0-7](?:%[89AB][\dA-F]){3}|[\dA-F]{2})/gi,
  read(escape) {
    try {
      return escape === '+' ? ' ' : decodeURIComponent(escape);
    } catch {
      return '\uFFFD';
    }
  },
};

/** Escapes for characters that cannot occur in a number do not need to be told apart. */
const JSON_TEXT: Code = {
  escape: /\\(?:u[\dA-Fa-f]{4}|["\\/bfnrt])/g,
  read: (escape) =>
    escape.length > 2
      ? String.fromCharCode(Number.parseInt(escape.slice(2), 16))
      : escape.slice(1).replace(/[bfnrt]/, '\n'),
};

const CODES = [FORM, JSON_TEXT];

/** A decoded text. `starts` holds, for each of its UTF-16 units and for its end, the index in the original text; null if it is the original text. */
interface Reading {
  readonly text: string;
  readonly starts: readonly number[] | null;
}

type Span = readonly [from: number, to: number];

/** Returns null if the text contains no escape of that code. */
function decoded({ text, starts }: Reading, { escape, read }: Code): Reading | null {
  if (text.search(escape) === -1) {
    return null;
  }
  const parts: string[] = [];
  const places: number[] = [];
  let end = 0;
  const copyUntil = (index: number): void => {
    parts.push(text.slice(end, index));
    for (; end < index; end += 1) {
      places.push(starts?.[end] ?? end);
    }
  };
  for (const match of text.matchAll(escape)) {
    copyUntil(match.index);
    const character = read(match[0]);
    parts.push(character);
    for (let unit = 0; unit < character.length; unit += 1) {
      places.push(starts?.[end] ?? end);
    }
    end += match[0].length;
  }
  copyUntil(text.length);
  places.push(starts?.[end] ?? end);
  return { text: parts.join(''), starts: places };
}

/** Returns the spans of the original text whose digits must be masked. */
function hiddenIn({ text, starts }: Reading): Span[] {
  return [...text.matchAll(RUN)].flatMap(({ 0: run, index }) => {
    const digits = digitsOf(run);
    if (!isCardNumber(digits)) {
      return [];
    }
    const middle = [...run.matchAll(/\p{Nd}/gu)].slice(FIRST_SHOWN, digits.length - LAST_SHOWN);
    return middle.map((digit): Span => {
      const [from, to] = [index + digit.index, index + digit.index + digit[0].length];
      return [starts?.[from] ?? from, starts?.[to] ?? to];
    });
  });
}

/** Replaces each span with one X. Overlapping spans from different decodings get one X. */
function withMasks(text: string, spans: readonly Span[]): string {
  let shown = '';
  let end = 0;
  for (const [from, to] of spans.toSorted((one, other) => one[0] - other[0] || other[1] - one[1])) {
    if (from >= end) {
      shown += `${text.slice(end, from)}X`;
    }
    end = Math.max(end, to);
  }
  return shown + text.slice(end);
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

/**
 * Converts a run to ASCII digits. In Unicode each script's ten digits are consecutive, starting at its zero, and NFKC converts styled digits to
 * ASCII.
 */
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
