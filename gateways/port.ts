import type { Mode } from '../domain/mode.ts';
import type { Money } from '../domain/money.ts';
import type { RefundBounds } from '../domain/refund.ts';

/** What a gateway needs to open its hosted page for one attempt. */
export interface SessionOrder {
  /** Our reference of the attempt, constant over retries: the key that makes opening and asking idempotent. */
  readonly attemptReference: string;
  readonly amount: Money;
  readonly productName: string;
  /** The payer's own number, where the application told it: pages may be filled in with it. */
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
  /** Where the gateway sends the browser and its server-to-server notification. */
  readonly callbacks: {
    readonly success: string;
    readonly fail: string;
    readonly cancel: string;
    readonly ipn: string;
    /** One address for every outcome, visited by GET. One path segment may be put behind it, and the gateway adds a query. */
    readonly back: string;
  };
  /** When the payment ends by our clock. A gateway's page may live longer; none should live much shorter. */
  readonly expiresAt: Date;
  /** The database's time as the order was read: what is left until then, and what a gateway is told of the time, is counted from here. */
  readonly readAt: Date;
}

export type SessionOutcome =
  | {
      readonly kind: 'opened';
      readonly sessionKey: string;
      /** Null where the payer needs no page but ours. */
      readonly gatewayUrl: string | null;
      /** Left out unless the way takes longer than a page: the payment then ends no sooner. */
      readonly payWithinMinutes?: number;
    }
  /** Refused for good: the same request will never be accepted. `code` is our own word, never the gateway's text. */
  | { readonly kind: 'refused'; readonly code: string; readonly gatewayText: string };

/** One attempt as the gateway can be asked about it. */
export interface AttemptHandle {
  readonly attemptReference: string;
  readonly sessionKey: string | null;
  /** A validation id that a callback claimed; a hint, believed only after the gateway confirmed it. */
  readonly claimedValidationId: string | null;
  /** Charges of this attempt that are known already, so that another one under the same reference is found. */
  readonly knownValidationIds: readonly string[];
  /**
   * Where money moves only when we say so (bKash's execution): whether to say so now that the payer has agreed. Left out wherever the
   * question is only how an attempt stands, above all once its payment has ended.
   */
  readonly mayExecute?: boolean;
  /**
   * A signed callback says that the payer came back without paying, and by which session. Believed only where money moves when we say so, and
   * we never have.
   */
  readonly claimedEnd?: ClaimedEnd;
}

export interface ClaimedEnd {
  readonly kind: 'cancelled' | 'failed';
  readonly validationId: string | null;
}

/** A charge as the gateway itself confirms it. */
export interface Charge {
  readonly validationId: string;
  /** The gateway's transaction id, which refunds refer to. */
  readonly gatewayTxnId: string;
  readonly attemptReference: string;
  /** The store the gateway names, or null where its answer names none: the credentials of the question bind it then. */
  readonly storeId: string | null;
  /** What was asked of the payer, in the currency of the order. Null where the text was no exact decimal. */
  readonly orderAmountMinor: bigint | null;
  readonly orderCurrency: string;
  /** What the payer was charged, in the currency the gateway settles in. */
  readonly grossMinor: bigint | null;
  readonly currency: string;
  /** gross − net, net rounded down to the minor unit; 0 where the gateway tells it only with its settlement. */
  readonly feeMinor: bigint;
  /** Net amount as the gateway wrote it; '' where it did not. */
  readonly netText: string;
  readonly riskFlagged: boolean;
  /** The gateway's own answer, kept word for word. */
  readonly evidence: string;
}

/** What the gateway says of an attempt. Anything it did not say plainly is `unknown`, never success or failure. */
export type AttemptAnswer =
  | { readonly kind: 'charged'; readonly charge: Charge }
  /** The payer has not tried anything yet. */
  | { readonly kind: 'not-started' }
  /** The payer is in the middle of paying. */
  | { readonly kind: 'in-progress' }
  /** The payer says that he has paid, and a person looks whether it is so. */
  | { readonly kind: 'with-operator'; readonly since: Date }
  | { readonly kind: 'failed' | 'cancelled' | 'expired' }
  /** The payer came back without paying, and no money moves without our word, which was never given: it must not be given any more. */
  | { readonly kind: 'given-up'; readonly as: 'failed' | 'cancelled' }
  | { readonly kind: 'unknown'; readonly note: string };

/** A callback as its signature and its words stand; nothing in it is believed. */
export interface ParsedCallback {
  readonly attemptReference: string | null;
  readonly signatureValid: boolean;
  /** `refund-failed`: a refund that may have counted as made came to nothing after all. */
  readonly claims: 'paid' | 'failed' | 'cancelled' | 'expired' | 'refund-failed' | 'unknown';
  readonly claimedValidationId: string | null;
  readonly note: string | null;
  /** The gateway's id of the refund that it speaks of. */
  readonly claimedRefundId?: string;
  /** How the gateway names this notification, where it may post it again in other bytes: the same one is kept once. */
  readonly eventId?: string;
}

/** The headers that a callback came with, by lower-case names. */
export type CallbackHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** How a callback came, beside its words. */
export interface CallbackArrival {
  readonly headers: CallbackHeaders;
  /** The database's time: a signature that holds for minutes must not depend on the clock of the process that it reached. */
  readonly at: Date;
}

/** The charge that is given back from. */
export interface RefundedCharge {
  readonly gatewayTxnId: string;
  /** Of the charge; the session's key where the charge was accepted without one. */
  readonly validationId: string;
}

export interface RefundRequest extends RefundedCharge {
  /** The attempt that was charged, for gateways whose notices of a refund bear what it was labelled with. */
  readonly attemptReference?: string;
  /** Our reference of the refund, at most 30 characters, the same over every retry. */
  readonly refundReference: string;
  readonly amount: Money;
  readonly remarks: string;
  /** This very refund was asked for before, and no answer is known. */
  readonly queriedBefore: boolean;
  /**
   * How long ago it was last sent, before this time, in milliseconds of the database's clock; null where it was not. A gateway that takes no key may still be
   * at work on it.
   */
  readonly queriedAgoMs: number | null;
  /** How many other refunds of the charge were asked for and did not fail: where a gateway takes no key, its refund may be one of those. */
  readonly otherRefunds: number;
}

export type RefundAnswer =
  | { readonly kind: 'accepted'; readonly gatewayRefundId: string; readonly evidence: string }
  /** Accepted before, and not finished. The id is null where the gateway's answer holds none. */
  | { readonly kind: 'processing'; readonly gatewayRefundId: string | null; readonly evidence: string }
  | { readonly kind: 'refunded'; readonly evidence: string }
  /** SSLCOMMERZ documents it in two ways that contradict each other: the end, but not which one. */
  | { readonly kind: 'cancelled'; readonly evidence: string }
  | { readonly kind: 'refused'; readonly gatewayText: string; readonly evidence: string }
  /** Only a person can give it back, and say that it is done. */
  | { readonly kind: 'by-hand'; readonly evidence: string }
  | { readonly kind: 'unknown'; readonly note: string };

/** Why a call to a gateway gave no answer. `ambiguous`: it may have been carried out, so ask before doing anything else. */
export type GatewayFailureKind = 'invalid' | 'rate-limited' | 'unavailable' | 'ambiguous' | 'unauthorized';

export class GatewayFailure extends Error {
  readonly kind: GatewayFailureKind;

  constructor(kind: GatewayFailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GatewayFailure';
    this.kind = kind;
  }
}

/** What a gateway can do, as data. */
export interface GatewayCapabilities extends RefundBounds {
  readonly name: string;
  readonly displayName: string;
  /** Currency → least and greatest amount of one payment in minor units. A currency that is not listed is not enabled. */
  readonly limits: ReadonlyMap<string, { readonly minMinor: bigint; readonly maxMinor: bigint }>;
  readonly refunds: boolean;
  /** `at-settlement`: no answer about a charge holds its fee, so it is booked as 0 until the gateway's settlement tells it. */
  readonly feeKnown: 'with-the-charge' | 'at-settlement';
  /** Whether a question carries the credentials of its store, so that any answer shows that they are right. */
  readonly questionsProveStore: boolean;
  /** Whether it tells our server of every charge without being asked, and repeats it while we are away. */
  readonly notifies: boolean;
  /** How long after its opening a session can be paid; null where nobody says. */
  readonly sessionLifeMinutes: number | null;
  /** Whether anybody calls back over HTTP: the gateway's server, or browsers that it sends. */
  readonly takesCallbacks: boolean;
}

/** What payers read on our page where a gateway has none, in each of our languages. Plain text. */
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
   * Ends an attempt at the gateway, so that no money can come by it any more; there only where a gateway can. An attempt that was paid, or
   * whose money may still be on its way, is never `closed`. Asked again, it says the same.
   * @throws GatewayFailure
   */
  closeSession?(attempt: AttemptHandle): Promise<'closed' | 'charged' | 'unknown'>;
  /**
   * Reads a callback and checks its signature; never throws, whatever it holds. Of a POST it is the body; of a GET to `callbacks.back` the
   * segment behind that address, `?` and the query. Where a gateway signs in a header, the signature holds only with its arrival, soon after
   * it was made; what was kept is read again without that, for its words.
   */
  parseCallback(rawBody: string, arrival?: CallbackArrival): ParsedCallback;
  /** @throws GatewayFailure */
  refund(request: RefundRequest): Promise<RefundAnswer>;
  /** @throws GatewayFailure */
  queryRefund(gatewayRefundId: string, charge: RefundedCharge): Promise<RefundAnswer>;
}

/** An account at a gateway. */
export interface Store {
  readonly storeId: string;
  /** Its credentials as they are kept, sealed, behind the key of their row; null where they are the environment's. */
  readonly sealedSecret: string | null;
}

/** Every gateway that is known, opened by the credentials of the store that a payment was begun at. */
export interface GatewayRegistry {
  readonly names: readonly string[];
  capabilities(name: string): GatewayCapabilities | undefined;
  /**
   * Undefined where no credentials of that store are at hand.
   * @throws GatewayFailure `unauthorized` when they are, but sealed by a key that is not, or no credentials of this gateway
   */
  open(name: string, mode: Mode, store: Store): Gateway | undefined;
  /** The store of the environment, for applications that no operator has given one. */
  defaultStoreId(name: string, mode: Mode): string | undefined;
  /** Origin of the hosted page: where a checkout form may lead. */
  pageOrigin(name: string, mode: Mode): string | undefined;
  /** Which attempt a callback speaks of, by its own words; never throws, whatever the body holds. */
  attemptNamedIn(name: string, rawBody: string): string | null;
}
