/** Characters that make a spreadsheet treat a cell as a formula, in ASCII and full width. Source: OWASP, CSV injection. */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

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
  const text = String(cell);
  const safe = typeof cell === 'string' && FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
