import type { Contract } from './contract.ts';

/** Events an application can receive. Their names are published contract. */
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
  'invoice.issued',
  'invoice.paid',
  'invoice.reminder',
  'invoice.overdue',
  'invoice.voided',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/**
 * What an event is about: `payment:165`, `refund:10`, `unapplied_payment:3`, `invoice:7`. It is the object that the event shows, so of two events
 * about one object the one with the higher sequence is the newer, and one about another object is never stale for it.
 */
export function subjectOf(type: EventType, data: EventData): string {
  return `${type.slice(0, type.indexOf('.'))}:${data.id}`;
}

/** What an event shows of its object, whose id it names first of all; money as JSON integers. */
export interface EventData {
  readonly id: number;
  readonly [member: string]: unknown;
}

export const EVENT_SCHEMA_VERSION = 1;

export const DELIVERY_STATUSES = ['PENDING', 'RETRYING', 'DELIVERED', 'PARKED'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/**
 * Delay before each attempt in seconds: ten attempts over 75.6 hours, the example schedule of the Standard Webhooks
 * specification. The published table; jitter is added on top.
 */
export const ATTEMPT_DELAYS_SECONDS = [
  0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
] as const satisfies readonly number[];

/** ShadhinPay's documents number six attempts. */
const SHADHINPAY_DELAYS_SECONDS = [0, 60, 300, 900, 3_600, 21_600] as const;

/** Delay before each attempt in seconds, as the contract that the event is told in has it. */
export function attemptDelaysOf(contract: Contract): readonly number[] {
  return contract === 'shadhinpay' ? SHADHINPAY_DELAYS_SECONDS : ATTEMPT_DELAYS_SECONDS;
}

/** Jitter only lengthens a delay, by at most this share, so that the schedule never falls short of its span. */
export const JITTER_SHARE_MAX = 0.2;

/** A receiver may move the next attempt by `Retry-After`, up to this. */
export const RETRY_AFTER_SECONDS_MAX = 86_400;

/** One request of an attempt may take this long, from the first name look-up to the last byte that is read. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
export const CONNECT_TIMEOUT_MS = 5_000;
/** Of a reply, this much is read and this much is kept for the endpoint's owner. */
export const REPLY_BYTES_MAX = 65_536;
export const REPLY_EXCERPT_BYTES_MAX = 1_024;

/**
 * Former signing secrets that may overlap with the current one. Where a contract has room for one signature, each is a request more in an attempt
 * that the receiver refuses.
 */
export const FORMER_SECRETS_MAX = 2;

/** Requests to one endpoint at a time, in one process. */
export const IN_FLIGHT_PER_ENDPOINT_MAX = 5;

/** Milliseconds to wait before the attempt with this zero-based index, or null when the schedule is exhausted. `random` is in [0, 1). */
export function delayBeforeAttemptMs(
  attemptIndex: number,
  random: number,
  delaysSeconds: readonly number[] = ATTEMPT_DELAYS_SECONDS,
): number | null {
  const seconds = delaysSeconds[attemptIndex];
  return seconds === undefined ? null : Math.round(seconds * 1_000 * (1 + JITTER_SHARE_MAX * random));
}

/** Consecutive failures after which an endpoint's circuit opens: attempts are then put off without a connection. */
export const CIRCUIT_FAILURES = 5;
const CIRCUIT_OPEN_MS = 30_000;
export const CIRCUIT_OPEN_MS_MAX = 900_000;
/** How long the one attempt that an expired circuit lets through keeps the others waiting; longer than all its requests can take. */
export const PROBE_LEASE_MS = ATTEMPT_TIMEOUT_MS * (FORMER_SECRETS_MAX + 2);

/** An endpoint that has failed for this long without one success is disabled. */
export const DISABLED_AFTER_FAILING_MS = 5 * 86_400_000;

export const DISABLED_REASONS = ['GONE', 'FAILING_FOR_5_DAYS'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** What an endpoint's row remembers of its failures. A null `circuitOpenUntil` is a closed circuit. */
export interface EndpointHealth {
  readonly consecutiveFailures: number;
  readonly failingSince: Date | null;
  readonly circuitOpenUntil: Date | null;
}

export type CircuitState = 'closed' | 'open' | 'half-open';

export function circuitState({ circuitOpenUntil }: Pick<EndpointHealth, 'circuitOpenUntil'>, now: Date): CircuitState {
  if (circuitOpenUntil === null) {
    return 'closed';
  }
  return circuitOpenUntil > now ? 'open' : 'half-open';
}

export interface EndpointFailure {
  readonly now: Date;
  /** The attempt that an expired circuit let through. */
  readonly probe: boolean;
  /** The receiver answered 410. */
  readonly gone: boolean;
}

/**
 * The health of an endpoint after a failed attempt. Attempts that were already under way when the circuit opened do not lengthen it:
 * only a probe says something new.
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
