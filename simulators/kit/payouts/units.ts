/* Amounts are bigints of a currency's smallest unit, with a sign. Outside they are decimal text. */

/** Reads `10`, `10.5` or `-10.50`. Digits beyond the places are dropped: a gateway never pays out a part of the smallest unit. */
export function unitsOf(text: string, places: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) {
    throw new RangeError(`Not an amount: ${text}`);
  }
  const units = BigInt(`${match[2]}${(match[3] ?? '').slice(0, places).padEnd(places, '0')}`);
  return match[1] === '-' ? -units : units;
}

/** Writes `-1050n` with two places as `-10.50`. */
export function decimalOf(units: bigint, places: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0');
  const sign = units < 0n ? '-' : '';
  return places === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** Rounds half away from zero. */
export function portionOf(units: bigint, { of, from }: { of: bigint; from: bigint }): bigint {
  const product = units * of;
  const rounded = ((product < 0n ? -product : product) * 2n + from) / (from * 2n);
  return product < 0n ? -rounded : rounded;
}

export function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}
