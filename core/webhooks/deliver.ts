import type { Database, Scope } from '../../database/connection.ts';
import { claimProbe, parkEvent, readDelivery, type Delivery, type DeliveryEndpoint } from './store/deliveries.ts';
import { recordAcceptedSecret, recordDelivered, recordFailure, type AttemptRecord } from './store/delivery-attempts.ts';
import { contractOf } from '../contracts/contracts.ts';
import { circuitState, delayBeforeAttemptMs } from '../../domain/webhook.ts';
import type { Logger } from '../../runtime/logger.ts';
import type {
  DeliverWebhookInput,
  DeliverWebhookResult,
  ParkedReason,
  PutOffReason,
} from '../../workflows/messages/webhook.ts';
import type { EndpointGate } from './endpoint-gate.ts';
import { sendEvent, type SendDependencies, type SendResult } from './send.ts';

export interface WebhookDependencies extends SendDependencies {
  readonly database: Database;
  readonly log: Logger;
  /** Unix time in milliseconds, used instead of the database's time by tests that skip time. */
  readonly now?: () => number;
  /** In [0, 1); determines the jitter. */
  readonly random?: () => number;
}

/** Delay of an attempt that found its endpoint busy. */
const BUSY_PAUSE_MS = 1_000;

/** An attempt to deliver an event. */
export interface DeliveryAttempt {
  readonly deps: WebhookDependencies;
  readonly gate: EndpointGate;
  readonly input: DeliverWebhookInput;
  readonly scope: Scope;
}

/** Includes the mode, so that TEST's receivers never delay LIVE's, even if both have the same URL. */
function endpointOf({ applicationId, mode }: Scope): string {
  return `${applicationId}:${mode}`;
}

/** Makes one attempt: read, send, record. No transaction is open while waiting for the receiver. */
export async function deliverEvent(attempt: DeliveryAttempt): Promise<DeliverWebhookResult> {
  const { deps, gate, scope } = attempt;
  if (!gate.enter(endpointOf(scope))) {
    return putOff(attempt, { reason: 'BUSY', notBeforeMs: BUSY_PAUSE_MS });
  }
  const enteredAtMs = performance.now();
  try {
    const decision = await decide(attempt);
    if (decision.kind !== 'send') {
      return decision;
    }
    const startedMs = performance.now();
    const startedAt = timeOf(deps, decision.delivery, startedMs - decision.readAtMs);
    const sent = await sendEvent(deps, { ...decision, eventId: attempt.input.eventId, now: startedAt });
    if (sent.error === 'SECRET_UNREADABLE') {
      const ids = { event: attempt.input.eventId, app: scope.applicationId.toString(), mode: scope.mode };
      deps.log.error(
        { ...ids, error: sent.error, alert: 'webhook-secret-unreadable' },
        'event not signed: its signing secret cannot be decrypted with the master keys',
      );
    }
    const record: AttemptRecord = {
      number: decision.delivery.attempts + 1,
      at: startedAt,
      durationMs: Math.round(performance.now() - startedMs),
      responseStatus: sent.status,
      error: sent.error,
      responseExcerpt: sent.excerpt,
    };
    return sent.delivered
      ? await finish(attempt, { ...decision, record, sent })
      : await fail(attempt, { ...decision, record, sent });
  } finally {
    gate.leave(endpointOf(scope), performance.now() - enteredAtMs);
  }
}

interface SendDecision {
  readonly kind: 'send';
  readonly delivery: Delivery;
  readonly endpoint: DeliveryEndpoint;
  /** Whether this attempt decides if an expired circuit closes. */
  readonly probe: boolean;
  /** When the delivery was read, on this process's monotonic clock. */
  readonly readAtMs: number;
}

async function decide(attempt: DeliveryAttempt): Promise<SendDecision | DeliverWebhookResult> {
  const { deps, input, scope } = attempt;
  const delivery = await deps.database.withScope(scope, (statements) => readDelivery(statements, input.eventId), {
    oneTrip: true,
  });
  if (delivery === null) {
    // This happens after an older database was restored. A retry would not help.
    deps.log.error({ event: input.eventId, alert: 'webhook-event-unknown' }, 'the event of a delivery does not exist');
    return { kind: 'parked', reason: 'UNKNOWN_EVENT' };
  }
  const readAtMs = performance.now();
  const now = timeOf(deps, delivery);
  const known = input.resend ? null : knownOutcome(delivery, input, now);
  if (known !== null) {
    return known;
  }
  const { endpoint } = delivery;
  if (endpoint === null || endpoint.disabled) {
    const reason: ParkedReason = endpoint === null ? 'NO_ENDPOINT' : 'ENDPOINT_DISABLED';
    await deps.database.withScope(scope, (statements) => parkEvent(statements, delivery, reason), { oneTrip: true });
    return { kind: 'parked', reason };
  }
  const circuit = circuitState(endpoint, now);
  const probe =
    circuit === 'half-open' &&
    (await deps.database.withScope(scope, (statements) => claimProbe(statements, scope, now), { oneTrip: true }));
  if (circuit === 'closed' || probe || input.resend) {
    return { kind: 'send', delivery, endpoint, probe, readAtMs };
  }
  const openForMs = Math.max(BUSY_PAUSE_MS, (endpoint.circuitOpenUntil?.getTime() ?? 0) - now.getTime());
  return putOff(attempt, { reason: 'CIRCUIT_OPEN', notBeforeMs: openForMs });
}

function putOff(
  { gate, scope }: DeliveryAttempt,
  wait: { reason: PutOffReason; notBeforeMs: number },
): DeliverWebhookResult {
  return { kind: 'put-off', reason: wait.reason, retryInMs: gate.turnInMs(endpointOf(scope), wait) };
}

/** Returns what the row already says: an end, or an attempt that was recorded before its worker died without returning it. */
function knownOutcome(delivery: Delivery, input: DeliverWebhookInput, now: Date): DeliverWebhookResult | null {
  const { status, attempts } = delivery;
  const atStart = input.recorded === null;
  if (status === 'DELIVERED') {
    return { kind: 'delivered' };
  }
  if (status === 'PARKED') {
    // A delivery of a parked event is started to resend it.
    return atStart ? null : { kind: 'parked', reason: 'ATTEMPTS_EXHAUSTED' };
  }
  if (attempts <= (input.recorded ?? 0)) {
    return null;
  }
  const attemptsMax = contractOf(delivery.contract).deliveries.delaysSeconds.length;
  return {
    kind: 'retry',
    attempt: Math.min(atStart ? attempts + 1 : input.attempt + 1, attemptsMax),
    attemptsMax,
    recorded: attempts,
    status: delivery.lastResponseStatus,
    error: delivery.lastError,
    retryInMs: Math.max(0, (delivery.nextAttemptAt?.getTime() ?? 0) - now.getTime()),
  };
}

type Recorded = SendDecision & { readonly record: AttemptRecord; readonly sent: SendResult };

async function finish(attempt: DeliveryAttempt, { delivery, record, sent }: Recorded): Promise<DeliverWebhookResult> {
  const { deps, scope } = attempt;
  await deps.database.withScope(
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
  deps.log.info(logFields(attempt, { delivery, record }), 'webhook delivered');
  return { kind: 'delivered' };
}

async function fail(
  attempt: DeliveryAttempt,
  { delivery, endpoint, probe, record, sent }: Recorded,
): Promise<DeliverWebhookResult> {
  const { deps, input, scope } = attempt;
  const delays = contractOf(delivery.contract).deliveries.delaysSeconds;
  const delayMs = delayBeforeAttemptMs(input.attempt, (deps.random ?? Math.random)(), delays);
  // A receiver can ask for a longer delay than the schedule's, never a shorter one.
  const retryInMs = delayMs === null ? null : Math.max(delayMs, sent.retryAfterMs);
  const nextAttemptAt = retryInMs === null ? null : new Date(record.at.getTime() + record.durationMs + retryInMs);
  const url = sent.countsAgainstEndpoint ? endpoint.url : null;
  const outcome = await deps.database.withScope(scope, (statements) =>
    recordFailure(statements, {
      scope,
      delivery,
      failure: { attempt: record, probe, gone: sent.gone, url, nextAttemptAt },
    }),
  );
  const fields = logFields(attempt, { delivery, record });
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
    attempt: input.attempt + 1,
    attemptsMax: delays.length,
    recorded: record.number,
    status: sent.status,
    error: sent.error,
    retryInMs,
  };
}

function logFields(
  { scope, input }: DeliveryAttempt,
  { delivery, record }: { delivery: Delivery; record: AttemptRecord },
): Record<string, unknown> {
  return {
    event: input.eventId,
    type: delivery.type,
    application: scope.applicationId.toString(),
    mode: scope.mode,
    attempt: record.number,
    status: record.responseStatus,
    error: record.error,
    durationMs: record.durationMs,
  };
}

/** Returns the database's time, because rows store when the next attempt is due and when a circuit closes. */
function timeOf({ now }: WebhookDependencies, { readAt }: Delivery, sinceMs = 0): Date {
  return new Date(now?.() ?? readAt.getTime() + sinceMs);
}
