/** What a spreadsheet takes for a formula, or for the way into one, in either width. OWASP, CSV injection. */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/** One line of RFC 4180, with its line end. A cell that a spreadsheet would carry out begins with an apostrophe and is shown as it is. */
export function csvLine(cells: readonly (string | number | bigint | null)[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(value: string | number | bigint | null): string {
  const text = value === null ? '' : String(value);
  const safe = typeof value === 'string' && FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
