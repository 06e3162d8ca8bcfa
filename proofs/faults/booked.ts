/** Gateways that a simulator stands for, which writes the books. */
export const SIMULATED_NAMES = ['sslcommerz', 'bkash', 'nagad', 'stripe'] as const;
export type SimulatedName = (typeof SIMULATED_NAMES)[number];

/** A gateway as the payments' rows name it. Of what is paid by hand the operators' own journal is the book. */
export const GATEWAY_NAMES = [...SIMULATED_NAMES, 'manual'] as const;
export type GatewayName = (typeof GATEWAY_NAMES)[number];

export interface TakenNotice {
  readonly signed: boolean;
  /** What it is stored under, as hexadecimal digits: SHA-256 of what was sent, or of the event's name. */
  readonly digest: string;
}

/** A session as the gateway has it in its own books. */
export interface RecordedSession {
  readonly gateway: GatewayName;
  readonly key: string;
  /** The attempt's reference: what we call the order there. */
  readonly tranId: string;
  /** The errand that it was made for: the product's name went to the gateway, or its rows know the order. Empty: they do not. */
  readonly mark: string;
  readonly storeId: string;
  readonly outcome: string | null;
  /** False: of such an end the gateway says nothing when it is asked. */
  readonly outcomeIsSaid: boolean;
  /** Notices that were answered with 200: from then on the gateway relies on us. */
  readonly notified: readonly TakenNotice[];
  /** Notices that the gateway still means to send. */
  readonly unsent: number;
}

export interface RecordedCharge {
  readonly gateway: GatewayName;
  readonly tranId: string;
  readonly valId: string;
  readonly atMs: number;
  readonly amountMinor: string;
}

/** A refund that the gateway has accepted. */
export interface RecordedRefund {
  readonly tranId: string;
  /** The gateway's own name for it. */
  readonly refId: string;
  /** What the merchant calls it. */
  readonly reference: string;
  readonly atMs: number;
  readonly amountMinor: string;
  /** How it ended at the gateway; null while it is processed. */
  readonly outcome: string | null;
}

/** One gateway's journal, read on from where it was read last. */
export type SessionReader = () => Promise<readonly RecordedSession[]>;
