import type { StatementGap } from '../../core/payouts/store/bank-statements.ts';
import { toDecimalText, toJsonInteger } from '../../domain/money.ts';
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

/** Returns what is wrong with the balances of a statement, as the API shows it. */
export function gapView({ account, currency, openingMinor, openedOn, beforeMinor, beforeOn }: StatementGap) {
  const balance = (amountMinor: bigint, on: string | null): string =>
    `${toDecimalText({ amountMinor, currency })} ${currency}${on === null ? '' : ` on ${on}`}`;
  return {
    code: 'BALANCE_GAP' as const,
    account,
    reason:
      `A statement opens at ${balance(openingMinor, openedOn)}, but the one before it closed at ${balance(beforeMinor, beforeOn)}. ` +
      'A statement between them is missing, or one of the two was changed.',
  };
}
