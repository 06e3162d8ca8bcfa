import type { Language } from '../language.ts';

/**
 * All that the checkout page shows, and nothing of the payer: whoever holds the reference may read it.
 * Texts are plain text; paths are on the page's own origin.
 */
export type CheckoutView = {
  /** Public reference of the payment. */
  reference: string;
  appName: string;
  mode: 'TEST' | 'LIVE';
  language: Language;
  amountMinor: bigint;
  /** ISO 4217 code. */
  currency: string;
  productName: string | null;
  /** Gateway's name as a payer knows it, such as `SSLCOMMERZ`. */
  gatewayName: string;
  state: CheckoutState;
  /** Where the application wants the payer back; shown on final states only. */
  returnUrl: string | null;
  /** Path of this page without query, such as `/checkout/pay_…`. */
  pagePath: string;
  /** The moment of rendering: the page never reads a clock. */
  now: Date;
  /** IANA zone in which times are shown. */
  timeZone: string;
};

export type CheckoutState =
  /** The gateway's session is not there yet. */
  | { kind: 'opening'; since: Date }
  /** The payer can go on to the gateway. `returnedUnpaid`: came back and the gateway knows of no payment so far. */
  | { kind: 'open'; expiresAt: Date; continueAction: string; cancelAction: string; returnedUnpaid: boolean }
  /** The outcome is being asked for: after a return from the gateway, or because the payer wants to cancel. */
  | { kind: 'confirming'; since: Date; cause: 'payment' | 'cancellation' }
  /** A person looks at it; there is nothing to promise. */
  | { kind: 'review'; since: Date }
  | { kind: 'succeeded'; receipt: ReceiptFacts }
  | { kind: 'failed' | 'cancelled' | 'expired'; at: Date }
  | { kind: 'partially_refunded' | 'refunded'; receipt: ReceiptFacts; refundedMinor: bigint };

export type ReceiptFacts = {
  paidAt: Date;
  receiptNumber: string | null;
  gatewayTransactionId: string | null;
};

/** Page for a request that did not lead to a payment's page. */
export type ErrorPageView = {
  kind: ErrorPageKind;
  language: Language;
  /** Path to show again in the other language. */
  pagePath: string;
  /** Where "try again" leads, when trying again can help. */
  retryPath: string | null;
  retryAfterSeconds: number | null;
  /** Shown so that the payer can quote it to whoever looks into it. */
  requestId: string | null;
};

export type ErrorPageKind =
  'not_found' | 'method_not_allowed' | 'too_many_requests' | 'gateway_unavailable' | 'internal_error';

/** HTTP status of each error page. */
export const errorPageStatus = {
  not_found: 404,
  method_not_allowed: 405,
  too_many_requests: 429,
  gateway_unavailable: 503,
  internal_error: 500,
} as const satisfies Record<ErrorPageKind, number>;
