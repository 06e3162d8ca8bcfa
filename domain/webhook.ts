/** Events an application can receive. Their names are published contract. */
export const EVENT_TYPES = ['payment.succeeded', 'payment.failed', 'payment.expired', 'payment.cancelled'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

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

/** Jitter only lengthens a delay, by at most this share, so that the schedule never falls short of its span. */
export const JITTER_SHARE_MAX = 0.2;

/** A receiver may move the next attempt by `Retry-After`, up to this. */
export const RETRY_AFTER_SECONDS_MAX = 86_400;

/** Milliseconds to wait before the attempt with this zero-based index, or null when the schedule is exhausted. `random` is in [0, 1). */
export function delayBeforeAttemptMs(attemptIndex: number, random: number): number | null {
  const seconds = ATTEMPT_DELAYS_SECONDS[attemptIndex];
  return seconds === undefined ? null : Math.round(seconds * 1_000 * (1 + JITTER_SHARE_MAX * random));
}
