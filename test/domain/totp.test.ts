import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { matchingTotpSteps, toBase32, totpCode, totpStep, totpUri, type HmacSha1 } from '../../domain/totp.ts';

const hmac: HmacSha1 = (key, message) => createHmac('sha1', key).update(message).digest();
const secret = Buffer.from('12345678901234567890');

describe('RFC 6238, appendix B', () => {
  test.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('at %i the code is %s', (seconds, expected) => {
    // Every authenticator app follows these test vectors.
    const step = totpStep(new Date(seconds * 1_000));
    expect(totpCode({ secret, step, hmac, digits: 8 })).toBe(expected);
    expect(totpCode({ secret, step, hmac })).toBe(expected.slice(2));
  });
});

test('a code is of its own step, the one before and the one after, and of no other', () => {
  // A clock difference of half a minute is accepted, a greater one is not.
  const at = new Date('2026-06-04T10:00:15Z');
  const code = totpCode({ secret, step: totpStep(at), hmac });
  const steps = [-60, -46, -45, 0, 30, 44, 45, 75].map((seconds) => {
    const then = new Date(at.getTime() + seconds * 1_000);
    return matchingTotpSteps({ secret, code, at: then, hmac }).length;
  });
  expect(steps).toEqual([0, 0, 1, 1, 1, 1, 0, 0]);
  expect(matchingTotpSteps({ secret, code: '', at, hmac })).toEqual([]);
  expect(matchingTotpSteps({ secret, code: `${code}0`, at, hmac })).toEqual([]);
});

test('a MAC that is a part of a larger buffer is read at its own place', () => {
  // Node returns slices of a shared buffer pool.
  const pooled: HmacSha1 = (key, message) => {
    const pool = Buffer.alloc(64, 0xff);
    Buffer.from(hmac(key, message)).copy(pool, 7);
    return pool.subarray(7, 27);
  };
  expect(totpCode({ secret, step: 1n, hmac: pooled, digits: 8 })).toBe('94287082');
});

test('a secret is written in base32 as RFC 4648 does, into a URI that authenticators read', () => {
  // Operators type or scan the secret once, so its encoding must be right.
  const vectors = {
    '': '',
    f: 'MY',
    fo: 'MZXQ',
    foo: 'MZXW6',
    foob: 'MZXW6YQ',
    fooba: 'MZXW6YTB',
    foobar: 'MZXW6YTBOI',
  };
  for (const [plain, encoded] of Object.entries(vectors)) {
    expect(toBase32(Buffer.from(plain))).toBe(encoded);
  }
  const uri = new URL(totpUri({ issuer: 'Lenden', account: 'a+b@example.com', secret }));
  expect([uri.protocol, uri.host, uri.pathname]).toEqual(['otpauth:', 'totp', '/Lenden:a%2Bb%40example.com']);
  expect(Object.fromEntries(uri.searchParams)).toEqual({
    secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    issuer: 'Lenden',
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  });
});
