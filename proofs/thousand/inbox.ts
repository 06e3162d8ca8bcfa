import { z } from 'zod';
import { startReceiver, type ReceivedEvent } from '../../scripts/development/demo/receiver.ts';

const Body = z.object({ data: z.object({ reference: z.string(), status: z.string() }) });

export interface Arrival {
  readonly eventId: string;
  readonly type: string;
  readonly reference: string;
  readonly status: string;
}

/** An application's webhook endpoint that records every delivery. */
export interface Inbox {
  readonly url: string;
  /** One entry per delivery, so an event that was delivered twice appears twice. */
  readonly arrivals: readonly Arrival[];
  /** Number of deliveries without a valid signature. */
  readonly forged: number;
  /** Resolves when an event of the payment has arrived; rejects after `timeoutMs`. */
  ended(reference: string, timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export async function openInbox(signingSecret: () => string): Promise<Inbox> {
  const arrivals: Arrival[] = [];
  const known = new Set<string>();
  const waiting = new Map<string, () => void>();
  let forged = 0;
  const heard = (event: ReceivedEvent): void => {
    if (!event.signatureValid) {
      forged += 1;
      return;
    }
    const { reference, status } = Body.parse(event.body).data;
    arrivals.push({ eventId: event.id, type: event.type, reference, status });
    known.add(reference);
    waiting.get(reference)?.();
  };
  const receiver = await startReceiver(signingSecret, heard);
  return {
    url: receiver.url,
    arrivals,
    get forged() {
      return forged;
    },
    ended: (reference, timeoutMs) =>
      new Promise((resolve, reject) => {
        if (known.has(reference)) {
          resolve();
          return;
        }
        const timer = setTimeout(() => {
          waiting.delete(reference);
          reject(new Error(`no event of ${reference} within ${timeoutMs / 1_000} s`));
        }, timeoutMs);
        waiting.set(reference, () => {
          clearTimeout(timer);
          waiting.delete(reference);
          resolve();
        });
      }),
    close: () => receiver.close(),
  };
}
