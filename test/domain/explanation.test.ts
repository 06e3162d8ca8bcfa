import { describe, expect, test } from '@jest/globals';
import { explain, type PaymentSituation } from '../../domain/explanation.ts';
import { REVIEW_REASONS, type ReviewReason } from '../../domain/payment.ts';

const NOW = new Date('2026-06-04T10:00:00Z');
const LATER = new Date('2026-06-04T10:30:00Z');
const HOURS_72_MS = 72 * 3_600_000;

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
};

describe('a payment that ended unpaid, and whose money came later', () => {
  test.each([
    ['KEPT', /was kept/],
    ['REFUNDED', /was refunded/],
    ['REFUNDING', /is being refunded/],
  ] as const)('says what became of it when it is %s', (unappliedMoney, words) => {
    // Support must not tell a payer who paid that no money was taken.
    for (const status of ['FAILED', 'CANCELLED', 'EXPIRED'] as const) {
      const { summary } = explain({ ...calm, status, unappliedMoney });
      expect(summary).toMatch(words);
      expect(summary).not.toMatch(/no money/i);
    }
  });
});

describe('an open payment', () => {
  test('whose checkout is not open waits for the gateway until it expires', () => {
    // Support must not send a payer to a page that is not open yet.
    expect(explain({ ...calm, status: 'CREATED' })).toMatchObject({
      summary: expect.stringMatching(/created.*not open yet/),
      waitingFor: 'gateway-session',
      until: LATER,
      next: expect.stringMatching(/tries to open the checkout until the payment expires/),
    });
  });

  test('waits for the payer until it expires', () => {
    expect(explain(calm)).toMatchObject({
      summary: expect.stringMatching(/checkout is open/),
      waitingFor: 'payer',
      until: LATER,
      next: expect.stringMatching(/pays or cancels.*one last time/),
    });
  });

  test('waits for the payer’s choice, as long as for his money', () => {
    // Support must see that no gateway has been called yet.
    expect(explain({ ...calm, choosing: true })).toMatchObject({
      summary: expect.stringMatching(/not chosen a gateway yet/),
      waitingFor: 'payer',
      until: LATER,
    });
  });

  test('waits for the gateway after a callback, which alone decides nothing', () => {
    // Support must not say that a payment succeeded because a callback claimed it.
    expect(explain({ ...calm, asking: true })).toMatchObject({
      summary: expect.stringMatching(/callback or a cancellation was received.*to confirm/),
      waitingFor: 'gateway-answer',
      until: LATER,
      next: expect.stringMatching(/never trusted/),
    });
  });

  test.each([
    ['at', LATER],
    ['after', new Date(LATER.getTime() + 1)],
  ])('%s its time is asked about for 72 hours', (_when, now) => {
    // Time alone does not end a payment. The gateway is queried first.
    expect(explain({ ...calm, now, asking: true })).toMatchObject({
      summary: expect.stringMatching(/has expired.*queries the gateway/),
      waitingFor: 'gateway-answer',
      until: new Date(LATER.getTime() + HOURS_72_MS),
      next: expect.stringMatching(/gateway's answer decides.*72 hours, an operator/),
    });
  });
});

describe('a payment under review', () => {
  const WORDS: Readonly<Record<ReviewReason, RegExp>> = {
    AMOUNT_MISMATCH: /a different amount/,
    CURRENCY_MISMATCH: /a different currency/,
    REFERENCE_MISMATCH: /a different reference/,
    STORE_MISMATCH: /a different store/,
    RISK_FLAGGED: /risky/,
    GATEWAY_UNREACHABLE: /could not be reached for 72 hours/,
    EVIDENCE_REUSED: /used for another payment/,
  };

  test.each([...REVIEW_REASONS])('for %s waits for an operator, without a time', (reviewReason) => {
    // An operator must read in words what is wrong.
    for (const status of ['CREATED', 'PENDING'] as const) {
      const told = explain({ ...calm, status, reviewReason, now: new Date(LATER.getTime() + 1) });
      expect(told).toMatchObject({ waitingFor: 'operator', until: null });
      expect(told.summary).toMatch(/^Under review: /);
      expect(told.summary).toMatch(WORDS[reviewReason]);
      expect(told.next).toMatch(/accepts or rejects.*no deadline/);
    }
  });

  test('is not, once it has ended', () => {
    // The review reason stays in the row after the payment has ended, but nothing waits for an operator.
    const told = explain({ ...calm, status: 'SUCCEEDED', reviewReason: 'RISK_FLAGGED' });
    expect(told.waitingFor).toBe('nothing');
  });
});

describe('an ended payment', () => {
  test.each([
    ['SUCCEEDED', /confirmed the charge.*ledger/, /final unless it is refunded/],
    ['FAILED', /no money was taken \(declined\)/, /final\. You can create a new one/],
    ['CANCELLED', /payer cancelled.*No money/, /final\. You can create a new one/],
    ['EXPIRED', /expired.*no money/, /arrives later is held as an unapplied payment/],
    ['PARTIALLY_REFUNDED', /part of the payment was refunded/, /unless more is refunded/],
    ['REFUNDED', /refunded in full/, /^Nothing\. The payment is final\.$/],
  ] as const)('%s says how it ended and that nothing more happens', (status, summary, next) => {
    // The application, operators and support get the same text.
    const told = explain({ ...calm, status });
    expect(told).toMatchObject({ waitingFor: 'nothing', until: null });
    expect(told.summary).toMatch(summary);
    expect(told.next).toMatch(next);
  });

  test('that failed names the code where there is one', () => {
    // A shop wants to know first why the gateway refused.
    expect(explain({ ...calm, status: 'FAILED', failureCode: 'CARD_DECLINED' }).summary).toContain('(CARD_DECLINED)');
  });

  test('with unapplied money waits for an operator, whatever else is so', () => {
    // Money that no open payment takes must be mentioned before anything else.
    const told = explain({ ...calm, status: 'EXPIRED', heldLate: true, reviewReason: 'RISK_FLAGGED' });
    expect(told).toMatchObject({ waitingFor: 'operator', until: null });
    expect(told.summary).toMatch(/ended as EXPIRED.*held in suspense/);
    expect(told.next).toMatch(/refunds or keeps/);
  });
});
