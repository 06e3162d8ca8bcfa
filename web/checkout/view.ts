import type { Language } from '../language.ts';

/**
 * The content of the checkout page. It contains nothing about the payer, because anyone with the reference can read the page. Texts are plain text;
 * paths are on the page's own origin.
 */
export type CheckoutView = {
  reference: string;
  appName: string;
  mode: 'TEST' | 'LIVE';
  language: Language;
  amountMinor: bigint;
  /** ISO 4217 code. */
  currency: string;
  productName: string | null;
  /** The gateway's name as a payer knows it, such as `SSLCOMMERZ`; null while none is chosen. */
  gatewayName: string | null;
  state: CheckoutState;
  /** Where the application wants the payer to return; shown in final states only. */
  returnUrl: string | null;
  /** Path of this page without query, such as `/checkout/pay_…`. */
  pagePath: string;
  /** The time of rendering: the page never reads a clock. */
  now: Date;
  /** The IANA time zone of all displayed times. */
  timeZone: string;
};

export type CheckoutState =
  /** The gateway has not opened a session yet. */
  | { kind: 'opening'; since: Date; otherWaysPath?: string | null }
  | {
      kind: 'choosing';
      expiresAt: Date;
      /** The last one chosen in this browser comes first. */
      options: readonly { name: string; label: string }[];
      chooseAction: string;
      cancelAction: string;
      /** The payer was at a gateway and returned without having paid. */
      triedUnpaid?: boolean;
      /** The payer was sent to a gateway, and the result is not known. */
      ledOn?: boolean;
    }
  /**
   * The payer can continue to the gateway. `returnedUnpaid`: the payer was there, and the gateway knows of no payment so far. `otherWaysPath`: where
   * another gateway can be chosen, or null.
   */
  | {
      kind: 'open';
      expiresAt: Date;
      continueAction: string;
      cancelAction: string;
      returnedUnpaid: boolean;
      otherWaysPath?: string | null;
    }
  /** The payer pays without a gateway, following the instructions, and reports the transaction on this page. */
  | {
      kind: 'manual';
      expiresAt: Date;
      instructions: Instructions;
      /** What the payer writes on the transfer. */
      code: string;
      submitAction: string;
      cancelAction: string;
      otherWaysPath?: string | null;
      /** The transaction that an operator rejected, with the operator's reason. */
      rejected: { transaction: string; reason: string } | null;
      /** The problem with the form that was just sent. */
      problem: SubmissionProblem | null;
    }
  /** An operator checks the transaction. `correctAction`: null if the report can no longer be corrected. */
  | {
      kind: 'submitted';
      since: Date;
      transaction: string;
      code: string;
      correctAction: string | null;
      problem: SubmissionProblem | null;
    }
  /**
   * The gateway is being queried: after the payer's return, after one that says that nothing was paid, or because the payer wants to cancel. `gateway`: the code of the one that sent a callback,
   * if it may be another than the payment's.
   */
  | { kind: 'confirming'; since: Date; cause: 'payment' | 'unpaid' | 'cancellation' | 'late'; gateway?: string }
  /** An operator reviews the payment; the page promises nothing. */
  | { kind: 'review'; since: Date }
  | {
      kind: 'succeeded';
      receipt: ReceiptFacts;
      unapplied?: readonly UnappliedMoney[];
      /** Since when a gateway is being queried about another charged attempt; null if none is. */
      searchingSince?: Date | null;
    }
  | {
      kind: 'failed' | 'cancelled' | 'expired';
      at: Date;
      /** The payment was for an invoice that is paid: nothing is left to pay. */
      invoicePaid?: boolean;
    }
  /** The payment ended unpaid, but money arrived. */
  | { kind: 'unapplied'; money: readonly [UnappliedMoney, ...UnappliedMoney[]] }
  | {
      kind: 'partially_refunded' | 'refunded';
      receipt: ReceiptFacts;
      refundedMinor: bigint;
      unapplied?: readonly UnappliedMoney[];
    };

/** Money that is not part of the payment, and what happens to it. */
export type UnappliedMoney = {
  status: 'held' | 'refunding' | 'refunded' | 'kept';
  amountMinor: bigint;
  currency: string;
  receivedAt: Date;
};

/** Plain text with line breaks. */
export type Instructions = { label: string; text: string };

/** Stable codes of problems with the submitted form. `transaction` means its length. */
export type SubmissionProblem = 'transaction' | 'transaction-characters' | 'sender';

export type ReceiptFacts = {
  paidAt: Date;
  receiptNumber: string | null;
  gatewayTransactionId: string | null;
  /** Path of the receipt as a document; null or absent if there is none. */
  receiptPath?: string | null;
};

export type ErrorPageView = {
  kind: ErrorPageKind;
  language: Language;
  /** Path of this page in the other language. */
  pagePath: string;
  /** Where "try again" leads, if trying again can help. */
  retryPath: string | null;
  retryAfterSeconds: number | null;
  /** Shown so that the payer can quote it to support. */
  requestId: string | null;
};

export type ErrorPageKind =
  'not_found' | 'bad_request' | 'method_not_allowed' | 'too_many_requests' | 'unavailable' | 'internal_error';

export const errorPageStatus = {
  not_found: 404,
  bad_request: 400,
  method_not_allowed: 405,
  too_many_requests: 429,
  unavailable: 503,
  internal_error: 500,
} as const satisfies Record<ErrorPageKind, number>;
