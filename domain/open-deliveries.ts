import { utcText } from './utc-text.ts';
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
export function openDeliveries(deliveries: readonly DeliverySituation[]): string[] {
  const open = deliveries.filter(({ status }) => status !== 'DELIVERED');
  const others = open.length - TOLD_MAX;
  return [
    ...open.slice(0, TOLD_MAX).map(openDelivery),
    ...(others > 0 ? [`${others} more ${others === 1 ? 'event is' : 'events are'} not delivered.`] : []),
  ];
}

function openDelivery(delivery: DeliverySituation): string {
  const { type, attempts, lastError } = delivery;
  if (delivery.status === 'PARKED') {
    return delivery.recovering
      ? `The event ${type} was parked and is about to be sent again.`
      : `The event ${type} is parked: ${whyParked(delivery)}. ${recoveryOf(delivery)}`;
  }
  const missing = missingEndpoint(delivery);
  if (missing !== null) {
    return `The event ${type} is not delivered: ${missing}. It is parked when its next attempt is due.`;
  }
  return attempts === 0
    ? `The event ${type} is not delivered yet. ${nextAttempt(delivery)}`
    : `The event ${type} is not delivered: attempt ${attempts} failed (${lastError ?? 'no response'}). ${nextAttempt(delivery)}`;
}

function missingEndpoint({ hasUrl, disabled }: DeliverySituation): string | null {
  if (!hasUrl) {
    return 'the application has no webhook URL';
  }
  return disabled ? 'its endpoint is disabled' : null;
}

function whyParked({ attempts, lastError }: DeliverySituation): string {
  switch (lastError) {
    case 'NO_ENDPOINT':
      return 'the application had no endpoint for it';
    case 'ENDPOINT_DISABLED':
      return 'its endpoint was disabled';
    default:
      return `attempt ${attempts} failed (${lastError ?? 'no response'}), and no other follows`;
  }
}

function recoveryOf({ hasUrl, disabled }: DeliverySituation): string {
  if (!hasUrl) {
    return 'An operator can resend it once the application has a webhook URL.';
  }
  return disabled ? 'An operator can resend it once its endpoint is enabled.' : 'An operator can resend it.';
}

function nextAttempt({ attempts, nextAttemptAt, circuitOpenUntil, now }: DeliverySituation): string {
  const number = attempts + 1;
  const dueAt = nextAttemptAt ?? now;
  if (circuitOpenUntil !== null && circuitState({ circuitOpenUntil }, now) === 'open' && circuitOpenUntil > dueAt) {
    return `The circuit of its endpoint is open until ${utcText(circuitOpenUntil)}; attempt ${number} follows.`;
  }
  return `Attempt ${number} is due ${dueAt > now ? `at ${utcText(dueAt)}` : 'now'}.`;
}
