/** Reads `10`, `10.5` or `10.50`, as text or as a JSON number, and returns hundredths of a taka, or undefined for anything else. */
export function parseAmount(value: unknown): bigint | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  const match = typeof text === 'string' ? /^(\d{1,8})(?:\.(\d{1,2}))?$/.exec(text) : null;
  return match ? BigInt(`${match[1]}${(match[2] ?? '').padEnd(2, '0')}`) : undefined;
}

/** Formats hundredths: `1050n` → `10.50`. */
export function formatAmount(hundredths: bigint): string {
  const digits = hundredths.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
