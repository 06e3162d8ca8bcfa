import { createHmac } from 'node:crypto';
import type { Account } from './accounts.ts';
import type { Gateway } from './gateway.ts';
import { newEventId } from './identifiers.ts';
import { chargeFields, eventFields, intentFields, refundFields, sessionFields } from './records.ts';
import type { Fields } from './records.ts';
import type { EventScript } from './scripts.ts';
import type { Delivery, Event, Refund, Session } from './state.ts';

/** Delivers events to the merchant, at least once each, in no particular order, with a limited number of retries that survive a restart. */
export type Courier = {
  /** Looks for deliveries that are due. */
  wake(): void;
  /** Sends the session's pending deliveries now. If none is pending, it makes the last event of each type due again. Returns how many. */
  deliverNow(session: Session): number;
  /** Resolves when no attempt is under way. */
  idle(): Promise<void>;
};

const inFlightMax = 16;
const copiesMax = 10;
const oldSignatureSeconds = 600;

/** Creates the event of something that has just happened, with the deliveries that the session's script asks for. */
export function makeEvent(
  gateway: Gateway,
  { type, session, refund }: { type: string; session: Session; refund: Refund | undefined },
): Event {
  const account = gateway.accounts.find(({ id }) => id === session.account);
  const deliveries = account === undefined || account.webhookUrl === '' ? [] : deliveriesFor(gateway, type, session);
  const object = objectOf(gateway, { type, session, refund });
  const previous = tellsWhatChanged(type) ? changedSince(lastTold(gateway, session, object), object) : undefined;
  return {
    id: newEventId(),
    account: session.account,
    sessionId: session.id,
    type,
    at: Date.now(),
    object,
    ...(previous === undefined ? {} : { previous }),
    deliveries,
  };
}

/** Creates the event of something that belongs to an account and to no session. It is posted at once. */
export function makeAccountEvent(
  gateway: Gateway,
  { account, type, object }: { account: string; type: string; object: Fields },
): Event {
  const posted = gateway.accounts.some(({ id, webhookUrl }) => id === account && webhookUrl !== '');
  const deliveries = posted ? [{ attempts: [], over: false, dueAt: Date.now() }] : [];
  return { id: newEventId(), account, sessionId: '', type, at: Date.now(), object, deliveries };
}

/** Returns whether events of this type describe a change of an existing object. */
function tellsWhatChanged(type: string): boolean {
  return type.endsWith('.updated') || type === 'charge.refunded';
}

/** Returns the object as the session's latest earlier event contained it. */
function lastTold({ state }: Gateway, session: Session, { id }: Fields): Fields | undefined {
  const events = (state.eventsOf.get(session.id) ?? []).flatMap((eventId) => state.events.get(eventId) ?? []);
  return events.findLast(({ object }) => object['id'] === id)?.object;
}

/** Returns the previous values of the members that have changed. */
function changedSince(earlier: Fields | undefined, now: Fields): Fields {
  const changed = Object.keys(now).filter((name) => JSON.stringify(earlier?.[name]) !== JSON.stringify(now[name]));
  return Object.fromEntries(changed.map((name) => [name, earlier?.[name] ?? null]));
}

function objectOf(
  gateway: Gateway,
  { type, session, refund }: { type: string; session: Session; refund: Refund | undefined },
): Fields {
  if (refund) {
    return refundFields(gateway, refund);
  }
  if (type.startsWith('charge.')) {
    return chargeFields(gateway, session);
  }
  return type.startsWith('payment_intent.') ? intentFields(gateway, session) : sessionFields(gateway, session);
}

function deliveriesFor({ state }: Gateway, type: string, { script }: Session): Delivery[] {
  const events: EventScript = script.events ?? {};
  const timing = events.lateTypes?.includes(type) ? 'late' : (events.timing ?? 'now');
  if (timing === 'never') {
    return [];
  }
  const dueAt = Date.now() + (timing === 'late' ? state.settings.lateEventMs : 0);
  const one: Delivery = { attempts: [], over: false, ...(timing === 'held' ? {} : { dueAt }) };
  return Array.from({ length: Math.min(events.copies ?? 1, copiesMax) }, () => ({ ...one }));
}

/** Returns the bytes to post, with the header that signs them. */
export function signedEvent(
  gateway: Gateway,
  event: Event,
  nowMs: number,
): { body: string; headers: Record<string, string> } | undefined {
  const account = gateway.accounts.find(({ id }) => id === event.account);
  if (!account) {
    return undefined;
  }
  const pending = event.deliveries.filter(({ over }) => !over).length;
  const body = JSON.stringify(eventFields(account, event, pending), null, 2);
  const signature = gateway.state.sessions.get(event.sessionId)?.script.events?.signature ?? 'good';
  if (signature === 'absent') {
    return { body, headers: {} };
  }
  const timestamp = Math.floor(nowMs / 1_000) - (signature === 'old' ? oldSignatureSeconds : 0);
  const secret = signature === 'bad' ? 'whsec_of_somebody_else' : account.webhookSecret;
  return { body, headers: { 'stripe-signature': signatureOf({ body, timestamp, secret }) } };
}

function signatureOf(given: { body: string; timestamp: number; secret: Account['webhookSecret'] }): string {
  const digest = createHmac('sha256', given.secret).update(`${given.timestamp}.${given.body}`).digest('hex');
  return `t=${given.timestamp},v1=${digest}`;
}

export function createCourier(gateway: Gateway): Courier {
  const { state } = gateway;
  const inFlight = new Map<string, Promise<void>>();

  function wake(): void {
    const now = Date.now();
    for (const id of gateway.closing.aborted ? [] : state.undelivered) {
      const event = state.events.get(id);
      for (const [index, delivery] of (event?.deliveries ?? []).entries()) {
        const key = `${id} ${index}`;
        const due = !delivery.over && delivery.dueAt !== undefined && delivery.dueAt <= now;
        if (event && due && !inFlight.has(key) && inFlight.size < inFlightMax) {
          inFlight.set(key, attempt(event, index));
        }
      }
    }
  }

  async function attempt(event: Event, index: number): Promise<void> {
    try {
      await gateway.settled();
      const answer = await post(gateway, event);
      if (!gateway.closing.aborted && state.events.has(event.id)) {
        recordAttempt(gateway, { event, index, answer });
        // Flushes the journal, so that its readers see at once that the delivery is over. Otherwise it could be long until the next write.
        await gateway.settled();
      }
    } finally {
      inFlight.delete(`${event.id} ${index}`);
    }
    wake();
  }

  return {
    wake,
    deliverNow(session) {
      const events = (state.eventsOf.get(session.id) ?? []).flatMap((id) => state.events.get(id) ?? []);
      const waiting = events.flatMap((event) =>
        event.deliveries.flatMap(({ over }, index) => (over ? [] : [{ event, index }])),
      );
      const chosen = waiting.length > 0 ? waiting : events.map((event) => ({ event, index: event.deliveries.length }));
      for (const { event, index } of chosen) {
        gateway.record({ type: 'delivery_due', id: event.id, index, dueAt: Date.now() });
      }
      wake();
      return chosen.length;
    },
    async idle() {
      await Promise.allSettled(inFlight.values());
    },
  };
}

async function post(gateway: Gateway, event: Event): Promise<string> {
  const url = gateway.accounts.find(({ id }) => id === event.account)?.webhookUrl ?? '';
  const signed = signedEvent(gateway, event, Date.now());
  if (url === '' || !signed) {
    return 'nowhere';
  }
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Stripe/1.0 simulator',
        ...signed.headers,
      },
      body: signed.body,
      redirect: 'manual',
      signal: AbortSignal.any([gateway.closing, AbortSignal.timeout(gateway.state.settings.eventTimeoutMs)]),
    });
    await response.body?.cancel();
    return String(response.status);
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown failure';
  }
}

function recordAttempt(gateway: Gateway, given: { event: Event; index: number; answer: string }): void {
  const { event, index, answer } = given;
  const now = Date.now();
  const tried = event.deliveries[index]?.attempts.length ?? 0;
  const waitMs =
    /^2\d\d$/.test(answer) || answer === 'nowhere' ? undefined : gateway.state.settings.eventRetryMs[tried];
  gateway.record({
    type: 'delivery_attempt',
    id: event.id,
    index,
    at: now,
    answer,
    over: waitMs === undefined,
    ...(waitMs === undefined ? {} : { dueAt: now + waitMs }),
  });
}
