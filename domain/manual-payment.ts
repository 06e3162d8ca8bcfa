/** The state of a payer's submission as operators see it. `CORRECTED`: the payer has made another one since. */
export const SUBMISSION_STATUSES = ['WAITING', 'CONFIRMED', 'REJECTED', 'CORRECTED'] as const;
export type SubmissionStatus = (typeof SUBMISSION_STATUSES)[number];

/** Length of the transaction number that a payer submits, in characters. It applies to the text and to the normalized form. */
export const TRANSACTION_LENGTH = { min: 4, max: 64 } as const;

/** What people write between the groups of a number: spaces, dashes and ASCII punctuation. */
const SEPARATORS = /[\p{Zs}\p{Pd}\u2212!-/:-@[-`{-~]/gu;
const DIGIT = /\p{Nd}/u;

export type ComparedTransaction =
  | { readonly kind: 'named'; readonly normalized: string }
  /** Too short or too long for a transaction number. */
  | { readonly kind: 'length' }
  /** Contains characters that no such number has and that could make one number look like another. */
  | { readonly kind: 'characters' };

/**
 * Normalizes a transaction number for comparison: ASCII letters and digits only, upper case, so that one transfer cannot pay twice in two spellings.
 * Compatibility forms are folded (NFKC), the decimal digits of every script become ASCII digits, and separators are dropped. Anything else is
 * rejected, since dropping or keeping it would let two spellings of one number count as two: letters of other scripts look alike, and marks and
 * format characters are invisible.
 */
export function compareTransaction(text: string): ComparedTransaction {
  const folded = [...text.normalize('NFKC').replaceAll(SEPARATORS, '')].map(asAsciiDigit).join('');
  if (/[^0-9A-Za-z]/.test(folded)) {
    return { kind: 'characters' };
  }
  return folded.length < TRANSACTION_LENGTH.min || folded.length > TRANSACTION_LENGTH.max
    ? { kind: 'length' }
    : { kind: 'named', normalized: folded.toUpperCase() };
}

/** Unicode guarantees that the digits of a script are consecutive from 0 to 9, and that only a 9 can directly precede a 0. */
function asAsciiDigit(character: string): string {
  if (!DIGIT.test(character)) {
    return character;
  }
  const code = character.codePointAt(0) ?? 0;
  let before = 0;
  while (DIGIT.test(String.fromCodePoint(code - before - 1))) {
    before += 1;
  }
  return String(before % 10);
}
