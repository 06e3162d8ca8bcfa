import { z } from 'zod';
import { isCurrency } from '../../domain/currency.ts';
import { minorFromDecimalText } from '../../domain/money.ts';
import { optionalText } from '../json.ts';
import { GatewayFailure, type AttemptAnswer, type Charge } from '../port.ts';

export const CreationAnswer = z.looseObject({ paymentID: optionalText, bkashURL: optionalText });

/** The answer to a query. The invoice number is `merchantInvoice` here, and `merchantInvoiceNumber` everywhere else. */
export const PaymentAnswer = z.looseObject({
  paymentID: optionalText,
  paymentCreateTime: optionalText,
  amount: optionalText,
  currency: optionalText,
  merchantInvoice: optionalText,
  merchantInvoiceNumber: optionalText,
  trxID: optionalText,
  transactionStatus: optionalText,
  verificationStatus: optionalText,
  userVerificationStatus: optionalText,
});
export type PaymentAnswer = z.infer<typeof PaymentAnswer>;

export const RefundStatusAnswer = z.looseObject({
  originalTrxID: optionalText,
  refundTrxID: optionalText,
  transactionStatus: optionalText,
  amount: optionalText,
  currency: optionalText,
});

/** The state of a payment as bKash reports it. */
export type Standing =
  | Exclude<AttemptAnswer, { kind: 'not-started' }>
  /**
   * Not executed. `agreed`: the payer has completed bKash's page. {@link atTime} decides whether the payment id has expired; null means its age is
   * unknown.
   */
  | { readonly kind: 'not-started'; readonly madeAt: Date | null }
  | { readonly kind: 'agreed'; readonly madeAt: Date | null };

export interface Asked {
  readonly paymentId: string;
  /** A callback says that the payer has completed the page. Used only if the gateway's answer has no verification status. */
  readonly claimedDone: boolean;
}

/** bKash: a payment id expires 24 hours after it was created. */
const SESSION_LIFE_MS = 24 * 3_600_000;

/**
 * Returns the state at `now`, the database's time: a payment that was not executed within its lifetime is `expired`, whatever status the gateway
 * still reports.
 */
export function atTime(standing: Standing, now: Date): Standing {
  const isAlive =
    (standing.kind !== 'not-started' && standing.kind !== 'agreed') ||
    standing.madeAt === null ||
    now.getTime() - standing.madeAt.getTime() < SESSION_LIFE_MS;
  return isAlive ? standing : { kind: 'expired' };
}

export function stateOf(answer: PaymentAnswer, evidence: string, asked: Asked): Standing {
  if (answer.paymentID !== asked.paymentId) {
    throw new GatewayFailure('ambiguous', 'the gateway answered for a different payment than the one queried');
  }
  switch (answer.transactionStatus.toLowerCase()) {
    case 'completed':
      return { kind: 'charged', charge: chargeFrom(answer, evidence) };
    case 'initiated':
      return standingOfInitiated(answer, asked);
    case 'cancelled':
    case 'canceled':
      return { kind: 'cancelled' };
    case 'failed':
    case 'declined':
      return { kind: 'failed' };
    case 'expired':
      return { kind: 'expired' };
    default:
      return { kind: 'unknown', note: 'UNKNOWN_STATUS' };
  }
}

function standingOfInitiated(answer: PaymentAnswer, { claimedDone }: Asked): Standing {
  const words = [answer.verificationStatus, answer.userVerificationStatus].map((word) => word.toLowerCase());
  const agreed = words.includes('complete') || (claimedDone && words.every((word) => word === ''));
  return { kind: agreed ? 'agreed' : 'not-started', madeAt: instantOf(answer.paymentCreateTime) };
}

/**
 * Builds a charge from a query's answer. bKash names no store (the query's credentials identify it) and reports its fee only in the settlement. The
 * charged amount and the requested amount are the same field.
 * @throws GatewayFailure `ambiguous` if a completed payment has no transaction
 */
export function chargeFrom(answer: PaymentAnswer, evidence: string): Charge {
  if (answer.trxID === '') {
    throw new GatewayFailure('ambiguous', 'the gateway reports a payment as completed without a transaction id');
  }
  const amountMinor = isCurrency(answer.currency)
    ? minorFromDecimalText(answer.amount, answer.currency, 'exact')
    : null;
  return {
    validationId: answer.paymentID,
    gatewayTxnId: answer.trxID,
    attemptReference: answer.merchantInvoice === '' ? answer.merchantInvoiceNumber : answer.merchantInvoice,
    storeId: null,
    orderAmountMinor: amountMinor,
    orderCurrency: answer.currency,
    grossMinor: amountMinor,
    currency: answer.currency,
    feeMinor: 0n,
    netText: '',
    riskFlagged: false,
    evidence,
  };
}

/** Parses `2025-12-09T16:12:43:828 GMT+0600`, with a colon before the milliseconds. Returns null for anything else. */
function instantOf(text: string): Date | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[:.](\d{3}) GMT([+-]\d\d):?(\d\d)$/.exec(text);
  const instant = match === null ? null : new Date(`${match[1]}.${match[2]}${match[3]}:${match[4]}`);
  return instant === null || Number.isNaN(instant.getTime()) ? null : instant;
}
