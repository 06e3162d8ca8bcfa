import { plainSpaces } from './digits.ts';

/**
 * Returns what two spellings of one heading have in common: case, width and number of spaces, and the form of composed letters (Bangla has several) do
 * not count. Words in cells, such as those of a kind, are compared by it too.
 */
export function headingKey(heading: string): string {
  return plainSpaces(heading.normalize('NFC')).toLowerCase();
}
