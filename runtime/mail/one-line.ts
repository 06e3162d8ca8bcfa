/** Whether a text has nothing in it that could end a header or hide a part of it: control characters, line separators, half a character. */
export function isOneLine(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(text);
}
