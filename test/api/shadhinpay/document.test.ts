import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { shadhinpayEvent, type ShadhinpayEvent } from '../../../domain/shadhinpay.ts';
import { shadhinpayInvoiceEvent } from '../../../domain/shadhinpay-invoice.ts';
import { INVOICE, PAYMENT } from './shadhinpay-world.ts';

const Tree = z.record(z.string(), z.unknown());
const document = Tree.parse(
  JSON.parse(readFileSync(new URL('../../../openapi/shadhinpay.json', import.meta.url), 'utf8')),
);
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, 'shadhinpay');

function errorsOf(pointer: string, value: unknown): unknown {
  const check = ajv.getSchema(`shadhinpay#${pointer}`);
  return check === undefined ? `nothing at ${pointer}` : check(value) === true ? [] : check.errors;
}

/** The answer as shown in the documentation. */
const DOCUMENTED = {
  paymentId: 'PAY_20260517_K8X3M2',
  merchantTxnId: 'order-7831',
  amount: '1500.50',
  currency: 'BDT',
  status: 'PENDING',
  vendor: 'BKASH',
  paymentUrl: 'https://com.shadhinpay.pay/pay/PAY_20260517_K8X3M2',
  description: 'Order #7831',
  refundTotal: '0.00',
  initiatedAt: '2026-05-17T10:00:00Z',
  completedAt: null,
  expiresAt: '2026-05-17T10:15:00Z',
  valueA: 'campaign=summer',
};

describe('the document', () => {
  test('is valid OpenAPI 3.1', async () => {
    // Other people's generators and viewers read the document.
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  });

  test('its examples satisfy their schemas, and so does what ShadhinPay’s own documents show', () => {
    // Developers copy examples before they read rules.
    const { schemas } = z.object({ schemas: z.record(z.string(), Tree) }).parse(document['components']);
    for (const [name, schema] of Object.entries(schemas)) {
      for (const example of z.array(z.unknown()).parse(schema['examples'] ?? [])) {
        expect([name, errorsOf(`/components/schemas/${name}`, example)]).toEqual([name, []]);
      }
    }
    expect(errorsOf('/components/schemas/CreatePayment', PAYMENT)).toEqual([]);
    expect(errorsOf('/components/schemas/Payment', DOCUMENTED)).toEqual([]);
    expect(errorsOf('/components/schemas/CreateInvoice', INVOICE)).toEqual([]);
  });

  test('tells of text that must be there all that is asked of it, and of a key, too', () => {
    // A client that sends what the document allows must not be refused.
    for (const [name, member] of [
      ['CreatePayment', 'merchantTxnId'],
      ['CreatePayment', 'callbackUrl'],
      ['CreateRefund', 'reason'],
    ]) {
      const pointer = `/components/schemas/${name}/properties/${member}`;
      expect([member, errorsOf(pointer, 'https://shop.example/1')]).toEqual([member, []]);
      for (const refused of ['', '  ', 'a\u0000b', 'https://shop.example/\u009f']) {
        expect([member, refused, errorsOf(pointer, refused)]).not.toEqual([member, refused, []]);
      }
    }
    const key = '/paths/~1payments/post/parameters/0/schema';
    expect(errorsOf(key, 'order 7831 \u00e9')).toEqual([]);
    expect(errorsOf(key, 'a\u007f')).not.toEqual([]);
  });

  test('asks for all three headers, and for a key on payments', () => {
    // Clients generated from the document must send all required headers.
    const parameter = z.object({ name: z.string(), required: z.boolean().optional() });
    const operation = z.object({ security: z.array(Tree), parameters: z.array(parameter) });
    const { paths } = z.object({ paths: z.record(z.string(), Tree) }).parse(document);
    const postTo = (path: string) => operation.parse(paths[path]?.['post']);
    expect(postTo('/payments').security).toEqual([{ clientId: [], businessId: [], apiKey: [] }]);
    const keyOf = (path: string) => postTo(path).parameters.find(({ name }) => name === 'X-Idempotency-Key')?.required;
    expect([keyOf('/payments'), keyOf('/payments/{paymentId}/refunds')]).toEqual([true, false]);
  });

  test.each([
    ['payment.completed', 'SUCCEEDED'],
    ['payment.failed', 'FAILED'],
    ['payment.cancelled', 'CANCELLED'],
    ['payment.expired', 'EXPIRED'],
    ['payment.refunded', 'REFUNDED'],
    ['payment.refund_failed', 'PARTIALLY_REFUNDED'],
  ] as const satisfies readonly (readonly [ShadhinpayEvent, string])[])(
    'describes %s as it is really sent',
    (event, status) => {
      // A receiver generated from the document must accept our events.
      const refund = {
        reference: 'REF_20260517_M4N1J7',
        amountMinor: 1n,
        reason: null,
        merchantReference: null,
        refundedMinor: 1n,
      };
      const body = shadhinpayEvent({
        eventId: '550e8400-e29b-41d4-a716-446655440000',
        event,
        occurredAt: new Date(),
        payment: {
          applicationId: 7n,
          reference: 'PAY_20260517_K8X3M2',
          merchantReference: 'order-7831',
          status,
          amountMinor: 150050n,
          currency: 'BDT',
          gateway: event === 'payment.expired' ? null : 'bkash',
          metadata: '{"valueD":"d"}',
        },
        ...(event.startsWith('payment.refund') ? { refund } : {}),
      });
      const pointer = `/webhooks/${event}/post/requestBody/content/application~1json/schema`;
      expect(errorsOf(pointer, JSON.parse(body))).toEqual([]);
    },
  );

  test.each([
    ['invoice.paid', { status: 'PAID', expiredAt: null }],
    ['invoice.expired', { status: 'VOID', expiredAt: new Date() }],
    ['invoice.cancelled', { status: 'VOID', expiredAt: null }],
  ] as const)('describes %s as it is really sent', (event, standing) => {
    // ShadhinPay's documentation shows no payload for these events, so the document describes ours exactly.
    const body = shadhinpayInvoiceEvent({
      eventId: '550e8400-e29b-41d4-a716-446655440000',
      event,
      occurredAt: new Date(),
      invoice: {
        applicationId: 7n,
        reference: 'sp_inv_4Kd8sQ2mXv7TcN9bLrW1eA',
        number: 42n,
        numberLabel: 'HB_71c4',
        totalMinor: 147_000n,
        currency: 'BDT',
        viewedAt: null,
        ...standing,
      },
      payment: event === 'invoice.paid' ? { reference: 'PAY_20260517_K8X3M2', gateway: 'nagad' } : null,
    });
    const pointer = `/webhooks/${event}/post/requestBody/content/application~1json/schema`;
    expect(errorsOf(pointer, JSON.parse(body))).toEqual([]);
  });
});
