import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, type Answer } from './contract-client.ts';
import { httpCall } from './http-call.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

let world: ApiWorld;
let proxy: TcpProxy;
/** An API process that connects to Postgres through the proxy. */
let origin: string;
let shop: Registration;

beforeAll(async () => {
  world = await openApiWorld();
  const url = new URL(world.databaseUrl);
  proxy = await openTcpProxy({ host: url.hostname, port: Number(url.port) });
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  origin = await world.listen({ databaseUrl: url.href });
  shop = await world.register();
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

const BODY = { amountMinor: 10_000, customerReference: 'cust_1' };

function create(key?: string): Promise<Answer> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return call({ origin, method: 'POST', path: '/payments', credentials: shop.test, body: BODY, headers });
}

describe('without a database', () => {
  test('every operation answers 503 with a time to come back, and works again when it is back', async () => {
    // Clients retry after a 503; after another error they would give up.
    expect((await create()).status).toBe(201);
    await proxy.cut();
    try {
      for (const path of [
        '/app/me',
        '/payments/1',
        '/payments?customerReference=c',
        `/checkout/pay_${'0'.repeat(22)}`,
      ]) {
        const result = await call({ origin, path, credentials: shop.test });
        expect([path, result.status, result.meta.errorCode]).toEqual([path, 503, 'SERVICE_UNAVAILABLE']);
        expect(Number(result.headers['retry-after'])).toBeGreaterThan(0);
      }
      expect((await httpCall({ origin, path: '/ready' })).status).toBe(503);
      expect((await httpCall({ origin, path: '/health' })).status).toBe(200);
    } finally {
      await proxy.restore();
    }
    expect((await create()).status).toBe(201);
    expect((await httpCall({ origin, path: '/ready' })).status).toBe(200);
  });

  test('an outage is not taken for guessing: nobody is locked out by it', async () => {
    // A 429 during an outage would make legitimate clients wait a minute longer.
    await proxy.cut();
    try {
      const answers = [];
      for (let i = 0; i < 70; i += 1) {
        answers.push((await call({ origin, path: '/app/me', credentials: shop.test })).status);
      }
      expect(new Set(answers)).toEqual(new Set([503]));
    } finally {
      await proxy.restore();
    }
  });

  test('that is lost after the gateway opened its session, the retry finds the same payment', async () => {
    // If the retry created a second payment, the payer could be charged twice.
    world.dispatch.afterOpening = () => proxy.cut();
    const [before] = await world.sql<{ count: number }>('select count(*)::int as count from payments');
    const lost = await create('lost-1');
    world.dispatch.afterOpening = () => Promise.resolve();
    await proxy.restore();
    expect(lost.meta.errorCode).toBe('SERVICE_UNAVAILABLE');
    const sessions = world.dispatch.sessions.size;
    expect((await create('lost-1')).meta.errorCode).toBe('IDEMPOTENCY_IN_PROGRESS');
    await world.sql(`update idempotency_keys set lease_until = now() where key = 'lost-1'`);
    const found = await create('lost-1');
    expect([found.status, found.data['status']]).toEqual([201, 'PENDING']);
    expect(world.dispatch.sessions.size).toBe(sessions);
    const [after] = await world.sql<{ count: number }>('select count(*)::int as count from payments');
    expect(after?.count).toBe((before?.count ?? 0) + 1);
  });
});

describe('an error that nobody foresaw', () => {
  test('is 500 with a request id that the log has too, and tells nothing of the inside', async () => {
    // Support finds the error by the request id, and an attacker must not learn names, statements or paths.
    await world.sql('alter table payments rename column product_name to product_name_lost');
    let answer: Answer;
    try {
      answer = await create('broken-1');
    } finally {
      await world.sql('alter table payments rename column product_name_lost to product_name');
    }
    expect([answer.status, answer.meta.errorCode]).toEqual([500, 'INTERNAL_ERROR']);
    expect(answer.text).not.toMatch(/product_name|column|insert|payments"|select|node_modules|\.ts|at /);
    const requestId = answer.headers['x-request-id'] ?? 'none';
    const lines = world.logLines.filter((line) => line.includes(requestId));
    expect(lines.some((line) => line.includes('request failed'))).toBe(true);
    expect((await create('broken-1')).status).toBe(201);
  });
});

describe('without Temporal', () => {
  test('a payment is stored, CREATED, and its checkoutUrl is given', async () => {
    // The payer waits on the page until the sweeper resumes the payment.
    world.dispatch.opening = 'times out';
    const answer = await create();
    world.dispatch.opening = 'opens';
    expect([answer.status, answer.data['status']]).toEqual([201, 'CREATED']);
    expect(answer.data['checkoutUrl']).toMatch(/\/checkout\/pay_[0-9A-Za-z]{22}$/);
  });
});
