/** What a payer may write of the transaction that he made: characters of the text, and of what counts in it. */
export const TRANSACTION_LENGTH = { min: 4, max: 64 } as const;

const BANGLA_ZERO = 0x9e6;

/**
 * A transaction's reference as it is compared: letters and digits alone, upper case, digits of either language. So one transfer, however it is
 * written, pays for one thing. Null for what names no transaction.
 */
export function normalizedReference(text: string): string | null {
  const normalized = text
    .normalize('NFKC')
    .replaceAll(/[০-৯]/g, (digit) => String(digit.charCodeAt(0) - BANGLA_ZERO))
    .toUpperCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}]/gu, '');
  // Characters as the database counts them: some take two of JavaScript's units.
  const { length } = [...normalized];
  return length >= TRANSACTION_LENGTH.min && length <= TRANSACTION_LENGTH.max ? normalized : null;
}
