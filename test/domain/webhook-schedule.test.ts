import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEndpointGate } from '../../core/webhooks/endpoint-gate.ts';
import { retryAfterMs } from '../../core/webhooks/retry-after.ts';
import { excerptOf } from '../../core/webhooks/send.ts';
import {
  ATTEMPT_DELAYS_SECONDS,
  CIRCUIT_OPEN_MS_MAX,
  circuitState,
  delayBeforeAttemptMs,
  endpointAfterFailure,
  IN_FLIGHT_PER_ENDPOINT_MAX,
  JITTER_SHARE_MAX,
  type EndpointHealth,
} from '../../domain/webhook.ts';

const now = new Date('2026-11-21T10:00:00Z');
const DAY_MS = 86_400_000;

test('the published schedule makes at least ten attempts over at least 72 hours, and jitter only lengthens it', () => {
  // A receiver that is down for three days must not miss an event.
  const total = ATTEMPT_DELAYS_SECONDS.reduce<number>((sum, delay) => sum + delay, 0);
  expect(ATTEMPT_DELAYS_SECONDS.length).toBeGreaterThanOrEqual(10);
  expect(total).toBeGreaterThanOrEqual(72 * 3_600);
  fc.assert(
    fc.property(fc.nat(9), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (index, random) => {
      const plain = (ATTEMPT_DELAYS_SECONDS[index] ?? 0) * 1_000;
      const delay = delayBeforeAttemptMs(index, random);
      expect(delay).toBeGreaterThanOrEqual(plain);
      expect(delay).toBeLessThanOrEqual(plain * (1 + JITTER_SHARE_MAX) + 1);
    }),
  );
  expect(delayBeforeAttemptMs(10, 0)).toBeNull();
});

describe('Retry-After', () => {
  test.each([
    [429, '3600', 3_600_000],
    [503, 'Sat, 21 Nov 2026 11:00:00 GMT', 3_600_000],
    [503, 'Saturday, 21-Nov-26 11:00:00 GMT', 3_600_000],
    [502, 'Sat Nov 21 11:00:00 2026', 3_600_000],
    [504, ' 60 ', 60_000],
    [429, '315360000', DAY_MS],
    [429, '999999999999999', DAY_MS],
    [503, 'Fri, 21 Nov 2036 11:00:00 GMT', DAY_MS],
    [503, 'Fri, 20 Nov 2026 11:00:00 GMT', 0],
    [429, '-5', 0],
    [429, '1e9', 0],
    [429, '1.5', 0],
    [429, 'soon', 0],
    [429, '21 Nov 2026 11:00:00 GMT', 0],
    [429, 'Sat, 21 Nov 2026 11:00 GMT', 0],
    [429, 'x Sat, 21 Nov 2026 11:00:00 GMT', 0],
    [429, 'x Saturday, 21-Nov-26 11:00:00 GMT', 0],
    [429, 'x Sat Nov 21 11:00:00 2026', 0],
    [429, 'Sat, 21 Nov 2026 11:00:00 GMT (at noon)', 0],
    [429, 'Saturday, 21-Nov-26 11:00:00 GMT (at noon)', 0],
    [429, 'Sat Nov 21 11:00:00 2026 (at noon)', 0],
    [429, 'tomorrow 5', 0],
    [429, '2026-11-21T11:00:00Z', 0],
    [429, 'Sat, 99 Nov 2026 11:00:00 GMT', 0],
    [429, '', 0],
    [500, '3600', 0],
    [400, '3600', 0],
  ])('of a %i with "%s" asks for %i ms', (status, text, expected) => {
    // A receiver's Retry-After counts up to a day, and invalid values have no effect.
    expect(retryAfterMs({ status, headers: { 'retry-after': text } }, now)).toBe(expected);
  });
});

test('a receiver that does not say when to come back asks for nothing', () => {
  // Most receivers send no Retry-After.
  expect(retryAfterMs({ status: 429, headers: {} }, now)).toBe(0);
});

describe('the circuit of an endpoint', () => {
  const healthy: EndpointHealth = { consecutiveFailures: 0, failingSince: null, circuitOpenUntil: null };
  const openMs = (health: EndpointHealth, at = now): number => (health.circuitOpenUntil?.getTime() ?? 0) - at.getTime();

  test('opens at the fifth failure for 30 s, and each failed probe doubles that up to 15 minutes', () => {
    // A dead receiver must cost less and less.
    let health = healthy;
    for (let failures = 1; failures <= 4; failures += 1) {
      health = endpointAfterFailure(health, { now, probe: false, gone: false });
      expect(circuitState(health, now)).toBe('closed');
    }
    health = endpointAfterFailure(health, { now, probe: false, gone: false });
    expect(circuitState(health, now)).toBe('open');
    const spans = [openMs(health)];
    let at = now;
    for (let probes = 0; probes < 7; probes += 1) {
      at = health.circuitOpenUntil ?? at;
      expect(circuitState(health, at)).toBe('half-open');
      health = endpointAfterFailure(health, { now: at, probe: true, gone: false });
      spans.push(openMs(health, at));
    }
    expect(spans).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 900_000, 900_000, CIRCUIT_OPEN_MS_MAX]);
  });

  test('is not lengthened by attempts that were under way when it opened', () => {
    // Five requests that fail together are one outage, not five.
    let health = healthy;
    for (let failures = 0; failures < 10; failures += 1) {
      health = endpointAfterFailure(health, { now, probe: false, gone: false });
    }
    expect(health.consecutiveFailures).toBe(5);
    expect(openMs(health)).toBe(30_000);
  });

  test('an endpoint is disabled by 410 at once, and by nothing but failures after five days', () => {
    // A receiver that is gone for good must not be called forever, and a short outage must not disable an endpoint.
    const since = (days: number): EndpointHealth => ({
      ...healthy,
      failingSince: new Date(now.getTime() - days * DAY_MS),
    });
    const reasonOf = (health: EndpointHealth, gone = false): string | null =>
      endpointAfterFailure(health, { now, probe: false, gone }).disabledReason;
    expect(reasonOf(healthy)).toBeNull();
    expect(reasonOf(healthy, true)).toBe('GONE');
    expect(reasonOf(since(4.99))).toBeNull();
    expect(reasonOf(since(5))).toBe('FAILING_FOR_5_DAYS');
  });
});

describe('the gate of an endpoint', () => {
  test('lets five in and gives each one put off a turn of its own', () => {
    // A backlog of ten thousand events must not be sent all at once.
    const gate = createEndpointGate({ now: () => 0 });
    for (let entered = 0; entered < IN_FLIGHT_PER_ENDPOINT_MAX; entered += 1) {
      expect(gate.enter('app:1')).toBe(true);
    }
    expect(gate.enter('app:1')).toBe(false);
    expect(gate.enter('app:2')).toBe(true);
    const turns = Array.from({ length: 10_000 }, () =>
      gate.turnInMs('app:1', { reason: 'CIRCUIT_OPEN', notBeforeMs: 1_000 }),
    );
    expect(Math.min(...turns)).toBe(1_000);
    expect(Math.max(...turns)).toBeLessThanOrEqual(1_000 + CIRCUIT_OPEN_MS_MAX);
    const perSecond = Map.groupBy(turns, (turn) => Math.floor(turn / 1_000));
    expect(Math.max(...[...perSecond.values()].map((group) => group.length))).toBeLessThan(60);
    expect(gate.turnInMs('app:1', { reason: 'BUSY', notBeforeMs: 1_000 })).toBe(1_000);
    gate.leave('app:1', 10);
    expect(gate.enter('app:1')).toBe(true);
  });
});

test('the kept excerpt of a reply is one short line without control characters', () => {
  // A receiver's reply is shown to people and stored in Postgres, which refuses NUL.
  expect(excerptOf(Buffer.from('ok\u0000\u001b[31m\r\nnext\u202Eline'))).toBe('ok [31m next line');
  expect(excerptOf(Buffer.from([0xff, 0x00, 0x01]))).toBe('\uFFFD');
  expect(excerptOf(Buffer.from(''))).toBeNull();
  expect(excerptOf(Buffer.alloc(65_536, 'x'))?.length).toBe(1_024);
  expect(excerptOf(Buffer.alloc(65_536, 0xff))?.length).toBeLessThanOrEqual(1_024);
});
