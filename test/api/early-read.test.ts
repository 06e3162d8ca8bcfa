import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CredentialPair, Registration } from '../../core/applications/store/applications.ts';
import { findCredentialAndRead } from '../../core/applications/store/callers.ts';
import { readPaymentInScope } from '../../core/payments/store/payments.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import type { Contract } from '../../domain/contract.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, type Answer } from './contract-client.ts';

/** The payment is read in the round trip that finds the credential, so the database alone keeps other callers' payments out. */
let world: ApiWorld;
let database: Database;
let origin: string;
let shop: Registration;
let paymentId: bigint;

beforeAll(async () => {
  world = await openApiWorld();
  // One connection, so that a scope left over from one caller would reach the next.
  database = await openDatabase({ url: world.databaseUrl, poolSize: 1 });
  origin = await world.listen();
  shop = await world.register();
  const { data } = await call({
    origin,
    method: 'POST',
    path: '/payments',
    credentials: shop.test,
    body: { amountMinor: 125_000, customerReference: 'customer-1' },
  });
  paymentId = BigInt(data['id'] as number);
});
afterAll(async () => {
  await database.close();
  await world.close();
});

function read(credentials: CredentialPair, id: bigint | string = paymentId): Promise<Answer> {
  return call({ origin, path: `/payments/${id}`, credentials });
}

async function readWith({ apiKey }: { apiKey: string }, contract: Contract = 'native') {
  const { found, read: payment } = await findCredentialAndRead(
    database,
    { keyHash: sha256(apiKey), contract },
    (statements) => readPaymentInScope(statements, paymentId),
  );
  return { known: found !== null, payment: payment?.id };
}

test('a credential reads its own payment', async () => {
  expect(await readWith(shop.test)).toEqual({ known: true, payment: paymentId });
  expect((await read(shop.test)).status).toBe(200);
});

test('no credential reads the payment of another application or of the other mode', async () => {
  const other = await world.register();
  for (const credentials of [other.test, other.live, shop.live]) {
    expect(await readWith(credentials)).toEqual({ known: true, payment: undefined });
    expect((await read(credentials)).status).toBe(404);
  }
});

test('an unknown, revoked or expired key reads nothing, also right after a caller who may', async () => {
  const ended = await world.register();
  const { data } = await call({
    origin,
    method: 'POST',
    path: '/payments',
    credentials: ended.test,
    body: { amountMinor: 5_000, customerReference: 'customer-2' },
  });
  const own = BigInt(data['id'] as number);
  const readOwn = () =>
    findCredentialAndRead(database, { keyHash: sha256(ended.test.apiKey), contract: 'native' }, (statements) =>
      readPaymentInScope(statements, own),
    );
  expect((await readOwn()).read?.id).toBe(own);
  await readWith(shop.test);
  expect(await readWith({ apiKey: `oi_test_${'0'.repeat(32)}` })).toEqual({ known: false, payment: undefined });
  for (const change of [`expires_at = now()`, `expires_at = null, status = 'REVOKED'`]) {
    await world.sql(`update credentials set ${change} where application_id = ?`, [ended.applicationId]);
    await readWith(shop.test);
    expect(await readOwn()).toEqual({ found: null, read: null });
    expect((await read(ended.test, own)).status).toBe(401);
  }
});

test('a wrong secret gets no payment, and the key of another contract is not a caller', async () => {
  expect((await read({ ...shop.test, apiSecret: `${shop.test.apiSecret.slice(0, -1)}!` })).status).toBe(401);
  expect(await readWith(shop.test, 'ownpay')).toMatchObject({ known: false });
});

test('an invalid id is rejected only after the caller is known', async () => {
  expect((await read(shop.test, 'x')).status).toBe(400);
  expect((await read({ ...shop.test, apiSecret: 'wrong' }, 'x')).status).toBe(401);
});
