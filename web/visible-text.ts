/** Characters that are invisible or change the direction of text. Joiners are kept where they shape Bangla. */
const invisible =
  /(?![\u200c\u200d])[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]|(?<![\u0980-\u09ff])[\u200c\u200d]+/gu;
const controls = /[\p{Cc}\u2028\u2029]/gu;

/** Returns untrusted text as one line in which every character is visible. */
export function visibleText(raw: string): string {
  return raw.toWellFormed().replace(controls, ' ').replace(invisible, '').trim();
}
