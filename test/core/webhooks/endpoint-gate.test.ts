import { describe, expect, test } from '@jest/globals';
import { createEndpointGate, type EndpointGate } from '../../../core/webhooks/endpoint-gate.ts';
import { CIRCUIT_OPEN_MS_MAX, IN_FLIGHT_PER_ENDPOINT_MAX } from '../../../domain/webhook.ts';

const BUSY = { reason: 'BUSY', notBeforeMs: 1_000 } as const;

function fill(gate: EndpointGate, endpoint: string): void {
  for (let entered = 0; entered < IN_FLIGHT_PER_ENDPOINT_MAX; entered += 1) {
    expect(gate.enter(endpoint)).toBe(true);
  }
}

describe('room at an endpoint', () => {
  test('is for five, and one more for each that leaves', () => {
    // A dead receiver must not take more than its own slots.
    const gate = createEndpointGate();
    fill(gate, 'app:1');
    expect([gate.enter('app:1'), gate.enter('app:1')]).toEqual([false, false]);
    gate.leave('app:1', 10);
    expect([gate.enter('app:1'), gate.enter('app:1')]).toEqual([true, false]);
  });

  test('is counted for ten thousand endpoints; beyond them only the idle one that was used the longest ago is forgotten', () => {
    // The memory of a process must not grow with its apps. An endpoint with a request in progress must not be forgotten.
    const gate = createEndpointGate();
    fill(gate, 'app:1');
    for (let number = 2; number <= 10_000; number += 1) {
      gate.enter(`app:${number}`);
      gate.leave(`app:${number}`, number <= 3 ? 1_000_000 : 0);
    }
    const slow = (endpoint: string): boolean => {
      gate.turnInMs(endpoint, { reason: 'BUSY', notBeforeMs: 1 });
      return gate.turnInMs(endpoint, { reason: 'BUSY', notBeforeMs: 1 }) > 1_000;
    };
    expect([slow('app:2'), slow('app:3')]).toEqual([true, true]);
    for (let number = 20_001; number <= 29_000; number += 1) {
      gate.enter(`app:${number}`);
      gate.leave(`app:${number}`, 0);
    }
    // It was used after the others, so it is still known.
    expect(slow('app:3')).toBe(true);
    for (let number = 30_001; number <= 40_001; number += 1) {
      gate.enter(`app:${number}`);
      gate.leave(`app:${number}`, 0);
    }
    expect(slow('app:3')).toBe(false);
    expect(gate.enter('app:1')).toBe(false);
  });
});

describe('the turns of those that found no room', () => {
  test('are as far apart as the endpoint has lately needed for each of its five', () => {
    // A backlog is delivered at an even pace, faster to a fast receiver.
    const gate = createEndpointGate({ now: () => 0 });
    const turns = (count: number): number[] => Array.from({ length: count }, () => gate.turnInMs('app:1', BUSY));
    expect(turns(3)).toEqual([1_000, 1_200, 1_400]);
    gate.enter('app:1');
    gate.leave('app:1', 11_000);
    // 70 % of the previous value (1,000 ms) and 30 % of the measured one, divided by five.
    expect(turns(2)).toEqual([1_400 + 800, 1_400 + 1_600]);
    for (let requests = 0; requests < 40; requests += 1) {
      gate.enter('app:1');
      gate.leave('app:1', 0);
    }
    expect(turns(2)).toEqual([3_000 + 25, 3_000 + 50]);
  });

  test('begin at the earliest moment that is asked for, on the clock', () => {
    // A circuit that opens for a minute must not be tried before it ends.
    let nowMs = 5_000;
    const gate = createEndpointGate({ now: () => nowMs });
    expect(gate.turnInMs('app:1', BUSY)).toBe(1_000);
    nowMs = 5_100;
    // The last turn is at 6,000, so the next one is at 6,200, which is 1,100 from now.
    expect(gate.turnInMs('app:1', BUSY)).toBe(1_100);
    nowMs = 60_000;
    expect(gate.turnInMs('app:1', BUSY)).toBe(1_000);
    nowMs = 61_000;
    expect(gate.turnInMs('app:1', { reason: 'BUSY', notBeforeMs: 0 })).toBe(200);
    nowMs = 70_000;
    expect(gate.turnInMs('app:1', { reason: 'BUSY', notBeforeMs: 0 })).toBe(1);
  });

  test('have a line for each reason and each endpoint', () => {
    // Deliveries that wait for a busy endpoint must not queue behind those that wait for a circuit.
    const gate = createEndpointGate({ now: () => 0 });
    const circuit = { reason: 'CIRCUIT_OPEN', notBeforeMs: 1_000 } as const;
    expect([gate.turnInMs('app:1', circuit), gate.turnInMs('app:1', circuit)]).toEqual([1_000, 1_200]);
    expect(gate.turnInMs('app:1', BUSY)).toBe(1_000);
    expect(gate.turnInMs('app:2', circuit)).toBe(1_000);
  });

  test('further away than a quarter of an hour are drawn by lot within it', () => {
    // Ten thousand events of one dead receiver must return spread over time, and none may be delayed for hours.
    let drawn = 0;
    const gate = createEndpointGate({
      now: () => 0,
      random: () => {
        drawn += 1;
        return 0.5;
      },
    });
    const turns = Array.from({ length: 4_503 }, () => gate.turnInMs('app:1', BUSY));
    expect(turns[4_500]).toBe(1_000 + CIRCUIT_OPEN_MS_MAX);
    expect(drawn).toBe(2);
    expect(turns.slice(4_501)).toEqual([1_000 + CIRCUIT_OPEN_MS_MAX / 2, 1_000 + CIRCUIT_OPEN_MS_MAX / 2]);
  });
});
