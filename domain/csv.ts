/**
 * Characters that make a spreadsheet treat a cell as a formula, in ASCII and full width; it skips white space before them. Source: OWASP, CSV injection.
 */
const FORMULA = /^(?:\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|[\t\r\n])/;
/** A formula after what other spreadsheets take for the end of a cell: with semicolons as separators, our quotes do not begin a cell and hold nothing together. */
const FORMULA_INSIDE = /([;\t\r\n]"?\s*)([=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

/** Text comes from others. A decimal is a number of ours, such as `-12.50`, and stays as it is. */
export type CsvCell = string | number | bigint | { readonly decimal: string } | null;

/**
 * Returns one line of RFC 4180 with its line break. A cell that a spreadsheet would execute is prefixed with an apostrophe, so that it is shown as
 * text.
 */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(textOf).join(',')}\r\n`;
}

function textOf(cell: CsvCell): string {
  if (typeof cell === 'object') {
    return cell?.decimal ?? '';
  }
  const safe = typeof cell === 'string' ? inert(cell) : String(cell);
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Puts an apostrophe before each formula, so that it is shown as text. */
function inert(text: string): string {
  const inside = text.replaceAll(FORMULA_INSIDE, "$1'$2");
  return FORMULA.test(text) ? `'${inside}` : inside;
}
