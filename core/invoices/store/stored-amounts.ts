import type { Reduction, Tax, TaxRate, TaxTotal } from '../../../domain/invoice-totals.ts';
import type { StoredRate, StoredReduction, StoredTax, StoredTaxTotal } from '../../../database/entities/invoice.ts';
import { optional } from '../../../database/read-row.ts';

/** Writes JSON with decimal text for each bigint. */
export function storedJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? member.toString() : member));
}

export function reductionOf(stored: StoredReduction): Reduction {
  return 'amountMinor' in stored
    ? { amountMinor: BigInt(stored.amountMinor) }
    : { basisPoints: BigInt(stored.basisPoints) };
}

export function taxOf(stored: StoredTax): Tax {
  return 'amountMinor' in stored ? { name: stored.name, amountMinor: BigInt(stored.amountMinor) } : rateOf(stored);
}

export function rateOf({ name, basisPoints }: StoredRate): TaxRate {
  return { name, basisPoints: BigInt(basisPoints) };
}

export function taxTotalOf({ name, basisPoints, amountMinor }: StoredTaxTotal): TaxTotal {
  return { name, basisPoints: optional(basisPoints, BigInt), amountMinor: BigInt(amountMinor) };
}
