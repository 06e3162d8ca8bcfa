/** Everything that is invisible or turns the direction of text; joiners stay where they shape Bangla. */
const invisible =
  /(?![\u200c\u200d])[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]|(?<![\u0980-\u09ff])[\u200c\u200d]+/gu;
const controls = /[\p{Cc}\u2028\u2029]/gu;

/** A stranger's text as one line on which everything can be seen. */
export function visibleText(raw: string): string {
  return raw.toWellFormed().replace(controls, ' ').replace(invisible, '').trim();
}
