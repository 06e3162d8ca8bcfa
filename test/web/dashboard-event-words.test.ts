import { expect, test } from '@jest/globals';
import { timelineOf } from '../../core/payments/timeline.ts';
import { codeInWords, detailInWords, eventInWords } from '../../web/admin/src/payments/event-words.ts';

const AT = new Date('2026-06-04T10:00:00Z');

test('whatever a timeline says is said in Bangla, too', () => {
  // An entry that the API words in another way would stay English among Bangla ones.
  const attempt = {
    number: 1,
    gateway: 'bkash',
    createdAt: AT,
    updatedAt: AT,
    openedAt: AT,
    supersededAt: AT,
    confirmedAt: AT,
  };
  const refund = { id: 7n, unappliedPaymentId: null, amountMinor: 100n, currency: 'BDT', approvalDueAt: null };
  const event = {
    id: 1n,
    type: 'payment.succeeded' as const,
    eventId: 'evt_1',
    attempts: 1,
    createdAt: AT,
    updatedAt: AT,
  };
  const delivery = { webhookEventId: 1n, number: 1, durationMs: 5, createdAt: AT };
  const of = {
    url: null,
    disabledAt: null,
    circuitOpenUntil: null,
    nextAttemptAt: null,
    nextSweepAt: null,
    deliveredAt: null,
    readAt: AT,
    lastError: 'timeout',
  };
  const timeline = timelineOf(
    {
      status: 'CANCELLED',
      reviewReason: 'RISK_FLAGGED',
      reviewSince: AT,
      failureCode: null,
      cancelRequestedAt: AT,
      createdAt: AT,
      endedAt: AT,
    },
    {
      attempts: [
        { ...attempt, status: 'FAILED', failureCode: null },
        { ...attempt, number: 2, status: 'REFUSED', failureCode: 'DECLINED' },
      ],
      callbacks: (['ipn', 'success', 'fail', 'cancel'] as const).map((kind) => ({
        kind,
        outcome: 'IGNORED' as never,
        repeats: 0,
        createdAt: AT,
      })),
      unapplied: [{ status: 'HELD', createdAt: AT }],
      refunds: [
        {
          ...refund,
          status: 'SUCCEEDED',
          reviewReason: null,
          failureCode: null,
          createdAt: AT,
          acceptedAt: AT,
          reviewSince: AT,
          endedAt: AT,
        },
      ],
      disputes: [
        {
          id: 3n,
          status: 'WON',
          reason: null,
          amountMinor: 1n,
          currency: 'BDT',
          respondBy: null,
          createdAt: AT,
          endedAt: AT,
        },
      ],
      decisions: [
        {
          kind: 'unapplied-payment',
          refundId: null,
          decision: 'keep',
          needsSecond: true,
          secondedAt: AT,
          consumedAt: null,
          outcome: null,
          createdAt: AT,
        },
      ],
      events: [
        { ...of, ...event, deliveryStatus: 'PARKED' },
        { ...of, ...event, id: 2n, deliveryStatus: 'DELIVERED', deliveredAt: AT },
      ],
      deliveryAttempts: [
        { ...delivery, error: 'timeout' },
        { ...delivery, number: 2, error: null },
      ],
    },
  );
  expect(timeline.length).toBeGreaterThan(24);
  const latin = timeline
    .map((entry) => eventInWords(entry.event, 'bn'))
    .filter((text) => /[A-Za-z]/.test(text.replace('payment.succeeded', '').replace('WON', '')));
  expect(latin).toEqual([]);
  expect(eventInWords('payment created', 'en')).toBe('payment created');
});

test('a code is a word in each language, and an unknown one stays', () => {
  expect([codeInWords('HELD', 'en'), codeInWords('HELD', 'bn')]).toEqual(['Held', 'রাখা আছে']);
  expect(codeInWords('SUCCEEDED', 'bn')).toBe('সফল');
  expect(detailInWords('DUPLICATE, repeated 2 times', 'bn')).toMatch(/আরও ২ বার$/);
  expect([codeInWords('E4711', 'bn'), codeInWords('constructor', 'bn')]).toEqual(['E4711', 'constructor']);
});
