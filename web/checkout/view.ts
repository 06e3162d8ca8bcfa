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
  /** Gateway's name as a payer knows it, such as `SSLCOMMERZ`; null while none is chosen. */
  gatewayName: string | null;
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
  | { kind: 'opening'; since: Date; otherWaysPath?: string | null }
  /** The payer chooses a gateway. */
  | {
      kind: 'choosing';
      expiresAt: Date;
      /** The last one chosen on this device first. */
      options: readonly { name: string; label: string }[];
      chooseAction: string;
      cancelAction: string;
      /** The payer was at a gateway and came back without having paid. */
      triedUnpaid?: boolean;
      /** The payer was sent to a gateway, and what came of it is not known. */
      ledOn?: boolean;
    }
  /**
   * The payer can go on to the gateway. `returnedUnpaid`: was there, and the gateway knows of no payment so far. `otherWaysPath`: where another
   * gateway can be chosen, or null.
   */
  | {
      kind: 'open';
      expiresAt: Date;
      continueAction: string;
      cancelAction: string;
      returnedUnpaid: boolean;
      otherWaysPath?: string | null;
    }
  /** The payer pays without a gateway, as the instructions say, and tells on this page which transaction it was. */
  | {
      kind: 'manual';
      expiresAt: Date;
      instructions: Instructions;
      /** What the payer writes on his transfer. */
      code: string;
      submitAction: string;
      cancelAction: string;
      otherWaysPath?: string | null;
      /** What was looked for and not found, and why, in an operator's words. */
      rejected: { transaction: string; reason: string } | null;
      /** What was wrong with the form that was just sent. */
      problem: SubmissionProblem | null;
    }
  /** A person looks whether the transaction is there. `correctAction`: null where nothing can be corrected any more. */
  | {
      kind: 'submitted';
      since: Date;
      transaction: string;
      code: string;
      correctAction: string | null;
      problem: SubmissionProblem | null;
    }
  /** The outcome is being asked for: after a return from the gateway, or because the payer wants to cancel. */
  | { kind: 'confirming'; since: Date; cause: 'payment' | 'cancellation' | 'late' }
  /** A person looks at it; there is nothing to promise. */
  | { kind: 'review'; since: Date }
  | {
      kind: 'succeeded';
      receipt: ReceiptFacts;
      unapplied?: readonly UnappliedMoney[];
      /** Since when a gateway is being asked whether another attempt was charged, too; null where none is. */
      searchingSince?: Date | null;
    }
  | {
      kind: 'failed' | 'cancelled' | 'expired';
      at: Date;
      /** It was for an invoice that is paid: there is nothing to pay any more. */
      invoicePaid?: boolean;
    }
  /** The payment ended unpaid, and money arrived all the same. */
  | { kind: 'unapplied'; money: readonly [UnappliedMoney, ...UnappliedMoney[]] }
  | {
      kind: 'partially_refunded' | 'refunded';
      receipt: ReceiptFacts;
      refundedMinor: bigint;
      unapplied?: readonly UnappliedMoney[];
    };

/** Money that is no part of the payment, and what becomes of it. */
export type UnappliedMoney = {
  status: 'held' | 'refunding' | 'refunded' | 'kept';
  amountMinor: bigint;
  currency: string;
  receivedAt: Date;
};

/** Plain text, with line breaks. */
export type Instructions = { label: string; text: string };

/** Stable codes: what is wrong with the form that was sent. `transaction` is its length. */
export type SubmissionProblem = 'transaction' | 'transaction-characters' | 'sender';

export type ReceiptFacts = {
  paidAt: Date;
  receiptNumber: string | null;
  gatewayTransactionId: string | null;
  /** Path of the receipt as a document, or null (as when it is left out) where there is none. */
  receiptPath?: string | null;
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
  'not_found' | 'bad_request' | 'method_not_allowed' | 'too_many_requests' | 'unavailable' | 'internal_error';

/** HTTP status of each error page. */
export const errorPageStatus = {
  not_found: 404,
  bad_request: 400,
  method_not_allowed: 405,
  too_many_requests: 429,
  unavailable: 503,
  internal_error: 500,
} as const satisfies Record<ErrorPageKind, number>;
