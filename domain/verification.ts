import type { Money } from './money.ts';
import type { ReviewReason } from './payment.ts';

/** What was ordered from the gateway. */
export interface Expectation {
  readonly attemptReference: string;
  readonly storeId: string;
  readonly amount: Money;
}

/** The facts of a confirmed charge that must agree with the order. */
export interface ConfirmedFacts {
  readonly attemptReference: string;
  readonly storeId: string | null;
  readonly orderAmountMinor: bigint | null;
  readonly orderCurrency: string;
  readonly grossMinor: bigint | null;
  readonly currency: string;
  readonly riskFlagged: boolean;
}

/**
 * Compares a charge with its order, to the minor unit and without tolerance. Returns why an operator must review it, or null if everything agrees.
 * The worst disagreement is returned first.
 */
export function disagreement(expected: Expectation, facts: ConfirmedFacts): ReviewReason | null {
  if (facts.attemptReference !== expected.attemptReference) {
    return 'REFERENCE_MISMATCH';
  }
  if (facts.storeId !== null && facts.storeId !== expected.storeId) {
    return 'STORE_MISMATCH';
  }
  if (facts.orderCurrency !== expected.amount.currency || facts.currency !== expected.amount.currency) {
    return 'CURRENCY_MISMATCH';
  }
  if (facts.orderAmountMinor !== expected.amount.amountMinor || facts.grossMinor !== expected.amount.amountMinor) {
    return 'AMOUNT_MISMATCH';
  }
  return facts.riskFlagged ? 'RISK_FLAGGED' : null;
}
