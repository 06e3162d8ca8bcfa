import type { Json } from '../http/openapi/schemas.ts';
import { endedPaymentExample, endedRefundExample, EXPLANATION_EXAMPLE } from './examples.ts';

const review = { decision: 'reject', reason: 'The customer says that he never paid' };

const latePayment = {
  id: 3,
  paymentId: 100,
  paymentReference: 'pay_3f9KZtQ0aXw7LrVb2mNs8D',
  paymentStatus: 'EXPIRED',
  applicationId: 42,
  applicationName: 'Storefront',
  mode: 'LIVE',
  status: 'HELD',
  amountMinor: 10_000,
  feeMinor: 250,
  currency: 'BDT',
  gateway: 'sslcommerz',
  gatewayTxnId: '2606041003150CiEOsVPJkLHBk6',
  decision: { decision: 'refund', awaitsSecondPerson: true },
  createdAt: '2026-06-04T12:00:00.000Z',
  updatedAt: '2026-06-04T12:00:00.000Z',
} satisfies Json;

/** What operators see and say of money. */
export const MONEY_EXAMPLES: Readonly<Record<string, Json>> = {
  PaymentSummary: {
    id: 100,
    reference: 'pay_3f9KZtQ0aXw7LrVb2mNs8D',
    applicationId: 42,
    applicationName: 'Storefront',
    mode: 'LIVE',
    status: 'PARTIALLY_REFUNDED',
    amountMinor: 10_000,
    refundedMinor: 2_500,
    currency: 'BDT',
    customerReference: 'cust_123',
    gateway: 'sslcommerz',
    gatewayTxnId: '2606041003150CiEOsVPJkLHBk6',
    review: null,
    createdAt: '2026-06-04T10:00:01.000Z',
    endedAt: '2026-06-04T10:03:15.000Z',
  },
  CreateOperatorRefund: { amountMinor: 2_500, reason: 'Out of stock' },
  Reason: { reason: 'The customer was paid in cash' },
  RefundReview: { decision: 'retry', reason: 'The gateway was down that day' },
  DecidedRefund: { refund: endedRefundExample('SUCCEEDED'), decision: 'carried-out' },
  PaymentReview: review,
  ReviewedPayment: { payment: endedPaymentExample('FAILED'), decision: 'carried-out' },
  LatePayment: latePayment,
  LateDecision: { decision: 'refund', reason: 'Paid after the order was cancelled' },
  PaymentDetail: {
    payment: endedPaymentExample('PARTIALLY_REFUNDED'),
    explanation: EXPLANATION_EXAMPLE,
    workflow: {
      id: 'payment:pay_3f9KZtQ0aXw7LrVb2mNs8D',
      url: 'http://localhost:8233/namespaces/default/workflows/payment%3Apay_3f9KZtQ0aXw7LrVb2mNs8D',
    },
    refunds: [endedRefundExample('SUCCEEDED')],
    attempts: [
      {
        number: 1,
        reference: 'Zk3TtQ0aXw7LrVb2mNs8',
        gateway: 'sslcommerz',
        storeId: 'teststore',
        status: 'CONFIRMED',
        grossMinor: 10_000,
        feeMinor: 250,
        gatewayTxnId: '2606041003150CiEOsVPJkLHBk6',
        createdAt: '2026-06-04T10:00:01.000Z',
      },
    ],
    ledger: [
      {
        kind: 'settlement',
        debit: 'gateway:sslcommerz:clearing',
        credit: 'app:payable',
        amountMinor: 10_000,
        currency: 'BDT',
        createdAt: '2026-06-04T10:03:15.000Z',
      },
    ],
    callbacks: [
      {
        id: 9,
        kind: 'ipn',
        signatureValid: true,
        outcome: 'ACCEPTED',
        repeats: 0,
        createdAt: '2026-06-04T10:03:14.000Z',
      },
    ],
    latePayments: [
      { id: 3, status: 'HELD', amountMinor: 10_000, currency: 'BDT', createdAt: '2026-06-04T12:00:00.000Z' },
    ],
    decisions: [
      {
        id: 5,
        kind: 'refund',
        decision: 'approve',
        reason: null,
        by: 'operator:2',
        secondedBy: null,
        outcome: 'PENDING',
        createdAt: '2026-06-05T09:10:00.000Z',
      },
    ],
    deliveries: [
      {
        id: 11,
        eventId: 'evt_4fW0hW8bVZyqkQm2c9sT1x',
        type: 'payment.succeeded',
        deliveryStatus: 'DELIVERED',
        attempts: 1,
        nextAttemptAt: null,
        deliveredAt: '2026-06-04T10:03:16.000Z',
        createdAt: '2026-06-04T10:03:15.000Z',
      },
    ],
  },
};
