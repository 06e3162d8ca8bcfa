import { codeTexts } from './codes.ts';
import type { Gateway } from './gateway.ts';
import { bkashTime } from './identifiers.ts';
import type { End, Payment, Refund } from './state.ts';

/*
 * The field names of the gateway's messages, one set for each kind of message. The invoice number is merchantInvoiceNumber everywhere except in a
 * query, where it is merchantInvoice.
 */

type Fields = Record<string, unknown>;
export type Completed = Extract<End, { status: 'Completed' }>;

const success = { statusCode: '0000', statusMessage: codeTexts['0000'] };
const shortCode = '50022';

/** Returns the answer to a successful create call, with the URL of the page for the payer. */
export function createdFields({ publicUrl }: Gateway, payment: Payment): Fields {
  const page = new URLSearchParams({
    paymentId: payment.id,
    hash: payment.hash,
    mode: payment.mode,
    apiVersion: 'v1.2.0-beta',
  });
  return {
    ...success,
    paymentID: payment.id,
    bkashURL: `${publicUrl}/bkash/checkout?${page.toString()}`,
    callbackURL: payment.callbackUrl,
    successCallbackURL: callbackUrl(payment, 'success'),
    failureCallbackURL: callbackUrl(payment, 'failure'),
    cancelledCallbackURL: callbackUrl(payment, 'cancel'),
    amount: written(payment, payment.amount),
    intent: payment.intent,
    currency: payment.currency,
    paymentCreateTime: bkashTime(payment.createdAt),
    transactionStatus: 'Initiated',
    merchantInvoiceNumber: payment.invoice,
  };
}

/** Returns the URL to which the browser is sent back. It says what the payer did but contains nothing about money. */
export function callbackUrl({ callbackUrl: url, id }: Payment, status: 'success' | 'failure' | 'cancel'): string {
  return `${url}${url.includes('?') ? '&' : '?'}paymentID=${id}&status=${status}`;
}

export function executedFields(gateway: Gateway, payment: Payment, end: Completed): Fields {
  return {
    ...success,
    paymentID: payment.id,
    payerReference: payment.payerReference,
    customerMsisdn: payment.verified?.wallet ?? '',
    trxID: end.trxId,
    amount: written(payment, end.amount),
    transactionStatus: 'Completed',
    paymentExecuteTime: bkashTime(end.at),
    currency: payment.currency,
    intent: payment.intent,
    merchantInvoiceNumber: payment.invoice,
    payerType: 'Customer',
    payerAccount: payment.verified?.wallet ?? '',
    maxRefundableAmount: gateway.state.refunds.has(payment.id) ? '0.00' : end.amount,
  };
}

export function queryFields(gateway: Gateway, payment: Payment): Fields {
  const { end } = payment;
  const completed = end?.status === 'Completed' ? end : undefined;
  const verified = payment.verified === undefined ? 'Incomplete' : 'Complete';
  return {
    ...success,
    paymentID: payment.id,
    mode: payment.mode,
    paymentCreateTime: bkashTime(payment.createdAt),
    ...(completed ? { paymentExecuteTime: bkashTime(completed.at), trxID: completed.trxId } : {}),
    amount: written(payment, completed?.amount ?? payment.amount),
    currency: payment.currency,
    intent: payment.intent,
    merchantInvoice: payment.invoice,
    transactionStatus: statusWord(gateway, payment),
    verificationStatus: verified,
    userVerificationStatus: verified,
    payerReference: payment.payerReference,
    agreementID: '',
    agreementStatus: '',
    agreementCreateTime: '',
    agreementExecuteTime: '',
  };
}

export function searchedFields(gateway: Gateway, payment: Payment, end: Completed): Fields {
  return {
    ...success,
    trxID: end.trxId,
    initiationTime: bkashTime(end.at),
    completedTime: bkashTime(end.at),
    transactionType: 'bKash Tokenized Checkout via API',
    customerMsisdn: payment.verified?.wallet ?? '',
    payerType: 'Customer',
    transactionStatus: 'Completed',
    amount: written(payment, end.amount),
    currency: payment.currency,
    organizationShortCode: shortCode,
    maxRefundableAmount: gateway.state.refunds.has(payment.id) ? '0.00' : end.amount,
    serviceFee: '0.00',
    creditedAmount: end.amount,
  };
}

/** Omits refundTrxID if there is no refund, because clients take its presence for a refund. */
export function refundFields(payment: Payment, end: Completed, refund: Refund | undefined): Fields {
  return {
    ...success,
    originalTrxID: end.trxId,
    ...(refund
      ? {
          refundTrxID: refund.trxId,
          transactionStatus: 'Completed',
          amount: written(payment, refund.amount),
          currency: payment.currency,
          charge: '0.00',
          completedTime: bkashTime(refund.at),
        }
      : {}),
  };
}

/**
 * Returns the body of a notice. bKash sends the same body for every payment into the merchant's wallet, including those not made through this API.
 */
export function noticeFields(payment: Payment, end: Completed): Fields {
  return {
    dateTime: bkashTime(end.at).slice(0, 19).replaceAll(/\D/g, ''),
    debitMSISDN: `88${payment.verified?.wallet ?? ''}`,
    creditOrganizationName: payment.username,
    creditShortCode: shortCode,
    trxID: end.trxId,
    transactionStatus: 'Completed',
    transactionType: '10002294',
    amount: end.amount,
    currency: payment.currency,
    transactionReference: payment.payerReference,
    merchantInvoiceNumber: payment.invoice,
  };
}

function statusWord({ state }: Gateway, payment: Payment): string {
  if (payment.end === undefined || payment.end.status === 'Completed') {
    return payment.end?.status ?? 'Initiated';
  }
  const named = (payment.script.endedStatus ?? state.settings.endedStatus) === 'named';
  return named ? payment.end.status : 'Initiated';
}

function written({ script }: Payment, amount: string): string | number {
  switch (script.amounts) {
    case 'unpadded':
      return amount.replace(/\.?0+$/, '');
    case 'numbers':
      return Number(amount);
    default:
      return amount;
  }
}
