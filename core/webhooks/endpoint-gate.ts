import type { Scope } from '../../database/connection.ts';
import { CIRCUIT_OPEN_MS_MAX, IN_FLIGHT_PER_ENDPOINT_MAX } from '../../domain/webhook.ts';
import type { PutOffReason } from '../../workflows/messages/webhook.ts';

/** Includes the mode, so that TEST's receivers never delay LIVE's, even if both have the same URL. */
export function endpointKey({ applicationId, mode }: Scope): string {
  return `${applicationId}:${mode}`;
}

/**
 * Limits the requests of this process to one endpoint, and schedules those that found no room. It keeps a dead receiver from taking the slots of all
 * others.
 */
export interface EndpointGate {
  /** Returns false if the endpoint has no room. Otherwise `leave` must follow. */
  enter(endpoint: string): boolean;
  /** The same for a first attempt. One place stays free while postponed attempts wait, so that new events do not keep them out for ever. */
  enterFirst(endpoint: string): boolean;
  leave(endpoint: string, tookMs: number): void;
  /** Calls a listener after each `leave`, for whoever waits for room. */
  onLeave(listener: () => void): void;
  /**
   * Returns the milliseconds after which a postponed attempt should run again, at least `notBeforeMs`. Callers get separate turns, spaced by the
   * endpoint's recent response time, so that a backlog drains evenly instead of all at once. Each reason has its own queue: an attempt waiting for a
   * busy endpoint is not behind those waiting for a circuit.
   */
  turnInMs(endpoint: string, wait: { reason: PutOffReason; notBeforeMs: number }): number;
}

const TURN_MS_MIN = 25;
const TURN_MS_START = 200;
/** A postponed attempt may come this much later than its turn. */
const TURN_GRACE_MS = 2_000;
/** Turns further ahead than this are chosen randomly within it. */
const TURNS_AHEAD_MS_MAX = CIRCUIT_OPEN_MS_MAX;
const ENDPOINTS_REMEMBERED_MAX = 10_000;

interface EndpointState {
  inFlight: number;
  /** Smoothed duration of a request. */
  tookMs: number;
  readonly lastTurnAtMs: Record<PutOffReason, number>;
}

export function createEndpointGate({
  now = Date.now,
  random = Math.random,
}: {
  now?: (() => number) | undefined;
  random?: (() => number) | undefined;
} = {}): EndpointGate {
  const endpoints = new Map<string, EndpointState>();
  const listeners: (() => void)[] = [];
  const stateOf = (endpoint: string): EndpointState => {
    const state = endpoints.get(endpoint) ?? {
      inFlight: 0,
      tookMs: TURN_MS_START * IN_FLIGHT_PER_ENDPOINT_MAX,
      lastTurnAtMs: { BUSY: 0, CIRCUIT_OPEN: 0 },
    };
    // Reinserted at the end, so that the first idle entry is the least recently used one.
    endpoints.delete(endpoint);
    endpoints.set(endpoint, state);
    if (endpoints.size > ENDPOINTS_REMEMBERED_MAX) {
      forgetIdle(endpoints);
    }
    return state;
  };
  return {
    enter: (endpoint) => enter(stateOf(endpoint), IN_FLIGHT_PER_ENDPOINT_MAX),
    enterFirst(endpoint) {
      const state = stateOf(endpoint);
      const othersWait = now() < state.lastTurnAtMs.BUSY + TURN_GRACE_MS;
      return enter(state, IN_FLIGHT_PER_ENDPOINT_MAX - (othersWait ? 1 : 0));
    },
    leave(endpoint, tookMs) {
      const state = stateOf(endpoint);
      state.inFlight -= 1;
      state.tookMs = state.tookMs * 0.7 + tookMs * 0.3;
      listeners.forEach((listener) => listener());
    },
    onLeave(listener) {
      listeners.push(listener);
    },
    turnInMs(endpoint, { reason, notBeforeMs }) {
      const state = stateOf(endpoint);
      const earliest = now() + notBeforeMs;
      const turn = Math.max(
        earliest,
        state.lastTurnAtMs[reason] + Math.max(TURN_MS_MIN, state.tookMs / IN_FLIGHT_PER_ENDPOINT_MAX),
      );
      if (turn - earliest > TURNS_AHEAD_MS_MAX) {
        return Math.round(notBeforeMs + random() * TURNS_AHEAD_MS_MAX);
      }
      state.lastTurnAtMs[reason] = turn;
      return Math.max(1, Math.round(turn - now()));
    },
  };
}

function enter(state: EndpointState, placesMax: number): boolean {
  if (state.inFlight >= placesMax) {
    return false;
  }
  state.inFlight += 1;
  return true;
}

function forgetIdle(endpoints: Map<string, EndpointState>): void {
  for (const [endpoint, { inFlight }] of endpoints) {
    if (inFlight === 0) {
      endpoints.delete(endpoint);
      return;
    }
  }
}
