import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Database, Scope } from '../../database/connection.ts';
import { recordEvent } from '../../core/webhooks/store/events.ts';
import type { Dispatch } from '../../core/dispatch.ts';

/** An application with a payment to which its events refer. */
export interface Tenant {
  readonly scope: Scope;
  readonly paymentId: bigint;
  readonly reference: string;
}

export async function addPayment(database: pg.Pool, applicationId: bigint): Promise<Tenant> {
  const reference = `pay_bench${applicationId}`;
  const { rows } = await database.query<{ id: string }>(
    `insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, expires_at, ended_at, next_sweep_at)
     values ($1, 'TEST', $2, 'EXPIRED', 10000, 'BDT', 'bench', 'sslcommerz', now(), now(), now()) returning id`,
    [applicationId, reference],
  );
  return { scope: { applicationId, mode: 'TEST' }, paymentId: BigInt(rows[0]?.id ?? 0), reference };
}

/** Creates events as a finalized payment does: first the row in a transaction, then the delivery's workflow. */
export interface EventSource {
  /** Writes one event of a tenant and starts its delivery. Returns the event's id. */
  emit(tenant: Tenant): Promise<string>;
  readonly received: (eventId: string) => void;
  /** Returns when an event arrived, by this process's clock. */
  arrivedAtMs(eventId: string, timeoutMs: number): Promise<number>;
}

const LOOK_AGAIN_MS = 20;

export function createEventSource({ database, dispatch }: { database: Database; dispatch: Dispatch }): EventSource {
  const arrivals = new Map<string, number>();
  let sequence = 0;
  return {
    async emit({ scope, paymentId, reference }) {
      sequence += 1;
      const number = sequence;
      const event = {
        type: 'payment.succeeded',
        sequence: number,
        data: { id: Number(paymentId), reference, padding: 'x'.repeat(400) },
      } as const;
      const { eventId } = await database.withScope(scope, (em) => recordEvent(em, { ...scope, paymentId, ...event }));
      await dispatch.startDelivery({ eventId, ...scope, type: event.type, reference });
      return eventId;
    },
    received(eventId) {
      // Only the first arrival counts, not repeated deliveries.
      if (!arrivals.has(eventId)) {
        arrivals.set(eventId, performance.now());
      }
    },
    async arrivedAtMs(eventId, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const arrived = arrivals.get(eventId);
        if (arrived !== undefined) {
          return arrived;
        }
        if (performance.now() > deadline) {
          throw new Error(`${eventId} did not reach a healthy receiver`);
        }
        await sleep(LOOK_AGAIN_MS);
      }
    },
  };
}
