import type { Scope } from '../../database/connection.ts';
import { circuitState } from '../../domain/webhook.ts';
import type {
  DeliverWebhookInput,
  DeliverWebhookResult,
  ParkedReason,
  PutOffReason,
} from '../../workflows/messages/webhook.ts';
import { contractOf } from '../contracts/contracts.ts';
import { makeAttempt, timeOf, type Attempt, type WebhookDependencies } from './attempt.ts';
import { endpointKey, type EndpointGate } from './endpoint-gate.ts';
import { claimProbe, parkEvent, readDelivery, type Delivery } from './store/deliveries.ts';

/** Delay of an attempt that found its endpoint busy. */
const BUSY_PAUSE_MS = 1_000;

/** A workflow makes the next attempt. The sweeper restarts it only after it has missed the attempt by this much. */
const SWEEP_GRACE_MS = 600_000;

/** An attempt to deliver an event, made for its workflow. */
export interface DeliveryAttempt {
  readonly deps: WebhookDependencies;
  readonly gate: EndpointGate;
  readonly input: DeliverWebhookInput;
  readonly scope: Scope;
}

/** Makes one attempt: read, send, record. */
export async function deliverEvent(attempt: DeliveryAttempt): Promise<DeliverWebhookResult> {
  const { deps, gate, scope } = attempt;
  if (!gate.enter(endpointKey(scope))) {
    return putOff(attempt, { reason: 'BUSY', notBeforeMs: BUSY_PAUSE_MS });
  }
  const enteredAtMs = performance.now();
  try {
    const decision = await decide(attempt);
    return decision.kind === 'send' ? await makeAttempt(deps, decision) : decision;
  } finally {
    gate.leave(endpointKey(scope), performance.now() - enteredAtMs);
  }
}

interface SendDecision extends Attempt {
  readonly kind: 'send';
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
    const { attempt: position } = input;
    return { kind: 'send', scope, delivery, endpoint, position, probe, readAtMs, sweepGraceMs: SWEEP_GRACE_MS };
  }
  const openForMs = Math.max(BUSY_PAUSE_MS, (endpoint.circuitOpenUntil?.getTime() ?? 0) - now.getTime());
  return putOff(attempt, { reason: 'CIRCUIT_OPEN', notBeforeMs: openForMs });
}

function putOff(
  { gate, scope }: DeliveryAttempt,
  wait: { reason: PutOffReason; notBeforeMs: number },
): DeliverWebhookResult {
  return { kind: 'put-off', reason: wait.reason, retryInMs: gate.turnInMs(endpointKey(scope), wait) };
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
