/**
 * Exact decimal arithmetic of the gateway. An amount is a bigint of hundredths, a store amount a bigint of thousandths (American Express settles to
 * three places), and a rate a bigint of ten-thousandths.
 */

/** The fee for ordinary instruments; the sandbox shows 2.5 %. */
export const feeBpsOrdinary = 250n;
/** The fee for American Express; the only published sample shows 3.5 %. */
export const feeBpsAmex = 350n;

/** Taka per unit of currency, with four decimals as the gateway prints them. The rates are fixed to keep results predictable. */
export const ratesToBdt: Readonly<Record<string, string>> = {
  BDT: '1.0000',
  USD: '121.5000',
  EUR: '141.2500',
  GBP: '162.7500',
  SGD: '93.4000',
  INR: '1.3850',
  MYR: '28.9500',
};

/** Reads `10`, `10.5` or `10.50` as hundredths. Returns undefined for anything that is not dec(10,2). */
export function parseAmount(text: string): bigint | undefined {
  const match = /^(\d{1,8})(?:\.(\d{1,2}))?$/.exec(text);
  return match ? BigInt(`${match[1]}${(match[2] ?? '').padEnd(2, '0')}`) : undefined;
}

/** Formats hundredths: `1050n` → `10.50`. */
export function formatAmount(hundredths: bigint): string {
  return formatDecimal({ units: hundredths, places: 2 });
}

/** Formats thousandths with two decimals, or with three if the third is not zero: `67.28`, `1224.585`. */
export function formatStoreAmount(thousandths: bigint): string {
  return formatDecimal({ units: thousandths, places: 3 }).replace(/0$/, '');
}

/** Removes trailing zeros, as some real notices do: `1269.00` → `1269`, `10.50` → `10.5`. */
export function unpad(amount: string): string {
  return amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount;
}

/** Converts hundredths of a foreign currency to hundredths of taka, rounding half up. */
export function toBdt({ amount, rate }: { amount: bigint; rate: string }): bigint {
  return divideHalfUp({ dividend: amount * parseRate(rate), divisor: 10_000n });
}

/**
 * Returns what the merchant receives, in thousandths of taka. The rule fits the published samples: at 2.5 % the amount is rounded half up to two
 * places (69 → 67.28), at 3.5 % to three (1269 → 1224.585).
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
