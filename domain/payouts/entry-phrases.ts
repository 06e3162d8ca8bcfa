/** A longer text says nothing more. */
const TEXT_CHARS_MAX = 4096;
/** A reference may contain spaces. */
const WORDS_OF_PHRASE_MAX = 4;
/** MT940 numbers the parts of its text: `?20`. */
const PART = /\?\d\d/g;
const BETWEEN_WORDS = /[\s,;:()[\]{}"'=|<>]+/;

/**
 * Reports whether a reference is unlikely to stand in a text for something else: it has at least six characters and a digit, and is neither a date nor
 * a short number, which could be an amount.
 *
 * @param reference - in lower case
 */
export function isTelling(reference: string): boolean {
  return (
    reference.length >= 6 &&
    /\d/.test(reference) &&
    !/^\d{1,7}$/.test(reference) &&
    !/^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}$/.test(reference) &&
    !/^\d+[.,]\d+$/.test(reference)
  );
}

/**
 * Returns, in lower case, what a text of a bank may name: its words, a few words in a row, and the parts of a word with slashes. A reference counts
 * only as a whole: `po_12` is not named by `po_123`, and an empty one by nothing.
 */
export function phrasesOf(text: string | null): ReadonlySet<string> {
  const words = (text ?? '')
    .slice(0, TEXT_CHARS_MAX)
    .toLowerCase()
    .replace(PART, ' ')
    .split(BETWEEN_WORDS)
    .map((word) => word.replace(/^[./+-]+|[./+-]+$/g, ''))
    .filter((word) => word !== '');
  const runs = words.flatMap((_, start) =>
    Array.from({ length: WORDS_OF_PHRASE_MAX }, (_unused, length) => words.slice(start, start + length + 1).join(' ')),
  );
  const parts = words.flatMap((word) => word.split('/'));
  return new Set([...runs, ...parts].filter(isTelling));
}
