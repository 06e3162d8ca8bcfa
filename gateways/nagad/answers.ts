import { z } from 'zod';
import { minorFromDecimalText } from '../../domain/money.ts';
import type { AttemptAnswer, Charge } from '../port.ts';

/** Base64 in samples; opaque, and never a path of its own. */
export const PaymentReference = z.string().regex(/^[0-9A-Za-z+=_-]{1,256}$/);

/** The plain text of the initialization's answer. */
export const Initialized = z.looseObject({
  paymentReferenceId: PaymentReference,
  // With the other members it has to fit into 245 bytes again.
  challenge: z.string().regex(/^[\w-]{1,100}$/),
});

export const Completed = z.looseObject({ status: z.literal('Success'), callBackUrl: z.string().max(2_000) });

const optionalText = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** Fields of a verification that we read; every one of them is text in the captures. */
export const Verification = z.looseObject({
  merchantId: optionalText,
  orderId: optionalText,
  paymentRefId: optionalText,
  amount: optionalText,
  issuerPaymentRefNo: optionalText,
  status: optionalText,
  statusCode: optionalText,
});
type Verification = z.infer<typeof Verification>;

/**
 * `Initiated`, `Aborted`, `Cancelled` and `Failed` are seen in captures; the others are read by an open-source client. Before the payer has
 * given his number nothing can go through; from then on it can at any moment.
 */
const KINDS: ReadonlyMap<string, 'not-started' | 'in-progress' | 'failed' | 'cancelled'> = new Map([
  ['Initiated', 'not-started'],
  ['OrderInitiated', 'not-started'],
  ['Ready', 'not-started'],
  ['OtpSent', 'in-progress'],
  ['OtpVerified', 'in-progress'],
  ['PinGiven', 'in-progress'],
  ['InProgress', 'in-progress'],
  ['TransactionInProgress', 'in-progress'],
  ['Failed', 'failed'],
  ['Aborted', 'cancelled'],
  ['Cancelled', 'cancelled'],
]);

/**
 * Reads a verification. Paid is `Success` with the code `000` and the wallet's own transaction id; two of the three are a contradiction. So is
 * a payment that was given up, or not begun, and names a transaction: that one was charged and given back, which a person has to see.
 */
export function answerOf(said: Verification, evidence: string): AttemptAnswer {
  const { status, statusCode, issuerPaymentRefNo } = said;
  if (status === 'Success') {
    return statusCode === '000' && issuerPaymentRefNo !== ''
      ? { kind: 'charged', charge: chargeFrom(said, evidence) }
      : { kind: 'unknown', note: 'SUCCESS_WITHOUT_PROOF' };
  }
  const kind = KINDS.get(status);
  if (kind === undefined) {
    return { kind: 'unknown', note: 'UNKNOWN_STATUS' };
  }
  const transactionExplained = issuerPaymentRefNo === '' || kind === 'failed' || kind === 'in-progress';
  return transactionExplained ? { kind } : { kind: 'unknown', note: 'UNPAID_WITH_TRANSACTION' };
}

/** Nagad takes taka alone and names no currency; its fee shows in the settlement alone, so none is stated here. */
function chargeFrom(said: Verification, evidence: string): Charge {
  const amountMinor = minorFromDecimalText(said.amount, 'BDT', 'exact');
  return {
    validationId: said.paymentRefId,
    gatewayTxnId: said.issuerPaymentRefNo,
    attemptReference: said.orderId,
    storeId: said.merchantId,
    orderAmountMinor: amountMinor,
    orderCurrency: 'BDT',
    grossMinor: amountMinor,
    currency: 'BDT',
    feeMinor: 0n,
    netText: '',
    riskFlagged: false,
    evidence,
  };
}
