import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RecordedSession, SessionReader } from '../booked.ts';
import { followEntries } from './entries.ts';

const Intent = z.object({ status: z.string() });
const Session = z.object({
  id: z.string(),
  account: z.string(),
  reference: z.string().nullable(),
  productName: z.string(),
  status: z.string(),
  paid: z.boolean(),
  intent: Intent.optional(),
  script: z.object({ events: z.object({ signature: z.string().optional() }).optional() }),
});
type Session = z.infer<typeof Session>;
const Change = z.object({
  status: z.string().optional(),
  paid: z.boolean().optional(),
  intent: Intent.optional(),
});
const Entry = z.discriminatedUnion('type', [
  z.object({ type: z.literal('session'), session: Session }),
  z.object({ type: z.literal('session_changed'), id: z.string(), change: Change }),
  z.object({
    type: z.literal('event'),
    event: z.object({ id: z.string(), sessionId: z.string(), deliveries: z.array(z.unknown()) }),
  }),
  z.object({ type: z.literal('delivery_due'), id: z.string(), index: z.int() }),
  z.object({
    type: z.literal('delivery_attempt'),
    id: z.string(),
    index: z.int(),
    answer: z.string(),
    over: z.boolean(),
  }),
]);

interface EventState {
  /** The key under which the event is stored. */
  readonly digest: string;
  /** Indexes of the deliveries that are not over. */
  readonly open: Set<number>;
  taken: boolean;
}

/** Reads sessions with the events that were posted about them. */
export function readStripeSessions(file: string): SessionReader {
  const added = followEntries(file, Entry);
  const sessions = new Map<string, Session>();
  const events = new Map<string, EventState>();
  const eventsOf = new Map<string, EventState[]>();
  const take = (entry: z.infer<typeof Entry>): void => {
    switch (entry.type) {
      case 'session':
        sessions.set(entry.session.id, entry.session);
        return;
      case 'session_changed': {
        const known = sessions.get(entry.id);
        if (known !== undefined) {
          const { status = known.status, paid = known.paid, intent = known.intent } = entry.change;
          sessions.set(entry.id, { ...known, status, paid, ...(intent === undefined ? {} : { intent }) });
        }
        return;
      }
      case 'event': {
        const { id, sessionId, deliveries } = entry.event;
        const digest = createHash('sha256').update(`event ${id}`).digest('hex');
        const event = { digest, open: new Set(deliveries.keys()), taken: false };
        events.set(id, event);
        eventsOf.set(sessionId, [...(eventsOf.get(sessionId) ?? []), event]);
        return;
      }
      case 'delivery_due':
        events.get(entry.id)?.open.add(entry.index);
        return;
      case 'delivery_attempt': {
        const event = events.get(entry.id);
        if (event !== undefined && entry.over) {
          event.open.delete(entry.index);
          event.taken ||= entry.answer === '200';
        }
      }
    }
  };
  return async () => {
    (await added()).forEach(take);
    return [...sessions.values()].map((session) => bookedOf(session, eventsOf.get(session.id) ?? []));
  };
}

function bookedOf(session: Session, own: readonly EventState[]): RecordedSession {
  const { id, account, reference, productName, script } = session;
  const signed = (script.events?.signature ?? 'good') === 'good';
  return {
    gateway: 'stripe',
    key: id,
    tranId: reference ?? '',
    mark: productName,
    storeId: account,
    outcome: outcomeOf(session),
    outcomeIsSaid: true,
    // An unsigned notice is stored under its bytes, which are not in the journal.
    notified: own.flatMap(({ taken, digest }) => (taken && signed ? [{ signed, digest }] : [])),
    unsent: own.reduce((sum, { open }) => sum + open.size, 0),
  };
}

/** Returns null while the session is open and while a delayed payment may still arrive. */
function outcomeOf({ status, paid, intent }: Session): string | null {
  switch (status) {
    case 'complete':
      return paid ? 'VALID' : intent?.status === 'requires_payment_method' ? 'FAILED' : null;
    case 'expired':
      return 'EXPIRED';
    default:
      return null;
  }
}
