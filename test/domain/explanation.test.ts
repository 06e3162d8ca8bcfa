import { describe, expect, test } from '@jest/globals';
import { explain, type PaymentSituation } from '../../domain/explanation.ts';
import type { DeliverySituation } from '../../domain/open-deliveries.ts';
import type { RefundSituation } from '../../domain/open-refunds.ts';
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
  submission: null,
  decision: null,
  refunds: [],
  disputes: [],
  deliveries: [],
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

  test.each([LATER, NOW])(
    'waits for a person once the payer has submitted a transfer, before its expiry and after',
    (now) => {
      // Whoever reads that the payer has not finished would ask a payer for money that they have sent.
      const told = explain({ ...calm, now, submission: 'WAITING' });
      expect(told).toMatchObject({
        summary: expect.stringMatching(/submitted a transfer/),
        waitingFor: 'operator',
        until: null,
        next: expect.stringMatching(/account statement.*no deadline/),
      });
      const decision = { decision: 'accept', needsAnother: true };
      expect(explain({ ...calm, now, submission: 'WAITING', decision }).next).toMatch(/second person/);
    },
  );

  test('waits for the payer again once their transfer was rejected', () => {
    // The payer can correct a mistyped number until the payment expires.
    expect(explain({ ...calm, submission: 'REJECTED' })).toMatchObject({
      summary: expect.stringMatching(/can correct/),
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

describe('a payment with an undelivered event', () => {
  const delivery: DeliverySituation = {
    type: 'payment.succeeded',
    status: 'RETRYING',
    attempts: 1,
    lastError: 'TIMEOUT',
    nextAttemptAt: LATER,
    recovering: false,
    hasUrl: true,
    disabled: false,
    circuitOpenUntil: null,
    now: NOW,
  };

  test('is final, but something happens next', () => {
    // "Nothing" would hide that the application does not know of the payment yet.
    const told = explain({ ...calm, status: 'SUCCEEDED', deliveries: [delivery] });
    expect(told.waitingFor).toBe('nothing');
    expect(told.next).toMatch(/^The payment is final unless it is refunded\. The event .*Attempt 2 is due at/);
  });

  test('that is delivered meanwhile has nothing left', () => {
    // The word must come back when it is true.
    const { next } = explain({ ...calm, status: 'SUCCEEDED', deliveries: [{ ...delivery, status: 'DELIVERED' }] });
    expect(next).toBe('Nothing. The payment is final unless it is refunded.');
  });
});

describe('a payment with an open refund', () => {
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
  const later = { ...awaiting, approvalDueAt: new Date('2026-06-12T09:00:00Z') };

  test.each([
    ['at the gateway', [pending], 'gateway-answer', null],
    ['that awaits approval', [awaiting], 'operator', DUE],
    ['that awaits approval, and one at the gateway', [pending, awaiting], 'operator', DUE],
    ['that awaits approval for longer than another', [later, awaiting], 'operator', DUE],
  ] as const)('%s waits for whoever acts next', (_what, refunds, waitingFor, until) => {
    // "Nothing" would hide money that is on its way, or that somebody has to release.
    for (const status of ['SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED'] as const) {
      const told = explain({ ...calm, status, refunds });
      expect(told).toMatchObject({ waitingFor, until });
      expect(told.next).toMatch(/^The payment is final.* The refund of 25\.00 BDT /);
    }
  });

  test('and unapplied money under an operator’s eyes waits for that operator', () => {
    // The decision on held money has no deadline, whatever the refund's is.
    const told = explain({ ...calm, status: 'SUCCEEDED', heldLate: true, refunds: [awaiting] });
    expect(told).toMatchObject({ waitingFor: 'operator', until: null });
    expect(told.next).toMatch(/refunds or keeps the unapplied payment\. The refund of 25\.00 BDT awaits/);
  });

  test('of unapplied money does not call the refund automatic once it is under review', () => {
    // A refund under review moves only when people decide.
    const refunds = [{ ...pending, ofUnapplied: true, reviewReason: 'STUCK_AT_GATEWAY' } as const];
    const told = explain({ ...calm, status: 'EXPIRED', unappliedMoney: 'REFUNDING', refunds });
    expect(told.waitingFor).toBe('operator');
    expect(told.next).toMatch(/^The payment is final\. The refund of the unapplied 25\.00 BDT is under review/);
  });

  test('and more than three of them counts the others', () => {
    // The answer stays readable.
    const { next } = explain({ ...calm, status: 'SUCCEEDED', refunds: Array.from({ length: 5 }, () => pending) });
    expect(next).toMatch(/ 2 more refunds are open\.$/);
  });
});

describe('a disputed charge', () => {
  const paid = { ...calm, status: 'SUCCEEDED' } as const;
  const money = { amountMinor: 2_500n, currency: 'USD' };
  const open = { money, status: 'OPEN', respondBy: LATER } as const;

  test('waits for the shop until its answer is due, and is still paid', () => {
    // Whoever reads this has some days to answer, and loses the money otherwise.
    expect(explain({ ...paid, disputes: [open] })).toEqual({
      summary: 'The gateway confirmed the charge, and it is posted to the ledger.',
      waitingFor: 'operator',
      until: LATER,
      next:
        'The payment is final unless it is refunded. The payer disputes 25.00 USD of the charge at their bank. ' +
        "The shop answers in the gateway's dashboard until 2026-06-04 10:30:00 UTC; then the bank decides.",
    });
  });

  test.each([NOW, null])('whose answer was due at %p waits for the bank', (respondBy) => {
    // Nobody must look for something to answer that is answered or too late.
    const told = explain({ ...paid, disputes: [{ ...open, respondBy }] });
    expect(told).toMatchObject({ waitingFor: 'gateway-answer', until: null });
    expect(told.next).toMatch(/The bank decides; Lenden queries the gateway for the outcome once a day\.$/);
  });

  test.each([
    ['WON', /A dispute over 25\.00 USD was won: the shop keeps the money\.$/],
    ['LOST', /A dispute over 25\.00 USD was lost: the gateway took the money back\.$/],
    ['CLOSED', /A dispute over 25\.00 USD ended before money was taken\.$/],
  ] as const)('that ended as %s says so, and waits for nothing', (status, words) => {
    // The books have the charge, so only the dispute explains why its money is missing.
    const told = explain({ ...paid, disputes: [{ ...open, status }] });
    expect(told).toMatchObject({ waitingFor: 'nothing', until: null });
    expect(told.summary).toMatch(words);
    expect(told.next).toMatch(/^Nothing\./);
  });

  test('of which a refund is at the gateway waits for the person first', () => {
    // The deadline is the one that somebody can still meet.
    const refunds = [
      { money, status: 'PENDING', ofUnapplied: false, reviewReason: null, approvalDueAt: null, decision: null },
    ] as const;
    expect(explain({ ...paid, refunds, disputes: [open] })).toMatchObject({ waitingFor: 'operator', until: LATER });
  });
});

describe('a payment on which operators have decided', () => {
  const underReview = { ...calm, reviewReason: 'RISK_FLAGGED' } as const;

  test('needs a second person where only the first of two has decided', () => {
    // Without it everybody would wait for the other.
    const told = explain({ ...underReview, decision: { decision: 'accept', needsAnother: true } });
    expect(told.waitingFor).toBe('operator');
    expect(told.next).toMatch(
      /One operator has decided: accept\. A second person has to make the same decision\. There is no deadline\.$/,
    );
  });

  test('waits for no person once the decision is made', () => {
    // A second operator must not look for something to decide.
    const told = explain({ ...underReview, decision: { decision: 'reject', needsAnother: false } });
    expect(told).toMatchObject({
      waitingFor: 'gateway-answer',
      next: 'The decision is made: reject. Lenden carries it out.',
    });
  });

  test('needs a second person for its unapplied money, too', () => {
    // Held money above the threshold takes the same two people.
    const decision = { decision: 'keep', needsAnother: true };
    const { next } = explain({ ...calm, status: 'EXPIRED', heldLate: true, decision });
    expect(next).toMatch(/refunds or keeps.* One operator has decided: keep\. A second person/);
  });

  test('and that was refunded since still ended as SUCCEEDED', () => {
    // What was true at a time must stay true of that time.
    expect(explain({ ...calm, status: 'REFUNDED', heldLate: true }).summary).toMatch(
      /^The payment ended as SUCCEEDED\./,
    );
  });
});
