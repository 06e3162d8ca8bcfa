import type { Json } from '../http/openapi/schemas.ts';

const REFERENCE = 'pay_3f9KZtQ0aXw7LrVb2mNs8D';
const GATEWAY_PAGE = 'https://sandbox.sslcommerz.com/EasyCheckOut/testcde0a5c9c8d7e6f5';

const createPayment = {
  amountMinor: 10_000,
  currency: 'BDT',
  customerReference: 'cust_123',
  customerEmail: 'jane@example.com',
  productName: 'Pro plan',
};

const payment = {
  id: 100,
  reference: REFERENCE,
  status: 'PENDING',
  applicationId: 42,
  mode: 'TEST',
  amountMinor: 10_000,
  currency: 'BDT',
  gateway: 'sslcommerz',
  gatewayTxnId: null,
  checkoutUrl: `http://localhost:3000/checkout/${REFERENCE}`,
  redirectUrl: GATEWAY_PAGE,
  invoiceId: null,
  overpaymentMinor: 0,
  returnUrl: null,
  expiresAt: '2026-06-04T10:30:01.000Z',
  review: null,
  createdAt: '2026-06-04T10:00:01.000Z',
  updatedAt: '2026-06-04T10:00:01.000Z',
} satisfies Json;

const refund = {
  id: 7,
  paymentId: 100,
  mode: 'TEST',
  amountMinor: 2_500,
  currency: 'BDT',
  reason: 'Out of stock',
  status: 'PENDING',
  gatewayRefundId: null,
  failureCode: null,
  review: null,
  createdBy: 'app',
  approvedBy: null,
  createdAt: '2026-06-05T09:00:00.000Z',
  updatedAt: '2026-06-05T09:00:00.000Z',
} satisfies Json;

/** Returns an ended refund as its event shows it. */
export function endedRefundExample(status: string): Json {
  const gatewayRefundId = status === 'SUCCEEDED' ? '59bd63fea5455' : null;
  const failureCode = { FAILED: 'GATEWAY_REFUSED_REFUND', REJECTED: 'APPROVER_REJECTED' }[status] ?? null;
  return { ...refund, status, gatewayRefundId, failureCode, updatedAt: '2026-06-07T11:20:00.000Z' };
}

/** Returns an unapplied payment as its events show it. */
export function unappliedPaymentExample(status: string): Json {
  return {
    id: 31,
    paymentId: payment.id,
    paymentReference: payment.reference,
    mode: payment.mode,
    reason: 'PAYMENT_ENDED',
    status,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    gateway: payment.gateway,
    gatewayTxnId: '2606041003150CiEOsVPJkLHBk6',
    createdAt: '2026-06-04T11:02:10.000Z',
    updatedAt: status === 'HELD' ? '2026-06-04T11:02:10.000Z' : '2026-06-05T09:12:00.000Z',
  };
}

export function disputeExample(status: string): Json {
  return {
    id: 12,
    paymentId: payment.id,
    paymentReference: payment.reference,
    mode: payment.mode,
    status,
    reason: 'fraudulent',
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    gateway: 'stripe',
    gatewayTxnId: 'pi_3Q9c1d2eZvKYlo2C0aBcDeFg',
    respondBy: '2026-06-13T23:59:59.000Z',
    createdAt: '2026-06-04T11:02:10.000Z',
    updatedAt: status === 'OPEN' ? '2026-06-04T11:02:11.000Z' : '2026-06-20T09:12:00.000Z',
  };
}

/** Returns an ended payment as its event shows it. */
export function endedPaymentExample(status: string): Json {
  const gatewayTxnId = status === 'SUCCEEDED' || status === 'PARTIALLY_REFUNDED' ? '2606041003150CiEOsVPJkLHBk6' : null;
  return { ...payment, status, gatewayTxnId, updatedAt: '2026-06-04T10:03:15.000Z' };
}

export const EXPLANATION_EXAMPLE = {
  status: 'PENDING',
  summary: 'The checkout is open. The payer has not finished.',
  waitingFor: 'payer',
  until: '2026-06-04T10:30:01.000Z',
  next: 'The payer pays or cancels. Otherwise Lenden queries the gateway one last time and the payment expires.',
  timeline: [
    { at: '2026-06-04T10:00:01.000Z', event: 'payment created', detail: null },
    { at: '2026-06-04T10:00:01.200Z', event: 'attempt 1 created', detail: 'sslcommerz' },
    { at: '2026-06-04T10:00:01.900Z', event: 'attempt 1: checkout opened', detail: null },
  ],
} satisfies Json;

/** One example per named schema. A test checks that each matches its schema. */
export const EXAMPLES: Readonly<Record<string, Json>> = {
  CreatePayment: createPayment,
  Payment: payment,
  CreateRefund: { amountMinor: 2_500, reason: 'Out of stock' },
  Refund: refund,
  MoveTestClock: { object: 'payment', id: payment.id, forward: 'expiry' },
  TestClock: {
    movedSeconds: 1_800,
    aheadSeconds: 1_800,
    time: '2026-06-04T10:30:01.000Z',
    workflowsBehind: 0,
  },
  Dispute: disputeExample('OPEN'),
  UnappliedPayment: {
    id: 3,
    paymentId: 100,
    paymentReference: 'pay_3f9KZtQ0aXw7LrVb2mNs8D',
    mode: 'LIVE',
    reason: 'PAYMENT_ENDED',
    status: 'HELD',
    amountMinor: 10_000,
    currency: 'BDT',
    gateway: 'sslcommerz',
    gatewayTxnId: '2606041003150CiEOsVPJkLHBk6',
    createdAt: '2026-06-04T12:00:00.000Z',
    updatedAt: '2026-06-04T12:00:00.000Z',
  },
  AppMe: { id: 42, name: 'Storefront', mode: 'TEST' },
  Receipt: {
    receiptNumber: 'R-100',
    paymentId: 100,
    reference: REFERENCE,
    amountMinor: 10_000,
    amountDisplay: '100.00',
    currency: 'BDT',
    customerReference: 'cust_123',
    appName: 'Storefront',
    gateway: 'sslcommerz',
    gatewayTxnId: '2606041003150CiEOsVPJkLHBk6',
    paidAt: '2026-06-04T10:03:15.000Z',
    refundedMinor: 0,
    mode: 'TEST',
  },
  Checkout: {
    reference: REFERENCE,
    status: 'PENDING',
    amountMinor: 10_000,
    amountDisplay: '100.00',
    currency: 'BDT',
    appName: 'Storefront',
    gateway: 'sslcommerz',
    gatewayRedirectUrl: GATEWAY_PAGE,
    paidAt: null,
  },
  Explanation: EXPLANATION_EXAMPLE,
};
