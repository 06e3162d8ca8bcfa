import { expect, test } from '@jest/globals';
import { explain, type PaymentSituation } from '../../domain/explanation.ts';
import type { DeliverySituation } from '../../domain/open-deliveries.ts';
import type { RefundSituation } from '../../domain/open-refunds.ts';
import { PAYMENT_STATUSES, REVIEW_REASONS } from '../../domain/payment.ts';
import { REFUND_REVIEW_REASONS } from '../../domain/refund.ts';
import { EXPLANATION_WORDS } from '../../web/explanation/words.ts';

const NOW = new Date('2026-06-04T10:00:00Z');
const LATER = new Date('2026-06-04T10:30:00Z');
const money = { amountMinor: 12_345_600n, currency: 'BDT' };

const calm: PaymentSituation = {
  status: 'PENDING',
  expiresAt: LATER,
  now: NOW,
  reviewReason: null,
  failureCode: null,
  asking: false,
  heldLate: false,
  unappliedMoney: null,
  choosing: false,
  submission: null,
  decision: null,
  refunds: [],
  disputes: [],
  deliveries: [],
};
const refund: RefundSituation = {
  money,
  status: 'PENDING',
  ofUnapplied: false,
  reviewReason: null,
  approvalDueAt: null,
  decision: null,
};
const delivery: DeliverySituation = {
  type: 'payment.succeeded',
  status: 'RETRYING',
  attempts: 2,
  lastError: null,
  nextAttemptAt: LATER,
  recovering: false,
  hasUrl: true,
  disabled: false,
  circuitOpenUntil: null,
  now: NOW,
};
const decisions = ['approve', 'reject', 'accept', 'refund', 'keep'].flatMap((decision) =>
  [true, false].map((needsAnother) => ({ decision, needsAnother })),
);
const ended = { ...calm, status: 'SUCCEEDED' } as const;
const withRefund = (given: Partial<RefundSituation>) => ({ ...ended, refunds: [{ ...refund, ...given }] });
const withDelivery = (given: Partial<DeliverySituation>) => ({ ...ended, deliveries: [{ ...delivery, ...given }] });

/** Together they need every sentence. */
const situations: readonly PaymentSituation[] = [
  ...PAYMENT_STATUSES.map((status) => ({ ...calm, status })),
  ...REVIEW_REASONS.map((reviewReason) => ({ ...calm, reviewReason })),
  ...decisions.map((decision) => ({ ...calm, reviewReason: 'RISK_FLAGGED', decision }) as const),
  { ...calm, status: 'EXPIRED', heldLate: true },
  ...(['REFUNDING', 'KEPT', 'REFUNDED'] as const).map(
    (unappliedMoney) => ({ ...calm, status: 'FAILED', unappliedMoney }) as const,
  ),
  { ...calm, status: 'FAILED', unappliedMoney: 'REFUNDING', refunds: [{ ...refund, ofUnapplied: true }] },
  { ...calm, asking: true },
  { ...calm, choosing: true },
  { ...calm, expiresAt: NOW },
  { ...calm, submission: 'WAITING' },
  { ...calm, submission: 'REJECTED' },
  ...REFUND_REVIEW_REASONS.map((reviewReason) => withRefund({ reviewReason })),
  ...decisions.map((decision) => withRefund({ reviewReason: 'STUCK_AT_GATEWAY', decision })),
  ...[null, LATER].map((approvalDueAt) => withRefund({ status: 'AWAITING_APPROVAL', approvalDueAt })),
  ...decisions.map((decision) => withRefund({ status: 'AWAITING_APPROVAL', decision })),
  { ...ended, refunds: Array.from({ length: 5 }, () => refund) },
  ...[null, LATER].map((respondBy) => ({ ...ended, disputes: [{ money, status: 'OPEN' as const, respondBy }] })),
  ...(['WON', 'LOST', 'CLOSED'] as const).map((status) => ({
    ...ended,
    disputes: [{ money, status, respondBy: null }],
  })),
  withDelivery({ status: 'PARKED', recovering: true }),
  ...[null, 'NO_ENDPOINT', 'ENDPOINT_DISABLED'].map((lastError) => withDelivery({ status: 'PARKED', lastError })),
  withDelivery({ status: 'PARKED', hasUrl: false }),
  withDelivery({ status: 'PARKED', disabled: true }),
  withDelivery({ hasUrl: false }),
  withDelivery({ disabled: true }),
  withDelivery({ attempts: 0, nextAttemptAt: null }),
  withDelivery({}),
  withDelivery({ circuitOpenUntil: new Date('2026-06-04T11:00:00Z') }),
  { ...ended, deliveries: Array.from({ length: 5 }, () => delivery) },
];

/** Codes of the API, names of events and our own name are not translated. */
const SAME_IN_EVERY_LANGUAGE = /Lenden|payment\.succeeded|declined|\b[A-Z_]{3,}\b|GMT/g;

test('a payment is explained in Bangla without an English word, and waits for the same as in English', () => {
  for (const situation of situations) {
    const { summary, next, ...wait } = explain(situation, EXPLANATION_WORDS.bn);
    const english = explain(situation);
    expect(wait).toEqual({ waitingFor: english.waitingFor, until: english.until });
    for (const text of [summary, next]) {
      expect([text, text.replaceAll(SAME_IN_EVERY_LANGUAGE, '').match(/[a-z]+/gi)]).toEqual([text, null]);
      expect(text).not.toMatch(/undefined|\d/);
    }
  }
});

test('every sentence is among those that are checked', () => {
  const used = new Set<string>();
  const words = new Proxy(EXPLANATION_WORDS.en, {
    get(target, name) {
      used.add(String(name));
      return Reflect.get(target, name) as unknown;
    },
  });
  situations.forEach((situation) => explain(situation, words));
  expect(Object.keys(EXPLANATION_WORDS.en).filter((name) => !used.has(name))).toEqual([]);
});

test('amounts and times are written as people write them', () => {
  const { next } = explain(withRefund({ status: 'AWAITING_APPROVAL', approvalDueAt: LATER }), EXPLANATION_WORDS.bn);
  expect(next).toContain('৳১,২৩,৪৫৬.০০');
  expect(next).toContain('১৬:৩০');
});
