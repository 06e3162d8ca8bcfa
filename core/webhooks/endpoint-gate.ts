import { CIRCUIT_OPEN_MS_MAX, IN_FLIGHT_PER_ENDPOINT_MAX } from '../../domain/webhook.ts';
import type { PutOffReason } from '../../workflows/messages/webhook.ts';

/**
 * Limits the requests of this process to one endpoint, and schedules those that found no room. It keeps a dead receiver from taking the slots of all
 * others.
 */
export interface EndpointGate {
  /** Returns false if the endpoint has no room. Otherwise `leave` must follow. */
  enter(endpoint: string): boolean;
  leave(endpoint: string, tookMs: number): void;
  /**
   * Returns the milliseconds after which a postponed attempt should run again, at least `notBeforeMs`. Callers get separate turns, spaced by the
   * endpoint's recent response time, so that a backlog drains evenly instead of all at once. Each reason has its own queue: an attempt waiting for a
   * busy endpoint is not behind those waiting for a circuit.
   */
  turnInMs(endpoint: string, wait: { reason: PutOffReason; notBeforeMs: number }): number;
}

const TURN_MS_MIN = 25;
const TURN_MS_START = 200;
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
    enter(endpoint) {
      const state = stateOf(endpoint);
      if (state.inFlight >= IN_FLIGHT_PER_ENDPOINT_MAX) {
        return false;
      }
      state.inFlight += 1;
      return true;
    },
    leave(endpoint, tookMs) {
      const state = stateOf(endpoint);
      state.inFlight -= 1;
      state.tookMs = state.tookMs * 0.7 + tookMs * 0.3;
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

function forgetIdle(endpoints: Map<string, EndpointState>): void {
  for (const [endpoint, { inFlight }] of endpoints) {
    if (inFlight === 0) {
      endpoints.delete(endpoint);
      return;
    }
  }
}
