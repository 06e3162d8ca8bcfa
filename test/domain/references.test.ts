import { expect, test } from '@jest/globals';
import {
  attemptReference,
  eventId,
  isReference,
  ownpayReference,
  paymentReference,
  randomBase62,
  refundReference,
  shadhinpayReference,
  shadhinpayRefundReference,
} from '../../domain/references.ts';

test('each kind has its published form', () => {
  // Gateways and clients check these formats.
  for (let i = 0; i < 200; i += 1) {
    expect(paymentReference()).toMatch(/^pay_[0-9A-Za-z]{22}$/);
    expect(attemptReference()).toMatch(/^[0-9A-Za-z]{20}$/);
    expect(eventId()).toMatch(/^evt_[0-9A-Za-z]{22}$/);
  }
});

test('a payment reference carries at least 128 bits', () => {
  // A reference opens a page without a login, so it must not be guessable.
  expect(22 * Math.log2(62)).toBeGreaterThan(128);
});

test('does not repeat and prefers no letter', () => {
  // A bias would make guessing easier. A repeated reference would show one payer another payer's page.
  const text = Array.from({ length: 124 }, () => randomBase62(1_000)).join('');
  const counts = new Map<string, number>();
  for (const letter of text) {
    counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  expect(counts.size).toBe(62);
  // Six standard deviations around 2,000.
  expect(Math.min(...counts.values())).toBeGreaterThan(1_730);
  expect(Math.max(...counts.values())).toBeLessThan(2_270);
  expect(new Set(Array.from({ length: 5_000 }, paymentReference)).size).toBe(5_000);
});

test('what no contract gives out is told from a reference', () => {
  // Postgres refuses text with a zero byte, so such a reference would cause an internal error.
  const now = new Date();
  for (const reference of [
    paymentReference(),
    refundReference(),
    ownpayReference(),
    shadhinpayReference(now),
    shadhinpayRefundReference(now),
  ]) {
    expect([reference, isReference(reference)]).toEqual([reference, true]);
  }
  for (const id of ['', 'pay_', 'pay_\u0000', 'pay_a b', 'pay_a\n', 'payments', '1', `pay_${'a'.repeat(41)}`]) {
    expect([id, isReference(id)]).toEqual([id, false]);
  }
});
