import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { recordNoSession, recordSession } from '../../../core/payments/store/sessions.ts';
import { GatewayFailure } from '../../../gateways/port.ts';
import type { StoredPayment } from '../../support/stored.ts';
import { answer, charged, confirmed, reset } from './scripted-answers.ts';
import { createScriptedWorld, type ScriptedWorld } from './scripted-payments.ts';

let world: ScriptedWorld;
beforeAll(async () => {
  world = await createScriptedWorld();
});
afterAll(() => world.close());
beforeEach(() => reset(world));

const EXPIRES_AT_MS = Date.parse('2031-01-02T03:04:05Z');
const AT = '2026-01-01T00:00:00Z';
const open = (input: StoredPayment) => world.activities.openCheckout(input);
const refuses = (gatewayText: string) => () =>
  Promise.resolve({ kind: 'refused', code: 'GATEWAY_REFUSED_SESSION', gatewayText } as const);

describe('the order that a gateway gets', () => {
  test('names the product and the customer as the application did, for an attempt that is already stored', async () => {
    // Payers have to recognise what they are asked to pay for. A session without a row would be one that Lenden does not know of.
    const input = await world.payment({
      product_name: 'A book',
      customer_name: 'Jane',
      customer_email: 'jane@example.com',
      customer_phone: '01711111111',
    });
    const { openSession } = world.gateway;
    world.gateway.openSession = async (order) => {
      expect(await world.attemptRows(input)).toMatchObject([
        { status: 'CREATED', reference: order.attemptReference, session_key: null },
      ]);
      return openSession(order);
    };
    expect(await open(input)).toEqual({
      kind: 'open',
      expiresAtMs: EXPIRES_AT_MS,
      attention: false,
      attemptReference: expect.any(String),
    });
    const [attempt] = await world.attemptRows(input);
    const reference = String(attempt?.['reference']);
    const callback = (kind: string): string => `https://api.example/gateway/sslcommerz/test/${kind}`;
    expect(world.gateway.orders).toEqual([
      {
        attemptReference: reference,
        amount: { amountMinor: 10_000n, currency: 'BDT' },
        productName: 'A book',
        payerPhone: '01711111111',
        customer: {
          name: 'Jane',
          email: 'jane@example.com',
          phone: '01711111111',
          address: 'Dhaka',
          city: 'Dhaka',
          postcode: '1000',
          country: 'Bangladesh',
        },
        callbacks: {
          success: callback('success'),
          fail: callback('fail'),
          cancel: callback('cancel'),
          ipn: callback('ipn'),
          back: callback('return'),
        },
        expiresAt: new Date(EXPIRES_AT_MS),
        readAt: expect.any(Date),
      },
    ]);
    expect(reference).toMatch(/^[0-9A-Za-z]{20}$/);
    expect(attempt).toMatchObject({
      number: 1,
      status: 'OPEN',
      gateway: 'sslcommerz',
      store_id: 'store',
      session_key: `K-${reference}`,
      gateway_url: `https://gateway.example/${reference}`,
    });
    expect(await world.paymentRow(input)).toMatchObject({
      status: 'PENDING',
      gateway_redirect_url: `https://gateway.example/${reference}`,
    });
  });

  test('is complete for an application that names nobody', async () => {
    // Gateways require a customer, and an integrator should not have to invent one.
    await open(await world.payment());
    expect(world.gateway.orders).toMatchObject([
      {
        productName: 'Shop',
        payerPhone: null,
        customer: {
          name: 'Customer',
          email: 'customer@example.com',
          phone: '01700000000',
          address: 'Dhaka',
          city: 'Dhaka',
          postcode: '1000',
          country: 'Bangladesh',
        },
      },
    ]);
  });

  test('uses the application’s own defaults before ours', async () => {
    // The shop's defaults replace Lenden's for payers without an address.
    const defaults = { name: 'Guest', city: 'Khulna', phone: '01800000000' };
    await world.rows('update applications set customer_defaults = ?::jsonb where id = ?::bigint returning 1', [
      JSON.stringify(defaults),
      world.applicationId,
    ]);
    await open(await world.payment({ customer_name: 'Jane' }));
    await world.rows(`update applications set customer_defaults = '{}' where id = ?::bigint returning 1`, [
      world.applicationId,
    ]);
    expect(world.gateway.orders[0]?.customer).toMatchObject({
      name: 'Jane',
      email: 'customer@example.com',
      phone: '01800000000',
      city: 'Khulna',
      country: 'Bangladesh',
    });
  });

  test('names the attempt that the creator wrote', async () => {
    // A session must have one reference, whichever process wrote it.
    const input = await world.payment();
    const attempt = await world.attempt(input, { status: 'CREATED', sessionKey: null });
    expect(await open(input)).toMatchObject({ kind: 'open', attention: false });
    expect(world.gateway.orders.map(({ attemptReference }) => attemptReference)).toEqual([attempt.reference]);
    expect(await world.attemptRows(input)).toHaveLength(1);
  });
});

describe('a checkout', () => {
  test('is opened once, and a repetition is answered from the row', async () => {
    // Otherwise a retried activity would open a second session in which the payer could also pay.
    const input = await world.payment();
    const first = await open(input);
    const rows = [await world.paymentRow(input), await world.attemptRows(input)];
    expect(await open(input)).toEqual(first);
    expect(world.gateway.orders).toHaveLength(1);
    expect([await world.paymentRow(input), await world.attemptRows(input)]).toEqual(rows);
  });

  test('that a gateway refuses is refused for good, and the gateway’s text goes to the log only, cut short', async () => {
    // The gateway's text can contain anything, including names and secrets, and have any length.
    world.gateway.openSession = refuses('x'.repeat(300));
    const input = await world.payment();
    expect(await open(input)).toEqual({ kind: 'refused', code: 'GATEWAY_REFUSED_SESSION' });
    expect(await world.attemptRows(input)).toMatchObject([
      { status: 'REFUSED', failure_code: 'GATEWAY_REFUSED_SESSION', session_key: null },
    ]);
    expect(world.log).toContainEqual(
      expect.objectContaining({ payment: input.reference, gateway: 'sslcommerz', reason: 'x'.repeat(200) }),
    );
  });

  test('that a gateway refuses because the order was paid before a restore is finalized as paid', async () => {
    // The restored rows are older than the session, and the gateway takes no second session for a paid order. If the payment failed, the money
    // would be unapplied.
    const input = await world.payment();
    const attempt = await world.attempt(input, { status: 'CREATED', sessionKey: null });
    world.gateway.openSession = refuses('this order is paid');
    answer(world, charged(world.charge(attempt)));
    expect(await open(input)).toEqual({ kind: 'choosing', expiresAtMs: EXPIRES_AT_MS, attention: true });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'UNKNOWN', failure_code: null }]);
    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
    expect(await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' })).toBe('SUCCEEDED');
    expect(await world.postings(input.reference)).toHaveLength(2);
  });

  test('without a usable answer is unavailable, and opens later under the same reference', async () => {
    // A session may exist, so the payment must not fail, and no session may be opened under another reference.
    const { openSession } = world.gateway;
    world.gateway.openSession = () => Promise.reject(new GatewayFailure('ambiguous', 'no answer'));
    const input = await world.payment();
    expect(await open(input)).toEqual({ kind: 'unavailable', expiresAtMs: EXPIRES_AT_MS });
    const [unknown] = await world.attemptRows(input);
    expect(unknown).toMatchObject({ status: 'UNKNOWN', failure_code: null, session_key: null });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'CREATED' });
    world.gateway.openSession = openSession;
    expect(await open(input)).toMatchObject({ kind: 'open' });
    expect(await world.attemptRows(input)).toMatchObject([
      { status: 'OPEN', reference: unknown?.['reference'], number: 1 },
    ]);
    expect(new Set(world.gateway.orders.map(({ attemptReference }) => attemptReference)).size).toBe(1);
  });

  test('is retried after a mistake of ours', async () => {
    // A bug in Lenden is logged and retried. It says nothing about the gateway.
    world.gateway.openSession = () => Promise.reject(new TypeError('ours'));
    const input = await world.payment();
    await expect(open(input)).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'CREATED' }]);
    expect(world.log).toContainEqual(expect.objectContaining({ level: 'warn', activity: 'openCheckout' }));
  });

  test('is refused without a request if the gateway is not configured', async () => {
    // The credentials can be removed between the order and its checkout.
    world.gateway.configured = false;
    const input = await world.payment();
    expect(await open(input)).toEqual({ kind: 'refused', code: 'GATEWAY_NOT_CONFIGURED' });
    expect([world.gateway.orders, await world.attemptRows(input)]).toEqual([[], []]);
  });

  test.each([
    ['SUCCEEDED', 'SUCCEEDED'],
    ['PARTIALLY_REFUNDED', 'SUCCEEDED'],
    ['REFUNDED', 'SUCCEEDED'],
    ['FAILED', 'FAILED'],
    ['CANCELLED', 'CANCELLED'],
    ['EXPIRED', 'EXPIRED'],
  ])('of a payment that is %s is not opened: the payment ended as %s', async (status, end) => {
    // The row tells a restarted workflow how the payment ended. A refunded payment counts as succeeded for its own workflow.
    const input = await world.payment({ status, ended_at: AT, paid_at: end === 'SUCCEEDED' ? AT : null });
    expect(await open(input)).toEqual({ kind: 'ended', status: end });
    expect(world.gateway.orders).toEqual([]);
  });

  test('of a payment under review is not opened', async () => {
    // Only an operator can end the review.
    const input = await world.payment({ status: 'PENDING' });
    await world.activities.markForReview({ ...input, reason: 'RISK_FLAGGED' });
    expect(await open(input)).toEqual({ kind: 'review', reason: 'RISK_FLAGGED' });
    expect(world.gateway.orders).toEqual([]);
  });

  test.each([
    ['nothing has happened since', {}, false, {}, false],
    ['a callback waits', {}, true, {}, true],
    ['the payer wants to cancel', { cancel_requested_at: AT }, false, {}, true],
    ['the attempt is confirmed', {}, false, { status: 'CONFIRMED', validationId: 'V-before' }, true],
    ['the attempt is unknown', {}, false, { status: 'UNKNOWN' }, true],
    ['the attempt has failed', {}, false, { status: 'FAILED' }, true],
    ['the attempt was cancelled', {}, false, { status: 'CANCELLED' }, true],
    ['the attempt is closed', {}, false, { status: 'CLOSED' }, true],
  ])('whose session exists is not opened again when %s', async (_case, payment, calledBack, fields, attention) => {
    // The payer could pay twice. A resumed workflow queries at once if there is news that was signalled before it started.
    const input = await world.payment({ status: 'PENDING', ...payment });
    const attempt = await world.attempt(input, fields);
    if (calledBack) {
      await world.callback(input, attempt);
    }
    expect(await open(input)).toEqual({
      kind: 'open',
      expiresAtMs: EXPIRES_AT_MS,
      attention,
      attemptReference: attempt.reference,
    });
    expect(world.gateway.orders).toEqual([]);
  });
});

describe('a slow worker', () => {
  /** Records a session, or that there is none, as a worker does that was slower than another one. */
  async function recordLate(input: StoredPayment, attempt: string, session: 'another' | 'none'): Promise<void> {
    const ids = { payment: input.reference, attempt };
    const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
    await world.deps.database.withScope<unknown>(
      scope,
      (statements) =>
        session === 'none'
          ? recordNoSession(statements, { ...ids, status: 'UNKNOWN', failureCode: null })
          : recordSession(statements, {
              ...ids,
              sessionKey: 'another',
              gatewayUrl: 'https://gateway.example/another',
              payWithinMinutes: 0,
            }),
      { oneTrip: true },
    );
  }

  test.each(['another', 'none'] as const)(
    'does not reopen an attempt that was confirmed in the meantime (session: %s)',
    async (session) => {
      // The charge would no longer count as the one that finalized the payment, and a repeated notice would post it again as an unapplied payment.
      const { input, attempt } = await confirmed(world);
      await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
      const before = await world.attemptRows(input);
      await recordLate(input, attempt.reference, session);
      expect(await world.attemptRows(input)).toEqual(before);
    },
  );

  test('does not replace the page that another worker has recorded', async () => {
    // Two workers have opened one attempt. Except at SSLCOMMERZ there are then two sessions, and money paid in the unrecorded one would be lost.
    const input = await world.payment();
    await open(input);
    const [attempt] = await world.attemptRows(input);
    const before = [await world.paymentRow(input), [attempt]];
    await recordLate(input, String(attempt?.['reference']), 'another');
    expect([await world.paymentRow(input), await world.attemptRows(input)]).toEqual(before);
  });

  test.each([
    ['is refused', refuses('this order is known')],
    ['gets no answer', () => Promise.reject(new GatewayFailure('ambiguous', 'no answer'))],
  ])('that %s keeps the session that another worker has opened', async (_what, outcome) => {
    // The payer is on the page of the first session, and the gateway gives no second session for the same order.
    const input = await world.payment();
    const { openSession } = world.gateway;
    world.gateway.openSession = async () => {
      world.gateway.openSession = openSession;
      expect(await open(input)).toMatchObject({ kind: 'open' });
      return outcome();
    };
    expect(await open(input)).toMatchObject({ kind: 'open' });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'OPEN', failure_code: null }]);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  });
});
