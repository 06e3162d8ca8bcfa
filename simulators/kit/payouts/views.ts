import type { Book, Dispute, Payout } from './book.ts';
import { payoutFaults } from './faults.ts';
import type { Planted } from './faults.ts';
import { netOf } from './movements.ts';
import type { Movement, PayoutSource } from './movements.ts';
import { decimalOf } from './units.ts';

/* What the control API shows: amounts are decimal text in major units. */

export function lineView(line: Movement, source: PayoutSource) {
  const places = source.placesOf(line.currency);
  const { original } = line;
  return {
    lineId: line.lineId,
    kind: line.kind,
    at: new Date(line.at).toISOString(),
    sourceId: line.sourceId,
    tranId: line.tranId,
    bankTranId: line.bankTranId,
    currency: line.currency,
    gross: decimalOf(line.gross, places),
    fee: decimalOf(line.fee, places),
    tax: decimalOf(line.tax, places),
    net: decimalOf(netOf(line), places),
    ...(original === undefined ? {} : { originalCurrency: original.currency, rate: original.rate }),
    dueOn: line.dueOn,
  };
}

export function payoutView(payout: Payout, source: PayoutSource) {
  const { lines, amount, madeAt, ...told } = payout;
  return {
    ...told,
    amount: decimalOf(amount, source.placesOf(payout.currency)),
    madeAt: new Date(madeAt).toISOString(),
    lines: lines.length,
  };
}

/** The truth about a fault: what should have been paid out, what the payouts say, and where. */
export function plantedView(planted: Planted, { payouts }: Book, source: PayoutSource) {
  const { fault, expected, lineIds, payoutId } = planted;
  const stated = [...payouts.values()].flatMap(({ id, lines }) =>
    lines
      .filter((line) => lineIds.includes(line.lineId) && belongs(line, expected))
      .map((line) => ({ payout: id, ...lineView(line, source) })),
  );
  return {
    fault,
    means: payoutFaults[fault],
    ...(payoutId === undefined ? {} : { payout: payoutId }),
    expected: expected === null ? null : lineView(expected, source),
    stated,
  };
}

/** Where lines have no ids of their own, several lines of one charge have the same. */
function belongs(line: Movement, expected: Movement | null): boolean {
  return expected === null || line.sourceId === expected.sourceId;
}

export function disputeView({ charge, at, ...dispute }: Dispute, source: PayoutSource) {
  return { ...dispute, at: new Date(at).toISOString(), charge: lineView(charge, source) };
}
