import { z } from 'zod';
import { minorFromDecimalText } from '../../domain/money.ts';
import type { AttemptAnswer, Charge } from '../port.ts';

/** Base64 in samples. Opaque, and must not be able to form a path of its own. */
export const PaymentReference = z.string().regex(/^[0-9A-Za-z+=_-]{1,256}$/);

/** The decrypted answer to the initialize call. */
export const Initialized = z.looseObject({
  paymentReferenceId: PaymentReference,
  // Limited because it must fit into 245 bytes together with the other members when it is sent back encrypted.
  challenge: z.string().regex(/^[\w-]{1,100}$/),
});

export const Completed = z.looseObject({ status: z.literal('Success'), callBackUrl: z.string().max(2_000) });

const optionalText = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** The fields of a verification that we read. All of them are text in captures. */
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
 * `Initiated`, `Aborted`, `Cancelled` and `Failed` appear in captures; the others come from an open-source client. Before the payer has entered their
 * number no payment can go through; from then on it can at any moment.
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
 * Reads a verification. Paid means `Success` with the code `000` and the wallet's transaction id; if one of the three is missing, the answer
 * contradicts itself. So does a transaction id on a payment that was cancelled or not started: that payment was charged and refunded, which an
 * operator has to see.
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

/** Nagad takes only BDT and names no currency. It reports its fee only in the settlement, so the fee is 0 here. */
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
