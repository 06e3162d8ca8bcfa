import { describe, expect, test } from '@jest/globals';
import {
  eventNamed,
  isNotified,
  paymentsWith,
  SHADHINPAY_EVENT_NAMES,
  SHADHINPAY_EVENTS,
  SHADHINPAY_STATUSES,
  shadhinpayEvent,
  shadhinpayRefundStatus,
  shadhinpayReturnUrl,
  shadhinpayStatus,
  type RecordedEvent,
} from '../../../domain/shadhinpay.ts';
import { PAYMENT_STATUSES } from '../../../domain/payment.ts';
import { shadhinpayReference, shadhinpayRefundReference } from '../../../domain/references.ts';
import { REFUND_STATUSES } from '../../../domain/refund.ts';
import { contractOf } from '../../../core/contracts/contracts.ts';
import { delayBeforeAttemptMs, EVENT_TYPES } from '../../../domain/webhook.ts';

const PAID = {
  applicationId: 12345n,
  reference: 'PAY_20260517_K8X3M2',
  merchantReference: 'order-7831',
  status: 'SUCCEEDED',
  amountMinor: 150050n,
  currency: 'BDT',
  gateway: 'bkash',
  returnUrl: 'https://shop.example.com/checkout/return',
  metadata: '{"valueA":"campaign=summer","other":"of another contract"}',
} as const;

const TOLD: RecordedEvent = {
  eventId: '550e8400-e29b-41d4-a716-446655440000',
  event: 'payment.completed',
  occurredAt: new Date('2026-05-17T10:03:12.345Z'),
  payment: PAID,
};

describe('the body of an event', () => {
  test('has the documented members, in their order', () => {
    // Receivers parse what the documentation shows.
    expect(shadhinpayEvent(TOLD)).toBe(
      '{"eventId":"550e8400-e29b-41d4-a716-446655440000","eventType":"payment.completed","businessId":12345,' +
        '"occurredAt":"2026-05-17T10:03:12Z","payload":{"paymentId":"PAY_20260517_K8X3M2","merchantTxnId":"order-7831",' +
        '"amount":"1500.50","currency":"BDT","status":"COMPLETED","vendor":"BKASH","valueA":"campaign=summer"}}',
    );
  });

  test('tells a refund beside its payment', () => {
    // A shop records each refund, and needs the total refunded.
    const refund = {
      reference: 'REF_20260517_M4N1J7',
      amountMinor: 50000n,
      reason: 'Returned',
      merchantReference: null,
      refundedMinor: 60000n,
    };
    const body: unknown = JSON.parse(shadhinpayEvent({ ...TOLD, event: 'payment.refunded', refund }));
    expect(body).toMatchObject({
      payload: {
        paymentId: PAID.reference,
        amount: '1500.50',
        refundId: 'REF_20260517_M4N1J7',
        refundAmount: '500.00',
        refundTotal: '600.00',
        reason: 'Returned',
        merchantRef: null,
      },
    });
  });
});

describe('events', () => {
  test('of ours have these names in the contract', () => {
    // Receivers would not know other events, so events without a name in the contract are not sent.
    expect(EVENT_TYPES.map((type) => [type, eventNamed(type)]).filter(([, name]) => name !== null)).toEqual([
      ['payment.succeeded', 'payment.completed'],
      ['payment.failed', 'payment.failed'],
      ['payment.expired', 'payment.expired'],
      ['payment.cancelled', 'payment.cancelled'],
      ['payment.refunded', 'payment.refunded'],
      ['refund.failed', 'payment.refund_failed'],
      ['refund.rejected', 'payment.refund_failed'],
    ]);
  });

  test('are on or off as documented until the business chooses', () => {
    // There are eleven events, and three of them are opt-in.
    const off = ['payment.cancelled', 'payment.expired', 'invoice.cancelled'];
    expect(SHADHINPAY_EVENT_NAMES).toHaveLength(11);
    for (const name of SHADHINPAY_EVENT_NAMES) {
      expect([name, SHADHINPAY_EVENTS[name], isNotified(name, null)]).toEqual([
        name,
        !off.includes(name),
        !off.includes(name),
      ]);
      expect(isNotified(name, [])).toBe(false);
      expect(isNotified(name, [name])).toBe(true);
    }
  });

  test('are tried six times, after 1, 5 and 15 minutes, 1 and 6 hours', () => {
    // The published schedule. Jitter only makes the delays longer.
    const delays = contractOf('shadhinpay').deliveries.delaysSeconds;
    expect(delays.map((_delay, index) => delayBeforeAttemptMs(index, 0, delays))).toEqual([
      0, 60_000, 300_000, 900_000, 3_600_000, 21_600_000,
    ]);
    expect(delayBeforeAttemptMs(6, 0, delays)).toBeNull();
  });
});

describe('the way back', () => {
  test.each([
    ['SUCCEEDED', 'COMPLETED'],
    ['FAILED', 'FAILED'],
    ['CANCELLED', 'CANCELLED'],
    ['EXPIRED', 'EXPIRED'],
  ] as const)('after %s says %s', (status, told) => {
    // The shop must learn which payment came back, and its status.
    expect(shadhinpayReturnUrl({ ...PAID, status })).toBe(
      `https://shop.example.com/checkout/return?paymentId=PAY_20260517_K8X3M2&merchantTxnId=order-7831&status=${told}`,
    );
  });

  test('keeps the query and fragment as they are, and escapes what it adds', () => {
    // The shop may sign or parse its own parameters, so none of their bytes may change.
    const returnUrl = 'https://shop.example/s?a=%7e%20b&c=1+2#top';
    expect(shadhinpayReturnUrl({ ...PAID, returnUrl, merchantReference: 'a&status=PAID #1' })).toBe(
      'https://shop.example/s?a=%7e%20b&c=1+2&paymentId=PAY_20260517_K8X3M2&merchantTxnId=a%26status%3DPAID+%231&status=COMPLETED#top',
    );
  });

  test('keeps a fragment that holds another #', () => {
    // Single-page shops route by the part after the #.
    const returnUrl = 'https://shop.example/#/orders?a=1#paid';
    expect(shadhinpayReturnUrl({ ...PAID, returnUrl })).toBe(
      'https://shop.example/?paymentId=PAY_20260517_K8X3M2&merchantTxnId=order-7831&status=COMPLETED#/orders?a=1#paid',
    );
  });
});

test('every payment has exactly one status, and is found by it', () => {
  // Lists by each of the statuses must show every payment once.
  for (const status of PAYMENT_STATUSES) {
    expect(SHADHINPAY_STATUSES.filter((word) => paymentsWith(word).includes(status))).toEqual([
      shadhinpayStatus(status),
    ]);
  }
});

test('a refund is queued, then with the vendor, then at its end', () => {
  // A refund is PROCESSING only after the vendor has accepted it.
  const at = new Date();
  expect(REFUND_STATUSES.map((status) => [status, shadhinpayRefundStatus({ status, acceptedAt: null })])).toEqual(
    expect.arrayContaining([
      ['AWAITING_APPROVAL', 'INITIATED'],
      ['PENDING', 'INITIATED'],
      ['SUCCEEDED', 'COMPLETED'],
      ['FAILED', 'FAILED'],
      ['REJECTED', 'FAILED'],
    ]),
  );
  expect(shadhinpayRefundStatus({ status: 'PENDING', acceptedAt: at })).toBe('PROCESSING');
  expect(shadhinpayRefundStatus({ status: 'FAILED', acceptedAt: at })).toBe('FAILED');
});

test('references are a day in UTC and six random characters', () => {
  // The documented form. The date is in UTC, not in Dhaka's time zone.
  const now = new Date('2026-05-17T23:59:59Z');
  const references = Array.from({ length: 1_000 }, () => shadhinpayReference(now));
  expect(references.every((reference) => /^PAY_20260517_[0-9A-Z]{6}$/.test(reference))).toBe(true);
  expect(new Set(references).size).toBeGreaterThan(990);
  expect(new Set(references.map((reference) => reference.at(-1))).size).toBe(36);
  expect(shadhinpayRefundReference(now)).toMatch(/^REF_20260517_[0-9A-Z]{6}$/);
});
