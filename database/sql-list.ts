/**
 * Returns constants of our own for `in (…)` in a statement's text, where partial indexes need them: the statuses of `domain` in SQL. Anything that
 * could end the text is refused.
 */
export function sqlList(constants: readonly string[]): string {
  if (constants.length === 0 || constants.some((constant) => !/^[A-Z_]+$/.test(constant))) {
    throw new Error('not a list of constants');
  }
  return constants.map((constant) => `'${constant}'`).join(', ');
}
