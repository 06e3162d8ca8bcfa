import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RecordedSession, SessionReader, TakenNotice } from '../booked.ts';
import { followEntries } from './entries.ts';

const Entry = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('session'),
    session: z.object({ key: z.string(), storeId: z.string(), tranId: z.string(), productName: z.string() }),
  }),
  z.object({ type: z.literal('outcome'), key: z.string(), outcome: z.object({ status: z.string() }) }),
  z.object({
    type: z.literal('delivery'),
    delivery: z.object({ id: z.string(), sessionKey: z.string(), body: z.string() }),
  }),
  z.object({ type: z.literal('delivery_attempt'), id: z.string(), answer: z.string(), over: z.boolean() }),
]);

interface OpenSession extends RecordedSession {
  outcome: string | null;
  notified: TakenNotice[];
  unsent: number;
}

/** Reads sessions with the IPNs that were posted about them. */
export function readSslcommerzSessions(file: string): SessionReader {
  const added = followEntries(file, Entry);
  const sessions = new Map<string, OpenSession>();
  const deliveries = new Map<string, TakenNotice & { session: OpenSession }>();
  const take = (entry: z.infer<typeof Entry>): void => {
    switch (entry.type) {
      case 'session':
        sessions.set(entry.session.key, opened(entry.session));
        return;
      case 'outcome': {
        const session = sessions.get(entry.key);
        if (session !== undefined) {
          session.outcome = entry.outcome.status;
        }
        return;
      }
      case 'delivery': {
        const { id, sessionKey, body } = entry.delivery;
        const session = sessions.get(sessionKey);
        if (session !== undefined) {
          const signed = new URLSearchParams(body).has('verify_sign_sha2');
          deliveries.set(id, { session, signed, digest: createHash('sha256').update(body).digest('hex') });
          session.unsent += 1;
        }
        return;
      }
      case 'delivery_attempt': {
        const delivery = deliveries.get(entry.id);
        if (delivery !== undefined && entry.over) {
          const { session, signed, digest } = delivery;
          session.unsent -= 1;
          if (entry.answer === '200') {
            session.notified.push({ signed, digest });
          }
        }
      }
    }
  };
  return async () => {
    (await added()).forEach(take);
    return [...sessions.values()];
  };
}

interface Opened {
  readonly key: string;
  readonly tranId: string;
  readonly storeId: string;
  readonly productName: string;
}

function opened({ key, tranId, storeId, productName }: Opened): OpenSession {
  const unused = { outcome: null, outcomeIsSaid: true, notified: [], unsent: 0 };
  return { gateway: 'sslcommerz', key, tranId, storeId, mark: productName, ...unused };
}
