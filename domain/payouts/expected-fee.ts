import { shareOf } from './conversion.ts';
import type { MatchSettings, Movement } from './matching.ts';

/**
 * Returns what the gateway said about its fee when it confirmed the movement. Null: its lines state the fee. A gateway that converts a charge takes its
 * fee in the other currency, so it confirms the charge without one, which reads 0.
 */
export function feeSaidWith(
  { kind, feeMinor }: Movement,
  { isConverted }: { readonly isConverted: boolean },
): bigint | null {
  return isConverted && kind === 'CHARGE' && feeMinor === 0n ? null : feeMinor;
}

/** Returns the fee of a charge and the tax on it as agreed with the gateway, each rounded half up. Null: nothing was agreed. */
export function agreedFee(
  { kind, amountMinor }: Movement,
  { agreedFee: agreed }: MatchSettings,
): { readonly feeMinor: bigint; readonly taxMinor: bigint } | null {
  if (agreed === null || kind === 'REFUND') {
    return null;
  }
  const feeMinor = shareOf(amountMinor, agreed.feeBps);
  return { feeMinor, taxMinor: shareOf(feeMinor, agreed.taxBps) };
}

export function agreedCost(movement: Movement, settings: MatchSettings): bigint | null {
  const agreed = agreedFee(movement, settings);
  return agreed === null ? null : agreed.feeMinor + agreed.taxMinor;
}
