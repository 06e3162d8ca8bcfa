import type { Database, Scope } from '../../database/connection.ts';
import { delayBeforeAttemptMs } from '../../domain/webhook.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { DeliverWebhookResult } from '../../workflows/messages/webhook.ts';
import { contractOf } from '../contracts/contracts.ts';
import { sendEvent, type SendDependencies, type SendResult } from './send.ts';
import { recordAcceptedSecret, recordDelivered, recordFailure, type AttemptRecord } from './store/delivery-attempts.ts';
import type { Delivery, DeliveryEndpoint } from './store/deliveries.ts';

export interface WebhookDependencies extends SendDependencies {
  readonly database: Database;
  readonly log: Logger;
  /** Unix time in milliseconds, used instead of the database's time by tests that skip time. */
  readonly now?: () => number;
  /** In [0, 1); determines the jitter. */
  readonly random?: () => number;
}

/** An attempt that may be made now. */
export interface Attempt {
  readonly scope: Scope;
  readonly delivery: Delivery;
  readonly endpoint: DeliveryEndpoint;
  /** Its position in the published schedule, from 1. */
  readonly position: number;
  /** Whether this attempt decides if an expired circuit closes. */
  readonly probe: boolean;
  /** When the delivery was read, on this process's monotonic clock. */
  readonly readAtMs: number;
  /** When the sweeper checks a failed delivery whose next attempt was not made, in milliseconds after that attempt was due. */
  readonly sweepGraceMs: number;
}

/** An attempt that was made and recorded. */
export type AttemptResult = Extract<DeliverWebhookResult, { kind: 'delivered' | 'parked' | 'retry' }>;

/** Sends an event and records the result. No transaction is open while waiting for the receiver. */
export async function makeAttempt(deps: WebhookDependencies, attempt: Attempt): Promise<AttemptResult> {
  const { scope, delivery } = attempt;
  const startedMs = performance.now();
  const startedAt = timeOf(deps, delivery, startedMs - attempt.readAtMs);
  const sent = await sendEvent(deps, { ...attempt, eventId: delivery.eventId, now: startedAt });
  if (sent.error === 'SECRET_UNREADABLE') {
    const ids = { event: delivery.eventId, app: scope.applicationId.toString(), mode: scope.mode };
    deps.log.error(
      { ...ids, error: sent.error, alert: 'webhook-secret-unreadable' },
      'event not signed: its signing secret cannot be decrypted with the master keys',
    );
  }
  const record: AttemptRecord = {
    at: startedAt,
    durationMs: Math.round(performance.now() - startedMs),
    responseStatus: sent.status,
    error: sent.error,
    responseExcerpt: sent.excerpt,
  };
  return sent.delivered
    ? await finish(deps, { ...attempt, record, sent })
    : await fail(deps, { ...attempt, record, sent });
}

/** Returns the database's time, because rows store when the next attempt is due and when a circuit closes. */
export function timeOf({ now }: Pick<WebhookDependencies, 'now'>, { readAt }: Delivery, sinceMs = 0): Date {
  return new Date(now?.() ?? readAt.getTime() + sinceMs);
}

type Made = Attempt & { readonly record: AttemptRecord; readonly sent: SendResult };

async function finish(deps: WebhookDependencies, made: Made): Promise<AttemptResult> {
  const { scope, delivery, record, sent } = made;
  const number = await deps.database.withScope(
    scope,
    (statements) => recordDelivered(statements, { scope, delivery, attempt: record }),
    { oneTrip: true },
  );
  const { accepted } = sent;
  if (accepted !== null) {
    await deps.database.withScope(
      scope,
      (statements) => recordAcceptedSecret(statements, { scope, sealed: accepted }),
      { oneTrip: true },
    );
  }
  deps.log.info(logFields(made, number), 'webhook delivered');
  return { kind: 'delivered' };
}

async function fail(deps: WebhookDependencies, made: Made): Promise<AttemptResult> {
  const { scope, delivery, endpoint, probe, record, sent, position, sweepGraceMs } = made;
  const delays = contractOf(delivery.contract).deliveries.delaysSeconds;
  const delayMs = delayBeforeAttemptMs(position, (deps.random ?? Math.random)(), delays);
  // A receiver can ask for a longer delay than the schedule's, never a shorter one.
  const retryInMs = delayMs === null ? null : Math.max(delayMs, sent.retryAfterMs);
  const nextAttemptAt = retryInMs === null ? null : new Date(record.at.getTime() + record.durationMs + retryInMs);
  const url = sent.countsAgainstEndpoint ? endpoint.url : null;
  const outcome = await deps.database.withScope(scope, (statements) =>
    recordFailure(statements, {
      scope,
      delivery,
      failure: { attempt: record, probe, gone: sent.gone, url, nextAttemptAt, sweepGraceMs },
    }),
  );
  const fields = logFields(made, outcome.number);
  deps.log.warn({ ...fields, retryInMs }, 'webhook attempt failed');
  if (outcome.disabledReason !== null) {
    deps.log.error(
      { ...fields, reason: outcome.disabledReason, alert: 'webhook-endpoint-disabled' },
      'webhook endpoint disabled',
    );
  }
  if (delivery.status === 'DELIVERED') {
    // A failed resend does not undo the delivery.
    return { kind: 'delivered' };
  }
  if (outcome.parked || retryInMs === null) {
    const reason = outcome.disabledReason === null ? 'ATTEMPTS_EXHAUSTED' : 'ENDPOINT_DISABLED';
    deps.log.error({ ...fields, reason, alert: 'webhook-parked' }, 'webhook parked');
    return { kind: 'parked', reason };
  }
  return {
    kind: 'retry',
    attempt: position + 1,
    attemptsMax: delays.length,
    recorded: outcome.number,
    status: sent.status,
    error: sent.error,
    retryInMs,
  };
}

function logFields({ scope, delivery, record }: Made, number: number): Record<string, unknown> {
  return {
    event: delivery.eventId,
    type: delivery.type,
    application: scope.applicationId.toString(),
    mode: scope.mode,
    attempt: number,
    status: record.responseStatus,
    error: record.error,
    durationMs: record.durationMs,
  };
}
