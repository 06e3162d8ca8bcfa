import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { explain, type PaymentSituation } from '../../domain/explanation.ts';
import {
  canBecome,
  isOpen,
  isPaid,
  OPEN_STATUSES,
  PAYMENT_STATUSES,
  REVIEW_REASONS,
  FINAL_STATUSES,
  statusesBefore,
  type PaymentStatus,
} from '../../domain/payment.ts';
import { paymentView } from '../../domain/payment-view.ts';

/** The published transitions, and our own three exits from CREATED. */
const ALLOWED = new Set([
  'CREATED→PENDING',
  'CREATED→FAILED',
  'CREATED→CANCELLED',
  'CREATED→EXPIRED',
  'PENDING→SUCCEEDED',
  'PENDING→FAILED',
  'PENDING→CANCELLED',
  'PENDING→EXPIRED',
  'SUCCEEDED→PARTIALLY_REFUNDED',
  'SUCCEEDED→REFUNDED',
  'PARTIALLY_REFUNDED→PARTIALLY_REFUNDED',
  'PARTIALLY_REFUNDED→REFUNDED',
]);
const status = fc.constantFrom(...PAYMENT_STATUSES);

describe('the life of a payment', () => {
  test('takes exactly the published transitions', () => {
    for (const from of PAYMENT_STATUSES) {
      for (const to of PAYMENT_STATUSES) {
        expect([from, to, canBecome(from, to)]).toEqual([from, to, ALLOWED.has(`${from}→${to}`)]);
      }
    }
  });

  test('never comes back: whatever is tried, an end without money stays and money taken is never untaken', () => {
    fc.assert(
      fc.property(fc.array(status, { maxLength: 40 }), (tries) => {
        let now: PaymentStatus = 'CREATED';
        const seen: PaymentStatus[] = [now];
        for (const next of tries) {
          if (canBecome(now, next)) {
            now = next;
            seen.push(now);
          }
        }
        const paidAt = seen.findIndex(isPaid);
        expect(paidAt === -1 || seen.slice(paidAt).every(isPaid)).toBe(true);
        const endedAt = seen.findIndex((status) => !isOpen(status));
        expect(endedAt === -1 || !seen.slice(endedAt).some(isOpen)).toBe(true);
        expect(paidAt === -1 || seen[paidAt] === 'SUCCEEDED').toBe(true);
      }),
    );
  });

  test('is guarded from the other side by the same table', () => {
    // The condition of the SQL update and the state machine must agree.
    for (const to of PAYMENT_STATUSES) {
      expect(statusesBefore(to)).toEqual(PAYMENT_STATUSES.filter((from) => canBecome(from, to)));
    }
    expect(statusesBefore('SUCCEEDED')).toEqual(['PENDING']);
    expect(PAYMENT_STATUSES.filter(isOpen)).toEqual([...OPEN_STATUSES]);
    expect(FINAL_STATUSES.filter((end) => isPaid(end))).toEqual(['SUCCEEDED']);
    expect(PAYMENT_STATUSES.filter(isPaid)).toEqual(['SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED']);
  });
});

describe('the explanation', () => {
  const situation = fc.record<PaymentSituation>({
    status,
    expiresAt: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
    now: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
    reviewReason: fc.option(fc.constantFrom(...REVIEW_REASONS)),
    failureCode: fc.option(fc.constant('DECLINED')),
    asking: fc.boolean(),
    heldLate: fc.boolean(),
    unappliedMoney: fc.constantFrom('REFUNDING', 'KEPT', 'REFUNDED', null),
    choosing: fc.boolean(),
    submission: fc.constantFrom('WAITING', 'CONFIRMED', 'REJECTED', null),
    decision: fc.option(fc.record({ decision: fc.constant('accept'), needsAnother: fc.boolean() })),
    refunds: fc.constant([]),
    disputes: fc.constant([]),
    deliveries: fc.constant([]),
  });

  test('says for every situation what it waits for, and gives every wait that time ends its time', () => {
    // Every payment must have a named next step.
    fc.assert(
      fc.property(situation, (payment) => {
        const { summary, waitingFor, until, next } = explain(payment);
        expect(summary).toMatch(/\.$/);
        expect(next).toMatch(/\.$/);
        const isSubmitted = payment.status === 'PENDING' && payment.submission === 'WAITING';
        const timed = isOpen(payment.status) && payment.reviewReason === null && !payment.heldLate && !isSubmitted;
        expect(until !== null).toBe(timed);
        if (isOpen(payment.status)) {
          expect(waitingFor).not.toBe('nothing');
        }
        if (payment.heldLate) {
          expect(waitingFor).toBe('operator');
        }
      }),
    );
  });

  const base: PaymentSituation = {
    status: 'PENDING',
    expiresAt: new Date(1_000),
    now: new Date(500),
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
  test.each<[string, Partial<PaymentSituation>, string, number | null]>([
    ['an open checkout', {}, 'payer', 1_000],
    ['a callback on its way', { asking: true }, 'gateway-answer', 1_000],
    ['time that ran out', { now: new Date(1_000) }, 'gateway-answer', 1_000 + 72 * 3_600_000],
    ['a session not yet open', { status: 'CREATED' }, 'gateway-session', 1_000],
    ['a review', { reviewReason: 'RISK_FLAGGED' }, 'operator', null],
    ['a review that is over', { status: 'SUCCEEDED', reviewReason: 'RISK_FLAGGED' }, 'nothing', null],
    ['unapplied money', { status: 'EXPIRED', heldLate: true }, 'operator', null],
    ['a failure', { status: 'FAILED', failureCode: 'CARD_DECLINED' }, 'nothing', null],
  ])('%s', (_name, change, waitingFor, untilMs) => {
    // Support reads this text to payers.
    const told = explain({ ...base, ...change });
    expect(told.waitingFor).toBe(waitingFor);
    expect(told.until?.getTime() ?? null).toBe(untilMs);
    if (change.failureCode !== undefined) {
      expect(told.summary).toContain('CARD_DECLINED');
    }
  });
});

describe('the public view', () => {
  const moment = new Date('2026-06-04T10:00:00Z');
  const facts = {
    id: 100n,
    reference: 'pay_abc',
    status: 'PENDING',
    applicationId: 42n,
    mode: 'TEST',
    amountMinor: 10_000n,
    currency: 'BDT',
    gateway: 'sslcommerz',
    expiresAt: moment,
    createdAt: moment,
    updatedAt: moment,
  } as const;

  test('has every documented member, null where there is nothing, and no customer', () => {
    // The shape is published. A missing member would break clients, and a customer's data must not appear in it.
    const row = { ...facts, customerEmail: 'jane@example.com', customerName: 'Jane' };
    const view = paymentView(row, 'http://localhost:3000');
    expect(view).toEqual({
      id: 100,
      reference: 'pay_abc',
      status: 'PENDING',
      applicationId: 42,
      mode: 'TEST',
      amountMinor: 10_000,
      currency: 'BDT',
      gateway: 'sslcommerz',
      gatewayTxnId: null,
      checkoutUrl: 'http://localhost:3000/checkout/pay_abc',
      redirectUrl: null,
      invoiceId: null,
      overpaymentMinor: 0,
      returnUrl: null,
      expiresAt: '2026-06-04T10:00:00.000Z',
      review: null,
      createdAt: '2026-06-04T10:00:00.000Z',
      updatedAt: '2026-06-04T10:00:00.000Z',
    });
  });

  test('shows what there is: invoice, gateway page, transaction and return address', () => {
    const gateway = { gatewayTxnId: 'txn_1', gatewayRedirectUrl: 'https://gateway.example/s' };
    const view = paymentView({ ...facts, ...gateway, invoiceId: 5n, returnUrl: 'https://shop.example/back' }, 'x');
    expect(view).toMatchObject({
      invoiceId: 5,
      gatewayTxnId: 'txn_1',
      redirectUrl: 'https://gateway.example/s',
      returnUrl: 'https://shop.example/back',
    });
  });

  test('shows no half of a review', () => {
    // A reason without a start time, or a start time without a reason, is not a review.
    expect(paymentView({ ...facts, reviewReason: 'RISK_FLAGGED' }, 'x').review).toBeNull();
    expect(paymentView({ ...facts, reviewSince: moment }, 'x').review).toBeNull();
  });

  test('shows a review with its reason and beginning', () => {
    // An application must see why a payment does not end.
    const view = paymentView({ ...facts, reviewReason: 'AMOUNT_MISMATCH', reviewSince: moment }, 'x');
    expect(view.review).toEqual({ reason: 'AMOUNT_MISMATCH', since: '2026-06-04T10:00:00.000Z' });
  });
});
