import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createSweepActivities } from '../../../activities/sweep.ts';
import { chooseGateway } from '../../../core/payments/store/gateway-choices.ts';
import { chooseStore } from '../../../core/gateways/store/stores.ts';
import { attemptReference } from '../../../domain/references.ts';
import { SETTINGS } from '../manual-payments/manual-world.ts';
import { createPaymentWorld, secrets, type PaymentWorld } from '../payments/payment-world.ts';
import { until } from '../../support/until.ts';
import type { StoredPayment } from '../../support/stored.ts';

let world: PaymentWorld;
/** Payments whose workflow ended without a result. */
let ended: string[] = [];

beforeAll(async () => {
  world = await createPaymentWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  ended = [];
  for (const key of Object.keys(world.temporal)) {
    Reflect.deleteProperty(world.temporal, key);
  }
  await world.rows(`update payments set next_sweep_at = now() + interval '1 day' returning 1`);
  await world.rows(`update gateway_callbacks set next_sweep_at = now() + interval '1 day' returning 1`);
  await world.rows(`update webhook_events set next_sweep_at = now() + interval '1 day' returning 1`);
  for (const list of Object.values(world.sent)) {
    list.length = 0;
  }
});

function sweep() {
  world.temporal.endedWorkflows = () => Promise.resolve({ payments: ended, invoices: [], unappliedPayments: [] });
  return createSweepActivities(world.deps).sweep();
}

const overdue = (table: 'payments' | 'gateway_callbacks' | 'webhook_events', column: string, id: unknown) =>
  world.rows(`update ${table} set next_sweep_at = now() - interval '1 second' where ${column} = ? returning 1`, [id]);

async function settled(status: 'EXPIRED' = 'EXPIRED'): Promise<StoredPayment> {
  const { input } = await world.opened();
  await world.activities.finalizePayment({ ...input, status });
  return input;
}

/** Creates a payment whose payer has chosen a gateway, without a signal to the workflow. */
async function chosen(gateway: string, storeId: string): Promise<StoredPayment> {
  const input = await world.payment({ gatewayChoices: [gateway, 'bkash'] });
  const choice = { paymentId: BigInt(input.paymentId), gateway, reference: attemptReference(), storeId };
  const scope = { applicationId: world.app.applicationId, mode: 'TEST' } as const;
  await world.database.withScope(scope, (statements) => chooseGateway(statements, choice));
  return input;
}

describe('the sweeper', () => {
  test('starts a payment that was stored and never started, and not again in the next pass', async () => {
    // Otherwise a payment would be lost when the process dies between the commit and the start.
    const input = await world.payment();
    await overdue('payments', 'reference', input.reference);
    expect(await sweep()).toMatchObject({ paymentsStarted: 1 });
    expect(world.sent.payments).toEqual([input.reference]);
    expect(await sweep()).toMatchObject({ paymentsStarted: 0 });
  });

  test('leaves a payment alone that is only just being created', async () => {
    // The process that creates a payment starts its workflow. The sweeper only repairs a missing start.
    await world.payment();
    expect(await sweep()).toMatchObject({ paymentsStarted: 0 });
  });

  test('resumes a payment whose workflow was terminated, in its next pass', async () => {
    // A click in the Temporal UI must delay a payment by thirty seconds at most.
    const { input } = await world.opened();
    const final = await settled();
    ended = [input.reference, final.reference, 'pay_unknown'];
    expect(await sweep()).toMatchObject({ paymentsStarted: 1 });
    expect(world.sent.payments).toEqual([input.reference]);
  });

  test('sends the payer’s cancel once more to the workflow that it resumed', async () => {
    // The request is in the row, but its signal can be lost when the process dies.
    const { input } = await world.opened();
    await world.rows('update payments set cancel_requested_at = now() where reference = ? returning 1', [
      input.reference,
    ]);
    await overdue('payments', 'reference', input.reference);
    await sweep();
    expect(world.sent.cancels).toEqual([input.reference]);
  });

  test('sends a choice of the payer once more, and no other wish', async () => {
    // The API can die between the row and the signal, while the payer's page waits for the gateway's page.
    const input = await chosen('sslcommerz', 'lenden_test');
    await overdue('payments', 'reference', input.reference);
    await sweep();
    expect([world.sent.choices, world.sent.cancels]).toEqual([[input.reference], []]);
    await world.activities.openCheckout(input);
    await overdue('payments', 'reference', input.reference);
    await sweep();
    expect(world.sent.choices).toEqual([input.reference]);
  });

  test('sends no choice of a gateway whose page is our own and opened', async () => {
    // A manual payment has no page at a gateway, so a missing address does not mean that it was not opened.
    const store = { applicationId: null, mode: 'TEST', gateway: 'manual', storeId: 'bank' } as const;
    await world.database.withOperator('every-app', (em) =>
      chooseStore(em, secrets, { ...store, password: JSON.stringify(SETTINGS) }),
    );
    const input = await chosen('manual', 'bank');
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open' });
    await overdue('payments', 'reference', input.reference);
    expect(await sweep()).toMatchObject({ paymentsStarted: 1 });
    expect(world.sent.choices).toEqual([]);
  });

  test('sends no choice after the expiry', async () => {
    // The workflow opens no page after the expiry.
    const input = await chosen('sslcommerz', 'lenden_test');
    await world.rows(
      `update payments set expires_at = now() - interval '1 minute', next_sweep_at = now() where reference = ? returning 1`,
      [input.reference],
    );
    expect(await sweep()).toMatchObject({ paymentsStarted: 1 });
    expect(world.sent.choices).toEqual([]);
  });

  test('raises an alarm where an open payment has a completed workflow', async () => {
    // This happens only after a restore to an older state, so a person has to compare the payment with the gateway.
    const { input } = await world.opened();
    await overdue('payments', 'reference', input.reference);
    world.temporal.startPayment = () => Promise.resolve('completed');
    await sweep();
    expect(world.log).toContainEqual(
      expect.objectContaining({ payment: input.reference, alert: 'payment-behind-workflow' }),
    );
  });

  test('signals a stored callback that nobody looked at, ever more rarely', async () => {
    // Otherwise an unreachable gateway would fill the history. The pauses double, up to an hour.
    const { input, attempt } = await world.opened();
    await world.post('ipn', { tran_id: String(attempt['reference']) });
    await until(() => world.sent.callbacks.length === 1);
    const [callback] = await world.callbacksOf(input);
    const waits: number[] = [];
    for (let pass = 0; pass < 10; pass += 1) {
      await overdue('gateway_callbacks', 'id', callback?.['id']);
      expect(await sweep()).toMatchObject({ callbacksSignalled: 1 });
      const [row] = await world.rows(
        'select extract(epoch from next_sweep_at - now())::integer as wait from gateway_callbacks where id = ?',
        [callback?.['id']],
      );
      waits.push(Number(row?.['wait']));
    }
    expect(waits.map((wait) => Math.round(wait / 10) * 10)).toEqual([
      30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600,
    ]);
    expect(world.sent.callbacks.map(({ reference }) => reference)).toEqual(
      Array.from({ length: 11 }, () => input.reference),
    );
  });

  test('starts the workflow where a callback finds none', async () => {
    // The callback can arrive before the workflow starts, or after it has died.
    const { input, attempt } = await world.opened();
    await world.post('ipn', { tran_id: String(attempt['reference']) });
    world.temporal.signalCallback = () => Promise.resolve(false);
    await overdue('gateway_callbacks', 'payment_id', input.paymentId);
    await sweep();
    expect(world.sent.payments).toEqual([input.reference]);
  });

  test('hands a callback for an ended payment to the unapplied payment of its attempt, once for many', async () => {
    // Fifty callbacks about one attempt need only one query.
    const { input, attempt } = await world.opened();
    for (let n = 0; n < 5; n += 1) {
      await world.post('ipn', { tran_id: String(attempt['reference']), n: String(n) });
    }
    await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
    world.sent.late.length = 0;
    await overdue('gateway_callbacks', 'payment_id', input.paymentId);
    expect(await sweep()).toMatchObject({ callbacksSignalled: 1 });
    expect(world.sent.late).toMatchObject([{ attemptReference: attempt['reference'] }]);
  });

  test('leaves the callbacks of a payment under review to its decision', async () => {
    // A review can last for days, and each signal would only lengthen the history.
    const { input, attempt } = await world.opened();
    await world.activities.markForReview({ ...input, reason: 'AMOUNT_MISMATCH' });
    await world.post('ipn', { tran_id: String(attempt['reference']) });
    world.sent.callbacks.length = 0;
    await overdue('gateway_callbacks', 'payment_id', input.paymentId);
    expect(await sweep()).toMatchObject({ callbacksSignalled: 0 });
    expect(world.sent.callbacks).toEqual([]);
    await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
    await overdue('gateway_callbacks', 'payment_id', input.paymentId);
    expect(await sweep()).toMatchObject({ callbacksSignalled: 1 });
    expect(world.sent.late).toMatchObject([{ attemptReference: attempt['reference'] }]);
  });

  test('starts the delivery that the settling process did not live to start', async () => {
    // If the process dies after its commit, the event is in its row and is sent a little later.
    world.temporal.startDelivery = () => Promise.reject(new Error('the process died'));
    const input = await settled();
    delete world.temporal.startDelivery;
    const [event] = await world.rows('select event_id from webhook_events where payment_id = ?::bigint', [
      input.paymentId,
    ]);
    world.sent.deliveries.length = 0;
    await overdue('webhook_events', 'event_id', event?.['event_id']);
    expect(await sweep()).toMatchObject({ deliveriesStarted: 1 });
    expect(world.sent.deliveries).toEqual([event?.['event_id']]);
  });

  test('forgets idempotency keys whose time is over, and no others', async () => {
    // A key is kept for thirty days.
    await world.database.withScope({ applicationId: world.app.applicationId, mode: 'TEST' }, async (em) => {
      for (const [key, age] of [
        ['old', '-1 second'],
        ['young', '1 day'],
      ] as const) {
        await em.execute(
          `insert into idempotency_keys (application_id, mode, operation, key, fingerprint, lease_until, expires_at)
           values (?, 'TEST', 'POST /payments', ?, '\\x00', now(), now() + ?::interval)`,
          [world.app.applicationId, key, age],
        );
      }
    });
    expect(await sweep()).toMatchObject({ keysForgotten: 1 });
    expect(await world.rows('select key from idempotency_keys')).toEqual([{ key: 'young' }]);
  });

  /** Creates this many payments whose workflow was never started. The first is overdue for the shortest time. */
  const backlog = (count: number, name: string): Promise<unknown> =>
    world.database.withScope({ applicationId: world.app.applicationId, mode: 'TEST' }, (em) =>
      em.execute(
        `insert into payments (application_id, mode, reference, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at)
         select ?, 'TEST', ? || n, 10000, 'BDT', 'c', 'sslcommerz', now() + interval '20 minutes', now() - n * interval '1 minute'
         from generate_series(1, ?) n`,
        [world.app.applicationId, name, count],
      ),
    );

  test('works a backlog off in one pass, the longest overdue first', async () => {
    // After an outage, payers must not wait for many passes, and each batch has a limited number of rows.
    await backlog(130, 'pay_backlog');
    expect(await sweep()).toMatchObject({ paymentsStarted: 130 });
    const oldest = Array.from({ length: 100 }, (_, n) => `pay_backlog${130 - n}`);
    expect(new Set(world.sent.payments.slice(0, 100))).toEqual(new Set(oldest));
    expect(new Set(world.sent.payments).size).toBe(130);
    expect(await sweep()).toMatchObject({ paymentsStarted: 0 });
  });

  test('does not go through a backlog while Temporal is away, and comes back to it soon', async () => {
    // Each try would wait for its timeout. The failed rows are due again in a minute, not only at their expiry.
    await backlog(130, 'pay_outage');
    world.temporal.startPayment = () => Promise.reject(new Error('Temporal is away'));
    expect(await sweep()).toMatchObject({ paymentsStarted: 100 });
    const waits = await world.rows(
      `select extract(epoch from next_sweep_at - now())::integer as wait from payments where reference like 'pay_outage%' and next_sweep_at > now()`,
    );
    expect(waits).toHaveLength(100);
    expect(Math.max(...waits.map(({ wait }) => Number(wait)))).toBeLessThanOrEqual(60);
  });

  test('looks at a payment whose workflow runs only when it should have ended', async () => {
    // Thousands of payments that are waiting for their payers must not delay one whose start was lost.
    await backlog(1, 'pay_waiting');
    await sweep();
    const [row] = await world.rows(
      `select next_sweep_at - expires_at = interval '1 minute' as after_expiry from payments where reference = 'pay_waiting1'`,
    );
    expect(row).toEqual({ after_expiry: true });
  });

  test('goes on with the others where one cannot be started', async () => {
    // One bad row or failing step must not block other payments.
    const first = await world.payment();
    const second = await world.payment();
    await overdue('payments', 'reference', first.reference);
    await overdue('payments', 'reference', second.reference);
    world.temporal.startPayment = ({ reference }) =>
      reference === first.reference ? Promise.reject(new Error('Temporal is away')) : Promise.resolve('running');
    ended = [first.reference];
    await sweep();
    expect(world.sent.payments).toEqual(expect.arrayContaining([first.reference, second.reference]));
  });

  test('run by two at once starts nothing twice', async () => {
    const inputs = await Promise.all(Array.from({ length: 10 }, () => world.payment()));
    await Promise.all(inputs.map(({ reference }) => overdue('payments', 'reference', reference)));
    const passes = await Promise.all([sweep(), sweep()]);
    expect(passes.reduce((sum, { paymentsStarted }) => sum + paymentsStarted, 0)).toBe(10);
    expect(new Set(world.sent.payments).size).toBe(10);
  });
});
