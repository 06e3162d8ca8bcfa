import type { Conversion } from './conversion.ts';
import type { Figures, FlagReason, LineVerdict, StoredLine, VerdictDetail } from './matching.ts';

/** A verdict before it is addressed to a line or a movement. */
export type Finding = Pick<LineVerdict, 'status' | 'reason' | 'detail' | 'figures'>;

/** What was found of a line, by its id. */
export type LineFinding = readonly [bigint, Finding];

export function matched(detail: VerdictDetail, figures: Figures | null = null): Finding {
  return { status: 'MATCHED', reason: null, detail, figures };
}

export function deferred(detail: VerdictDetail): Finding {
  return { status: 'DEFERRED', reason: null, detail, figures: null };
}

export function flagged(reason: FlagReason, detail: VerdictDetail, figures: Figures | null = null): Finding {
  return { status: 'FLAGGED', reason, detail, figures };
}

/** Says the same of several lines. */
export function ofEach(lines: readonly StoredLine[], finding: Finding): LineFinding[] {
  return lines.map(({ id }) => [id, finding]);
}

export function amountFigures(
  { currency, rate }: Conversion,
  { expectedMinor, settledMinor }: { readonly expectedMinor: bigint; readonly settledMinor: bigint },
): Figures {
  return {
    currency,
    expectedMinor,
    settledMinor,
    differenceMinor: settledMinor - expectedMinor,
    feeExpectedMinor: null,
    feeSettledMinor: null,
    exchangeRate: rate,
  };
}

export function grossOf(lines: readonly StoredLine[]): bigint {
  return lines.reduce((sum, { grossMinor }) => sum + grossMinor, 0n);
}
