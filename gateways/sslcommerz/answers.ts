import { z } from 'zod';
import { minorFromDecimalText } from '../../domain/money.ts';
import { isCurrency } from '../../domain/currency.ts';
import { optionalText } from '../json.ts';
import { GatewayFailure, type AttemptAnswer, type Charge } from '../port.ts';

/** The fields that we read; the gateway adds others over time. Captures show both numbers and text. */
export const SessionAnswer = z.looseObject({
  status: z.string(),
  failedreason: optionalText,
  sessionkey: optionalText,
  GatewayPageURL: optionalText,
});

export const TransactionAnswer = z.looseObject({
  status: optionalText,
  tran_id: optionalText,
  val_id: optionalText,
  amount: optionalText,
  store_amount: optionalText,
  currency: optionalText,
  currency_type: optionalText,
  currency_amount: optionalText,
  bank_tran_id: optionalText,
  risk_level: optionalText,
  store_id: optionalText,
  APIConnect: optionalText,
});
export type TransactionAnswer = z.infer<typeof TransactionAnswer>;

export const TransactionList = z.looseObject({
  APIConnect: optionalText,
  element: z.array(TransactionAnswer).max(100).nullish(),
});

export const RefundAnswerBody = z.looseObject({
  APIConnect: optionalText,
  status: optionalText,
  bank_tran_id: optionalText,
  refund_ref_id: optionalText,
  errorReason: optionalText,
});

/** Reports whether a status means paid. `VALIDATED` is a genuine payment that was validated before. */
export function isPaidStatus(status: string): boolean {
  return status === 'VALID' || status === 'VALIDATED';
}

/** Throws GatewayFailure if the gateway did not answer the query. Anything but DONE never means that nothing was paid. */
export function requireConnected(apiConnect: string): void {
  if (apiConnect === 'FAILED' || apiConnect === 'INACTIVE') {
    throw new GatewayFailure('unauthorized', `the gateway refused the store's credentials: ${apiConnect}`);
  }
  if (apiConnect !== 'DONE' && apiConnect !== '') {
    throw new GatewayFailure('unavailable', 'the gateway could not be reached');
  }
}

/**
 * Builds a charge from a validation answer. `currency`/`amount` is the amount charged, `currency_type`/`currency_amount` that of the order. The fee
 * is gross − net with the net rounded down to the minor unit; captures show nets with three decimals.
 */
export function chargeFrom(answer: TransactionAnswer, evidence: string): Charge {
  const grossMinor = isCurrency(answer.currency) ? minorFromDecimalText(answer.amount, answer.currency, 'exact') : null;
  const netMinor = isCurrency(answer.currency)
    ? minorFromDecimalText(answer.store_amount, answer.currency, 'down')
    : null;
  if (grossMinor !== null && (netMinor === null || netMinor > grossMinor)) {
    // An unknown fee must not be posted as 0.
    throw new GatewayFailure('ambiguous', 'the gateway confirmed a charge with a missing or inconsistent net amount');
  }
  const feeMinor = grossMinor === null || netMinor === null ? 0n : grossMinor - netMinor;
  return {
    validationId: answer.val_id,
    gatewayTxnId: answer.bank_tran_id,
    attemptReference: answer.tran_id,
    storeId: answer.store_id === '' ? null : answer.store_id,
    orderAmountMinor: isCurrency(answer.currency_type)
      ? minorFromDecimalText(answer.currency_amount, answer.currency_type, 'exact')
      : null,
    orderCurrency: answer.currency_type,
    grossMinor,
    currency: answer.currency,
    feeMinor,
    netText: answer.store_amount,
    riskFlagged: answer.risk_level !== '0' && answer.risk_level !== '',
    evidence,
  };
}

/** Interprets the statuses of a transaction query in which none is paid. Several tries with the same `tran_id` are possible. */
export function answerOfUnpaid(statuses: readonly string[]): AttemptAnswer {
  const ended: ReadonlySet<string> = new Set(['FAILED', 'CANCELLED', 'EXPIRED', 'UNATTEMPTED']);
  if (statuses.length === 0) {
    return { kind: 'not-started' };
  }
  if (statuses.some((status) => status !== 'PENDING' && !ended.has(status))) {
    return { kind: 'unknown', note: 'UNKNOWN_STATUS' };
  }
  if (statuses.includes('PENDING')) {
    return { kind: 'in-progress' };
  }
  if (statuses.includes('FAILED')) {
    return { kind: 'failed' };
  }
  return { kind: statuses.includes('CANCELLED') ? 'cancelled' : 'expired' };
}
