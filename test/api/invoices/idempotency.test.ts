import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Answer } from '../contract-client.ts';
import { openBilling, refusal, SAMPLE, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

let serial = 0;
function newKey(): string {
  serial += 1;
  return `invoice-key-${serial}`;
}

async function count(table: 'invoices' | 'webhook_events'): Promise<number> {
  const [row] = await billing.world.sql<{ count: number }>(`select count(*)::int as count from ${table}`);
  return row?.count ?? -1;
}

async function lastNumber(): Promise<number> {
  const [row] = await billing.world.sql<{ last: number }>(
    `select coalesce(max(last_number), 0)::int as last from invoice_counters where application_id = ? and mode = 'TEST'`,
    [billing.shop.applicationId],
  );
  return row?.last ?? -1;
}

/** Expires the lease of a key whose first caller is gone. */
async function endLease(key: string): Promise<void> {
  await billing.world.sql(`update idempotency_keys set lease_until = now() - interval '1 second' where key = ?`, [key]);
}

/** Removes the answer of a key, as if it was lost before it was stored. */
async function forgetAnswer(key: string): Promise<void> {
  await billing.world.sql('update idempotency_keys set response_status = null, response_body = null where key = ?', [
    key,
  ]);
  await endLease(key);
}

const marked = ({ headers }: Answer): string | undefined => headers['idempotent-replayed'];

test('without a key every request bills', async () => {
  // The key is optional, as documented.
  const [first, second] = [await billing.create(), await billing.create()];
  expect(first.data['id']).not.toBe(second.data['id']);
});

test('a replay is the first answer byte for byte, burns no number and tells no second event', async () => {
  // A retry after a lost answer must not create a second invoice, whatever the invoice's status is by now.
  const key = newKey();
  const first = await billing.create({}, { key });
  const before = [await lastNumber(), await count('invoices'), await count('webhook_events')];
  await billing.act(first.data['id'], 'pause');
  const replay = await billing.create({}, { key });
  expect([replay.status, replay.text, marked(replay), marked(first)]).toEqual([201, first.text, 'true', undefined]);
  expect([await lastNumber(), await count('invoices'), await count('webhook_events')]).toEqual(before);
  expect(replay.data['pausedAt']).toBeNull();
});

test('the same meaning in other spelling is the same request', async () => {
  // A retry through another JSON library is still a duplicate.
  const key = newKey();
  const first = await billing.create({}, { key });
  const { lineItems, ...others } = SAMPLE;
  const spelt = JSON.stringify({ lineItems, ...others }, null, 2).replace('cust', 'c\\u0075st');
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  expect((await billing.send('/invoices', { method: 'POST', body: spelt, headers })).text).toBe(first.text);
});

test.each([
  ['another price', { lineItems: [{ description: 'Setup fee', qty: 1, unitAmountMinor: 1 }] }],
  ['a draft in place of an issued one', { issue: false }],
  ['what is meant anyway, but said', { issue: true }],
  ['an unknown member more', { x: 1 }],
])('%s under the same key is a conflict and makes nothing', async (_name, change) => {
  // A client that reuses a key by mistake must not get the wrong invoice as its answer.
  const key = newKey();
  const first = await billing.create({}, { key });
  const before = [await lastNumber(), await count('invoices')];
  const [status, code] = refusal(await billing.create(change, { key }));
  expect([status, code]).toEqual([409, 'IDEMPOTENCY_KEY_CONFLICT']);
  expect([await lastNumber(), await count('invoices')]).toEqual(before);
  expect((await billing.create({}, { key })).text).toBe(first.text);
});

test('100 duplicates at once over two processes make one invoice with one number', async () => {
  // Otherwise a client that sends twice would bill its customer twice.
  const key = newKey();
  const second = await billing.world.listen();
  const before = [await lastNumber(), await count('invoices'), await count('webhook_events')];
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => billing.create({}, { key, ...(i % 2 === 0 ? {} : { at: second }) })),
  );
  const made = answers.filter(({ status }) => status === 201);
  const waiting = answers.filter(({ status }) => status === 409);
  expect(made.length + waiting.length).toBe(100);
  expect(made.length).toBeGreaterThan(0);
  expect(new Set(made.map(({ text }) => text)).size).toBe(1);
  for (const { meta, headers } of waiting) {
    expect(meta.errorCode).toBe('IDEMPOTENCY_IN_PROGRESS');
    expect(Number(headers['retry-after'])).toBe(1);
  }
  expect([await lastNumber(), await count('invoices'), await count('webhook_events')]).toEqual(
    before.map((value) => value + 1),
  );
});

test('whoever died between commit and answer is found again: the duplicate gets the same invoice and its number', async () => {
  // The key, the invoice, its number and the event are stored in one transaction, so the retry finds them.
  const key = newKey();
  const first = await billing.create({}, { key });
  const before = [await lastNumber(), await count('invoices'), await count('webhook_events')];
  await forgetAnswer(key);
  const second = await billing.create({}, { key });
  expect([second.status, second.payload, marked(second)]).toEqual([201, first.payload, undefined]);
  const third = await billing.create({}, { key });
  expect([third.text, marked(third)]).toEqual([second.text, 'true']);
  expect([await lastNumber(), await count('invoices'), await count('webhook_events')]).toEqual(before);
});

test('while the first one may still be running, a duplicate is told to wait', async () => {
  // Otherwise two processes could finish the same request.
  const key = newKey();
  await billing.create({}, { key });
  await forgetAnswer(key);
  await billing.world.sql(`update idempotency_keys set lease_until = now() + interval '7 seconds' where key = ?`, [
    key,
  ]);
  const waiting = await billing.create({}, { key });
  expect([waiting.status, waiting.meta.errorCode, waiting.headers['retry-after']]).toEqual([
    409,
    'IDEMPOTENCY_IN_PROGRESS',
    '1',
  ]);
});

test('the key of a draft answers the draft, also after it was issued, changed or deleted', async () => {
  // The stored answer must not change, and a replay must not create a second draft in place of a deleted one.
  const key = newKey();
  const draft = await billing.create({ issue: false }, { key });
  await billing.act(draft.data['id'], 'issue');
  expect((await billing.create({ issue: false }, { key })).text).toBe(draft.text);

  const other = newKey();
  const gone = await billing.create({ issue: false }, { key: other });
  const path = `/invoices/${String(gone.data['id'])}`;
  expect((await billing.send(path, { method: 'DELETE' })).status).toBe(200);
  const before = await count('invoices');
  const replay = await billing.create({ issue: false }, { key: other });
  expect([replay.text, marked(replay)]).toEqual([gone.text, 'true']);
  await forgetAnswer(other);
  expect(refusal(await billing.create({ issue: false }, { key: other })).slice(0, 2)).toEqual([
    404,
    'RESOURCE_NOT_FOUND',
  ]);
  expect(await count('invoices')).toBe(before);
});

test('a key means nothing in another application, mode or operation', async () => {
  // Otherwise a payment and an invoice of one order could not share their key.
  const key = newKey();
  const other = await billing.world.register();
  const ids = [];
  for (const credentials of [billing.shop.test, billing.shop.live, other.test, other.live]) {
    ids.push((await billing.create({}, { key, credentials })).data['id']);
  }
  expect(new Set(ids).size).toBe(4);
  const payment = await billing.pay(undefined, {}, { 'idempotency-key': key });
  expect([payment.status, marked(payment)]).toEqual([201, undefined]);
});

test('what is refused consumes no key', async () => {
  // A client that corrects its mistake must be able to use the same key again.
  const key = newKey();
  const refused = [
    await billing.create({ lineItems: [] }, { key }),
    await billing.create({ discount: { amountMinor: 999_999 } }, { key }),
    await billing.create({ notes: 'x'.repeat(70_000) }, { key }),
    await billing.create({}, { key: 'k'.repeat(256) }),
    await billing.create({}, { key: '' }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([400, 400, 413, 400, 400]);
  expect((await billing.create({}, { key })).status).toBe(201);
});
