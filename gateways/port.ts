import type { Mode } from '../domain/mode.ts';
import type { Money } from '../domain/money.ts';

/** What a gateway needs to open its hosted page for one attempt. */
export interface SessionOrder {
  /** Our reference of the attempt, constant over retries: the key that makes opening and asking idempotent. */
  readonly attemptReference: string;
  readonly amount: Money;
  readonly productName: string;
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
  };
}

export type SessionOutcome =
  | { readonly kind: 'opened'; readonly sessionKey: string; readonly gatewayUrl: string }
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
  /** gross − net, net rounded down to the minor unit. */
  readonly feeMinor: bigint;
  /** Net amount as the gateway wrote it. */
  readonly netText: string;
  readonly riskFlagged: boolean;
  /** The gateway's own answer, kept word for word. */
  readonly evidence: string;
}

/** What the gateway says of an attempt. Anything it did not say plainly is `unknown`, never success or failure. */
export type AttemptAnswer =
  | { readonly kind: 'charged'; readonly charge: Charge }
  /** The payer has not tried anything yet. */
  | { readonly kind: 'untouched' }
  /** The payer is in the middle of paying. */
  | { readonly kind: 'in-progress' }
  | { readonly kind: 'failed' | 'cancelled' | 'expired' }
  | { readonly kind: 'unknown'; readonly note: string };

/** A callback as its signature and its words stand; nothing in it is believed. */
export interface ParsedCallback {
  readonly attemptReference: string | null;
  readonly signatureValid: boolean;
  readonly claims: 'paid' | 'failed' | 'cancelled' | 'expired' | 'unknown';
  readonly claimedValidationId: string | null;
  readonly note: string | null;
}

export interface RefundRequest {
  readonly gatewayTxnId: string;
  /** Our reference of the refund, at most 30 characters, the same over every retry. */
  readonly refundReference: string;
  readonly amount: Money;
  readonly remarks: string;
}

export type RefundAnswer =
  | { readonly kind: 'accepted'; readonly gatewayRefundId: string; readonly evidence: string }
  /** Accepted before, and not finished. The id is null where the gateway's answer holds none. */
  | { readonly kind: 'processing'; readonly gatewayRefundId: string | null; readonly evidence: string }
  | { readonly kind: 'refunded'; readonly evidence: string }
  /** SSLCOMMERZ documents it in two ways that contradict each other: the end, but not which one. */
  | { readonly kind: 'cancelled'; readonly evidence: string }
  | { readonly kind: 'refused'; readonly gatewayText: string; readonly evidence: string }
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
export interface GatewayCapabilities {
  readonly name: string;
  readonly displayName: string;
  /** Currency → least and greatest amount of one payment in minor units. A currency that is not listed is not enabled. */
  readonly limits: ReadonlyMap<string, { readonly minMinor: bigint; readonly maxMinor: bigint }>;
  readonly refunds: boolean;
}

/** One gateway in one mode, with the credentials of one store. */
export interface Gateway {
  readonly capabilities: GatewayCapabilities;
  readonly storeId: string;
  /** @throws GatewayFailure */
  openSession(order: SessionOrder): Promise<SessionOutcome>;
  /** @throws GatewayFailure */
  askAttempt(attempt: AttemptHandle): Promise<AttemptAnswer>;
  /** Reads a callback body and checks its signature; never throws, whatever the body holds. */
  parseCallback(rawBody: string): ParsedCallback;
  /** @throws GatewayFailure */
  refund(request: RefundRequest): Promise<RefundAnswer>;
  /** @throws GatewayFailure */
  askRefund(gatewayRefundId: string): Promise<RefundAnswer>;
}

/** An account at a gateway. */
export interface Store {
  readonly storeId: string;
  /** Its credentials as they are kept, sealed; null where they are the environment's. */
  readonly sealedSecret: string | null;
}

/** Every gateway that is known, opened by the credentials of the store that a payment was begun at. */
export interface GatewayRegistry {
  readonly names: readonly string[];
  capabilities(name: string): GatewayCapabilities | undefined;
  /**
   * Undefined where no credentials of that store are at hand.
   * @throws GatewayFailure `unauthorized` when they are, but sealed by a key that is not
   */
  open(name: string, mode: Mode, store: Store): Gateway | undefined;
  /** The store of the environment, for applications that no operator has given one. */
  defaultStoreId(name: string, mode: Mode): string | undefined;
  /** Origin of the hosted page: where a checkout form may lead. */
  pageOrigin(name: string, mode: Mode): string | undefined;
  /** Which attempt a callback speaks of, by its own words; never throws, whatever the body holds. */
  attemptNamedIn(name: string, rawBody: string): string | null;
}
