import type { Trouble } from './delivery-watch.ts';
import type { Evidence } from './evidence.ts';
import { CIRCUIT_FAILURES } from '../../domain/webhook.ts';
import { isOpen } from '../../domain/payment.ts';
import { paymentWith, statusOf, table, text } from './evidence-rows.ts';
import type { Received } from './receivers.ts';

/** Events and their first attempts. */
export const DELIVERY_JUDGES = {
  'events-end': eventsEnd,
  'event-arrives-once': arrivesOnce,
  'first-attempt-alone': ({ deliveries }: Evidence) => [...deliveries.needless],
  'first-attempt-in-time': firstAttemptInTime,
  'second-attempt-in-time': secondAttemptInTime,
} as const;

/** Each event of an ended payment is delivered or parked in the end. */
function eventsEnd(evidence: Evidence): string[] {
  return table(evidence, 'webhook_events')
    .filter(({ payment_id: id = null }) => {
      const payment = id === null ? undefined : paymentWith(evidence, id);
      return payment !== undefined && !isOpen(statusOf(payment));
    })
    .filter(({ delivery_status: status }) => status !== 'DELIVERED' && status !== 'PARKED')
    .map(({ event_id: id, delivery_status: status }) => `${text(id)} is ${text(status)} in the end`);
}

/** A trouble before the first arrival can still explain the second: a process that stood still sends late. */
const BEFORE_ARRIVAL_MS = 60_000;

/** An event that was accepted and answered comes again only if a process died or stood still, or if a statement or its answer was lost or late. */
function arrivesOnce({ received, deliveries: { troubles } }: Evidence): string[] {
  const accepted = received.filter(({ status }) => status !== null && status >= 200 && status < 300);
  return [...Map.groupBy(accepted, ({ eventId }) => eventId)].flatMap(([eventId, all]) =>
    all.slice(1).flatMap((again, index) => {
      const before = all[index] ?? again;
      return explained(troubles, before, again)
        ? []
        : [
            `${eventId} arrived again from ${again.process}, ${again.atMs - before.atMs} ms after ${before.process} had delivered it`,
          ];
    }),
  );
}

function explained(troubles: readonly Trouble[], before: Received, again: Received): boolean {
  const processes: readonly (string | null)[] = [null, before.process, again.process];
  return troubles.some(
    ({ process, fromMs, toMs }) =>
      processes.includes(process) && fromMs <= again.atMs && toMs >= before.atMs - BEFORE_ARRIVAL_MS,
  );
}

/** Several times what a crowd of events needs at a receiver that answers. */
const IN_TIME_MS = 5_000;
/** A transaction and the queries before it may have been slow. */
const BEFORE_COMMIT_MS = 30_000;

/** Nothing delays the first attempt at a receiver that answers: no other receiver, no schedule, no sweeper. */
function firstAttemptInTime({ received, deliveries: { recorded, troubles } }: Evidence): string[] {
  return recorded
    .filter(({ wellReceived }) => wellReceived)
    .flatMap(({ eventId, process, atMs }) => {
      const first = received.find((request) => request.eventId === eventId);
      const lateMs = (first?.atMs ?? Infinity) - atMs;
      const excused = troubles.some(
        (trouble) =>
          (trouble.process === null || trouble.process === process) &&
          trouble.fromMs <= atMs + IN_TIME_MS &&
          trouble.toMs >= atMs - BEFORE_COMMIT_MS,
      );
      return lateMs > IN_TIME_MS && !excused
        ? [`${eventId} was first sent ${lateMs} ms after ${process} had recorded it`]
        : [];
    });
}

/** The schedule's five seconds with jitter, several times. The sweeper comes later. */
const SECOND_WITHIN_MS = 30_000;

/** After a first attempt that was refused, the second follows by the schedule, unless the receiver asks for time or its circuit may be open. */
function secondAttemptInTime(evidence: Evidence): string[] {
  const { received, deliveries } = evidence;
  const { recorded, troubles } = deliveries;
  const parked = new Set(
    table(evidence, 'webhook_events')
      .filter(({ delivery_status: status }) => status === 'PARKED')
      .map(({ event_id: id }) => text(id)),
  );
  return recorded.flatMap(({ eventId }) => {
    const [first, second] = received.filter((request) => request.eventId === eventId);
    if (first === undefined || !isPlainRefusal(first) || (second === undefined && parked.has(eventId))) {
      return [];
    }
    const untilMs = first.atMs + SECOND_WITHIN_MS;
    const failures = received.filter(
      ({ host, status, atMs }) => host === first.host && atMs <= untilMs && (status === null || status >= 300),
    );
    const excused =
      failures.length >= CIRCUIT_FAILURES ||
      troubles.some(({ fromMs, toMs }) => fromMs <= untilMs && toMs >= first.atMs - BEFORE_COMMIT_MS);
    return excused || (second?.atMs ?? Infinity) <= untilMs
      ? []
      : [`${eventId} was refused, and its second attempt did not follow within ${SECOND_WITHIN_MS} ms`];
  });
}

function isPlainRefusal({ status }: Received): boolean {
  return status !== null && status >= 500;
}
