import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createRateLimiter } from '../../api/http/rate-limit.ts';

function limiterAt(): { take: (key?: string, perMinute?: number) => boolean; pass: (ms: number) => void } {
  let nowMs = 0;
  const limiter = createRateLimiter(() => nowMs);
  return {
    take: (key = 'a', perMinute = 60) => limiter.take(key, perMinute).allowed,
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

test('allows a minute’s worth at once, then one for each share of a minute', () => {
  const { take, pass } = limiterAt();
  expect(Array.from({ length: 61 }, () => take()).filter(Boolean)).toHaveLength(60);
  pass(999);
  expect(take()).toBe(false);
  pass(1);
  expect([take(), take()]).toEqual([true, false]);
  pass(3_600_000);
  expect(Array.from({ length: 100 }, () => take()).filter(Boolean)).toHaveLength(60);
});

test('keeps each key apart', () => {
  // A client that sends too many requests must not block another client.
  const { take } = limiterAt();
  expect([take('a', 1), take('a', 1), take('b', 1)]).toEqual([true, false, true]);
});

test('tells when to come back, and it is so', () => {
  // If Retry-After is too short, clients retry in vain. If it is too long, payers wait.
  let nowMs = 0;
  const limiter = createRateLimiter(() => nowMs);
  limiter.take('a', 2);
  limiter.take('a', 2);
  const refused = limiter.take('a', 2);
  expect(refused).toMatchObject({ allowed: false, limit: 2, remaining: 0, retryAfterSeconds: 30, resetSeconds: 60 });
  nowMs += refused.retryAfterSeconds * 1_000;
  expect(limiter.take('a', 2).allowed).toBe(true);
});

test('never lets more through than its rate and burst, however requests fall', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 300 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 100 }), (waits, perMinute) => {
      const { take, pass } = limiterAt();
      let passedMs = 0;
      let allowed = 0;
      for (const wait of waits) {
        pass(wait);
        passedMs += wait;
        allowed += take('a', perMinute) ? 1 : 0;
      }
      expect(allowed).toBeLessThanOrEqual(perMinute + (passedMs * perMinute) / 60_000 + 1e-6);
    }),
  );
});

test('forgets the longest unused keys, so that a flood of addresses takes no memory', () => {
  // An attacker can easily use many addresses.
  const { take } = limiterAt();
  take('first', 1);
  for (let i = 0; i < 50_001; i += 1) {
    take(`k${i}`, 1);
  }
  expect(take('first', 1)).toBe(true);
  expect(take('k50000', 1)).toBe(false);
});
