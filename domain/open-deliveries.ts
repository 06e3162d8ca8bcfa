import type { ExplanationWords } from './explanation-words.ts';
import { circuitState, type DeliveryStatus, type EventType } from './webhook.ts';

/** The delivery of an event, as far as its row and its endpoint's row tell. */
export interface DeliverySituation {
  readonly type: EventType;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly nextAttemptAt: Date | null;
  /** Whether the sweeper is about to resend the parked event. */
  readonly recovering: boolean;
  readonly hasUrl: boolean;
  readonly disabled: boolean;
  readonly circuitOpenUntil: Date | null;
  readonly now: Date;
}

const TOLD_MAX = 3;

/** Says of each event that is not delivered what happens next with it. Beyond three events it gives their number. */
export function openDeliveries(deliveries: readonly DeliverySituation[], words: ExplanationWords): string[] {
  const open = deliveries.filter(({ status }) => status !== 'DELIVERED');
  const others = open.length - TOLD_MAX;
  return [
    ...open.slice(0, TOLD_MAX).map((delivery) => openDelivery(delivery, words)),
    ...(others > 0 ? [words.moreEvents(others)] : []),
  ];
}

function openDelivery(delivery: DeliverySituation, words: ExplanationWords): string {
  const { type, attempts, lastError } = delivery;
  if (delivery.status === 'PARKED') {
    return delivery.recovering
      ? words.recovering(type)
      : `${words.parked(type, whyParked(delivery, words))} ${recoveryOf(delivery, words)}`;
  }
  const missing = missingEndpoint(delivery, words);
  if (missing !== null) {
    return words.undeliverable(type, missing);
  }
  const told = attempts === 0 ? words.undelivered(type) : words.attemptFailed(type, attempts, lastError);
  return `${told} ${nextAttempt(delivery, words)}`;
}

function missingEndpoint({ hasUrl, disabled }: DeliverySituation, words: ExplanationWords): string | null {
  if (!hasUrl) {
    return words.noUrl;
  }
  return disabled ? words.disabled : null;
}

function whyParked({ attempts, lastError }: DeliverySituation, words: ExplanationWords): string {
  switch (lastError) {
    case 'NO_ENDPOINT':
      return words.parkedWithoutEndpoint;
    case 'ENDPOINT_DISABLED':
      return words.parkedDisabled;
    default:
      return words.parkedFailed(attempts, lastError);
  }
}

function recoveryOf({ hasUrl, disabled }: DeliverySituation, words: ExplanationWords): string {
  if (!hasUrl) {
    return words.resendWithUrl;
  }
  return disabled ? words.resendEnabled : words.resend;
}

function nextAttempt(
  { attempts, nextAttemptAt, circuitOpenUntil, now }: DeliverySituation,
  words: ExplanationWords,
): string {
  const number = attempts + 1;
  const dueAt = nextAttemptAt ?? now;
  if (circuitOpenUntil !== null && circuitState({ circuitOpenUntil }, now) === 'open' && circuitOpenUntil > dueAt) {
    return words.circuitOpen(circuitOpenUntil, number);
  }
  return words.attemptDue(number, dueAt > now ? dueAt : null);
}
