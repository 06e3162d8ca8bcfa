import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { ownpayEvent } from '../../../domain/ownpay.ts';
import { INTENT } from './ownpay-world.ts';

const Tree = z.record(z.string(), z.unknown());
const document = Tree.parse(JSON.parse(readFileSync(new URL('../../../openapi/ownpay.json', import.meta.url), 'utf8')));
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, 'ownpay');

function errorsOf(pointer: string, value: unknown): unknown {
  const check = ajv.getSchema(`ownpay#${pointer}`);
  return check === undefined ? `nothing at ${pointer}` : check(value) === true ? [] : check.errors;
}

describe('the document', () => {
  test('tells of text that must be there all that is asked of it', () => {
    // A client that sends what the document allows must not be refused.
    for (const [member, good] of Object.entries({
      gateway: 'sslcommerz',
      order_id: 'ORDER-1',
      customer_name: 'Jane Smith',
      customer_email: 'jane@example.com',
      return_url: 'https://shop.example/',
    })) {
      const pointer = `/components/schemas/CreatePaymentIntent/properties/${member}`;
      expect([member, errorsOf(pointer, good)]).toEqual([member, []]);
      for (const refused of ['', '  ', 'a\u0000b', `${good}\u009f`, `${good}${'a'.repeat(2_000)}`]) {
        expect([member, refused, errorsOf(pointer, refused)]).not.toEqual([member, refused, []]);
      }
    }
  });

  test('is valid OpenAPI 3.1', async () => {
    // Other people's generators and viewers read the document.
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  });

  test('its examples satisfy their schemas', () => {
    // Developers copy examples before they read rules.
    const { schemas } = z.object({ schemas: z.record(z.string(), Tree) }).parse(document['components']);
    for (const [name, schema] of Object.entries(schemas)) {
      for (const example of z.array(z.unknown()).parse(schema['examples'] ?? [])) {
        expect([name, errorsOf(`/components/schemas/${name}`, example)]).toEqual([name, []]);
      }
    }
    expect(errorsOf('/components/schemas/CreatePaymentIntent', INTENT)).toEqual([]);
  });

  test('describes the events that are really sent', () => {
    // A receiver generated from the document must accept our events.
    const payment = {
      reference: 'txn_9f2c3a4b5d6e7f8a',
      merchantReference: 'ORDER-1',
      status: 'SUCCEEDED',
      amountMinor: 9999n,
      currency: 'BDT',
      gateway: 'sslcommerz',
      paidAt: new Date(),
    } as const;
    const at = (name: string) => `/webhooks/${name}/post/requestBody/content/application~1json/schema`;
    const paid = ownpayEvent(payment, 'payment.succeeded');
    const expired = ownpayEvent({ ...payment, status: 'EXPIRED', paidAt: null }, 'payment.expired');
    expect(errorsOf(at('payment.completed'), JSON.parse(paid ?? ''))).toEqual([]);
    expect(errorsOf(at('payment.failed'), JSON.parse(expired ?? ''))).toEqual([]);
  });
});
