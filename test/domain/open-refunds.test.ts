import { describe, expect, test } from '@jest/globals';
import { ENGLISH } from '../../domain/explanation-words.ts';
import { openRefunds as explained, type RefundSituation } from '../../domain/open-refunds.ts';
import { REFUND_REVIEW_REASONS, type RefundReviewReason } from '../../domain/refund.ts';

const openRefunds = (situations: readonly RefundSituation[]) => explained(situations, ENGLISH);

const DUE = new Date('2026-06-11T09:00:00Z');

const pending: RefundSituation = {
  money: { amountMinor: 2_500n, currency: 'BDT' },
  status: 'PENDING',
  ofUnapplied: false,
  reviewReason: null,
  approvalDueAt: null,
  decision: null,
};
const awaiting = { ...pending, status: 'AWAITING_APPROVAL', approvalDueAt: DUE } as const;
const reviewed = { ...pending, reviewReason: 'STUCK_AT_GATEWAY' } as const;

describe('an open refund', () => {
  test('awaits approval until its deadline', () => {
    // Somebody has to act, or the refund is rejected.
    expect(openRefunds([awaiting])).toEqual([
      {
        waitingFor: 'operator',
        until: DUE,
        next: 'The refund of 25.00 BDT awaits approval by a second person until 2026-06-11 09:00:00 UTC; then it is rejected.',
      },
    ]);
  });

  test('whose rejection is decided waits for no person any more', () => {
    // A second operator must not look for something to decide.
    const [told] = openRefunds([{ ...awaiting, decision: { decision: 'reject', needsAnother: false } }]);
    expect(told).toMatchObject({
      waitingFor: 'gateway-answer',
      next: 'The refund of 25.00 BDT awaited approval. The decision is made: reject. Lenden carries it out.',
    });
  });

  test('waits for the gateway', () => {
    // A bank may take days, and the payer asks meanwhile.
    expect(openRefunds([pending])).toEqual([
      {
        waitingFor: 'gateway-answer',
        until: null,
        next: 'The refund of 25.00 BDT is at the gateway. Lenden queries it until it reports the outcome; after 30 days an operator decides.',
      },
    ]);
  });

  test('of money that no payment took is named as that', () => {
    // It returns another charge than the payment's own.
    expect(openRefunds([{ ...pending, ofUnapplied: true }])).toMatchObject([
      { next: expect.stringMatching(/^The refund of the unapplied 25\.00 BDT is at the gateway/) },
    ]);
  });
});

describe('a refund under review', () => {
  const WORDS: Readonly<Record<RefundReviewReason, RegExp>> = {
    GATEWAY_CANCELLED: /says that it was cancelled/,
    REFUSED_AFTER_DOUBT: /unclear/,
    STUCK_AT_GATEWAY: /not finished it for 30 days/,
    REJECTED_AFTER_DOUBT: /may have it since before a restore/,
    PAID_BACK_BY_HAND: /by hand/,
    FAILED_AFTER_SUCCESS: /failed after it had succeeded/,
  };

  test.each([...REFUND_REVIEW_REASONS])('for %s waits for operators, without a time', (reviewReason) => {
    // Support must read in words why the money is not back.
    const status = reviewReason === 'FAILED_AFTER_SUCCESS' ? 'SUCCEEDED' : 'PENDING';
    const [told] = openRefunds([{ ...pending, status, reviewReason }]);
    expect(told).toMatchObject({ waitingFor: 'operator', until: null });
    expect(told?.next).toMatch(/^The refund of 25\.00 BDT is under review: /);
    expect(told?.next).toMatch(WORDS[reviewReason]);
    expect(told?.next).toMatch(/Operators decide how it ended\. There is no deadline\.$/);
  });

  test.each([
    ['approve', 'retry'],
    ['accept', 'refunded'],
    ['reject', 'not-refunded'],
  ])('names the first decision %s as operators make it, and that a second person is needed', (decision, word) => {
    // Without it everybody would wait for the other.
    const [told] = openRefunds([{ ...reviewed, decision: { decision, needsAnother: true } }]);
    expect(told?.waitingFor).toBe('operator');
    expect(told?.next).toContain(`One operator has decided: ${word}. A second person has to make the same decision.`);
  });

  test('whose decision is made waits for no person any more', () => {
    // A second operator must not look for something to decide.
    const [told] = openRefunds([{ ...reviewed, decision: { decision: 'accept', needsAnother: false } }]);
    expect(told).toMatchObject({
      waitingFor: 'gateway-answer',
      next: expect.stringMatching(/The decision is made: refunded\. Lenden carries it out\.$/),
    });
  });
});

test.each(['SUCCEEDED', 'FAILED', 'REJECTED'] as const)('a refund that is %s is not open', (status) => {
  // A payment with nothing left to happen must read so.
  expect(openRefunds([{ ...pending, status }])).toEqual([]);
});

test('refunds that wait for a person come before those that wait for the gateway', () => {
  // What somebody has to do must not be hidden behind what happens by itself.
  expect(openRefunds([pending, reviewed, pending, awaiting]).map(({ waitingFor }) => waitingFor)).toEqual([
    'operator',
    'operator',
    'gateway-answer',
    'gateway-answer',
  ]);
});
