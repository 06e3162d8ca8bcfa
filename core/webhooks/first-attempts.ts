import { setTimeout as sleep } from 'node:timers/promises';
import { circuitState, FIRST_ATTEMPT_LEASE_MS } from '../../domain/webhook.ts';
import { describeError } from '../../runtime/logger.ts';
import type { FailedFirstAttempt } from '../../workflows/messages/webhook.ts';
import type { Dispatch } from '../dispatch.ts';
import { makeAttempt, timeOf, type AttemptResult, type WebhookDependencies } from './attempt.ts';
import type { CommittedEvent, Deliveries } from './deliveries.ts';
import { endpointKey, type EndpointGate } from './endpoint-gate.ts';
import { FairQueue } from './fair-queue.ts';
import { claimFirst, type Delivery } from './store/deliveries.ts';
import type { FirstDelivery } from './store/events.ts';

/** Forty receivers that hang take these, with five attempts each, until their circuits open. */
const IN_FLIGHT_MAX = 200;
/** A waiting event holds its payload, a few kilobytes. */
const WAITING_MAX = 2_000;
const WAITING_PER_ENDPOINT_MAX = 500;

/** An attempt that begins at once, within this time, needs no claim: nobody else can have taken its lease. */
const CLAIMED_BY_INSERT_MS = 10_000;
/** An attempt with less time left is not begun, since its requests could outlast the lease: the sweeper starts the event's workflow. */
const LEASE_LEFT_MIN_MS = 48_000;

/** The process that made the attempt normally starts the workflow for the next one. The sweeper does it if that process died in between. */
const SWEEP_GRACE_MS = 60_000;

/** How long a stopping process waits for attempts in flight. */
const CLOSE_WITHIN_MS = 20_000;

export interface FirstAttemptsDependencies extends WebhookDependencies {
  readonly gate: EndpointGate;
  readonly dispatch: Pick<Dispatch, 'startDelivery'>;
  /** Called with the result of each attempt. */
  readonly onResult?: (kind: AttemptResult['kind']) => void;
}

interface Waiting {
  readonly event: CommittedEvent;
  readonly first: FirstDelivery;
  /** Set when there was no room at once. What is known of the endpoint may then be out of date. */
  hasWaited: boolean;
}

/**
 * Makes the first attempt of each event in the process that recorded it, without a workflow: most events need no other. Attempts wait here, fairly by
 * endpoint, for room at their endpoint.
 *
 * | outcome | who continues |
 * |---|---|
 * | delivered, or parked | nobody |
 * | failed | the event's workflow, with the second attempt |
 * | circuit open, queue full, process stopping | the event's workflow, with the first attempt |
 * | lease passed, or the process died | the sweeper, which starts that workflow |
 */
export class FirstAttempts implements Deliveries {
  private readonly deps: FirstAttemptsDependencies;
  private readonly queue = new FairQueue<Waiting>({ max: WAITING_MAX, maxPerKey: WAITING_PER_ENDPOINT_MAX });
  private readonly inFlight = new Set<Promise<void>>();
  private isClosing = false;

  constructor(deps: FirstAttemptsDependencies) {
    this.deps = deps;
    deps.gate.onLeave(() => this.pump());
  }

  async begin(event: CommittedEvent): Promise<void> {
    const { first } = event;
    const waiting = first === null ? null : { event, first, hasWaited: false };
    if (waiting === null || this.isClosing || !this.queue.put(endpointKey(event), waiting)) {
      return this.deps.dispatch.startDelivery(event);
    }
    this.pump();
    waiting.hasWaited = true;
  }

  /** Hands what waits to workflows, and waits for the attempts in flight, within a limit. Nothing is lost if it is not called. */
  async close(): Promise<void> {
    this.isClosing = true;
    const drained = Promise.all([...this.queue.drain().map(({ event }) => this.handOver(event)), ...this.inFlight]);
    await Promise.race([drained, sleep(CLOSE_WITHIN_MS, undefined, { ref: false })]);
  }

  private pump(): void {
    while (this.inFlight.size < IN_FLIGHT_MAX) {
      const next = this.queue.take((endpoint) => this.deps.gate.enterFirst(endpoint));
      if (next === undefined) {
        return;
      }
      const running = this.run(next).finally(() => {
        this.inFlight.delete(running);
        this.pump();
      });
      this.inFlight.add(running);
    }
  }

  private async run(next: Waiting): Promise<void> {
    const { gate, log } = this.deps;
    const enteredAtMs = performance.now();
    try {
      await this.attempt(next);
    } catch (error) {
      log.warn(
        { event: next.event.eventId, error: describeError(error) },
        'first webhook attempt not made or not recorded; the sweeper retries',
      );
    } finally {
      gate.leave(endpointKey(next.event), performance.now() - enteredAtMs);
    }
  }

  private async attempt(waiting: Waiting): Promise<void> {
    const { deps } = this;
    const { event } = waiting;
    const claimed = await this.claim(waiting);
    if (claimed === null) {
      return;
    }
    const { delivery, leasedAtMs: readAtMs } = claimed;
    const { endpoint } = delivery;
    const now = timeOf(deps, delivery, performance.now() - readAtMs);
    if (endpoint === null || endpoint.disabled || circuitState(endpoint, now) !== 'closed') {
      return this.handOver(event);
    }
    const scope = { applicationId: event.applicationId, mode: event.mode };
    const result = await makeAttempt(deps, {
      scope,
      delivery,
      endpoint,
      readAtMs,
      position: 1,
      probe: false,
      sweepGraceMs: SWEEP_GRACE_MS,
    });
    deps.onResult?.(result.kind);
    if (result.kind === 'retry') {
      const { attempt, recorded, retryInMs } = result;
      await this.handOver(event, { attempt, recorded, retryInMs });
    }
  }

  /** Returns null if the event belongs to someone else by now. */
  private async claim({ event, first, hasWaited }: Waiting): Promise<Omit<FirstDelivery, 'leaseUntil'> | null> {
    const { eventId, applicationId, mode } = event;
    const heldMs = performance.now() - first.leasedAtMs;
    if (!hasWaited && heldMs < CLAIMED_BY_INSERT_MS) {
      return first;
    }
    if (heldMs >= FIRST_ATTEMPT_LEASE_MS) {
      return null;
    }
    const leasedAtMs = performance.now();
    const delivery: Delivery | null = await this.deps.database.withScope(
      { applicationId, mode },
      (statements) => claimFirst(statements, { eventId, leaseUntil: first.leaseUntil }),
      { oneTrip: true },
    );
    const isFresh = performance.now() - leasedAtMs < FIRST_ATTEMPT_LEASE_MS - LEASE_LEFT_MIN_MS;
    return delivery === null || !isFresh ? null : { delivery, leasedAtMs };
  }

  private async handOver(event: CommittedEvent, failed?: FailedFirstAttempt): Promise<void> {
    await this.deps.dispatch.startDelivery(event, failed).catch((error: unknown) => {
      this.deps.log.warn(
        { event: event.eventId, error: describeError(error) },
        'webhook workflow not started; the sweeper retries',
      );
    });
  }
}
