import { plainSpaces } from './digits.ts';

/** The text of an id, or that a spreadsheet has turned the id into a number. */
export type IdText = { readonly id: string | null } | { readonly mangled: string };

/** `1.2E+10`: a spreadsheet writes a sign or a decimal. Without both, as in `9E72853471`, the text may be an id of bKash. */
const EXPONENT = /^\d+(?:[.,]\d+)?e[+-]\d+$|^\d+[.,]\d+e\d+$/i;
const WHOLE_NUMBER_WITH_DECIMALS = /^\d+[.,]0+$/;
const TOO_NARROW = /^#+$/;
/** `="0012"` and `'0012` are how exports keep a spreadsheet from reading an id as a number. */
const GUARDED = /^="(.*)"$|^'(.+)$/;

/** Returns an id as it is written, with its leading zeros; null if the cell is empty. */
export function idFromText(text: string): IdText {
  const plain = plainSpaces(text);
  const guarded = GUARDED.exec(plain);
  const id = guarded === null ? plain : (guarded[1] ?? guarded[2] ?? '').trim();
  if (EXPONENT.test(id) || WHOLE_NUMBER_WITH_DECIMALS.test(id) || TOO_NARROW.test(id)) {
    return { mangled: id };
  }
  return { id: id === '' ? null : id };
}
