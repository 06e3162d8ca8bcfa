/** Gateways with a simulator, which keeps its own records. */
export const SIMULATED_NAMES = ['sslcommerz', 'bkash', 'nagad', 'stripe'] as const;
export type SimulatedName = (typeof SIMULATED_NAMES)[number];

/** A gateway as named in the payments' rows. For manual payments, the operators' journal takes the place of the gateway's records. */
export const GATEWAY_NAMES = [...SIMULATED_NAMES, 'manual'] as const;
export type GatewayName = (typeof GATEWAY_NAMES)[number];

export interface TakenNotice {
  readonly signed: boolean;
  /** The key under which the notice is stored, in hexadecimal: SHA-256 of its bytes or of the event's name. */
  readonly digest: string;
}

/** A session in the gateway's own records. */
export interface RecordedSession {
  readonly gateway: GatewayName;
  readonly key: string;
  /** The attempt's reference, which is the order's name at the gateway. */
  readonly tranId: string;
  /** The errand for which the session was made. It comes from the product name sent to the gateway, or from the database rows. Empty if unknown. */
  readonly mark: string;
  readonly storeId: string;
  readonly outcome: string | null;
  /** False if the gateway does not tell this outcome when queried. */
  readonly outcomeIsSaid: boolean;
  /** Notices that were answered with 200. The gateway does not send those again. */
  readonly notified: readonly TakenNotice[];
  /** Number of notices that the gateway has yet to send. */
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
  /** The gateway's id of the refund. */
  readonly refId: string;
  /** The merchant's reference of the refund. */
  readonly reference: string;
  readonly atMs: number;
  readonly amountMinor: string;
  /** How it ended at the gateway; null while it is in progress. */
  readonly outcome: string | null;
}

/** Reads one gateway's journal, continuing after the last read. */
export type SessionReader = () => Promise<readonly RecordedSession[]>;
