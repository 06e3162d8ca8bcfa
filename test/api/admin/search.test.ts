import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { FOUND_BY, SEARCH_KINDS } from '../../../domain/search.ts';
import { call } from '../contract-client.ts';
import { bearer, openOperatorWorld, type OperatorWorld } from './operator-world.ts';

const Hit = z.object({
  kind: z.enum(SEARCH_KINDS),
  foundBy: z.enum(FOUND_BY),
  reference: z.string(),
  applicationName: z.string().nullable(),
  amountMinor: z.int().nullable(),
});

let world: OperatorWorld;
let shop: Registration;
let other: Registration;
let payment: { id: string; reference: string };
let ofOther: { id: string; reference: string };
const tokens = new Map<string, string>();

beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'First' });
  other = await world.api.register({ name: 'Second' });
  await world.api.sql(`insert into roles (name, permissions) values ('Refunds only', '{refund:read}')`);
  await addPerson('owner@example.com', 'Super Admin');
  await addPerson('of-second@example.com', 'Super Admin', other.applicationId);
  await addPerson('refunds@example.com', 'Refunds only');
  payment = await world.api.paidPayment(shop);
  ofOther = await world.api.paidPayment(other);
  const { sql } = world.api;
  await sql(
    `update payments set customer_reference = 'cust_both', amount_minor = 1205050 where id in (?::bigint, ?::bigint)`,
    [payment.id, ofOther.id],
  );
  await sql(`update payments set contract = 'shadhinpay', merchant_reference = 'ORDER-7' where id = ?::bigint`, [
    payment.id,
  ]);
  await sql(`update payment_attempts set gateway_txn_id = 'TRX9ABC' where payment_id = ?::bigint`, [payment.id]);
  await sql(
    `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id,
       gateway_refund_id, created_by_type, ended_at, succeeded_at)
     values (?, 'TEST', ?, 'ref_' || repeat('a', 22), 'SUCCEEDED', 2500, 'BDT', 'sslcommerz', 's', 't', 'RF-1', 'APP', now(), now())`,
    [shop.applicationId, payment.id],
  );
  await sql(
    `insert into webhook_events (event_id, application_id, mode, payment_id, type, schema_version, sequence, payload, contract)
     values ('evt_search', ?, 'TEST', ?, 'payment.succeeded', 1, 900, '{}', 'native')`,
    [shop.applicationId, payment.id],
  );
  await sql(
    `insert into payouts (reference, mode, gateway, store_id, gateway_reference, currency, arrives_on, stated_minor, bank_minor, bank_reference)
     values ('po_' || repeat('b', 22), 'LIVE', 'bkash', 's', 'Payout-1', 'BDT', '2026-07-01', 100, 90, 'Bank-1')`,
  );
});
afterAll(() => world.close());

async function addPerson(email: string, role: string, applicationId: bigint | null = null): Promise<void> {
  await world.addOperator({ email, role, applicationId });
  tokens.set(email, await world.logIn(email));
}

async function search(email: string, q: string) {
  const { status, data } = await world.send({
    path: `/admin/search?${new URLSearchParams({ q })}`,
    headers: bearer(tokens.get(email) ?? ''),
  });
  expect(status).toBe(200);
  return z.array(Hit).parse(data);
}

/** What was found, in short. */
async function found(email: string, q: string): Promise<string[]> {
  return (await search(email, q)).map(({ kind, foundBy, applicationName }) => `${kind} ${foundBy} ${applicationName}`);
}

async function attemptReference(): Promise<string> {
  const [row] = await world.api.sql<{ reference: string }>(
    'select reference from payment_attempts where payment_id = ?::bigint',
    [payment.id],
  );
  return row?.reference ?? '';
}

describe('whatever a person has at hand', () => {
  test('a reference of a payment, also with spaces around it', async () => {
    expect(await found('owner@example.com', `  ${payment.reference} `)).toEqual(['PAYMENT reference First']);
  });

  test('the reference of an attempt, which the gateway shows as the order', async () => {
    expect(await found('owner@example.com', await attemptReference())).toEqual(['PAYMENT attempt-reference First']);
  });

  test.each([
    ['TRX9ABC', ['PAYMENT gateway-transaction-id First']],
    ['ORDER-7', ['PAYMENT merchant-reference First']],
    ['12,050.50', ['PAYMENT amount Second', 'PAYMENT amount First']],
    ['১২০৫০.৫০', ['PAYMENT amount Second', 'PAYMENT amount First']],
    ['cust_both', ['PAYMENT customer-reference Second', 'PAYMENT customer-reference First']],
    [`ref_${'a'.repeat(22)}`, ['REFUND reference First']],
    ['RF-1', ['REFUND gateway-refund-id First']],
    ['evt_search', ['EVENT reference First']],
    [`po_${'b'.repeat(22)}`, ['PAYOUT reference null']],
    ['PAYOUT-1', ['PAYOUT gateway-transaction-id null']],
    ['bank-1', ['PAYOUT bank-reference null']],
    ['nothing-of-ours', []],
    ["' or true --", []],
    ['%', []],
  ])('%s', async (q, expected) => {
    expect(await found('owner@example.com', q)).toEqual(expected);
  });

  test('an invoice by its reference, its number and its customer', async () => {
    const draft = await call({
      origin: world.origin,
      method: 'POST',
      path: '/invoices',
      credentials: shop.test,
      body: {
        currency: 'BDT',
        customerReference: 'cust_invoice',
        lineItems: [{ description: 'Plan', qty: 1, unitAmountMinor: 100 }],
      },
    });
    const { id } = z.object({ id: z.int() }).parse(draft.data);
    const { origin } = world;
    await call({ origin, method: 'POST', path: `/invoices/${id}/issue`, credentials: shop.test });
    const [invoice] = await world.api.sql<{ reference: string }>(
      'select reference from invoices where id = ?::bigint',
      [id],
    );
    expect(await found('owner@example.com', invoice?.reference ?? '')).toEqual(['INVOICE reference First']);
    expect(await found('owner@example.com', 'INV-000001')).toEqual(['INVOICE number First']);
    expect(await found('owner@example.com', 'cust_invoice')).toEqual(['INVOICE customer-reference First']);
  });

  test('is found once, by the surest way', async () => {
    await world.api.sql(`update payments set customer_reference = reference where id = ?::bigint`, [ofOther.id]);
    expect(await found('owner@example.com', ofOther.reference)).toEqual(['PAYMENT reference Second']);
  });
});

describe('a person finds only what they may read', () => {
  test('of the application of their grant', async () => {
    expect(await found('of-second@example.com', payment.reference)).toEqual([]);
    expect(await found('of-second@example.com', ofOther.reference)).toEqual(['PAYMENT reference Second']);
    // Payouts need the permission in every application, also for whoever may everything in one.
    expect(await found('of-second@example.com', 'bank-1')).toEqual([]);
  });

  test('of the kinds of their permissions', async () => {
    expect(await found('refunds@example.com', payment.reference)).toEqual([]);
    expect(await found('refunds@example.com', 'RF-1')).toEqual(['REFUND gateway-refund-id First']);
  });
});

test.each(['', ' ', 'x'.repeat(256), 'a\u0000b'])('%j is no search', async (q) => {
  const answer = await world.send({
    path: `/admin/search?${new URLSearchParams({ q })}`,
    headers: bearer(tokens.get('owner@example.com') ?? ''),
  });
  expect(answer).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
});
