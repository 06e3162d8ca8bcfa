import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chooseGateway } from '../../../core/payments/store/gateway-choices.ts';
import { attemptReference } from '../../../domain/references.ts';
import type { StoredPayment } from '../../support/stored.ts';
import { AT, AWAY, createSweepWorld, EXPIRED, QUIET, SUCCEEDED, type SweepWorld } from '../sweep/sweep-world.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await createSweepWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

const CANCEL_REQUESTED = { cancel_requested_at: AT };
const secondsUntilNext = ({ paymentId }: StoredPayment) => world.secondsUntilNext('payments', 'id', paymentId);

describe('a payment that is due for a check', () => {
  test('is started with its handle, and checked again when it should have ended', async () => {
    // The process that created it died before the start. Only ids, codes and amounts may be sent, no payer data.
    const input = await world.payment({ customer_name: 'Jane', expires_at: '2031-01-02T03:04:05Z' });
    await world.paymentDue(input);
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
    expect(world.calls).toEqual([['startPayment', world.handleOf(input)]]);
    expect(world.log).toEqual([]);
    const [row] = await world.rows('select next_sweep_at from payments where id = ?::bigint', [input.paymentId]);
    expect(new Date(String(row?.['next_sweep_at']))).toEqual(new Date('2031-01-02T03:05:05Z'));
    expect(await world.sweep()).toEqual(QUIET);
  });

  test('is checked again in five minutes if it should have ended already', async () => {
    // Otherwise a workflow that queries its gateway for days would be started twice a minute.
    const input = await world.payment({ expires_at: AT });
    await world.paymentDue(input);
    await world.sweep();
    expect(await secondsUntilNext(input)).toBeGreaterThan(270);
    expect(await secondsUntilNext(input)).toBeLessThanOrEqual(300);
  });

  test('is logged and due again in a minute if it cannot be started', async () => {
    // The failed row is retried after a minute, not only at its expiry.
    world.temporal.startPayment = AWAY;
    const input = await world.payment();
    await world.paymentDue(input);
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
    expect(await secondsUntilNext(input)).toBeGreaterThan(30);
    expect(await secondsUntilNext(input)).toBeLessThanOrEqual(60);
    expect(world.log).toMatchObject([
      { level: 'warn', payment: input.reference, error: expect.objectContaining({ message: 'Temporal is away' }) },
    ]);
  });

  test('is left alone until then', async () => {
    // The process that creates a payment starts its workflow. The sweeper only repairs a missing start.
    await world.payment({ next_sweep_at: new Date(Date.now() + 30_000).toISOString() });
    expect(await world.sweep()).toEqual(QUIET);
    expect(world.calls).toEqual([]);
  });

  test.each([EXPIRED, SUCCEEDED])('is left alone once it has ended: %p', async (columns) => {
    // A payment with a final status needs no workflow.
    await world.paymentDue(await world.payment(columns));
    expect(await world.sweep()).toEqual(QUIET);
    expect(world.calls).toEqual([]);
  });

  test('gets the payer’s cancel once it runs, and not if it has completed', async () => {
    // The request is in the row, but its signal can be lost when the process dies.
    const running = await world.payment(CANCEL_REQUESTED);
    await world.paymentDue(running);
    await world.sweep();
    expect(world.calls).toEqual([
      ['startPayment', world.handleOf(running)],
      ['signalCancel', running.reference],
    ]);
    world.calls.length = 0;
    world.temporal.startPayment = () => Promise.resolve('completed');
    await world.paymentDue(await world.payment(CANCEL_REQUESTED));
    await world.sweep();
    expect(world.called()).toEqual(['startPayment']);
  });

  test('gets no cancel while it is under review', async () => {
    // Only a decision ends the review. Each signal would cause one more query for as long as there is no decision.
    const columns = { ...CANCEL_REQUESTED, review_reason: 'STORE_MISMATCH', review_since: '2026-01-01T00:01:00Z' };
    await world.paymentDue(await world.payment(columns));
    await world.sweep();
    expect(world.called()).toEqual(['startPayment']);
  });

  test('gets no cancel that the payer did not request', async () => {
    // It would cost the shop the sale.
    await world.paymentDue(await world.payment());
    await world.sweep();
    expect(world.called()).toEqual(['startPayment']);
  });

  test('raises an alarm if its workflow has completed', async () => {
    // This happens only after a restore to an older state, so a person has to compare the payment with the gateway.
    world.temporal.startPayment = () => Promise.resolve('completed');
    const input = await world.payment();
    await world.paymentDue(input);
    await world.sweep();
    expect(world.log).toMatchObject([{ level: 'error', payment: input.reference, alert: 'payment-behind-workflow' }]);
  });

  test('raises no alarm if it ended after its row was read', async () => {
    // The workflow ends only after its row has.
    const input = await world.payment();
    world.temporal.startPayment = async () => {
      await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
      await world.rows(`update webhook_events set next_sweep_at = now() + interval '1 day' returning 1`);
      return 'completed';
    };
    await world.paymentDue(input);
    await world.sweep();
    expect(world.log.filter(({ level }) => level !== 'info')).toEqual([]);
  });
});

describe('a gateway that the payer chose', () => {
  /** Creates a payment whose payer has chosen a gateway, without a signal to the workflow. */
  async function chosen(): Promise<StoredPayment> {
    const input = await world.payment({ gateway: null, gateway_choices: '{sslcommerz,bkash}' });
    const choice = {
      paymentId: BigInt(input.paymentId),
      gateway: 'sslcommerz',
      reference: attemptReference(),
      storeId: 'store',
    };
    const scope = { applicationId: world.applicationId, mode: 'TEST' } as const;
    await world.deps.database.withScope(scope, (statements) => chooseGateway(statements, choice));
    await world.paymentDue(input);
    return input;
  }

  test.each(['https://gateway.example/page', null])(
    'is signalled again until its session is open (its page: %p)',
    async (gatewayUrl) => {
      // The API can die between the row and the signal, while the payer waits for the page. Manual payments have no page at a gateway.
      world.gateway.openSession = () => Promise.resolve({ kind: 'opened', sessionKey: 'K', gatewayUrl });
      const input = await chosen();
      expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
      expect(world.calls).toEqual([
        ['startPayment', world.handleOf(input)],
        ['signalChoice', input.reference],
      ]);
      expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open' });
      world.calls.length = 0;
      await world.paymentDue(input);
      await world.sweep();
      expect(world.called()).toEqual(['startPayment']);
    },
  );

  test('is not signalled after the expiry', async () => {
    // The workflow opens no page after the expiry.
    const input = await chosen();
    await world.rows(`update payments set expires_at = now() - interval '1 minute' where id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    await world.sweep();
    expect(world.called()).toEqual(['startPayment']);
  });
});

describe('a payment whose workflow ended without a result', () => {
  test('is resumed in the next pass if it is open', async () => {
    // A click in the Temporal UI delays a payment by thirty seconds at most. Nothing is started for a final or unknown payment.
    const open = await world.payment({ status: 'PENDING', ...CANCEL_REQUESTED });
    const final = await world.payment(EXPIRED);
    world.ended = { payments: [open.reference, final.reference, 'pay_unknown'] };
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
    expect(world.calls).toEqual([
      ['startPayment', world.handleOf(open)],
      ['signalCancel', open.reference],
    ]);
  });

  test('is resumed if it was rejected under review, and for no other failure', async () => {
    // The workflow still has to look for the money that was charged.
    const failed = { status: 'FAILED', ended_at: AT };
    const rejected = await world.payment({ ...failed, failure_code: 'REVIEW_REJECTED' });
    const refused = await world.payment({ ...failed, failure_code: 'GATEWAY_REFUSED_SESSION' });
    world.ended = { payments: [rejected.reference, refused.reference] };
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
    expect(world.calls).toEqual([['startPayment', world.handleOf(rejected)]]);
  });

  test('does not stop the others if it cannot be resumed', async () => {
    // One failing payment must not block the rest of the list.
    const inputs = [await world.payment(), await world.payment()];
    world.ended = { payments: inputs.map(({ reference }) => reference) };
    world.temporal.startPayment = AWAY;
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 2 });
    expect(world.called()).toEqual(['startPayment', 'startPayment']);
    expect(world.log).toMatchObject(inputs.map(() => ({ level: 'warn' })));
    expect(new Set(world.log.map(({ payment }) => payment))).toEqual(new Set(world.ended.payments));
  });
});
