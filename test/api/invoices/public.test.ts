import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { call } from '../contract-client.ts';
import { httpCall } from '../http-call.ts';
import { day, openBilling, referenceOf, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

function view(reference: string, at = billing.origin) {
  return call({ origin: at, path: `/pay/${reference}` });
}

test('shows every documented member, without a credential', async () => {
  // An application can build its own page from this answer.
  const { shop } = billing;
  const template = { companyName: 'Rupali Books', accentColor: '#0b6b4f', footerNote: 'Thank you.' };
  await billing.send('/invoices/template', { method: 'PUT', body: template });
  const made = await billing.create({ dueDate: day(7) });
  const answer = await view(referenceOf(made));
  expect(answer.payload).toEqual({
    invoiceNumber: made.data['number'],
    status: 'ISSUED',
    currency: 'BDT',
    totalMinor: 100_000,
    amountPaidMinor: 0,
    amountDueMinor: 100_000,
    amountDueDisplay: '1000.00',
    dueDate: day(7),
    lineItems: made.data['lineItems'],
    branding: {
      logoUrl: null,
      companyName: 'Rupali Books',
      companyAddress: null,
      contactDetails: null,
      footerNote: 'Thank you.',
      accentColor: '#0b6b4f',
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    },
    paymentStatus: null,
    checkoutUrl: made.data['payableUrl'],
    requestedMinor: 100_000,
    nextDueDate: day(7),
  });
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.text).not.toContain(shop.test.apiKey);
});

test('nothing of the customer is in it, nor on the page, nor in a log line', async () => {
  // Links are forwarded, and a stranger with the link must not learn who is billed.
  const canary = (name: string): string => `${name}${randomBytes(6).toString('hex')}`;
  const customer = {
    customerReference: canary('ref'),
    customerEmail: `${canary('mail')}@example.com`,
    customerName: canary('name'),
    customerAddress: `${canary('street')}\n${canary('town')}`,
  };
  const key = canary('key');
  const made = await billing.create({ ...customer, notes: canary('note') }, { key });
  await billing.create({ ...customer, lineItems: [] }, { key });
  const payment = await billing.pay(made.data['id'], {
    customerReference: customer.customerReference,
    customerEmail: customer.customerEmail,
    customerName: customer.customerName,
    customerPhone: '+8801700000042',
  });
  await billing.world.pay(String(payment.data['id']));
  await billing.world.settle(made.data['id'], 10_000);
  const reference = referenceOf(made);
  const [shown, page, list] = [
    await view(reference),
    await billing.page(`/pay/${reference}`),
    await billing.send(`/invoices?customerReference=${customer.customerReference}`),
  ];
  await billing.page(`/pay/${reference}/pdf`);
  expect([shown.status, page.status, list.status]).toEqual([200, 200, 200]);
  const secrets = [...Object.values(customer).flatMap((text) => text.split('\n')), '+8801700000042'];
  for (const { text } of [shown, page]) {
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  }
  const log = billing.world.logLines.join('');
  expect([...secrets, key, reference].filter((secret) => log.includes(secret))).toEqual([]);
});

describe('a reference that leads nowhere', () => {
  test('is 404: of a draft, a payment, another case, another length, nothing', async () => {
    // A reference that differs in any way must not match.
    const draft = await billing.draft();
    const [row] = await billing.world.sql<{ reference: string }>('select reference from invoices where id = ?', [
      draft.data['id'],
    ]);
    const made = await billing.create();
    const payment = await billing.pay(made.data['id']);
    const reference = referenceOf(made);
    const swapped = reference.replace(/[a-z]/g, (letter) => letter.toUpperCase());
    const misses = [
      row?.reference ?? '',
      String(payment.data['reference']),
      swapped,
      `${reference}x`,
      reference.slice(0, -1),
    ];
    for (const miss of [...misses, `${reference}%00`, 'pay_', '%F0%9F%92%B3', 'x'.repeat(4_000)]) {
      const answer = await view(miss);
      expect([miss, answer.status, answer.meta.errorCode]).toEqual([miss, 404, 'RESOURCE_NOT_FOUND']);
    }
    expect((await call({ origin: billing.origin, path: `/checkout/${reference}` })).status).toBe(404);
  });

  test('is the same 404 whatever it was', async () => {
    // Otherwise the text or a header would reveal that a draft exists.
    const draft = await billing.draft();
    const [row] = await billing.world.sql<{ reference: string }>('select reference from invoices where id = ?', [
      draft.data['id'],
    ]);
    const answers = [await view(row?.reference ?? ''), await view(`pay_${'0'.repeat(22)}`)];
    const [one, other] = answers.map(({ text, headers }) => [
      text.replace(/"timestamp":"[^"]+"/, ''),
      Object.keys(headers).sort(),
    ]);
    expect(one).toEqual(other);
  });
});

test('one address may ask 300 times a minute, and is told when to come back', async () => {
  // Otherwise one address could guess references or request a link without limit.
  const origin = await billing.world.listen();
  const path = `/api/v1/pay/pay_${'0'.repeat(22)}`;
  const answers = await Promise.all(Array.from({ length: 400 }, () => httpCall({ origin, path })));
  const limited = answers.filter(({ status }) => status === 429);
  expect(answers.length - limited.length).toBeGreaterThanOrEqual(300);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404, 429]));
  expect(limited[0]?.text).toContain('"errorCode":"RATE_LIMITED"');
  expect(Number(limited[0]?.headers['retry-after'])).toBeGreaterThan(0);
});
