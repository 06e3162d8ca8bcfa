import type { FlagReason, ResultStatus } from './matching.ts';
import type { PayoutLineKind } from './payout-line.ts';

/** A line of a payout with what a run has said of it. */
export interface LabelledLine {
  readonly kind: PayoutLineKind;
  readonly status: ResultStatus;
  readonly reason: FlagReason | null;
  readonly currency: string;
  readonly netMinor: bigint;
}

/** What the lines of one label add up to. */
export interface LabelledSum {
  readonly kind: PayoutLineKind;
  readonly status: ResultStatus;
  readonly reason: FlagReason | null;
  readonly netMinor: bigint;
  readonly lines: number;
}

/** A payout in one currency: `bankMinor` = the sums + `residualMinor`, exactly. */
export interface Residual {
  readonly currency: string;
  readonly bankMinor: bigint;
  readonly sums: readonly LabelledSum[];
  /** What no line explains. Signed: positive if the bank received more. */
  readonly residualMinor: bigint;
}

/**
 * Explains what a bank received for a payout by the labels of its lines, in each currency that occurs.
 *
 * @param bankAmounts - one for each transfer; a payout may come in two
 */
export function residualsOf({
  bankAmounts,
  lines,
}: {
  readonly bankAmounts: readonly { readonly currency: string; readonly amountMinor: bigint }[];
  readonly lines: readonly LabelledLine[];
}): Residual[] {
  const currencies = new Set([...bankAmounts, ...lines].map(({ currency }) => currency));
  return [...currencies].sort().map((currency) => {
    const sums = sumsOf(lines.filter((line) => line.currency === currency));
    const bankMinor = bankAmounts
      .filter((amount) => amount.currency === currency)
      .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
    return {
      currency,
      bankMinor,
      sums,
      residualMinor: sums.reduce((left, { netMinor }) => left - netMinor, bankMinor),
    };
  });
}

function sumsOf(lines: readonly LabelledLine[]): LabelledSum[] {
  const sums = new Map<string, LabelledSum>();
  for (const { kind, status, reason, netMinor } of lines) {
    const label = [kind, status, reason ?? ''].join(' ');
    const sum = sums.get(label);
    sums.set(label, {
      kind,
      status,
      reason,
      netMinor: (sum?.netMinor ?? 0n) + netMinor,
      lines: (sum?.lines ?? 0) + 1,
    });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}
