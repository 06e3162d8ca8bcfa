import { describe, expect, test } from '@jest/globals';
import { createEndpointGate, type EndpointGate } from '../../activities/webhooks/endpoint-gate.ts';
import { CIRCUIT_OPEN_MS_MAX, IN_FLIGHT_PER_ENDPOINT_MAX } from '../../domain/webhook.ts';

const BUSY = { reason: 'BUSY', notBeforeMs: 1_000 } as const;

function fill(gate: EndpointGate, endpoint: bigint): void {
  for (let entered = 0; entered < IN_FLIGHT_PER_ENDPOINT_MAX; entered += 1) {
    expect(gate.enter(endpoint)).toBe(true);
  }
}

describe('room at an endpoint', () => {
  test('is for five, and one more for each that leaves', () => {
    // A dead receiver holds no more than its own slots.
    const gate = createEndpointGate();
    fill(gate, 1n);
    expect([gate.enter(1n), gate.enter(1n)]).toEqual([false, false]);
    gate.leave(1n, 10);
    expect([gate.enter(1n), gate.enter(1n)]).toEqual([true, false]);
  });

  test('is counted for ten thousand endpoints; beyond them only the idle one that was used the longest ago is forgotten', () => {
    // The memory of a process must not grow with its apps, and who is at an endpoint is never forgotten.
    const gate = createEndpointGate();
    fill(gate, 1n);
    for (let endpoint = 2n; endpoint <= 10_000n; endpoint += 1n) {
      gate.enter(endpoint);
      gate.leave(endpoint, endpoint <= 3n ? 1_000_000 : 0);
    }
    const slow = (endpoint: bigint): boolean => {
      gate.turnInMs(endpoint, { reason: 'BUSY', notBeforeMs: 1 });
      return gate.turnInMs(endpoint, { reason: 'BUSY', notBeforeMs: 1 }) > 1_000;
    };
    expect([slow(2n), slow(3n)]).toEqual([true, true]);
    for (let endpoint = 20_001n; endpoint <= 29_000n; endpoint += 1n) {
      gate.enter(endpoint);
      gate.leave(endpoint, 0);
    }
    // It was asked about after the others, so it is still known.
    expect(slow(3n)).toBe(true);
    for (let endpoint = 30_001n; endpoint <= 40_001n; endpoint += 1n) {
      gate.enter(endpoint);
      gate.leave(endpoint, 0);
    }
    expect(slow(3n)).toBe(false);
    expect(gate.enter(1n)).toBe(false);
  });
});

describe('the turns of those that found no room', () => {
  test('are as far apart as the endpoint has lately needed for each of its five', () => {
    // A backlog drains evenly, faster at a fast receiver.
    const gate = createEndpointGate({ now: () => 0 });
    const turns = (count: number): number[] => Array.from({ length: count }, () => gate.turnInMs(1n, BUSY));
    expect(turns(3)).toEqual([1_000, 1_200, 1_400]);
    gate.enter(1n);
    gate.leave(1n, 11_000);
    // 70 % of what was known (1,000 ms) and 30 % of what was seen, shared by five.
    expect(turns(2)).toEqual([1_400 + 800, 1_400 + 1_600]);
    for (let requests = 0; requests < 40; requests += 1) {
      gate.enter(1n);
      gate.leave(1n, 0);
    }
    expect(turns(2)).toEqual([3_000 + 25, 3_000 + 50]);
  });

  test('begin at the earliest moment that is asked for, on the clock', () => {
    // A circuit that opens for a minute is not tried before it ends.
    let nowMs = 5_000;
    const gate = createEndpointGate({ now: () => nowMs });
    expect(gate.turnInMs(1n, BUSY)).toBe(1_000);
    nowMs = 5_100;
    // The line stands at 6,000: the next turn is 6,200, which is 1,100 from here.
    expect(gate.turnInMs(1n, BUSY)).toBe(1_100);
    nowMs = 60_000;
    expect(gate.turnInMs(1n, BUSY)).toBe(1_000);
    nowMs = 61_000;
    expect(gate.turnInMs(1n, { reason: 'BUSY', notBeforeMs: 0 })).toBe(200);
    nowMs = 70_000;
    expect(gate.turnInMs(1n, { reason: 'BUSY', notBeforeMs: 0 })).toBe(1);
  });

  test('have a line for each reason and each endpoint', () => {
    // Who waits for a busy endpoint does not queue behind those who wait for a circuit.
    const gate = createEndpointGate({ now: () => 0 });
    const circuit = { reason: 'CIRCUIT_OPEN', notBeforeMs: 1_000 } as const;
    expect([gate.turnInMs(1n, circuit), gate.turnInMs(1n, circuit)]).toEqual([1_000, 1_200]);
    expect(gate.turnInMs(1n, BUSY)).toBe(1_000);
    expect(gate.turnInMs(2n, circuit)).toBe(1_000);
  });

  test('further away than a quarter of an hour are drawn by lot within it', () => {
    // Ten thousand events of one dead receiver come back spread, and none is put off for hours.
    let drawn = 0;
    const gate = createEndpointGate({
      now: () => 0,
      random: () => {
        drawn += 1;
        return 0.5;
      },
    });
    const turns = Array.from({ length: 4_503 }, () => gate.turnInMs(1n, BUSY));
    expect(turns[4_500]).toBe(1_000 + CIRCUIT_OPEN_MS_MAX);
    expect(drawn).toBe(2);
    expect(turns.slice(4_501)).toEqual([1_000 + CIRCUIT_OPEN_MS_MAX / 2, 1_000 + CIRCUIT_OPEN_MS_MAX / 2]);
  });
});
