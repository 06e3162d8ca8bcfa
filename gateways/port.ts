import type { StatedDisputeStatus } from '../domain/dispute.ts';
import type { Mode } from '../domain/mode.ts';
import type { Money } from '../domain/money.ts';
import type { PayoutLine } from '../domain/payouts/payout-line.ts';
import type { Rejection } from '../domain/payouts/rejection.ts';
import type { PlainDate } from '../domain/plain-date.ts';
import type { RefundBounds } from '../domain/refund.ts';

/** What a gateway needs to open its hosted page for one attempt. */
export interface SessionOrder {
  /** Our reference of the attempt. It stays the same over retries, which makes opening a session and querying it idempotent. */
  readonly attemptReference: string;
  readonly amount: Money;
  readonly productName: string;
  /** The payer's own number, if the application sent it. A gateway's page may be pre-filled with it. */
  readonly payerPhone?: string | null;
  readonly customer: {
    readonly name: string;
    readonly email: string;
    readonly phone: string;
    readonly address: string;
    readonly city: string;
    readonly postcode: string;
    readonly country: string;
  };
  /** URLs to which the gateway sends the browser and its server-to-server notification. */
  readonly callbacks: {
    readonly success: string;
    readonly fail: string;
    readonly cancel: string;
    readonly ipn: string;
    /** One URL for every outcome, requested with GET. An adapter may append one path segment, and the gateway adds a query string. */
    readonly back: string;
  };
  /** When the payment expires in Lenden. The gateway's page may stay open longer, but should not close much earlier. */
  readonly expiresAt: Date;
  /** The database's time when the order was read. Remaining time, and any time sent to the gateway, is computed from it. */
  readonly readAt: Date;
}

export type SessionOutcome =
  | {
      readonly kind: 'opened';
      readonly sessionKey: string;
      /** Null if the payer needs no page but ours. */
      readonly gatewayUrl: string | null;
      /**
       * Set only if the payer needs longer than a hosted page allows. The payment then expires no earlier than this many minutes after the checkout
       * opens.
       */
      readonly payWithinMinutes?: number;
    }
  /** Refused permanently: the gateway will never accept the same request. `code` is one of our codes, never the gateway's text. */
  | { readonly kind: 'refused'; readonly code: string; readonly gatewayText: string };

/** What identifies an attempt when the gateway is queried about it. */
export interface AttemptHandle {
  readonly attemptReference: string;
  readonly sessionKey: string | null;
  /** A validation id from a callback. It is only a hint until the gateway confirms it. */
  readonly claimedValidationId: string | null;
  /** Charges of this attempt that are already recorded. The query looks for another charge under the same reference. */
  readonly knownValidationIds: readonly string[];
  /**
   * Whether to execute the payment now if the payer has agreed to it. Only for gateways where money moves on our call (bKash's execute). Left out
   * when the query should only report the attempt's state, above all after the payment has ended.
   */
  readonly mayExecute?: boolean;
  /**
   * Set if a signed callback says that the payer returned without paying; `validationId` is the session it names. Believed only where money moves on
   * our call and that call was never made.
   */
  readonly claimedEnd?: ClaimedEnd;
}

export interface ClaimedEnd {
  readonly kind: 'cancelled' | 'failed';
  readonly validationId: string | null;
}

/** A charge confirmed by the gateway itself. */
export interface Charge {
  readonly validationId: string;
  /** The gateway's transaction id, used for refunds. */
  readonly gatewayTxnId: string;
  readonly attemptReference: string;
  /** The store named in the gateway's answer, or null if the answer names none. The credentials of the query then identify the store. */
  readonly storeId: string | null;
  /** The amount requested from the payer, in the currency of the order. Null if the gateway's text was not an exact decimal. */
  readonly orderAmountMinor: bigint | null;
  readonly orderCurrency: string;
  /** The amount charged to the payer, in the currency in which the gateway settles. Null if the gateway's text was not an exact decimal. */
  readonly grossMinor: bigint | null;
  readonly currency: string;
  /** Gross − net, with the net rounded down to the minor unit. 0 if the gateway reports its fee only with the settlement. */
  readonly feeMinor: bigint;
  /** The net amount as the gateway wrote it, or '' if it sent none. */
  readonly netText: string;
  readonly riskFlagged: boolean;
  /** The gateway's answer, verbatim. */
  readonly evidence: string;
}

/** The state of an attempt according to the gateway. Anything the gateway does not state clearly is `unknown`, never a success or a failure. */
export type AttemptAnswer =
  | { readonly kind: 'charged'; readonly charge: Charge }
  /** The payer has not tried to pay yet. */
  | { readonly kind: 'not-started' }
  /** The payer is paying right now. */
  | { readonly kind: 'in-progress' }
  /** The payer has reported a payment, and an operator must check it. */
  | { readonly kind: 'with-operator'; readonly since: Date }
  | { readonly kind: 'failed' | 'cancelled' | 'expired' }
  /** The payer returned without paying, and we never made the call that moves the money. That call must not be made any more. */
  | { readonly kind: 'given-up'; readonly as: 'failed' | 'cancelled' }
  | { readonly kind: 'unknown'; readonly note: string };

/** A callback with the result of its signature check. None of its claims are trusted before the gateway confirms them. */
export interface ParsedCallback {
  readonly attemptReference: string | null;
  readonly signatureValid: boolean;
  /** `refund-failed`: a refund that may already count as successful has failed after all. */
  readonly claims: 'paid' | 'failed' | 'cancelled' | 'expired' | 'refund-failed' | 'unknown';
  readonly claimedValidationId: string | null;
  readonly note: string | null;
  /** The gateway's id of the refund that the callback is about. */
  readonly claimedRefundId?: string;
  /** The gateway's id of this notification. A gateway may send the same one again with different bytes; Lenden stores it once. */
  readonly eventId?: string;
  /** Set if the callback is about no attempt but about a payout, or about a charge that the payer disputes. */
  readonly about?: PayoutNotice | DisputeNotice;
}

/** Something has changed about a payout; reading it again shows what. */
export interface PayoutNotice {
  readonly kind: 'payout';
  readonly payoutReference: string;
}

export interface DisputeNotice {
  readonly kind: 'dispute';
  readonly disputeId: string;
  /** The gateway's own word, such as `needs_response`, `won` or `lost`. */
  readonly status: string;
  /** The charge in dispute, as `Charge.gatewayTxnId` names it, if the gateway states it. */
  readonly gatewayTxnId: string | null;
}

/** What a gateway says of a dispute. */
export interface StatedDispute {
  readonly disputeId: string;
  /** The charge in dispute, as `Charge.gatewayTxnId` names it. */
  readonly gatewayTxnId: string | null;
  readonly status: StatedDisputeStatus;
  /** The gateway's own word. */
  readonly gatewayStatus: string;
  /** Why the payer disputes the charge, in the gateway's words. */
  readonly reason: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Until when the shop may answer. */
  readonly respondBy: Date | null;
  /** The gateway's answer, verbatim. */
  readonly evidence: string;
}

/** The headers of a callback, keyed by lower-case name. */
export type CallbackHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** How a callback arrived, apart from its body. */
export interface CallbackArrival {
  readonly headers: CallbackHeaders;
  /** The database's time. A signature that is valid for minutes must not depend on the clock of the process that received it. */
  readonly at: Date;
}

/** The charge to refund. */
export interface RefundedCharge {
  readonly gatewayTxnId: string;
  /** The charge's validation id, or the session's key if the charge was accepted without one. */
  readonly validationId: string;
}

export interface RefundRequest extends RefundedCharge {
  /** The attempt that was charged. Some gateways identify an attempt in refund notifications only by metadata that we set. */
  readonly attemptReference?: string;
  /** Our reference of the refund: at most 30 characters, the same over every retry. */
  readonly refundReference: string;
  readonly amount: Money;
  readonly remarks: string;
  /** Whether this refund was requested before without a final answer. */
  readonly queriedBefore: boolean;
  /**
   * Milliseconds since the previous request, by the database's clock, or null if there was none. A gateway without idempotency keys may still be
   * working on that request.
   */
  readonly queriedAgoMs: number | null;
  /**
   * The number of other refunds of this charge that were requested and have not failed. Without idempotency keys, a refund found at the gateway may
   * be one of them.
   */
  readonly otherRefunds: number;
}

export type RefundAnswer =
  | { readonly kind: 'accepted'; readonly gatewayRefundId: string; readonly evidence: string }
  /** Accepted earlier and still in progress. The id is null if the gateway's answer contains none. */
  | { readonly kind: 'processing'; readonly gatewayRefundId: string | null; readonly evidence: string }
  | { readonly kind: 'refunded'; readonly evidence: string }
  /** SSLCOMMERZ documents this status in two contradictory ways. The refund has ended, but it is unclear how. */
  | { readonly kind: 'cancelled'; readonly evidence: string }
  | { readonly kind: 'refused'; readonly gatewayText: string; readonly evidence: string }
  /** An operator must make the refund by hand and confirm it. */
  | { readonly kind: 'by-hand'; readonly evidence: string }
  | { readonly kind: 'unknown'; readonly note: string };

/** The days on which money arrives, inclusive. */
export interface PayoutWindow {
  readonly from: PlainDate;
  readonly to: PlainDate;
  /** `PayoutPage.next` of the page before; null for the first one. */
  readonly after: string | null;
}

/** What a gateway's own API says of a payout. Amounts are signed minor units: money to us is positive. */
export interface StatedPayout {
  readonly payoutReference: string;
  readonly currency: string;
  readonly amountMinor: bigint;
  readonly status: 'PENDING' | 'PAID' | 'FAILED' | 'CANCELLED';
  readonly arrivesOn: PlainDate;
  /** The bank's own trace id of the transfer, if the gateway states it. */
  readonly bankReference: string | null;
  /** False for a payout whose lines the gateway cannot list (Stripe's manual payouts). */
  readonly itemized: boolean;
}

/** A movement that the gateway lists but that cannot be read. `rejection.column` is a member of the gateway's answer. */
export interface RejectedPayoutLine {
  readonly payoutReference: string | null;
  readonly lineReference: string | null;
  readonly rejection: Rejection;
}

export interface PayoutPage {
  /** Empty if the gateway lists movements only, without the transfers to which they belong. */
  readonly payouts: readonly StatedPayout[];
  readonly lines: readonly PayoutLine[];
  readonly rejected: readonly RejectedPayoutLine[];
  /** Pass it to read the next page; null: this was the last. Plain JSON text, so that a reader may go on in another process. */
  readonly next: string | null;
}

export interface DisputeWindow {
  readonly since: Date;
  /** `DisputePage.next` of the page before; null for the first one. */
  readonly after: string | null;
}

export interface DisputePage {
  readonly disputes: readonly { readonly disputeId: string; readonly gatewayTxnId: string | null }[];
  /** Pass it to read the next page; null: this was the last. */
  readonly next: string | null;
}

/** Why a call to a gateway failed. `ambiguous`: the gateway may have carried out the request, so query it before doing anything else. */
export type GatewayFailureKind = 'invalid' | 'rate-limited' | 'unavailable' | 'ambiguous' | 'unauthorized';

export class GatewayFailure extends Error {
  readonly kind: GatewayFailureKind;

  constructor(kind: GatewayFailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GatewayFailure';
    this.kind = kind;
  }
}

/** What a gateway supports, as data. */
export interface GatewayCapabilities extends RefundBounds {
  readonly name: string;
  readonly displayName: string;
  /** Currency → least and greatest amount of one payment in minor units. A currency that is not listed is not enabled. */
  readonly limits: ReadonlyMap<string, { readonly minMinor: bigint; readonly maxMinor: bigint }>;
  readonly refunds: boolean;
  /** `at-settlement`: the gateway's answers never contain the fee, so it is posted as 0 until the settlement states it. */
  readonly feeKnown: 'with-the-charge' | 'at-settlement';
  /** Whether a query carries the store's credentials. If so, any answer proves that the credentials are right. */
  readonly questionsProveStore: boolean;
  /** Whether the gateway notifies our server of every charge, and retries while our server is down. */
  readonly notifies: boolean;
  /** Whether a query executes a payment that the payer has agreed to, so that money moves on our call. */
  readonly executes: boolean;
  /** For how many minutes after it is opened a session can be paid; null if the gateway does not document it. */
  readonly sessionLifeMinutes: number | null;
  /** Whether callbacks arrive over HTTP, from the gateway's server or from browsers that it redirects. */
  readonly takesCallbacks: boolean;
  /**
   * How payouts are read. `unconfirmed-api`: by `readPayouts`, which the gateway does not document, so it stays off until an operator switches it on
   * for a store. `file`: an operator imports the gateway's file, or the bank's statement.
   */
  readonly payouts: 'api' | 'unconfirmed-api' | 'file';
  /** `api`: disputes are notified, and read by `queryDispute` and `listDisputes`. */
  readonly disputes: 'api' | 'none';
}

/** Plain text in each of our languages, shown on our page for a gateway without a page of its own. */
export interface PayerInstructions {
  readonly label: { readonly en: string; readonly bn: string };
  readonly text: { readonly en: string; readonly bn: string };
}

/** One gateway in one mode, with the credentials of one store. */
export interface Gateway {
  readonly capabilities: GatewayCapabilities;
  readonly storeId: string;
  readonly instructions?: PayerInstructions;
  /** @throws GatewayFailure */
  openSession(order: SessionOrder): Promise<SessionOutcome>;
  /** @throws GatewayFailure */
  queryAttempt(attempt: AttemptHandle): Promise<AttemptAnswer>;
  /**
   * Closes an attempt's session at the gateway, so that it can no longer be paid. Only adapters whose gateway supports this have the method. Never
   * answers `closed` for an attempt that was paid or whose money may still be on its way. Idempotent.
   * @throws GatewayFailure
   */
  closeSession?(attempt: AttemptHandle): Promise<'closed' | 'charged' | 'unknown'>;
  /**
   * Reads a callback and checks its signature. Never throws, whatever the body contains. `rawBody` is the body of a POST; for a GET of
   * `callbacks.back` it is the path segment after that URL, `?` and the query string. A gateway that signs in a header needs `arrival`, and its
   * signature is valid only for a short time. A stored callback is parsed again without `arrival`, for its claims only.
   */
  parseCallback(rawBody: string, arrival?: CallbackArrival): ParsedCallback;
  /** @throws GatewayFailure */
  refund(request: RefundRequest): Promise<RefundAnswer>;
  /** @throws GatewayFailure */
  queryRefund(gatewayRefundId: string, charge: RefundedCharge): Promise<RefundAnswer>;
  /**
   * Reads a dispute; null if the gateway knows none with this id. Only adapters whose capability `disputes` is `api` have this method and the next.
   * @throws GatewayFailure
   */
  queryDispute?(disputeId: string): Promise<StatedDispute | null>;
  /**
   * Reads one page of the disputes that were opened at the gateway since a time, newest first.
   * @throws GatewayFailure
   */
  listDisputes?(window: DisputeWindow): Promise<DisputePage>;
  /**
   * Reads one page of what the gateway paid out in a window, or will. Only adapters whose capability `payouts` is not `file` have the method. Pages are
   * of the moment at which each is read: an update between two of them may show a payout or line twice. Apart from `after`, the window must be the same.
   * @throws GatewayFailure
   */
  readPayouts?(window: PayoutWindow): Promise<PayoutPage>;
}

/** An account at a gateway. */
export interface Store {
  readonly storeId: string;
  /**
   * The store's credentials, sealed, prefixed with the key of their row. Null for the store from the environment, whose credentials are not stored.
   */
  readonly sealedSecret: string | null;
}

/** Every known gateway, opened with the credentials of the store at which a payment was started. */
export interface GatewayRegistry {
  readonly names: readonly string[];
  capabilities(name: string): GatewayCapabilities | undefined;
  /**
   * Returns undefined if there are no credentials for that store.
   * @throws GatewayFailure `unauthorized` if the credentials are sealed with a key that is missing, or are not valid for this gateway
   */
  open(name: string, mode: Mode, store: Store): Gateway | undefined;
  /** The store from the environment, for applications to which no operator has assigned one. */
  defaultStoreId(name: string, mode: Mode): string | undefined;
  /** The origin of the hosted page, which a checkout form may submit to. */
  pageOrigin(name: string, mode: Mode): string | undefined;
  /** Returns the attempt that a callback names, unverified. Never throws, whatever the body contains. */
  attemptNamedIn(name: string, rawBody: string): string | null;
}
