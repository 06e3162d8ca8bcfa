import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { numberText, writeJson, type ExactJson } from '../../../domain/exact-json.ts';
import { OWNPAY_STATUSES, ownpayEvent, ownpayReturnUrl, ownpayStatus, paymentsWith } from '../../../domain/ownpay.ts';
import { PAYMENT_STATUSES } from '../../../domain/payment.ts';
import { ownpayReference } from '../../../domain/references.ts';
import { EVENT_TYPES } from '../../../domain/webhook.ts';

const PAID = {
  reference: 'txn_9f2c3a4b5d6e7f8a',
  merchantReference: 'ORDER-20240615-001',
  status: 'SUCCEEDED',
  amountMinor: 9999n,
  currency: 'USD',
  gateway: 'stripe',
  paidAt: new Date('2024-06-15T14:22:45.678Z'),
  returnUrl: 'https://yoursite.com/order/success',
  cancelUrl: 'https://yoursite.com/order/cancel',
} as const;

/** The example from the documentation, without its white space. */
const DOCUMENTED =
  '{"event":"payment.completed","transaction_id":"txn_9f2c3a4b5d6e7f8a","order_id":"ORDER-20240615-001","amount":99.99,' +
  '"currency":"USD","status":"completed","paid_at":"2024-06-15T14:22:45Z","gateway":"stripe"}';

describe('the body of an event', () => {
  test('is the documented one, byte for byte', () => {
    // Receivers parse what the documentation shows.
    expect(ownpayEvent(PAID, 'payment.succeeded')).toBe(DOCUMENTED);
  });

  test.each([
    ['payment.failed', 'FAILED', 'failed'],
    ['payment.expired', 'EXPIRED', 'expired'],
    ['payment.cancelled', 'CANCELLED', 'cancelled'],
  ] as const)('%s is payment.failed with its status', (type, status, word) => {
    // Every end without money must be notified, or the shop keeps its goods reserved.
    const body: unknown = JSON.parse(ownpayEvent({ ...PAID, status, paidAt: null }, type) ?? '');
    expect(body).toMatchObject({ event: 'payment.failed', status: word, paid_at: null });
  });

  test('does not exist for what the documents do not know', () => {
    // A receiver could not verify the signature of another contract.
    const told = EVENT_TYPES.filter((type) => ownpayEvent(PAID, type) !== null);
    expect(told).toEqual(['payment.succeeded', 'payment.failed', 'payment.expired', 'payment.cancelled']);
  });
});

describe('the way back', () => {
  test.each([
    ['SUCCEEDED', 'https://yoursite.com/order/success?payment_id=txn_9f2c3a4b5d6e7f8a&status=completed'],
    ['REFUNDED', 'https://yoursite.com/order/success?payment_id=txn_9f2c3a4b5d6e7f8a&status=refunded'],
    ['FAILED', 'https://yoursite.com/order/cancel?payment_id=txn_9f2c3a4b5d6e7f8a&status=failed'],
    ['CANCELLED', 'https://yoursite.com/order/cancel?payment_id=txn_9f2c3a4b5d6e7f8a&status=cancelled'],
    ['EXPIRED', 'https://yoursite.com/order/cancel?payment_id=txn_9f2c3a4b5d6e7f8a&status=expired'],
  ] as const)('after %s is %s', (status, url) => {
    // The shop must learn which payment came back, and its status.
    expect(ownpayReturnUrl({ ...PAID, status })).toBe(url);
  });

  test('is the return_url where there is no cancel_url, and keeps its query and fragment as they are', () => {
    // The shop may sign or parse its own parameters, so none of their bytes may change.
    const returnUrl = 'https://yoursite.com/s?a=%7e%20b&c=1+2#top';
    expect(ownpayReturnUrl({ ...PAID, status: 'FAILED', cancelUrl: null, returnUrl })).toBe(
      'https://yoursite.com/s?a=%7e%20b&c=1+2&payment_id=txn_9f2c3a4b5d6e7f8a&status=failed#top',
    );
  });

  test('keeps a fragment that holds another #', () => {
    // Single-page shops route by the part after the #.
    expect(ownpayReturnUrl({ ...PAID, returnUrl: 'https://yoursite.com/#/orders?a=1#paid' })).toBe(
      'https://yoursite.com/?payment_id=txn_9f2c3a4b5d6e7f8a&status=completed#/orders?a=1#paid',
    );
  });
});

test('every payment has exactly one status, and is found by it', () => {
  // Lists by each of the statuses must show every payment once.
  for (const status of PAYMENT_STATUSES) {
    for (const reviewReason of status === 'PENDING' ? [null, 'RISK_FLAGGED' as const] : [null]) {
      const found = OWNPAY_STATUSES.filter((word) => {
        const { statuses, inReview } = paymentsWith(word);
        return statuses.includes(status) && (inReview ?? reviewReason !== null) === (reviewReason !== null);
      });
      expect(found).toEqual([ownpayStatus({ status, reviewReason })]);
    }
  }
});

test('references are txn_ and 16 hexadecimal digits, all different', () => {
  // The documented form, with 64 bits from the system's random generator.
  const references = Array.from({ length: 1_000 }, ownpayReference);
  expect(references.every((reference) => /^txn_[0-9a-f]{16}$/.test(reference))).toBe(true);
  expect(new Set(references).size).toBe(1_000);
});

describe('exact JSON', () => {
  test('is what JSON.stringify writes', () => {
    // Clients' parsers must not see anything unusual.
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(writeJson(value as ExactJson)).toBe(JSON.stringify(value));
      }),
    );
    expect(writeJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  test('keeps the text of numbers', () => {
    expect(writeJson({ amount: numberText('90071992547409931.10') })).toBe('{"amount":90071992547409931.10}');
  });
});
