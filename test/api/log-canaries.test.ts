import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call } from './contract-client.ts';
import { httpCall } from './http-call.ts';

let world: ApiWorld;

beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

test('no log line holds a secret, a key, a reference of a page or anything of the payer, also when requests fail', async () => {
  // Many people can read logs, and they must not be able to pay, impersonate anybody or identify payers.
  const canary = (name: string): string => `${name}${randomBytes(6).toString('hex')}`;
  const origin = await world.listen();
  const shop = await world.register();
  const fields = {
    customerReference: canary('ref'),
    customerEmail: `${canary('mail')}@example.com`,
    customerPhone: `+8801${Math.trunc(Math.random() * 1e9)}`.padEnd(14, '7'),
    customerName: canary('name'),
    productName: canary('product'),
    returnUrl: `https://shop.example/${canary('return')}`,
  };
  const key = canary('idem');
  const body = { amountMinor: 10_000, ...fields };
  const send = (change: object = {}, headers: Record<string, string> = {}) =>
    call({
      origin,
      method: 'POST',
      path: '/payments',
      credentials: shop.test,
      body: { ...body, ...change },
      headers: { 'idempotency-key': key, ...headers },
    });
  const created = await send();
  expect(created.status).toBe(201);
  await send();
  await send({ amountMinor: 10_001 });
  await send({ customerName: `${fields.customerName}\u0007` }, { 'idempotency-key': `${key}2` });
  world.dispatch.opening = 'times out';
  await send({}, { 'idempotency-key': `${key}3` });
  world.dispatch.opening = 'refuses';
  await send({}, { 'idempotency-key': `${key}4` });
  world.dispatch.opening = 'opens';
  const path = `/payments?customerReference=${fields.customerReference}`;
  await call({ origin, path, credentials: shop.test });
  await call({ origin, path, credentials: { ...shop.test, apiSecret: canary('guess') } });
  await call({ origin, path: `/checkout/${String(created.data['reference'])}` });
  await httpCall({ origin, path: `/${fields.customerReference}` });
  // Postgres quotes the row in the detail of a rejected insert, and that must not reach the log.
  await world.sql('alter table payments add constraint refused check (amount_minor <> 12345)');
  const failed = await send({ amountMinor: 12_345 }, { 'idempotency-key': `${key}5` });
  expect(failed.status).toBe(500);

  const log = world.logLines.join('');
  expect(world.logLines.length).toBeGreaterThan(10);
  const secrets = [
    ...Object.values(fields),
    key,
    shop.test.apiKey,
    shop.test.apiSecret,
    shop.signingSecret,
    shop.testSigningSecret,
  ];
  const found = [...secrets, 'guess'].filter((secret) => log.includes(secret));
  expect(found).toEqual([]);
  expect(failed.text).not.toContain(fields.customerName);
});
