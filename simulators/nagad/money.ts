/** Reads `100`, `100.5` or `100.50` taka and returns paisa, or undefined for zero and anything else. */
export function parseAmount(text: string): bigint | undefined {
  const match = /^(\d{1,8})(?:\.(\d{1,2}))?$/.exec(text);
  const paisa = match ? BigInt(`${match[1]}${(match[2] ?? '').padEnd(2, '0')}`) : 0n;
  return paisa > 0n ? paisa : undefined;
}

/** Formats paisa: `1050n` → `10.50`. */
export function formatAmount(paisa: bigint): string {
  const digits = paisa.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Removes trailing zeros, as a published verification does: `16.00` → `16`, `10.50` → `10.5`. */
export function unpad(amount: string): string {
  return amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount;
}
