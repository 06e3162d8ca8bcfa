/* Amounts are integers of a currency's smallest unit as the gateway counts it. For a few currencies, that is not the unit of ISO 4217. */

const withoutDecimals = new Set([
  'bif',
  'clp',
  'djf',
  'gnf',
  'jpy',
  'kmf',
  'krw',
  'mga',
  'pyg',
  'rwf',
  'vnd',
  'vuv',
  'xaf',
  'xof',
  'xpf',
]);
const withThree = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);

/** The minimum charge by currency: the equivalent of half a dollar if none is published. */
const leastAmounts: Readonly<Record<string, number>> = {
  aed: 200,
  aud: 50,
  bdt: 6_000,
  cad: 50,
  eur: 50,
  gbp: 30,
  inr: 50,
  jpy: 50,
  kwd: 160,
  myr: 200,
  sgd: 50,
  usd: 50,
};
const greatestAmount = 99_999_999;

export function isCurrency(code: string): boolean {
  return Object.hasOwn(leastAmounts, code);
}

export function isThreeDecimal(code: string): boolean {
  return withThree.has(code);
}

export function boundsOf(code: string): { least: number; greatest: number } {
  return { least: leastAmounts[code] ?? 50, greatest: greatestAmount };
}

export function placesOf(currency: string): number {
  return withoutDecimals.has(currency) ? 0 : withThree.has(currency) ? 3 : 2;
}

/** What one unit is worth in USD, in millionths. The rates are fixed to keep results predictable. */
const microUsd: Readonly<Record<string, bigint>> = {
  aed: 272_300n,
  aud: 652_000n,
  bdt: 8_200n,
  cad: 711_000n,
  eur: 1_160_000n,
  gbp: 1_330_000n,
  inr: 11_900n,
  jpy: 6_500n,
  kwd: 3_250_000n,
  myr: 238_000n,
  sgd: 771_000n,
  usd: 1_000_000n,
};
const micro = 1_000_000n;

/** Returns what one unit of a currency is worth in another, with six decimals. */
export function rateBetween(from: string, to: string): string {
  const rate = ((microUsd[from] ?? micro) * micro) / (microUsd[to] ?? micro);
  return `${rate / micro}.${(rate % micro).toString().padStart(6, '0')}`;
}

/** Converts an amount by a rate with six decimals, rounding half up. */
export function converted(amount: number, { from, to, rate }: { from: string; to: string; rate: string }): number {
  const dividend = BigInt(amount) * BigInt(rate.replace('.', '')) * 10n ** BigInt(placesOf(to));
  const divisor = micro * 10n ** BigInt(placesOf(from));
  return Number((dividend * 2n + divisor) / (divisor * 2n));
}

/** Formats an amount: `10000 bdt` → `"100.00"`. */
export function decimalText(amount: number, currency: string): string {
  const places = placesOf(currency);
  const digits = String(amount).padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
