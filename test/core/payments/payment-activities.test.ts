import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { GatewayFailure, type AttemptAnswer, type Charge } from '../../../gateways/port.ts';
import type { Verdict } from '../../../workflows/messages/payment.ts';
import { createScriptedWorld, type ScriptedWorld } from './scripted-payments.ts';
import type { StoredPayment } from '../../support/stored.ts';

let world: ScriptedWorld;
beforeAll(async () => {
  world = await createScriptedWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.gateway.configured = true;
  world.gateway.orders.length = 0;
  world.gateway.asked.length = 0;
  world.deliveries.length = 0;
  world.log.length = 0;
  world.startDelivery = null;
  answers({ kind: 'not-started' });
  opens();
});

const EXPIRES_AT_MS = Date.parse('2031-01-02T03:04:05Z');

function opens(): void {
  world.gateway.openSession = ({ attemptReference }) =>
    Promise.resolve({
      kind: 'opened',
      sessionKey: `K-${attemptReference}`,
      gatewayUrl: `https://gateway.example/${attemptReference}`,
    });
}

function answers(...said: AttemptAnswer[]): void {
  let next = 0;
  world.gateway.queryAttempt = () => {
    const answer = said[Math.min(next, said.length - 1)];
    next += 1;
    return answer === undefined ? Promise.reject(new Error('nothing to say')) : Promise.resolve(answer);
  };
}

const open = (input: StoredPayment) => world.activities.openCheckout(input);
async function verify(input: StoredPayment, final = false): Promise<Verdict> {
  if (final) {
    await world.rows('update payments set expires_at = now() where id = ?::bigint returning 1', [input.paymentId]);
  }
  return world.activities.verifyPayment({ ...input, final });
}
const charged = (charge: Charge): AttemptAnswer => ({ kind: 'charged', charge });
const eventsOf = (input: StoredPayment) =>
  world.rows('select * from webhook_events where payment_id = ?::bigint', [input.paymentId]);

describe('the order that a gateway gets', () => {
  test('names the product and the customer as the app did', async () => {
    // The payer has to recognise what they are asked to pay for.
    const input = await world.payment({
      product_name: 'A book',
      customer_name: 'Jane',
      customer_email: 'jane@example.com',
      customer_phone: '01711111111',
    });
    expect(await open(input)).toEqual({
      kind: 'open',
      expiresAtMs: EXPIRES_AT_MS,
      attention: false,
      attemptReference: expect.any(String),
    });
    const [attempt] = await world.attemptRows(input);
    const callback = (kind: string): string => `https://api.example/gateway/sslcommerz/test/${kind}`;
    expect(world.gateway.orders).toEqual([
      {
        attemptReference: attempt?.['reference'],
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
    expect(attempt).toMatchObject({
      number: 1,
      status: 'OPEN',
      store_id: 'store',
      session_key: `K-${String(attempt?.['reference'])}`,
    });
    expect(await world.paymentRow(input)).toMatchObject({
      status: 'PENDING',
      gateway_redirect_url: `https://gateway.example/${String(attempt?.['reference'])}`,
    });
  });

  test('is complete for an app that names nobody', async () => {
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

  test('uses the app’s own defaults before ours', async () => {
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

  test('is under the attempt that the creator wrote', async () => {
    // A session must have one reference, whichever process wrote it.
    const input = await world.payment();
    const attempt = await world.attempt(input, { status: 'CREATED', sessionKey: null });
    expect(await open(input)).toMatchObject({ kind: 'open', attention: false });
    expect(world.gateway.orders.map(({ attemptReference }) => attemptReference)).toEqual([attempt.reference]);
    expect(await world.attemptRows(input)).toHaveLength(1);
  });
});

describe('a checkout', () => {
  test('that a gateway refuses is refused for good, and its words go to the log only, cut short', async () => {
    // The gateway's text can contain anything and have any length.
    world.gateway.openSession = () =>
      Promise.resolve({ kind: 'refused', code: 'GATEWAY_REFUSED_SESSION', gatewayText: 'x'.repeat(300) });
    const input = await world.payment();
    expect(await open(input)).toEqual({ kind: 'refused', code: 'GATEWAY_REFUSED_SESSION' });
    expect(await world.attemptRows(input)).toMatchObject([
      { status: 'REFUSED', failure_code: 'GATEWAY_REFUSED_SESSION', session_key: null },
    ]);
    expect(world.log).toContainEqual(
      expect.objectContaining({ payment: input.reference, gateway: 'sslcommerz', reason: 'x'.repeat(200) }),
    );
  });

  test('whose gateway gave no usable answer is unavailable until it expires, with the attempt unknown', async () => {
    // A session may exist, so the payment must not fail, and no session may be opened under another reference.
    world.gateway.openSession = () => Promise.reject(new GatewayFailure('ambiguous', 'no answer'));
    const input = await world.payment();
    expect(await open(input)).toEqual({ kind: 'unavailable', expiresAtMs: EXPIRES_AT_MS });
    expect(await world.attemptRows(input)).toMatchObject([
      { status: 'UNKNOWN', failure_code: null, session_key: null },
    ]);
  });

  test('is not unavailable because of a mistake of ours', async () => {
    // A bug in Lenden is logged and retried. It says nothing about the gateway.
    world.gateway.openSession = () => Promise.reject(new TypeError('ours'));
    const input = await world.payment();
    await expect(open(input)).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'CREATED' }]);
    expect(world.log).toContainEqual(expect.objectContaining({ level: 'warn', activity: 'openCheckout' }));
  });

  test('of a gateway that is not configured is refused and asks nobody', async () => {
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
  ])('of a payment that is %s is not opened again: it ended %s', async (status, end) => {
    // A refunded payment counts as succeeded for its own workflow.
    const at = '2026-01-01T00:00:00Z';
    const input = await world.payment({ status, ended_at: at, paid_at: end === 'SUCCEEDED' ? at : null });
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
    ['the payer wants to cancel', { cancel_requested_at: '2026-01-01T00:00:00Z' }, false, {}, true],
    ['its attempt was confirmed', {}, false, { status: 'CONFIRMED', validationId: 'V-before' }, true],
    ['its attempt is unknown', {}, false, { status: 'UNKNOWN' }, true],
  ])(
    'that was opened before is found again, with attention where %s',
    async (_case, payment, calledBack, fields, attention) => {
      // Otherwise the payer could get a second session and pay twice.
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
    },
  );
});

describe('a question', () => {
  test('that a timer took for the last one is none while the row has time left', async () => {
    // Only the database's clock expires a payment. If the workflow's clock is ahead, the payer must not lose time.
    const { input } = await pending();
    await world.rows(
      `update payments set expires_at = now() + interval '10 minutes' where id = ?::bigint returning 1`,
      [input.paymentId],
    );
    answers({ kind: 'not-started' });
    const verdict = await world.activities.verifyPayment({ ...input, final: true });
    expect(verdict).toEqual({ kind: 'undecided', hopeful: false, expiresInMs: expect.any(Number) });
    const leftMs = verdict.kind === 'undecided' ? (verdict.expiresInMs ?? 0) : 0;
    expect([leftMs > 300_000, leftMs <= 600_000]).toEqual([true, true]);
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'OPEN' }]);
    await world.rows(`update payments set clock_offset = interval '10 minutes' where id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    expect(await world.activities.verifyPayment({ ...input, final: true })).toEqual({ kind: 'expired' });
  });

  const pending = async (fields = {}) => {
    const input = await world.payment({ status: 'PENDING', ...fields });
    return { input, attempt: await world.attempt(input) };
  };

  test('is not put to a gateway that is not configured', async () => {
    // Nothing can be decided without an answer.
    world.gateway.configured = false;
    const { input } = await pending();
    await expect(verify(input)).rejects.toMatchObject({
      type: 'GATEWAY_UNAUTHORIZED',
      message: 'the store of this payment is not configured',
    });
  });

  test('names the attempt, its session and the charge that a signed callback claims', async () => {
    // A signed callback is a hint where to look. Unsigned callbacks and callbacks of failures must not be used.
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'failed', claimedValidationId: 'V-failed' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-forged', signatureValid: false });
    await verify(input);
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-signed' });
    await verify(input);
    const handle = {
      attemptReference: attempt.reference,
      sessionKey: 'session',
      knownValidationIds: [],
      mayExecute: true,
    };
    expect(world.gateway.asked).toEqual([
      { ...handle, claimedValidationId: null, claimedEnd: { kind: 'failed', validationId: 'V-failed' } },
      { ...handle, claimedValidationId: 'V-signed' },
    ]);
  });

  test('about a charge that agrees with its order confirms it with all its facts', async () => {
    // Years later, the ledger is verified against this evidence.
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: `V-${attempt.reference}` });
    await world.callback(input, attempt, { claims: 'paid', signatureValid: false });
    const charge = world.charge(attempt);
    answers(charged(charge));
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await world.attemptRows(input)).toMatchObject([
      {
        status: 'CONFIRMED',
        validation_id: charge.validationId,
        gateway_txn_id: charge.gatewayTxnId,
        gross_minor: '10000',
        fee_minor: '250',
        net_text: '97.50',
        evidence: charge.evidence,
        confirmed_at: expect.anything(),
      },
    ]);
    expect(await world.outcomes(input)).toEqual(['ACCEPTED', 'FORGED']);
    world.gateway.queryAttempt = () => Promise.reject(new Error('it was asked again'));
    expect(await verify(input)).toEqual({ kind: 'charged' });
  });

  test('leaves the callbacks of further charges open, and only those', async () => {
    // Otherwise nobody would query the other charges.
    const { input, attempt } = await pending();
    const own = `V-${attempt.reference}`;
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: own });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-another' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: null });
    await world.callback(input, attempt, { claims: 'failed', claimedValidationId: 'V-tried' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-forged', signatureValid: false });
    answers(charged(world.charge(attempt)));
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await world.outcomes(input)).toEqual(['ACCEPTED', null, 'ACCEPTED', 'ACCEPTED', 'FORGED']);
  });

  test.each([
    ['AMOUNT_MISMATCH', { grossMinor: 9_999n }, '9999'],
    ['AMOUNT_MISMATCH', { grossMinor: 0n }, null],
    ['AMOUNT_MISMATCH', { grossMinor: null }, null],
    ['STORE_MISMATCH', { storeId: 'other' }, '10000'],
    ['RISK_FLAGGED', { riskFlagged: true }, '10000'],
  ] as const)(
    'about a charge that disagrees leads to review (%s), with its facts and without its claim',
    async (reason, changes, gross) => {
      // The operator sees the gateway's answer. The validation id is not stored, because it can belong to another payment.
      const { input, attempt } = await pending();
      await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-another' });
      const charge = world.charge(attempt, changes);
      answers(charged(charge));
      expect(await verify(input)).toEqual({ kind: 'review', reason });
      expect(await world.attemptRows(input)).toMatchObject([
        {
          status: 'UNKNOWN',
          validation_id: null,
          confirmed_at: null,
          gateway_txn_id: charge.gatewayTxnId,
          gross_minor: gross,
          fee_minor: '250',
          net_text: '97.50',
          evidence: charge.evidence,
        },
      ]);
      expect(await world.outcomes(input)).toEqual(['MISMATCH']);
    },
  );

  test('about a charge that settled another payment leads to review', async () => {
    // One charge must not pay two payments.
    const first = await pending();
    answers(charged(world.charge(first.attempt)));
    await verify(first.input);
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'paid' });
    const reused = world.charge(attempt, { validationId: `V-${first.attempt.reference}` });
    answers(charged(reused));
    expect(await verify(input)).toEqual({ kind: 'review', reason: 'EVIDENCE_REUSED' });
    expect(await world.attemptRows(input)).toMatchObject([
      { status: 'UNKNOWN', validation_id: null, gross_minor: '10000', evidence: reused.evidence },
    ]);
    expect(await world.outcomes(input)).toEqual(['MISMATCH']);
  });

  test('whose answer cannot be written is no review', async () => {
    // Only a charge that was used before leads to a review. Other errors are retried.
    const { input, attempt } = await pending();
    answers(charged(world.charge(attempt, { validationId: 'no \u0000 in Postgres' })));
    await expect(verify(input)).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'OPEN', evidence: null }]);
  });

  test.each([
    [{ kind: 'failed' }, 'failed', 'FAILED'],
    [{ kind: 'cancelled' }, 'cancelled', 'CANCELLED'],
    [{ kind: 'expired' }, 'expired', 'CLOSED'],
  ] as const)('that is answered plainly (%p) ends the attempt, and is remembered', async (answer, kind, status) => {
    // An attempt that the gateway has ended is not queried again.
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-hoped' });
    answers(answer);
    expect(await verify(input)).toEqual({ kind });
    expect(await world.attemptRows(input)).toMatchObject([{ status, evidence: null, confirmed_at: null }]);
    expect(await world.outcomes(input)).toEqual(['ACCEPTED']);
    expect(await verify(input)).toEqual({ kind });
    expect(world.gateway.asked).toHaveLength(1);
  });

  test.each([
    ['not-started', false, false],
    ['not-started', true, true],
    ['in-progress', false, true],
    ['unknown', false, true],
  ] as const)(
    'that is answered "%s" (a callback claims success: %p) decides nothing; hopeful: %p',
    async (kind, claimed, hopeful) => {
      // An unknown status must not count as success or failure. If something claims that money moved, a query soon is worthwhile.
      const { input, attempt } = await pending();
      await world.callback(input, attempt, { claims: claimed ? 'paid' : 'failed' });
      answers(kind === 'unknown' ? { kind, note: 'a new word' } : { kind });
      expect(await verify(input)).toEqual({ kind: 'undecided', hopeful });
      expect(await world.attemptRows(input)).toMatchObject([{ status: 'OPEN' }]);
      expect(await world.outcomes(input)).toEqual(['IGNORED']);
    },
  );

  test('about an untouched session is hopeful by one claim of success among others, and not by none', async () => {
    // An earlier decline, or no callback at all, is no reason to give up or to hope.
    const { input, attempt } = await pending();
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    await world.callback(input, attempt, { claims: 'paid' });
    await world.callback(input, attempt, { claims: 'failed' });
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: true });
  });

  test.each(['in-progress', 'unknown'] as const)(
    'that is answered "%s" decides nothing at expiry either',
    async (kind) => {
      // The expiry alone must not end a payment that may have been charged.
      const { input } = await pending();
      answers(kind === 'unknown' ? { kind, note: 'a new word' } : { kind });
      expect(await verify(input, true)).toEqual({ kind: 'undecided', hopeful: true });
    },
  );

  test.each([
    [{}, true, 'expired'],
    [{ cancel_requested_at: '2026-01-01T00:00:00Z' }, false, 'cancelled'],
    [{ cancel_requested_at: '2026-01-01T00:00:00Z' }, true, 'cancelled'],
    [
      { cancel_requested_at: '2026-01-01T00:00:00Z', status: 'EXPIRED', ended_at: '2026-01-01T00:00:00Z' },
      true,
      'expired',
    ],
  ])('about an untouched session of %p (the last one: %p) ends it as %s', async (columns, final, kind) => {
    // The gateway has no transaction of the payer's that could still succeed.
    const { input } = await pending(columns);
    expect(await verify(input, final)).toEqual({ kind });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'CLOSED' }]);
  });

  test('whose asking fails is thrown on by its kind, and logged whole', async () => {
    // An unreachable gateway decides nothing.
    const { input } = await pending();
    world.gateway.queryAttempt = () => Promise.reject(new GatewayFailure('unavailable', 'the gateway is away'));
    await expect(verify(input)).rejects.toMatchObject({ type: 'GATEWAY_UNAVAILABLE', message: 'the gateway is away' });
    expect(world.log).toContainEqual(expect.objectContaining({ level: 'warn', activity: 'verifyPayment' }));
  });
});

describe('a question about several attempts', () => {
  test.each([
    [[{ kind: 'failed' }, { kind: 'in-progress' }], { kind: 'undecided', hopeful: true }],
    [[{ kind: 'in-progress' }, { kind: 'failed' }], { kind: 'undecided', hopeful: true }],
    [[{ kind: 'cancelled' }, { kind: 'failed' }], { kind: 'failed' }],
  ] as const)('is answered by the undecided one, else by the last: %p', async (said, verdict) => {
    // While one session can still be paid, the others must not end the payment.
    const input = await world.payment({ status: 'PENDING' });
    await world.attempt(input, { number: 1 });
    await world.attempt(input, { number: 2 });
    answers(...said);
    expect(await verify(input)).toEqual(verdict);
    expect(world.gateway.asked).toHaveLength(2);
  });

  test('stops at the first charge, and after a doubt moves no money', async () => {
    // The first confirmed charge finalizes the payment. A doubtful charge goes to a person, unless another charge is valid.
    const input = await world.payment({ status: 'PENDING' });
    const first = await world.attempt(input, { number: 1 });
    await world.attempt(input, { number: 2 });
    answers(charged(world.charge(first, { riskFlagged: true })), { kind: 'failed' });
    expect(await verify(input)).toEqual({ kind: 'review', reason: 'RISK_FLAGGED' });
    expect(world.gateway.asked.map(({ mayExecute }) => mayExecute)).toEqual([true, false]);
    answers(charged(world.charge(first)));
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(world.gateway.asked).toHaveLength(3);
  });

  test('takes to each attempt its own callbacks only', async () => {
    // A hint about one session says nothing about another.
    const input = await world.payment({ status: 'PENDING' });
    const first = await world.attempt(input, { number: 1 });
    const second = await world.attempt(input, { number: 2 });
    await world.callback(input, second, { claims: 'paid', claimedValidationId: 'V-second' });
    await verify(input);
    expect(world.gateway.asked.map(({ attemptReference: asked, claimedValidationId: hint }) => [asked, hint])).toEqual([
      [first.reference, null],
      [second.reference, 'V-second'],
    ]);
  });

  test('of which all have ended says what the last one was, without asking', async () => {
    // A workflow that starts again must find the same end.
    for (const [status, kind] of [
      ['FAILED', 'failed'],
      ['CANCELLED', 'cancelled'],
      ['CLOSED', 'expired'],
      ['REFUSED', 'expired'],
    ]) {
      const input = await world.payment({ status: 'PENDING' });
      await world.attempt(input, { number: 1, status: 'FAILED' });
      await world.attempt(input, { number: 2, status: status ?? '' });
      expect([status, await verify(input)]).toEqual([status, { kind }]);
    }
    expect(await verify(await world.payment({ status: 'PENDING' }))).toEqual({ kind: 'expired' });
    expect(world.gateway.asked).toEqual([]);
  });

  test('of which one is confirmed is answered without asking', async () => {
    // The row is authoritative.
    const input = await world.payment({ status: 'PENDING' });
    await world.attempt(input, { number: 1, status: 'CONFIRMED', validationId: 'V-confirmed' });
    await world.attempt(input, { number: 2 });
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(world.gateway.asked).toEqual([]);
  });
});

describe('the end of a payment', () => {
  const settle = (input: StoredPayment, status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'EXPIRED', more = {}) =>
    world.activities.finalizePayment({ ...input, status, ...more });

  test('as paid posts the charge and its fee, tells the app once and starts the delivery', async () => {
    // The status, the ledger and the event change in one transaction.
    const input = await world.payment({ status: 'PENDING' });
    const attempt = await world.attempt(input);
    answers(charged(world.charge(attempt)));
    await verify(input);
    expect(await settle(input, 'SUCCEEDED')).toBe('SUCCEEDED');
    expect(await world.postings(input.reference)).toEqual([
      'gateway:sslcommerz:clearing → app:payable 10000',
      'gateway:fees → gateway:sslcommerz:clearing 250',
    ]);
    const [event] = await eventsOf(input);
    expect(JSON.parse(String(event?.['payload']))).toMatchObject({
      type: 'payment.succeeded',
      sequence: 1,
      mode: 'TEST',
      data: {
        id: Number(input.paymentId),
        status: 'SUCCEEDED',
        checkoutUrl: expect.stringContaining('https://pages.example/'),
      },
    });
    const delivery = {
      eventId: event?.['event_id'],
      applicationId: BigInt(world.applicationId),
      mode: 'TEST',
      type: 'payment.succeeded',
      reference: input.reference,
    };
    expect(world.deliveries).toEqual([delivery]);
    expect(world.log).toContainEqual(
      expect.objectContaining({
        level: 'info',
        payment: input.reference,
        application: world.applicationId.toString(),
        status: 'SUCCEEDED',
      }),
    );
    world.log.length = 0;
    expect(await settle(input, 'EXPIRED')).toBe('SUCCEEDED');
    expect(await eventsOf(input)).toHaveLength(1);
    expect(await world.postings(input.reference)).toHaveLength(2);
    expect(world.log).toEqual([]);
  });

  test.each([
    ['FAILED', 'payment.failed', { failureCode: 'GATEWAY_REFUSED_SESSION' }],
    ['CANCELLED', 'payment.cancelled', {}],
    ['EXPIRED', 'payment.expired', {}],
  ] as const)('as %s is told as %s, posts nothing and keeps its reason', async (status, type, more) => {
    // An application must be able to tell how its payment ended.
    const input = await world.payment({ status: 'PENDING' });
    expect(await settle(input, status, more)).toBe(status);
    expect(await world.paymentRow(input)).toMatchObject({
      status,
      failure_code: 'failureCode' in more ? more.failureCode : null,
    });
    expect(await eventsOf(input)).toMatchObject([{ type, delivery_status: 'PENDING' }]);
    expect(world.deliveries).toMatchObject([{ type, reference: input.reference }]);
    expect(await world.postings(input.reference)).toEqual([]);
  });

  test('as paid is recorded even if its page never was, and once', async () => {
    // The gateway's answer about the session was lost, but the payer has paid. A payment succeeds only from PENDING, so it is that first.
    const input = await world.payment({ status: 'CREATED' });
    answers(charged(world.charge(await world.attempt(input))));
    await verify(input);
    expect(await Promise.all([settle(input, 'SUCCEEDED'), settle(input, 'SUCCEEDED')])).toEqual([
      'SUCCEEDED',
      'SUCCEEDED',
    ]);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await eventsOf(input)).toHaveLength(1);
    expect(await world.postings(input.reference)).toHaveLength(2);
  });

  test('without a confirmed charge is never as paid', async () => {
    // Nothing is marked paid unless the gateway confirmed it.
    const input = await world.payment({ status: 'CREATED' });
    await expect(settle(input, 'SUCCEEDED')).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'CREATED' });
  });

  test.each(['PENDING', 'CREATED', 'REFUNDED'])('cannot be %s', async (status) => {
    // A payment can only end with a final status.
    const input = await world.payment({ status: 'PENDING' });
    await expect(settle(input, status as never)).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
    expect(world.log).toMatchObject([
      {
        activity: 'finalizePayment',
        error: expect.objectContaining({ message: `a payment cannot end as ${status}` }),
      },
    ]);
  });

  test('whose delivery cannot be started stands, is logged, and is started by the next try', async () => {
    // The sweeper or a retry starts the delivery later.
    const input = await world.payment({ status: 'PENDING' });
    world.startDelivery = () => Promise.reject(new Error('Temporal is away'));
    expect(await settle(input, 'EXPIRED')).toBe('EXPIRED');
    const [event] = await eventsOf(input);
    expect(world.log).toContainEqual(expect.objectContaining({ level: 'warn', event: event?.['event_id'] }));
    expect(await settle(input, 'EXPIRED')).toBe('EXPIRED');
    expect(world.deliveries.map(({ eventId }) => eventId)).toEqual([event?.['event_id'], event?.['event_id']]);
  });

  test('of an app without an endpoint starts no delivery', async () => {
    // The event is stored as parked, and sent when a URL is registered.
    const { applicationId } = world;
    const url = (text: string | null) =>
      world.rows(
        `update webhook_endpoints set url = ? where application_id = ?::bigint and mode = 'TEST' returning 1`,
        [text, applicationId],
      );
    const disabled = (at: string) =>
      world.rows(
        `update webhook_endpoints set disabled_at = ${at}, disabled_reason = case when ${at} is null then null else 'GONE' end
         where application_id = ?::bigint and mode = 'TEST' returning 1`,
        [applicationId],
      );
    await disabled('now()');
    const input = await world.payment({ status: 'PENDING' });
    expect(await settle(input, 'EXPIRED')).toBe('EXPIRED');
    await disabled('null::timestamptz');
    await url('http://127.0.0.1:9/hook');
    expect(await eventsOf(input)).toMatchObject([{ delivery_status: 'PARKED' }]);
    expect(world.deliveries).toEqual([]);
  });
});

describe('review', () => {
  test('stops an open payment, with its reason, one alarm and the time', async () => {
    // A person is alerted once and sees the reason.
    const input = await world.payment();
    await world.activities.markForReview({ ...input, reason: 'STORE_MISMATCH' });
    await world.activities.markForReview({ ...input, reason: 'RISK_FLAGGED' });
    const row = await world.paymentRow(input);
    expect(row).toMatchObject({ status: 'PENDING', review_reason: 'STORE_MISMATCH' });
    expect(Math.abs(Date.now() - Date.parse(String(row?.['review_since'])))).toBeLessThan(60_000);
    expect(world.log).toEqual([
      {
        level: 'error',
        payment: input.reference,
        reason: 'STORE_MISMATCH',
        alert: 'payment-review',
        msg: expect.any(String),
      },
    ]);
  });

  test('does not touch another payment or one that has ended', async () => {
    // A payment that has ended must not change.
    const ended = await world.payment({ status: 'EXPIRED', ended_at: '2026-01-01T00:00:00Z' });
    const other = await world.payment();
    await world.activities.markForReview({ ...ended, reason: 'RISK_FLAGGED' });
    expect(await world.paymentRow(ended)).toMatchObject({ status: 'EXPIRED', review_reason: null });
    expect(await world.paymentRow(other)).toMatchObject({ status: 'CREATED', review_reason: null });
    expect(world.log).toEqual([]);
  });

  test('that cannot be written is logged by its name and tried again', async () => {
    // Operators look in the log first.
    const input = await world.payment();
    await expect(
      world.activities.markForReview({ ...input, applicationId: '9'.repeat(30), reason: 'RISK_FLAGGED' }),
    ).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
    expect(world.log).toEqual([expect.objectContaining({ level: 'warn', activity: 'markForReview' })]);
  });
});
