/** What a payer may write of the transaction that they made: characters of the text, and of what counts in it. */
export const TRANSACTION_LENGTH = { min: 4, max: 64 } as const;

/** What people write between the groups of a number: spaces, dashes and the punctuation of ASCII. */
const SEPARATORS = /[\p{Zs}\p{Pd}\u2212!-/:-@[-`{-~]/gu;
const DIGIT = /\p{Nd}/u;

export type ComparedTransaction =
  | { readonly kind: 'named'; readonly normalized: string }
  /** Too little or too much for a transaction's number. */
  | { readonly kind: 'length' }
  /** It holds what no such number is made of, and what could make one number look like another. */
  | { readonly kind: 'characters' };

/**
 * A transaction's number as it is compared: ASCII letters and digits alone, upper case, so that one transfer pays for one thing however it is
 * written. Compatibility forms are folded (NFKC), the decimal digits of every script are digits, separators are dropped. Whatever is left
 * besides is refused rather than dropped or kept, since each would let two spellings of one number count as two: letters of other scripts,
 * which look alike, and marks and format characters, which nobody sees.
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

/** Unicode promises that the digits of a script stand in a row from 0 to 9, and that nothing of the class stands directly before a zero but a nine. */
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
