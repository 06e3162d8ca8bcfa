import { isThresholdSet, strictestLimit } from '../refund.ts';
import { keysOf } from './choose-movement.ts';
import { magnitude } from './conversion.ts';
import type { StoredLine } from './matching.ts';

/** Reports whether a line is a person's word at a store where one person may not decide about every amount. */
export function isGuarded({ word }: StoredLine): boolean {
  return word !== null && word.thresholds.some(isThresholdSet);
}

/** Returns the most that these lines may explain by themselves in a currency. Null: any amount, because no line is guarded. */
export function wordLimit(lines: readonly StoredLine[], currency: string): bigint | null {
  return strictestLimit(
    lines.flatMap(({ word }) => word?.thresholds ?? []),
    currency,
  );
}

/** Reports whether an amount is more than these lines may explain by themselves. */
export function isBeyondWord(
  lines: readonly StoredLine[],
  { currency, amountMinor }: { readonly currency: string; readonly amountMinor: bigint },
): boolean {
  const limitMinor = wordLimit(lines, currency);
  return limitMinor !== null && magnitude(amountMinor) > limitMinor;
}

/** Returns what a line moves by any of its amounts, so that no amount hides behind another of the opposite sign. */
export function movedBy({ grossMinor, feeMinor, taxMinor }: StoredLine): bigint {
  return magnitude(grossMinor) + magnitude(feeMinor) + magnitude(taxMinor);
}

/** Reports whether people's lines together move more than they may explain by themselves, in any of their currencies. */
export function isBeyondWordTogether(lines: readonly StoredLine[]): boolean {
  return [...Map.groupBy(lines.filter(isGuarded), ({ currency }) => currency)].some(([currency, group]) =>
    isBeyondWord(group, { currency, amountMinor: group.reduce((sum, line) => sum + movedBy(line), 0n) }),
  );
}

/** Returns how much amounts of opposite signs take back from each other: 0 if all have one sign. */
export function offsetAmong(amounts: readonly bigint[]): bigint {
  const sizes = amounts.reduce((sum, amount) => sum + magnitude(amount), 0n);
  return sizes - magnitude(amounts.reduce((sum, amount) => sum + amount, 0n));
}

/** Returns with which lines a cost of no charge is added up: those of the same word and currency. Null: the line is no such cost, or no person's word. */
export function costGroupOf(line: StoredLine): string | null {
  const { kind, currency, word } = line;
  const explainsItself = kind === 'RESERVE' || ((kind === 'FEE' || kind === 'TAX') && keysOf(line).length === 0);
  return explainsItself && word !== null ? `${word.uploadedBy} ${currency}` : null;
}

/** Adds up the costs of no charge by their group. */
export function costSums(lines: readonly StoredLine[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const line of lines) {
    const group = costGroupOf(line);
    if (group !== null) {
      sums.set(group, (sums.get(group) ?? 0n) + movedBy(line));
    }
  }
  return sums;
}
