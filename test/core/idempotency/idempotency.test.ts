import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { registerApplication } from '../../../core/applications/store/applications.ts';
import { openDatabase, type Database, type Scope } from '../../../database/connection.ts';
import {
  joinDuplicate,
  releaseKey,
  storeAnswer,
  type KeyClaim,
  type DuplicateOutcome,
} from '../../../core/idempotency/store.ts';
import { insertPayment, type NewPayment } from '../../../core/payments/store/new-payments.ts';
import { attemptReference, paymentReference } from '../../../domain/references.ts';
import { createSecretBox } from '../../../runtime/secrets.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let cloned: TestDatabase;
let database: Database;
let scope: Scope;
let other: Scope;

beforeAll(async () => {
  cloned = await createTestDatabase();
  database = await openDatabase({ url: cloned.url, poolSize: 4 });
  const secrets = createSecretBox(`test:${Buffer.alloc(32, 7).toString('base64')}`);
  const register = (name: string) => registerApplication({ database, secrets }, { name, webhookUrl: null });
  scope = { applicationId: (await register('Shop')).applicationId, mode: 'TEST' };
  other = { applicationId: (await register('Other')).applicationId, mode: 'TEST' };
});
afterAll(async () => {
  await database.close();
  await cloned.drop();
});

type Row = Record<string, unknown>;
const rows = (sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
  database.withSystem((em) => em.execute(sql, [...values]));

let serial = 0;
function claimOf(changes: Partial<KeyClaim> = {}): KeyClaim {
  serial += 1;
  return {
    scope,
    operation: 'POST /payments',
    key: `key-${serial}`,
    fingerprint: createHash('sha256').update('one body').digest(),
    leaseSeconds: 60,
    keepDays: 30,
    ...changes,
  };
}

function payment(changes: Partial<NewPayment> = {}): NewPayment {
  return {
    scope,
    reference: paymentReference(),
    amountMinor: 9_007_199_254_740_991n,
    currency: 'BDT',
    customerReference: 'customer',
    customerEmail: 'a@example.com',
    customerPhone: '01700000000',
    customerName: 'A payer',
    productName: 'A book',
    returnUrl: 'https://shop.example/back',
    gateway: 'sslcommerz',
    expiresInSeconds: 1_801,
    attempt: { reference: attemptReference(), storeId: 'lenden_test' },
    ...changes,
  };
}

const insert = (claim: KeyClaim | null, changes: Partial<NewPayment> = {}): Promise<bigint | null> =>
  database.withScope(claim?.scope ?? scope, (statements) => insertPayment(statements, payment(changes), claim));
const join = (claim: KeyClaim): Promise<DuplicateOutcome> =>
  database.withScope(claim.scope, (statements) => joinDuplicate(statements, claim));
const store = (claim: KeyClaim, status: number, text: string): Promise<void> =>
  database.withScope(claim.scope, (statements) => storeAnswer(statements, claim, { status, text }), { oneTrip: true });
const release = (claim: KeyClaim): Promise<void> =>
  database.withScope(claim.scope, (statements) => releaseKey(statements, claim), { oneTrip: true });
const keyRow = async ({ key }: KeyClaim): Promise<Row | undefined> =>
  (
    await rows(
      `select payment_id, fingerprint, response_status, response_body, extract(epoch from lease_until - now())::float8 as lease,
         extract(epoch from expires_at - now())::float8 as kept from idempotency_keys where key = ?`,
      [key],
    )
  )[0];

describe('a new payment', () => {
  test('is written with its attempt and its public name, every column as it was given', async () => {
    // The payer, the gateway and the ledger must all get the values that the application sent.
    const { scope: _scope, attempt, ...columns } = payment();
    const id = await insert(null, { ...columns, attempt });
    const [row] = await rows(
      `select *, extract(epoch from expires_at - created_at)::float8 as lives,
         extract(epoch from next_sweep_at - created_at)::float8 as unswept from payments where id = ?::bigint`,
      [id],
    );
    expect(row).toMatchObject({
      application_id: scope.applicationId.toString(),
      mode: 'TEST',
      status: 'CREATED',
      reference: columns.reference,
      amount_minor: '9007199254740991',
      currency: 'BDT',
      customer_reference: 'customer',
      customer_email: 'a@example.com',
      customer_phone: '01700000000',
      customer_name: 'A payer',
      product_name: 'A book',
      return_url: 'https://shop.example/back',
      gateway: 'sslcommerz',
      lives: 1_801,
      unswept: 30,
    });
    expect(await rows('select * from payment_attempts where payment_id = ?::bigint', [id])).toMatchObject([
      { number: 1, reference: attempt?.reference, gateway: 'sslcommerz', store_id: 'lenden_test', mode: 'TEST' },
    ]);
  });

  test('has no attempt where its gateway is not configured', async () => {
    // An attempt without a store could be confirmed by a charge of any store.
    const id = await insert(null, { attempt: { reference: attemptReference(), storeId: null } });
    expect(id).not.toBeNull();
    expect(await rows('select 1 from payment_attempts where payment_id = ?::bigint', [id])).toEqual([]);
  });

  test('claims its key in the same statement, for a lease and for days', async () => {
    // Payment and key are stored together or not at all, even if the process dies.
    const claim = claimOf({ leaseSeconds: 90, keepDays: 3 });
    const id = await insert(claim);
    const row = await keyRow(claim);
    expect(row).toMatchObject({ payment_id: id?.toString(), response_status: null, response_body: null });
    expect(claim.fingerprint.equals(row?.['fingerprint'] as Uint8Array)).toBe(true);
    expect(Number(row?.['lease'])).toBeGreaterThan(60);
    expect(Number(row?.['lease'])).toBeLessThanOrEqual(90);
    expect(Number(row?.['kept']) / 86_400).toBeCloseTo(3, 1);
  });

  test('is not written where the key is taken, and neither is an attempt', async () => {
    const claim = claimOf();
    await insert(claim);
    const refused = payment();
    expect(await insert(claim, refused)).toBeNull();
    expect(await rows('select 1 from payments where reference = ?', [refused.reference])).toEqual([]);
    expect(await rows('select 1 from payment_attempts where reference = ?', [refused.attempt?.reference])).toEqual([]);
  });

  test('takes a key whose days are over, and nothing of its old answer stays', async () => {
    // Last month's answer must not be returned for this month's payment.
    const claim = claimOf();
    await insert(claim);
    await store(claim, 201, 'old');
    await rows(`update idempotency_keys set expires_at = now() where key = ? returning 1`, [claim.key]);
    const fingerprint = createHash('sha256').update('another body').digest();
    const id = await insert({ ...claim, fingerprint });
    const row = await keyRow(claim);
    expect(row).toMatchObject({ payment_id: id?.toString(), response_status: null, response_body: null });
    expect(fingerprint.equals(row?.['fingerprint'] as Uint8Array)).toBe(true);
    expect(Number(row?.['kept'])).toBeGreaterThan(29 * 86_400);
  });

  test('finds the same key free in another app, mode and operation', async () => {
    // Two tenants may use the same keys without affecting each other.
    const claim = claimOf();
    const ids = [
      await insert(claim),
      await insert({ ...claim, scope: other }, { scope: other }),
      await insert({ ...claim, scope: { ...scope, mode: 'LIVE' } }, { scope: { ...scope, mode: 'LIVE' } }),
      await insert({ ...claim, operation: 'POST /other' }),
    ];
    expect(ids).not.toContain(null);
    expect(new Set(ids).size).toBe(4);
  });
});

describe('a duplicate', () => {
  test('with another body is a conflict, whether an answer is stored or not', async () => {
    // A reused key must not be answered with the wrong payment.
    const claim = claimOf();
    await insert(claim);
    const changed = { ...claim, fingerprint: createHash('sha256').update('another body').digest() };
    expect(await join(changed)).toEqual({ kind: 'conflict' });
    await store(claim, 201, '{}');
    expect(await join(changed)).toEqual({ kind: 'conflict' });
  });

  test('waits a second while the claim is young, then for the rest of the lease', async () => {
    // Retry-After says when a retry is useful. Most answers exist within a second.
    const claim = claimOf({ leaseSeconds: 60 });
    await insert(claim);
    expect(await join(claim)).toEqual({ kind: 'in-progress', retryAfterSeconds: 1 });
    const leaseOf = (seconds: number): Promise<Row[]> =>
      rows(`update idempotency_keys set lease_until = now() + ? * interval '1 second' where key = ? returning 1`, [
        seconds,
        claim.key,
      ]);
    await leaseOf(58);
    expect(await join(claim)).toEqual({ kind: 'in-progress', retryAfterSeconds: 1 });
    await leaseOf(30);
    const waiting = await join(claim);
    expect(waiting.kind).toBe('in-progress');
    expect(waiting.kind === 'in-progress' && waiting.retryAfterSeconds).toBeGreaterThanOrEqual(20);
    expect(waiting.kind === 'in-progress' && waiting.retryAfterSeconds).toBeLessThanOrEqual(30);
    await leaseOf(1);
    expect(await join(claim)).toEqual({ kind: 'in-progress', retryAfterSeconds: 1 });
  });

  test('takes the operation over once the lease has ended, and holds a lease itself', async () => {
    // Exactly one late duplicate request continues the payment of the dead process.
    const claim = claimOf();
    const id = await insert(claim);
    await release(claim);
    expect(Number((await keyRow(claim))?.['lease'])).toBeLessThanOrEqual(0);
    const outcomes = await Promise.all([join(claim), join(claim), join(claim)]);
    expect(outcomes.filter(({ kind }) => kind === 'take-over')).toEqual([
      { kind: 'take-over', made: { paymentId: id, refundId: null, invoiceId: null } },
    ]);
    expect(outcomes.filter(({ kind }) => kind === 'in-progress')).toHaveLength(2);
    expect(Number((await keyRow(claim))?.['lease'])).toBeGreaterThan(30);
  });

  test('of a key without a payment waits a second, for there is nothing to take over', async () => {
    // A key row without a payment gives a duplicate request nothing to continue.
    const claim = claimOf();
    await insert(claim);
    await rows(
      `update idempotency_keys set payment_id = null, lease_until = now() - interval '1 minute' where key = ? returning 1`,
      [claim.key],
    );
    expect(await join(claim)).toEqual({ kind: 'in-progress', retryAfterSeconds: 1 });
  });

  test('that finds no row is told to come again in a second', async () => {
    // The first caller rolled back between the duplicate's insert and its read.
    expect(await join(claimOf())).toEqual({ kind: 'in-progress', retryAfterSeconds: 1 });
  });

  test('joins its own app, mode, operation and key only', async () => {
    // Another tenant's answer would be a leak.
    const claim = claimOf();
    await insert(claim);
    await store(claim, 201, 'mine');
    const nothing = { kind: 'in-progress', retryAfterSeconds: 1 };
    expect(await join({ ...claim, scope: other })).toEqual(nothing);
    expect(await join({ ...claim, scope: { ...scope, mode: 'LIVE' } })).toEqual(nothing);
    expect(await join({ ...claim, operation: 'POST /other' })).toEqual(nothing);
    expect(await join({ ...claim, key: `${claim.key}x` })).toEqual(nothing);
    expect(await join(claim)).toEqual({ kind: 'replay', status: 201, text: 'mine' });
  });
});

describe('an answer', () => {
  test('is replayed byte for byte, and the first one that was stored stands', async () => {
    // Two processes that both finished must not give different answers.
    const claim = claimOf();
    const same = claimOf();
    await insert(claim);
    await insert(same);
    await store(claim, 201, '{"a":1, "b":"৳"}');
    await store(claim, 502, 'later');
    expect(await join(claim)).toEqual({ kind: 'replay', status: 201, text: '{"a":1, "b":"৳"}' });
    expect(await keyRow(same)).toMatchObject({ response_status: null });
    expect(Number((await keyRow(claim))?.['lease'])).toBeLessThanOrEqual(0);
  });

  test.each(['response_status', 'response_body'])('cannot lose its %s', async (half) => {
    // Half an answer can be neither replayed nor taken over.
    const claim = claimOf();
    await insert(claim);
    await store(claim, 201, 'text');
    await expect(
      rows(`update idempotency_keys set ${half} = null where key = ? returning 1`, [claim.key]),
    ).rejects.toThrow(/check constraint/);
  });

  test('stored or given up in one place leaves every other key alone', async () => {
    // A key is identified by app, mode, operation and text.
    const claim = claimOf();
    const duplicates = [
      claim,
      { ...claim, operation: 'POST /other' },
      { ...claim, scope: other },
      { ...claim, scope: { ...scope, mode: 'LIVE' as const } },
    ];
    for (const duplicate of duplicates) {
      await insert(duplicate, { scope: duplicate.scope });
    }
    await store(claim, 201, 'mine');
    await release(claimOf());
    const stored = await rows('select response_body, lease_until > now() as held from idempotency_keys where key = ?', [
      claim.key,
    ]);
    expect(stored.filter(({ held }) => held === true)).toHaveLength(3);
    expect(stored.filter(({ response_body: body }) => body === null)).toHaveLength(3);
  });
});
