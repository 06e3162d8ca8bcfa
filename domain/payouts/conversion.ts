import { exponentOf } from '../currency.ts';

/**
 * Converts signed minor units at an exchange rate, rounded half up by magnitude, so that a refund converts like its charge.
 *
 * @param rate - decimal text: 1 of `from` is so much of `to`
 */
export function converted(
  amountMinor: bigint,
  { from, to, rate }: { readonly from: string; readonly to: string; readonly rate: string },
): bigint {
  const [whole = '', fraction = ''] = rate.split('.');
  const scale = exponentOf(to) - exponentOf(from) - fraction.length;
  const product = magnitude(amountMinor) * BigInt(`${whole}${fraction}`);
  const rounded = scale >= 0 ? product * 10n ** BigInt(scale) : halfUp(product, 10n ** BigInt(-scale));
  return amountMinor < 0n ? -rounded : rounded;
}

/** Returns a share of an amount in ten-thousandths, rounded half up. */
export function shareOf(amountMinor: bigint, shareBps: number): bigint {
  return halfUp(amountMinor * BigInt(Math.round(shareBps)), 10_000n);
}

export function magnitude(amountMinor: bigint): bigint {
  return amountMinor < 0n ? -amountMinor : amountMinor;
}

/** Both are positive. */
function halfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}
