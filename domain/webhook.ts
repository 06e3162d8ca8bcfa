/** Events that an application can receive. The names are published. */
export const EVENT_TYPES = [
  'payment.succeeded',
  'payment.failed',
  'payment.expired',
  'payment.cancelled',
  'payment.refunded',
  'refund.succeeded',
  'refund.failed',
  'refund.rejected',
  'unapplied_payment.received',
  'unapplied_payment.refunded',
  'unapplied_payment.kept',
  'dispute.opened',
  'dispute.closed',
  'invoice.issued',
  'invoice.paid',
  'invoice.reminder',
  'invoice.overdue',
  'invoice.voided',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/**
 * Returns the object of an event: `payment:165`, `refund:10`, `unapplied_payment:3`, `invoice:7`. Of two events about the same object, the one with
 * the higher sequence is newer. Events about different objects must not be compared.
 */
export function subjectOf(type: EventType, data: EventData): string {
  return `${type.slice(0, type.indexOf('.'))}:${data.id}`;
}

/** The object of an event with its id; money as JSON integers. */
export interface EventData {
  readonly id: number;
  readonly [member: string]: unknown;
}

export const EVENT_SCHEMA_VERSION = 1;

export const DELIVERY_STATUSES = ['PENDING', 'RETRYING', 'DELIVERED', 'PARKED'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/**
 * Delay before each attempt in seconds: ten attempts over 75.6 hours, the example schedule of the Standard Webhooks specification. This table is
 * published; jitter is added to it.
 */
export const ATTEMPT_DELAYS_SECONDS = [
  0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
] as const satisfies readonly number[];

/** Jitter only lengthens a delay, by at most this share, so the schedule is never shorter than published. */
export const JITTER_SHARE_MAX = 0.2;

/** The most by which a receiver can delay the next attempt with `Retry-After`. */
export const RETRY_AFTER_SECONDS_MAX = 86_400;

/** Limit for one request of an attempt, from the DNS lookup to the last byte read. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
export const CONNECT_TIMEOUT_MS = 5_000;
/** How much of a response is read, and how much of it is stored for the endpoint's owner. */
export const REPLY_BYTES_MAX = 65_536;
export const REPLY_EXCERPT_BYTES_MAX = 1_024;

/**
 * Former signing secrets that may overlap with the current one. In a contract with room for only one signature, each adds a request to an attempt
 * that the receiver rejects.
 */
export const FORMER_SECRETS_MAX = 2;

/** Concurrent requests to one endpoint, per process. */
export const IN_FLIGHT_PER_ENDPOINT_MAX = 5;

/** Returns the milliseconds to wait before the attempt with this zero-based index, or null if the schedule is exhausted. `random` is in [0, 1). */
export function delayBeforeAttemptMs(
  attemptIndex: number,
  random: number,
  delaysSeconds: readonly number[] = ATTEMPT_DELAYS_SECONDS,
): number | null {
  const seconds = delaysSeconds[attemptIndex];
  return seconds === undefined ? null : Math.round(seconds * 1_000 * (1 + JITTER_SHARE_MAX * random));
}

/**
 * How long a new event belongs to the process that recorded it, which makes the first attempt; longer than all requests of an attempt can take. Then the
 * sweeper starts the event's workflow.
 */
export const FIRST_ATTEMPT_LEASE_MS = 60_000;

/** Consecutive failures after which an endpoint's circuit opens. Attempts are then postponed without a connection. */
export const CIRCUIT_FAILURES = 5;
const CIRCUIT_OPEN_MS = 30_000;
export const CIRCUIT_OPEN_MS_MAX = 900_000;
/** How long a probe through an expired circuit blocks other attempts; longer than all its requests can take. */
export const PROBE_LEASE_MS = ATTEMPT_TIMEOUT_MS * (FORMER_SECRETS_MAX + 2);

/** An endpoint that has failed for this long without a success is disabled. */
export const DISABLED_AFTER_FAILING_MS = 5 * 86_400_000;

export const DISABLED_REASONS = ['GONE', 'FAILING_FOR_5_DAYS'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** The failures recorded for an endpoint. `circuitOpenUntil` is null if the circuit is closed. */
export interface EndpointHealth {
  readonly consecutiveFailures: number;
  readonly failingSince: Date | null;
  readonly circuitOpenUntil: Date | null;
}

export const CIRCUIT_STATES = ['closed', 'open', 'half-open'] as const;
export type CircuitState = (typeof CIRCUIT_STATES)[number];

export function circuitState({ circuitOpenUntil }: Pick<EndpointHealth, 'circuitOpenUntil'>, now: Date): CircuitState {
  if (circuitOpenUntil === null) {
    return 'closed';
  }
  return circuitOpenUntil > now ? 'open' : 'half-open';
}

export interface EndpointFailure {
  readonly now: Date;
  /** Whether this attempt was let through an expired circuit. */
  readonly probe: boolean;
  /** Whether the receiver answered 410. */
  readonly gone: boolean;
}

/**
 * Returns the health of an endpoint after a failed attempt. Attempts already in progress when the circuit opened do not extend it: only a probe gives
 * new information.
 */
export function endpointAfterFailure(
  health: EndpointHealth,
  { now, probe, gone }: EndpointFailure,
): EndpointHealth & { readonly disabledReason: DisabledReason | null } {
  const failingSince = health.failingSince ?? now;
  const counts = probe || health.circuitOpenUntil === null;
  const consecutiveFailures = health.consecutiveFailures + (counts ? 1 : 0);
  const opens = counts && consecutiveFailures >= CIRCUIT_FAILURES;
  const openForMs = Math.min(
    CIRCUIT_OPEN_MS_MAX,
    CIRCUIT_OPEN_MS * 2 ** Math.min(consecutiveFailures - CIRCUIT_FAILURES, 10),
  );
  const failingForDays = now.getTime() - failingSince.getTime() >= DISABLED_AFTER_FAILING_MS;
  return {
    consecutiveFailures,
    failingSince,
    circuitOpenUntil: opens ? new Date(now.getTime() + openForMs) : health.circuitOpenUntil,
    disabledReason: gone ? 'GONE' : failingForDays ? 'FAILING_FOR_5_DAYS' : null,
  };
}
