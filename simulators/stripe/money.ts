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

/** Formats an amount: `10000 bdt` → `"100.00"`. */
export function decimalText(amount: number, currency: string): string {
  const places = withoutDecimals.has(currency) ? 0 : withThree.has(currency) ? 3 : 2;
  const digits = String(amount).padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
