import type { Schemas } from '../api/client.ts';

type Row = Schemas['PaymentReport']['rows'][number];

export interface Point {
  /** The beginning of the hour or day. */
  readonly from: string;
  readonly date: string;
  readonly grossMinor: number;
  /** Of those that ended, per cent; null if none did. */
  readonly successPercent: number | null;
}

/** Returns a series for each currency: whatever the rows are split by is added up again. The heights of bars need not be exact. */
export function seriesOf(rows: readonly Row[]): ReadonlyMap<string, readonly Point[]> {
  const byCurrency = Map.groupBy(rows, ({ currency }) => currency);
  return new Map(
    [...byCurrency].map(([currency, ofCurrency]) => [
      currency,
      [...Map.groupBy(ofCurrency, ({ from }) => from)].map(([from, parts]) => pointOf(from, parts)),
    ]),
  );
}

function pointOf(from: string, parts: readonly Row[]): Point {
  const sum = (of: (row: Row) => number): number => parts.reduce((total, row) => total + of(row), 0);
  const ended = sum(({ succeeded, failed, cancelled, expired }) => succeeded + failed + cancelled + expired);
  return {
    from,
    date: parts[0]?.date ?? from,
    grossMinor: sum(({ grossMinor }) => Number(grossMinor)),
    successPercent: ended === 0 ? null : (sum(({ succeeded }) => succeeded) * 100) / ended,
  };
}
