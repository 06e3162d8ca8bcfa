import { describe, expect, test } from '@jest/globals';
import { INVOICE_STATUSES, invoiceNumber } from '../../../domain/invoice.ts';
import { isPastExpiry } from '../../../domain/invoice-due.ts';
import { payablePath } from '../../../domain/invoice-view.ts';
import { shadhinpayInvoiceReference } from '../../../domain/references.ts';
import {
  invoiceEventNamed,
  invoicesWith,
  numberLabelOf,
  numberShown,
  SHADHINPAY_INVOICE_STATUSES,
  shadhinpayInvoiceEvent,
  shadhinpayInvoiceStatus,
} from '../../../domain/shadhinpay-invoice.ts';
import { EVENT_TYPES } from '../../../domain/webhook.ts';

const AT = new Date('2026-05-17T10:03:12.345Z');

describe('the status of an invoice', () => {
  const standings = INVOICE_STATUSES.flatMap((status) =>
    [null, AT].flatMap((viewedAt) => [null, AT].map((expiredAt) => ({ status, viewedAt, expiredAt }))),
  );

  test.each([
    ['DRAFT', null, null, 'DRAFT'],
    ['ISSUED', null, null, 'SENT'],
    ['ISSUED', AT, null, 'VIEWED'],
    ['PARTIALLY_PAID', null, null, 'SENT'],
    ['PARTIALLY_PAID', AT, null, 'VIEWED'],
    ['PAID', AT, null, 'PAID'],
    ['VOID', AT, null, 'CANCELLED'],
    ['VOID', AT, AT, 'EXPIRED'],
  ] as const)('%s, viewed %p, expired %p, is %s', (status, viewedAt, expiredAt, shown) => {
    // The contract has six statuses, derived from the row.
    expect(shadhinpayInvoiceStatus({ status, viewedAt, expiredAt })).toBe(shown);
  });

  test('finds by a list just what it is shown for', () => {
    // Lists by each of the statuses must show every invoice once.
    for (const { status, viewedAt, expiredAt } of standings) {
      const found = SHADHINPAY_INVOICE_STATUSES.filter((word) => {
        const { statuses, viewed, expired } = { viewed: undefined, expired: undefined, ...invoicesWith(word) };
        return (
          statuses.includes(status) &&
          (viewed === undefined || viewed === (viewedAt !== null)) &&
          (expired === undefined || expired === (expiredAt !== null))
        );
      });
      expect(found).toEqual([shadhinpayInvoiceStatus({ status, viewedAt, expiredAt })]);
    }
  });
});

describe('the number of an invoice', () => {
  test('is the sample of the documents', () => {
    // Both contracts use the same counter.
    const numbered = { number: 42n, numberLabel: numberLabelOf('HB_71c4a09e') };
    expect(invoiceNumber(numbered)).toBe('INV-HB_71c4-00042');
    expect(invoiceNumber({ ...numbered, number: 123_456n })).toBe('INV-HB_71c4-123456');
    expect(invoiceNumber({ ...numbered, numberLabel: null })).toBe('INV-000042');
    expect(invoiceNumber({ ...numbered, number: null })).toBeNull();
  });

  test('is read back from what is shown, and from nothing else', () => {
    // In print, 00042 and 000042 are different numbers.
    for (const numbered of [
      { number: 1n, numberLabel: 'HB_71c4' },
      { number: 1_234_567n, numberLabel: 'HB_71c4' },
      { number: 42n, numberLabel: null },
    ]) {
      expect(numberShown(invoiceNumber(numbered) ?? '')).toEqual(numbered);
    }
    for (const text of ['INV-42', 'INV-00042', 'INV-HB_71c4-42', 'INV-HB_71c4-000042', 'inv-000042', '42', '']) {
      expect([text, numberShown(text)]).toEqual([text, null]);
    }
  });
});

test('a link cannot be guessed, and has its own path', () => {
  // The reference has 131 bits.
  const reference = shadhinpayInvoiceReference();
  expect(reference).toMatch(/^sp_inv_[0-9A-Za-z]{22}$/);
  expect(payablePath(reference)).toBe(`/i/${reference}`);
  expect(payablePath('pay_x')).toBe('/pay/pay_x');
});

test('an invoice is past its expiry from that instant on, unless something of it is paid', () => {
  const at = (expiresAt: Date | null, paidMinor = 0n) => isPastExpiry({ expiresAt, paidMinor }, AT);
  expect([at(AT), at(new Date(AT.getTime() + 1)), at(null), at(AT, 1n)]).toEqual([true, false, false, false]);
});

describe('events of an invoice', () => {
  test('are three, whatever its workflow does', () => {
    // Event types without a name in the contract are not sent.
    const named = (expiredAt: Date | null) =>
      EVENT_TYPES.map((type) => [type, invoiceEventNamed(type, { expiredAt })]).filter(([, name]) => name !== null);
    expect(named(null)).toEqual([
      ['invoice.paid', 'invoice.paid'],
      ['invoice.voided', 'invoice.cancelled'],
    ]);
    expect(named(AT)).toEqual([
      ['invoice.paid', 'invoice.paid'],
      ['invoice.voided', 'invoice.expired'],
    ]);
  });

  test('have the envelope of the contract, and these members in this order', () => {
    // Receivers parse what is documented.
    const body = shadhinpayInvoiceEvent({
      eventId: '550e8400-e29b-41d4-a716-446655440000',
      event: 'invoice.paid',
      occurredAt: AT,
      invoice: {
        applicationId: 12345n,
        reference: 'sp_inv_4Kd8sQ2mXv7TcN9bLrW1eA',
        number: 42n,
        numberLabel: 'HB_71c4',
        status: 'PAID',
        viewedAt: AT,
        expiredAt: null,
        totalMinor: 147_050n,
        currency: 'BDT',
      },
      payment: { reference: 'PAY_20260517_K8X3M2', gateway: 'bkash' },
    });
    expect(body).toBe(
      '{"eventId":"550e8400-e29b-41d4-a716-446655440000","eventType":"invoice.paid","businessId":12345,' +
        '"occurredAt":"2026-05-17T10:03:12Z","payload":{"invoiceId":"sp_inv_4Kd8sQ2mXv7TcN9bLrW1eA",' +
        '"invoiceNumber":"INV-HB_71c4-00042","amount":"1470.50","currency":"BDT","status":"PAID",' +
        '"paymentId":"PAY_20260517_K8X3M2","vendor":"BKASH"}}',
    );
  });
});
