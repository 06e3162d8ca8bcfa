import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stripe } from 'stripe';
import { createPaymentActivities } from '../../../activities/payments.ts';
import { chooseGateway } from '../../../core/payments/store/gateway-choices.ts';
import { Findings } from '../../../core/ledger/verify/findings.ts';
import { verifyCauses } from '../../../core/ledger/verify/verify-causes.ts';
import { verifyRefunds } from '../../../core/ledger/verify/verify-refunds.ts';
import { refundUnappliedMoney, reserveRefund } from '../../../core/refunds/store/new-refunds.ts';
import { attemptReference, refundReference } from '../../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS } from '../../../domain/refund.ts';
import type { AttemptHandle, Gateway } from '../../../gateways/port.ts';
import { startBkashSimulator } from '../../../simulators/bkash/server.ts';
import type { RunningHost } from '../../../simulators/kit/host.ts';
import { startStripeSimulator } from '../../../simulators/stripe/server.ts';
import { createPaymentWorld, type NewPayment, type PaymentWorld, type Row } from './payment-world.ts';
import type { StoredPayment, StoredRefund } from '../../support/stored.ts';
import { withProcessClock } from '../../support/process-clock.ts';
import { until } from '../../support/until.ts';

/* A payment at Stripe through the steps of its workflow, and what happens to a Stripe page on which the payer should no longer pay. */

let world: PaymentWorld;
let stripe: RunningHost;
let bkash: RunningHost;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stripe-'));
  [stripe, bkash] = await Promise.all([
    startStripeSimulator({ dataDir: join(dataDir, 'stripe'), settings: { hangMs: 300 } }),
    startBkashSimulator({ dataDir: join(dataDir, 'bkash') }),
  ]);
  world = await createPaymentWorld({ stripeUrl: stripe.url, bkashUrl: bkash.url });
});
afterAll(async () => {
  await world.close();
  await Promise.all([stripe.close(), bkash.close()]);
  await rm(dataDir, { recursive: true });
});

async function control(method: string, path: string, body: object = {}): Promise<unknown> {
  const sent = method === 'GET' ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${stripe.url}/__sim/stripe/${path}`, { method, ...sent });
  if (!answer.ok) {
    throw new Error(`the simulator answered ${answer.status}: ${await answer.text()}`);
  }
  return answer.json();
}

const script = (name: string) => control('POST', 'scripts', { script: name });
const pay = (attempt: Row, body: object = {}) => control('POST', `sessions/${String(attempt['reference'])}/pay`, body);
const settle = (attempt: Row) => control('POST', `sessions/${String(attempt['reference'])}/settle`);

async function sessionOf(attempt: Row): Promise<Row> {
  const [session] = (await control('GET', `sessions/${String(attempt['session_key'])}`)) as Row[];
  return session ?? {};
}

const verify = (input: StoredPayment, final = false) => world.activities.verifyPayment({ ...input, final });
const opened = (fields: NewPayment = {}) => world.opened({ gateway: 'stripe', ...fields });
const attemptsOf = (input: StoredPayment) =>
  world.rows('select * from payment_attempts where payment_id = ?::bigint order by number', [input.paymentId]);

describe('a payment at Stripe', () => {
  test('is charged with its fee, and the session never lives shorter than the payment', async () => {
    // The ledger posts the fee with the charge, and a page that closes too early costs the shop the sale.
    const { input, attempt } = await opened({ expiresInMs: 3 * 3_600_000 });
    const payment = await world.paymentRow(input);
    const session = await sessionOf(attempt);
    expect(Number(session['expiresAt'])).toBeGreaterThanOrEqual(
      Math.floor(new Date(String(payment['expires_at'])).getTime() / 1_000) * 1_000,
    );
    await pay(attempt);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    // 2.9 % of 100.00, plus 0.30.
    expect(await world.attemptRow(input)).toMatchObject({
      status: 'CONFIRMED',
      gross_minor: '10000',
      fee_minor: '320',
    });
  });

  test('by a method whose money comes later waits for it, even at the expiry', async () => {
    // A complete session is not yet paid, and the expiry must not end it.
    const { input, attempt } = await opened();
    await pay(attempt, { method: 'bank', account: '000000000000' });
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: true });
    expect(await verify(input, true)).toEqual({ kind: 'undecided', hopeful: true });
    await settle(attempt);
    expect(await verify(input, true)).toEqual({ kind: 'charged' });
  });
});

describe('a page that is not to be paid by any more', () => {
  const cancel = (input: StoredPayment) =>
    world.rows('update payments set cancel_requested_at = now() where id = ?::bigint returning 1', [input.paymentId]);

  test.each([
    ['cancelled by the payer', 'cancelled', cancel],
    ['expired by our clock', 'expired', () => Promise.resolve([])],
  ] as const)('is closed at the gateway before the payment is %s', async (_name, kind, first) => {
    // Stripe's session lives longer than the payment and would still take the payer's money.
    const { input, attempt } = await opened();
    await first(input);
    expect(await verify(input, kind === 'expired')).toEqual({ kind });
    expect(await sessionOf(attempt)).toMatchObject({ status: 'expired' });
    expect(await world.attemptRow(input)).toMatchObject({ status: 'CLOSED' });
  });

  test('keeps the payment open while it cannot be closed', async () => {
    // A session that may still be open can still take money, so the payment must not end.
    await script('expire-500');
    const { input, attempt } = await opened();
    await expect(verify(input, true)).rejects.toThrow(/^the gateway/);
    expect(await world.attemptRow(input)).toMatchObject({ status: 'OPEN' });
    expect(await verify(input, true)).toEqual({ kind: 'expired' });
    expect(await sessionOf(attempt)).toMatchObject({ status: 'expired' });
  });

  test('is closed once when the answer to its closing was lost', async () => {
    // A repeated query finds the session expired.
    await script('expire-timeout');
    const { input } = await opened();
    await expect(verify(input, true)).rejects.toThrow(/^the gateway/);
    expect(await verify(input, true)).toEqual({ kind: 'expired' });
  });

  test.each([
    ['was paid', {}, { kind: 'charged' }],
    ['was finished by a slow method', { method: 'bank' }, { kind: 'undecided', hopeful: true }],
  ])('and %s at the last moment is not closed', async (_name, body, verdict) => {
    // The payer can complete the session between Lenden's query and its closing.
    const { input, attempt } = await opened();
    await world.rows('update payments set expires_at = now() where reference = ? returning 1', [input.reference]);
    const closing = racing(() => pay(attempt, body));
    expect(await closing.verifyPayment({ ...input, final: true })).toEqual(verdict);
    expect(await sessionOf(attempt)).toMatchObject({ status: 'complete' });
  });
});

/** The steps, with a callback that runs right before a session is closed. */
function racing(before: () => Promise<unknown>) {
  const { deps } = world;
  const raced = (gateway: Gateway): Gateway => ({
    ...gateway,
    async closeSession(attempt: AttemptHandle) {
      await before();
      return (await gateway.closeSession?.(attempt)) ?? 'unknown';
    },
  });
  const open: typeof deps.gateways.open = (...where) => {
    const gateway = deps.gateways.open(...where);
    return gateway === undefined ? undefined : raced(gateway);
  };
  return createPaymentActivities({ ...deps, gateways: { ...deps.gateways, open } });
}

describe('a page that the payer has left for another gateway', () => {
  const choose = async (input: StoredPayment, gateway: string) => {
    const outcome = await world.database.withScope(
      { applicationId: world.app.applicationId, mode: 'TEST' },
      (statements) =>
        chooseGateway(statements, {
          paymentId: BigInt(input.paymentId),
          gateway,
          reference: attemptReference(),
          storeId: gateway === 'stripe' ? 'acct_lenden_test' : 'lenden_test',
        }),
    );
    expect(outcome).toMatchObject({ kind: 'chosen' });
    return world.activities.openCheckout(input);
  };

  /** Creates a payer who was sent to Stripe and then switched to another gateway. */
  async function switched(to: string, between: (left: Row) => Promise<unknown> = () => Promise.resolve()) {
    const input = await world.payment({ gatewayChoices: ['stripe', 'bkash', 'sslcommerz'] });
    await world.activities.openCheckout(input);
    expect(await choose(input, 'stripe')).toMatchObject({ kind: 'open', gateway: 'stripe', attention: false });
    const left = await world.attemptRow(input);
    await between(left);
    expect(await choose(input, to)).toMatchObject({ kind: 'open', gateway: to, attention: true });
    return { input, left, current: await world.attemptRow(input) };
  }

  test('is closed there by the next question, and the payer pays where he is', async () => {
    // On two open pages the payer could be charged twice. The closing must not delay the payer.
    const { input, left, current } = await switched('sslcommerz');
    expect(await sessionOf(left)).toMatchObject({ status: 'open' });
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    expect(await sessionOf(left)).toMatchObject({ status: 'expired' });
    expect((await attemptsOf(input)).map(({ status }) => status)).toEqual(['CLOSED', 'OPEN']);
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open', attention: false });
    await world.finish(current);
    expect(await verify(input)).toEqual({ kind: 'charged' });
  });

  test('tells that it is closed, and that neither lingers nor keeps the next gateway from being heard', async () => {
    // The payer pays immediately. Their return must not be taken for an echo of the event about the other page.
    const { input, left, current } = await switched('bkash');
    await verify(input);
    const { events } = (await sessionOf(left)) as { events: { id: string; type: string }[] };
    const { id = '' } = events.find(({ type }) => type === 'checkout.session.expired') ?? {};
    const { body, headers } = (await control('GET', `events/${id}`)) as {
      body: string;
      headers: Record<string, string>;
    };
    world.sent.callbacks.length = 0;
    await fetch(`${world.apiUrl}/gateway/stripe/test/ipn`, { method: 'POST', body, headers });
    expect(world.sent.callbacks).toHaveLength(1);
    await verify(input);
    expect(await world.callbacksOf(input)).toMatchObject([{ attempt_id: left['id'], outcome: 'ACCEPTED' }]);
    const agreed = await fetch(`${bkash.url}/__sim/bkash/payments/${String(current['reference'])}/agree`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const { backUrl } = (await agreed.json()) as { backUrl: string };
    await fetch(backUrl, { redirect: 'manual' });
    expect(world.sent.callbacks).toHaveLength(2);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect((await world.callbacksOf(input)).filter(({ consumed_at: at }) => at === null)).toEqual([]);
  });

  test('and where he is now is closed when the one that he has left turns out to be paid', async () => {
    // The page that the payer left was charged while they were entering a card. A page that stays open would take the same money again.
    const input = await world.payment({ gatewayChoices: ['stripe', 'sslcommerz'] });
    await world.activities.openCheckout(input);
    await choose(input, 'sslcommerz');
    const left = await world.attemptRow(input);
    await script('expire-500');
    await choose(input, 'stripe');
    const current = await world.attemptRow(input);
    await world.finish(left);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await sessionOf(current)).toMatchObject({ status: 'open' });
    expect(world.log.map(({ msg }) => msg)).toContain('another open checkout of a paid payment could not be closed');

    const second = await switched('sslcommerz');
    await choose(second.input, 'stripe');
    const page = await world.attemptRow(second.input);
    await world.finish(second.current);
    expect(await verify(second.input)).toEqual({ kind: 'charged' });
    expect(await sessionOf(page)).toMatchObject({ status: 'expired' });
  });

  test('is opened anew when he comes back', async () => {
    // A closed page is of no use to the payer.
    const { input, left } = await switched('bkash');
    await verify(input);
    expect(await choose(input, 'stripe')).toMatchObject({ kind: 'open', gateway: 'stripe', attention: false });
    const again = await world.attemptRow(input);
    expect(again['session_key']).not.toBe(left['session_key']);
    await pay(again);
    expect(await verify(input)).toEqual({ kind: 'charged' });
  });

  test('and that cannot be closed is no failure of the switch, and is tried again', async () => {
    // Payers switch because a gateway is out of order.
    await script('expire-500');
    const { input, left } = await switched('sslcommerz');
    await expect(verify(input)).rejects.toThrow(/^the gateway/);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING', gateway: 'sslcommerz' });
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    expect(await sessionOf(left)).toMatchObject({ status: 'expired' });
  });

  test('at a gateway that is away does not hide what was paid at the next one', async () => {
    // The payer has paid and must not wait until the other gateway is back.
    await script('query-down');
    const { input, current } = await switched('sslcommerz');
    await expect(verify(input)).rejects.toThrow(/^the gateway/);
    await world.finish(current);
    expect(await verify(input)).toEqual({ kind: 'charged' });
  });

  test('and whose gateway is away keeps a declined payment open until it is heard', async () => {
    // It is not known yet whether the payer paid at the unreachable gateway.
    await script('query-down');
    const { input, current } = await switched('sslcommerz');
    await world.finish(current, 'FAILED');
    await expect(verify(input)).rejects.toThrow(/^the gateway/);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  });

  test('and was paid before it could be closed settles the payment', async () => {
    // The money has arrived and belongs to the shop.
    const { input } = await switched('bkash', pay);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED', gateway: 'stripe' });
  });

  test('and whose money comes when the payment is paid elsewhere is unapplied money', async () => {
    // A payment by a slow method cannot be cancelled, and its money must not be lost.
    const { input, left, current } = await switched('sslcommerz', (session) =>
      pay(session, { method: 'bank', account: '000000000000' }),
    );
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: true });
    await world.finish(current);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    await settle(left);
    const late = { ...input, attemptReference: String(left['reference']) };
    expect(await world.activities.recordUnappliedPayment(late)).toMatchObject({ kind: 'held' });
  });

  test('leaves nothing to do where no page can be closed', async () => {
    // SSLCOMMERZ and bKash are not queried without a reason.
    const input = await world.payment({ gatewayChoices: ['stripe', 'bkash', 'sslcommerz'] });
    await world.activities.openCheckout(input);
    await choose(input, 'sslcommerz');
    expect(await choose(input, 'bkash')).toMatchObject({ kind: 'open', gateway: 'bkash', attention: false });
  });
});

describe('an event', () => {
  const SECRET = 'whsec_lenden_test';

  async function eventsOf(attempt: Row): Promise<{ body: string; headers: Record<string, string> }[]> {
    const { events } = (await sessionOf(attempt)) as { events: { id: string; type: string }[] };
    const completed = events.filter(({ type }) => type === 'checkout.session.completed');
    return (await Promise.all(completed.map(({ id }) => control('GET', `events/${id}`)))) as {
      body: string;
      headers: Record<string, string>;
    }[];
  }

  const post = (body: string, headers: Record<string, string>) =>
    fetch(`${world.apiUrl}/gateway/stripe/test/ipn`, {
      method: 'POST',
      body,
      headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
    });

  test('that is signed is kept once, however often and in whatever bytes it comes', async () => {
    // Stripe sends each event at least once, and the body contains a changing count of pending webhooks.
    const { input, attempt } = await opened();
    await pay(attempt);
    const [event = { body: '', headers: {} }] = await eventsOf(attempt);
    expect((await post(event.body, event.headers)).status).toBe(200);
    const other = event.body.replace(/"pending_webhooks": \d+/, '"pending_webhooks": 7');
    expect(other).not.toBe(event.body);
    const signature = Stripe.webhooks.generateTestHeaderString({ payload: other, secret: SECRET });
    expect((await post(other, { 'stripe-signature': signature })).status).toBe(200);
    expect(await world.callbacksOf(input)).toMatchObject([{ signature_valid: true, kind: 'ipn', outcome: 'RECEIVED' }]);
    expect(world.sent.callbacks.map(({ reference }) => reference)).toContain(input.reference);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'ACCEPTED' }]);
  });

  test.each([
    ['not at all', () => ({})],
    ['by another secret', sign('whsec_other')],
    ['six minutes ago', sign(SECRET, Math.floor(Date.now() / 1_000) - 360)],
  ])('that is signed %s claims nothing, and hides no signed one', async (_name, headers) => {
    // Anybody can post to the endpoint, and the same event with a valid signature must still be accepted.
    const { input, attempt } = await opened();
    await pay(attempt);
    const [event = { body: '', headers: {} }] = await eventsOf(attempt);
    await post(event.body, headers(event.body));
    await post(event.body, event.headers);
    const kept = await world.callbacksOf(input);
    expect(kept.map(({ signature_valid: valid }) => valid)).toEqual([false, true]);
  });

  test.each([-1, 1])('that is signed is signed in a process whose clock is %d hours off, too', async (hours) => {
    // Only a hundred unsigned callbacks are kept, and the workflow is signalled about one a minute, so a signed one must not count as unsigned.
    const { input, attempt } = await opened();
    await pay(attempt);
    const [event = { body: '', headers: {} }] = await eventsOf(attempt);
    const old = sign(SECRET, Math.floor(Date.now() / 1_000) - 360)(event.body);
    await withProcessClock(hours * 3_600_000, async () => {
      await post(event.body, old);
      await post(event.body, event.headers);
    });
    const kept = await world.callbacksOf(input);
    expect(kept.map(({ signature_valid: valid }) => valid)).toEqual([false, true]);
  });

  describe('of a refund that failed after it had succeeded', () => {
    /** Creates a payment that the gateway and the ledger know as partly refunded. */
    async function refunded() {
      const { input, attempt } = await opened();
      await pay(attempt);
      await verify(input);
      await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
      const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
      const made = await world.database.withScope(scope, (statements) =>
        reserveRefund(statements, {
          scope,
          paymentId: BigInt(input.paymentId),
          reference: refundReference(),
          amountMinor: 4_000n,
          reason: null,
          creator: { type: 'APP' },
          boundsOf: () => WITHOUT_REFUND_BOUNDS,
        }),
      );
      const refund = { ...input, refundId: made.id.toString(), reference: made.reference };
      await until(async () => (await world.activities.driveRefund(refund)).kind === 'refunded');
      await world.activities.endRefund({ ...refund, status: 'SUCCEEDED' });
      const rowOf = async () => (await world.rows('select * from refunds where id = ?', [made.id]))[0];
      return { input, attempt, refund, rowOf };
    }

    /** Creates a refund of money that arrived after the payment had ended. */
    async function lateRefunded() {
      const { input, attempt } = await opened();
      await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
      await pay(attempt);
      expect(await late(input, attempt)).toMatchObject({ kind: 'held' });
      const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
      const [money] = await world.rows('select id from unapplied_payments where payment_id = ?::bigint', [
        input.paymentId,
      ]);
      const made = await world.database.withScope(scope, (statements) =>
        refundUnappliedMoney(statements, {
          scope,
          unappliedPaymentId: BigInt(String(money?.['id'])),
          reference: refundReference(),
          reason: 'Unapplied payment',
          creator: { type: 'SYSTEM' },
          boundsOf: () => WITHOUT_REFUND_BOUNDS,
        }),
      );
      const refund = { ...input, refundId: String(made?.id), reference: String(made?.reference) };
      await until(async () => (await world.activities.driveRefund(refund)).kind === 'refunded');
      await world.activities.endRefund({ ...refund, status: 'SUCCEEDED' });
      return { input, attempt, refund };
    }

    async function failureOf(attempt: Row) {
      const { events } = (await sessionOf(attempt)) as { events: { id: string; type: string }[] };
      const failed = events.find(({ type }) => type === 'refund.failed');
      return (await control('GET', `events/${failed?.id}`)) as { body: string; headers: Record<string, string> };
    }

    const fails = (attempt: Row) =>
      control('POST', `sessions/${String(attempt['reference'])}/refunds`, { ends: 'failed' });
    const late = (input: StoredPayment, attempt: Row) =>
      world.activities.recordUnappliedPayment({ ...input, attemptReference: String(attempt['reference']) });

    /** Records a decision by a new operator and lets the workflow apply it. */
    async function decided(refund: StoredRefund, decision: 'accept' | 'reject') {
      await world.rows(
        `insert into decisions (application_id, mode, kind, payment_id, refund_id, decision, operator_id)
         select application_id, mode, 'refund', payment_id, id, ?, ?::bigint from refunds where id = ?::bigint returning id`,
        [decision, await operator(), refund.refundId],
      );
      return world.activities.decideRefund({ ...refund, decisionIds: [], expired: false });
    }

    async function operator(): Promise<unknown> {
      const [row] = await world.rows(
        `insert into operators (email, name, password_hash) values (gen_random_uuid() || '@example.com', 'Somebody', 'none') returning id`,
      );
      return row?.['id'];
    }

    const postedOf = (reference: string) =>
      world.rows(
        `select t.kind from ledger_transactions t where t.cause_id = ?
           or t.reverses_id in (select id from ledger_transactions where cause_id = ?) order by t.id`,
        [reference, reference],
      );

    test('is a hint: the gateway is asked, the refund goes before people, and nothing is undone', async () => {
      // Otherwise the shop's customer would have no money, and nobody would know.
      const { input, attempt, refund, rowOf } = await refunded();
      await fails(attempt);
      const event = await failureOf(attempt);
      world.sent.late.length = 0;
      world.log.length = 0;
      expect((await post(event.body, event.headers)).status).toBe(200);
      expect(world.sent.late).toMatchObject([{ attemptReference: attempt['reference'] }]);
      world.sent.refunds.length = 0;
      for (let times = 0; times < 2; times += 1) {
        expect(await late(input, attempt)).toEqual({ kind: 'nothing' });
      }
      expect(await rowOf()).toMatchObject({ status: 'SUCCEEDED', review_reason: 'FAILED_AFTER_SUCCESS' });
      expect(await world.paymentRow(input)).toMatchObject({ status: 'PARTIALLY_REFUNDED' });
      expect(world.log.filter(({ alert }) => alert === 'refund-review')).toHaveLength(1);
      expect(world.sent.refunds).toEqual([refund.reference]);
      expect(await world.activities.readRefund(refund)).toEqual({ kind: 'review', reason: 'FAILED_AFTER_SUCCESS' });
      expect(await postedOf(refund.reference)).toEqual([{ kind: 'refund' }]);
    });

    test('that the gateway does not confirm changes nothing', async () => {
      // Anybody can post to the endpoint; only the gateway's answer counts.
      const { input, attempt, rowOf } = await refunded();
      const { gateway_refund_id: id } = (await rowOf()) ?? {};
      const forged = JSON.stringify({
        id: 'evt_forged',
        object: 'event',
        type: 'refund.failed',
        data: {
          object: { id, object: 'refund', status: 'failed', metadata: { attempt_reference: attempt['reference'] } },
        },
      });
      expect((await post(forged, {})).status).toBe(200);
      await late(input, attempt);
      expect(await rowOf()).toMatchObject({ status: 'SUCCEEDED', review_reason: null });
      expect((await world.callbacksOf(input)).at(-1)).toMatchObject({ outcome: 'FORGED' });
    });

    test('comes to nothing when two people say so: ledger, payment and shop learn it, once', async () => {
      // The decision is posted as a reversal. The refund's history must not disappear.
      const { input, attempt, refund, rowOf } = await refunded();
      await fails(attempt);
      const event = await failureOf(attempt);
      await post(event.body, event.headers);
      await late(input, attempt);
      for (let times = 0; times < 2; times += 1) {
        const stand = times === 0 ? decided(refund, 'reject') : world.activities.readRefund(refund);
        expect(await stand).toEqual({ kind: 'ended', status: 'FAILED' });
      }
      expect(await rowOf()).toMatchObject({ status: 'FAILED', failure_code: 'FAILED_AFTER_SUCCESS' });
      expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await postedOf(refund.reference)).toEqual([{ kind: 'refund' }, { kind: 'reversal' }]);
      const events = await world.rows(
        'select type, sequence from webhook_events where payment_id = ?::bigint order by sequence',
        [input.paymentId],
      );
      expect(events.map(({ type }) => type)).toEqual([
        'payment.succeeded',
        'refund.succeeded',
        'payment.refunded',
        'refund.failed',
      ]);
      const findings = new Findings();
      await world.database.withSystem(async (em) => {
        await verifyRefunds(em, findings);
        await verifyCauses(em, findings);
      });
      expect(findings.listed.filter(({ what }) => what.includes(refund.reference))).toEqual([]);
    });

    test('that gave unapplied money back leads to the attempt that was charged, and the money is held again', async () => {
      // No payment counts this money, so nothing else would find it.
      const { input, attempt, refund } = await lateRefunded();
      await fails(attempt);
      const event = await failureOf(attempt);
      world.sent.late.length = 0;
      expect((await post(event.body, event.headers)).status).toBe(200);
      expect(world.sent.late).toMatchObject([{ attemptReference: attempt['reference'] }]);
      expect(await late(input, attempt)).toMatchObject({ kind: 'refunded' });
      expect(await world.activities.readRefund(refund)).toEqual({ kind: 'review', reason: 'FAILED_AFTER_SUCCESS' });
      expect(await decided(refund, 'reject')).toEqual({ kind: 'ended', status: 'FAILED' });
      expect(world.sent.refundsEnded.at(-1)).toBe(attempt['reference']);
      const question = { ...input, attemptReference: String(attempt['reference']) };
      expect(await world.activities.readUnappliedPayment(question)).toMatchObject({
        kind: 'held',
        amountMinor: '10000',
      });
      expect(await postedOf(refund.reference)).toEqual([{ kind: 'refund' }, { kind: 'reversal' }]);
      // The shop was told that the money was refunded. It has to learn that it is held again and needs another decision.
      const told = await world.rows(
        `select type || coalesce(' ' || (payload::jsonb->'data'->>'status'), '') as told from webhook_events where payment_id = ?::bigint order by sequence`,
        [input.paymentId],
      );
      expect(told.map(({ told: what }) => what)).toEqual([
        'payment.expired EXPIRED',
        'unapplied_payment.received HELD',
        'refund.succeeded SUCCEEDED',
        'unapplied_payment.refunded REFUNDED',
        'refund.failed FAILED',
        'unapplied_payment.received HELD',
      ]);
    });

    test('stands when two people have found that the payer has the money', async () => {
      // Somebody may have refunded it by hand meanwhile.
      const { input, attempt, refund, rowOf } = await refunded();
      await fails(attempt);
      const event = await failureOf(attempt);
      await post(event.body, event.headers);
      await late(input, attempt);
      expect(await decided(refund, 'accept')).toEqual({ kind: 'ended', status: 'SUCCEEDED' });
      expect(await rowOf()).toMatchObject({ status: 'SUCCEEDED', review_reason: null });
      expect(await postedOf(refund.reference)).toEqual([{ kind: 'refund' }]);
    });
  });

  function sign(secret: string, timestamp = Math.floor(Date.now() / 1_000)) {
    return (payload: string): Record<string, string> => ({
      'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp }),
    });
  }
});
