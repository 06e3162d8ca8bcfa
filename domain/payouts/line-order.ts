import type { StoredLine } from './matching.ts';

/** Sorts lines by what they say, the earliest payout first, so that their order does not depend on when they were read. */
export function inLineOrder(lines: readonly StoredLine[]): StoredLine[] {
  if (lines.length < 2) {
    return [...lines];
  }
  return lines
    .map((line) => ({ line, content: contentOf(line) }))
    .sort(
      (a, b) =>
        compare(a.content, b.content) || compare(wordOf(a.line), wordOf(b.line)) || (a.line.id < b.line.id ? -1 : 1),
    )
    .map(({ line }) => line);
}

/** Two lines with the same content can stand for each other. */
export function contentOf(line: StoredLine): string {
  return JSON.stringify([
    line.paidOutOn ?? LAST,
    line.occurredAt === null ? LAST : String(line.occurredAt.getTime()).padStart(15, '0'),
    line.payoutReference,
    line.lineReference,
    line.kind,
    line.storeId,
    line.gatewayTxnId,
    line.attemptReference,
    line.currency,
    line.originalCurrency,
    line.exchangeRate,
    ...[line.grossMinor, line.feeMinor, line.taxMinor, line.netMinor].map(String),
    line.description,
  ]);
}

/** The gateway's own word comes first. */
function wordOf({ word }: StoredLine): string {
  return word === null ? '' : JSON.stringify([word.uploadedBy, word.thresholds], textOfAmounts);
}

function textOfAmounts(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

const LAST = '~';

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
