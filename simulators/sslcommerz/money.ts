/**
 * Exact decimal arithmetic of the gateway. An amount is a bigint of hundredths, a store amount a bigint of thousandths
 * (American Express settles to three places), a rate a bigint of ten-thousandths.
 */

/** Ordinary instruments; the sandbox shows 2.5 %. */
export const feeBpsOrdinary = 250n;
/** American Express; the one published sample shows 3.5 %. */
export const feeBpsAmex = 350n;

/** Taka per unit of currency, with four places as the gateway prints them. Fixed, so that results can be predicted. */
export const ratesToBdt: Readonly<Record<string, string>> = {
  BDT: '1.0000',
  USD: '121.5000',
  EUR: '141.2500',
  GBP: '162.7500',
  SGD: '93.4000',
  INR: '1.3850',
  MYR: '28.9500',
};

/** Reads `10`, `10.5` or `10.50` as hundredths; undefined for anything that is not dec(10,2). */
export function parseAmount(text: string): bigint | undefined {
  const match = /^(\d{1,8})(?:\.(\d{1,2}))?$/.exec(text);
  return match ? BigInt(`${match[1]}${(match[2] ?? '').padEnd(2, '0')}`) : undefined;
}

/** `1050n` → `10.50`. */
export function formatAmount(hundredths: bigint): string {
  return formatDecimal({ units: hundredths, places: 2 });
}

/** Two places, and a third only where it says something: `67.28`, `1224.585`. */
export function formatStoreAmount(thousandths: bigint): string {
  return formatDecimal({ units: thousandths, places: 3 }).replace(/0$/, '');
}

/** `1269.00` → `1269`, `10.50` → `10.5`: the form in which some real notices write an amount. */
export function unpad(amount: string): string {
  return amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount;
}

/** Converts hundredths of a foreign currency to hundredths of taka, half up. */
export function toBdt({ amount, rate }: { amount: bigint; rate: string }): bigint {
  return divideHalfUp({ dividend: amount * parseRate(rate), divisor: 10_000n });
}

/**
 * What the merchant receives, in thousandths of taka. The published samples fit one rule: 2.5 % is rounded half up to
 * two places (69 → 67.28), 3.5 % to three (1269 → 1224.585).
 */
export function storeAmountOf({ amount, feeBps }: { amount: bigint; feeBps: bigint }): bigint {
  const net = amount * (10_000n - feeBps);
  return feeBps === feeBpsAmex
    ? divideHalfUp({ dividend: net, divisor: 1_000n })
    : divideHalfUp({ dividend: net, divisor: 10_000n }) * 10n;
}

function parseRate(rate: string): bigint {
  const match = /^(\d+)\.(\d{4})$/.exec(rate);
  if (!match) {
    throw new RangeError(`A rate has four decimal places: ${rate}`);
  }
  return BigInt(`${match[1]}${match[2]}`);
}

function formatDecimal({ units, places }: { units: bigint; places: number }): string {
  if (units < 0n) {
    throw new RangeError('An amount is never negative');
  }
  const digits = units.toString().padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function divideHalfUp({ dividend, divisor }: { dividend: bigint; divisor: bigint }): bigint {
  return (dividend * 2n + divisor) / (divisor * 2n);
}
