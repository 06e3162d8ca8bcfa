/** Returns whether a text contains nothing that could end a header or hide a part of it: control characters, line separators, lone surrogates. */
export function isOneLine(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(text);
}
