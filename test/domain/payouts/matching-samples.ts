import type { MatchSettings, Movement, StoredLine } from '../../../domain/payouts/matching.ts';

export const SETTINGS: MatchSettings = {
  tolerance: { amountMinor: 0n, feeMinor: 0n },
  statesNetOnly: false,
  agreedFee: null,
  rates: [],
  expectedWithinDays: 3,
  businessDays: { weeklyHolidays: [5, 6], holidays: [] },
};

export const AS_OF = '2026-11-24';

/** A confirmed charge of 100.00 with a fee of 2.30. */
export function charge(changes: Partial<Movement> = {}): Movement {
  return {
    kind: 'CHARGE',
    key: 'charge:ATTEMPT-1:V1',
    storeId: 'store-1',
    gatewayTxnId: 'TXN-1',
    attemptReference: 'ATTEMPT-1',
    refundReference: null,
    gatewayRefundId: null,
    currency: 'BDT',
    amountMinor: 10_000n,
    feeMinor: 230n,
    reversed: false,
    disputedMinor: null,
    happenedOn: '2026-11-22',
    ...changes,
  };
}

/** A refund of 40.00 of that charge. */
export function refund(changes: Partial<Movement> = {}): Movement {
  return charge({
    kind: 'REFUND',
    key: 'refund:REF-1',
    refundReference: 'REF-1',
    gatewayRefundId: 'GR-1',
    amountMinor: 4_000n,
    feeMinor: 0n,
    ...changes,
  });
}

let ids = 0n;

/** The line of that charge. The net follows from the other amounts. */
export function line(changes: Partial<StoredLine> = {}): StoredLine {
  ids += 1n;
  const stated = {
    id: ids,
    storeId: 'store-1',
    word: null,
    kind: 'CHARGE' as const,
    payoutReference: 'PO-1',
    lineReference: null,
    gatewayTxnId: 'TXN-1',
    attemptReference: 'ATTEMPT-1',
    currency: 'BDT',
    grossMinor: 10_000n,
    feeMinor: 200n,
    taxMinor: 30n,
    originalCurrency: null,
    exchangeRate: null,
    occurredAt: null,
    paidOutOn: '2026-11-23',
    description: null,
    ...changes,
  };
  return { ...stated, netMinor: stated.grossMinor - stated.feeMinor - stated.taxMinor };
}

/** The line of that refund, which carries only the charge's ids. */
export function refundLine(changes: Partial<StoredLine> = {}): StoredLine {
  return line({ kind: 'REFUND', grossMinor: -4_000n, feeMinor: 0n, taxMinor: 0n, ...changes });
}
