import { toJsonInteger } from '../../domain/money.ts';
import type { PayoutLine } from '../../domain/payouts/payout-line.ts';

/** Returns what a line says, as the API shows it. */
export function lineView(line: PayoutLine) {
  return {
    kind: line.kind,
    payoutReference: line.payoutReference,
    lineReference: line.lineReference,
    gatewayTxnId: line.gatewayTxnId,
    attemptReference: line.attemptReference,
    currency: line.currency,
    grossMinor: toJsonInteger(line.grossMinor),
    feeMinor: toJsonInteger(line.feeMinor),
    taxMinor: toJsonInteger(line.taxMinor),
    netMinor: toJsonInteger(line.netMinor),
    originalCurrency: line.originalCurrency,
    exchangeRate: line.exchangeRate,
    occurredAt: line.occurredAt?.toISOString() ?? null,
    paidOutOn: line.paidOutOn,
    description: line.description,
  };
}
