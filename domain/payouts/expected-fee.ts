import { shareOf } from './conversion.ts';
import type { MatchSettings, Movement } from './matching.ts';

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
