import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventSchema } from '../../../api/docs/webhook-events.ts';
import { wordsIn } from '../../../web/checkout/words.ts';
import { openManualWorld, type ManualWorld } from '../manual-payments/manual-world.ts';
import type { StoredPayment } from '../../support/stored.ts';
import type { Row } from '../payments/payment-world.ts';

/* An unapplied payment as the payer, the shop and the workflow see it, from its arrival to its end. */

let manual: ManualWorld;
beforeAll(async () => {
  manual = await openManualWorld();
});
afterAll(() => manual.close());

let transactions = 0;

/** Creates a payer who cancels, and whose transfer arrives all the same. */
async function paidAfterCancelling(contract = 'native') {
  const { world } = manual;
  const { input, attempt } = await manual.opened();
  await world.rows('update payments set contract = ? where id = ?::bigint returning 1', [contract, input.paymentId]);
  transactions += 1;
  await manual.submits(input, { transaction: `UNAPPLIED-${transactions}` });
  await world.activities.finalizePayment({ ...input, status: 'CANCELLED' });
  const [submission] = await manual.waiting(input);
  await manual.decides('asha', submission, 'confirm');
  return { input, late: { ...input, attemptReference: String(attempt['reference']) } };
}

async function eventsOf(input: StoredPayment): Promise<Row[]> {
  const events = await manual.world.rows(
    'select event_id, type, sequence, payload from webhook_events where payment_id = ?::bigint order by sequence',
    [input.paymentId],
  );
  return events.map(({ payload, ...event }) => ({
    ...event,
    data: (JSON.parse(String(payload)) as Row)['data'],
    payload,
  }));
}

const lateRow = async (input: StoredPayment): Promise<Row> =>
  (await manual.world.rows('select * from unapplied_payments where payment_id = ?::bigint', [input.paymentId]))[0] ??
  {};

const decideLate = async (input: StoredPayment, decision: 'refund' | 'keep') => {
  const { id } = await lateRow(input);
  return manual.operator('asha', 'POST', `/admin/unapplied-payments/${String(id)}`, {
    decision,
    reason: 'Asked the shop',
  });
};

describe('a payer who paid after cancelling', () => {
  test('reads that the money is looked for, then that it is held, and is never told to pay again', async () => {
    // A payer who is told to start again would pay twice.
    const { input, late } = await paidAfterCancelling();
    const startAnew = 'start a new payment';
    const searching = await manual.page(input);
    expect(searching).toContain(wordsIn('en').states.searching.title);
    expect(searching).not.toContain(startAnew);
    expect(await manual.world.activities.recordUnappliedPayment(late)).toMatchObject({ kind: 'held' });
    const held = await manual.page(input);
    expect(held).toContain('data-state="unapplied"');
    expect(held).toContain(wordsIn('en').unapplied.held.title);
    expect(held).not.toContain(startAnew);
    expect(await manual.page(input, '?lang=bn')).toContain(wordsIn('bn').unapplied.held.title);
  });

  test('reads what becomes of the money, and the shop is told each step once, in the order of its payment', async () => {
    // The shop has to be able to answer its customer, and to know which money it can keep.
    const { world } = manual;
    const { input, late } = await paidAfterCancelling();
    world.sent.deliveries.length = 0;
    await world.activities.recordUnappliedPayment(late);
    await world.activities.recordUnappliedPayment(late);
    const [, received] = await eventsOf(input);
    expect(world.sent.deliveries).toEqual([received?.['event_id']]);
    expect(received).toMatchObject({
      type: 'unapplied_payment.received',
      sequence: 2,
      data: {
        paymentId: Number(input.paymentId),
        paymentReference: input.reference,
        reason: 'PAYMENT_ENDED',
        status: 'HELD',
        amountMinor: 10_000,
        currency: 'BDT',
        gateway: 'manual',
      },
    });
    const event = JSON.parse(String(received?.['payload'])) as Row;
    expect(eventSchema('unapplied_payment.received').safeParse(event).error).toBeUndefined();
    expect(event['subject']).toBe(`unapplied_payment:${String((await lateRow(input))['id'])}`);

    expect((await decideLate(input, 'refund')).status).toBe(200);
    const decision = { ...late, decisionIds: world.sent.decisions.map(String) };
    expect(await world.activities.decideUnappliedPayment(decision)).toMatchObject({ kind: 'refunding' });
    expect(await manual.page(input)).toContain(wordsIn('en').unapplied.refunding.title);
    const [row] = await world.rows('select id, reference from refunds where payment_id = ?::bigint', [input.paymentId]);
    const refund = { ...input, refundId: String(row?.['id']), reference: String(row?.['reference']) };
    world.sent.refundsEnded.length = 0;
    for (let times = 0; times < 2; times += 1) {
      expect(await world.activities.endRefund({ ...refund, status: 'SUCCEEDED' })).toBe('SUCCEEDED');
    }
    expect(world.sent.refundsEnded).toContain(late.attemptReference);
    expect(await world.activities.readUnappliedPayment(late)).toEqual({
      kind: 'refunded',
      amountMinor: '10000',
      currency: 'BDT',
    });
    expect(await manual.page(input)).toContain(wordsIn('en').unapplied.refunded.title);
    expect((await eventsOf(input)).map(({ type, sequence }) => [type, sequence])).toEqual([
      ['payment.cancelled', 1],
      ['unapplied_payment.received', 2],
      ['refund.succeeded', 3],
      ['unapplied_payment.refunded', 4],
    ]);
  });

  test('reads that the shop has accepted the money, and the shop is told that it is its own', async () => {
    // Kept money is owed to the application from then on.
    const { world } = manual;
    const { input, late } = await paidAfterCancelling();
    await world.activities.recordUnappliedPayment(late);
    world.sent.decisions.length = 0;
    await decideLate(input, 'keep');
    const decision = { ...late, decisionIds: world.sent.decisions.map(String) };
    for (let times = 0; times < 2; times += 1) {
      expect(await world.activities.decideUnappliedPayment(decision)).toMatchObject({ kind: 'kept' });
    }
    expect(await manual.page(input)).toContain(wordsIn('en').unapplied.kept.title);
    const events = await eventsOf(input);
    expect(events.at(-1)).toMatchObject({ type: 'unapplied_payment.kept', sequence: 3, data: { status: 'KEPT' } });
    expect(events).toHaveLength(3);
  });

  test('whose refund fails has the money held again, and its workflow is woken or started', async () => {
    // Operators have to see the money and decide again.
    const { world } = manual;
    const { input, late } = await paidAfterCancelling();
    await world.activities.recordUnappliedPayment(late);
    await decideLate(input, 'refund');
    await world.activities.decideUnappliedPayment({ ...late, decisionIds: [] });
    const [row] = await world.rows('select id, reference from refunds where payment_id = ?::bigint', [input.paymentId]);
    const refund = { ...input, refundId: String(row?.['id']), reference: String(row?.['reference']) };
    world.temporal.signalRefundEnded = () => Promise.resolve(false);
    world.sent.late.length = 0;
    await world.activities.endRefund({ ...refund, status: 'FAILED', failureCode: 'GATEWAY_REFUSED_REFUND' });
    delete world.temporal.signalRefundEnded;
    expect(world.sent.late).toEqual([{ attemptReference: late.attemptReference, callbackId: 0n }]);
    expect(await world.activities.readUnappliedPayment(late)).toMatchObject({ kind: 'held' });
    expect(await manual.page(input)).toContain(wordsIn('en').unapplied.held.title);
  });

  test('whose refund fails: the shop is told that the money is held again, and then what becomes of it', async () => {
    // The newest event must say where the money is.
    const { world } = manual;
    const { input, late } = await paidAfterCancelling();
    await world.activities.recordUnappliedPayment(late);
    await decideLate(input, 'refund');
    await world.activities.decideUnappliedPayment({ ...late, decisionIds: [] });
    const [row] = await world.rows('select id, reference from refunds where payment_id = ?::bigint', [input.paymentId]);
    const refund = { ...input, refundId: String(row?.['id']), reference: String(row?.['reference']) };
    world.sent.deliveries.length = 0;
    for (let times = 0; times < 2; times += 1) {
      await world.activities.endRefund({ ...refund, status: 'FAILED', failureCode: 'GATEWAY_REFUSED_REFUND' });
    }
    const [, , failed, again] = await eventsOf(input);
    expect(failed).toMatchObject({ type: 'refund.failed', sequence: 3 });
    const { id } = await lateRow(input);
    expect(again).toMatchObject({
      type: 'unapplied_payment.received',
      sequence: 4,
      data: { id: Number(id), status: 'HELD' },
    });
    expect(world.sent.deliveries).toEqual(expect.arrayContaining([failed?.['event_id'], again?.['event_id']]));
    world.sent.decisions.length = 0;
    await decideLate(input, 'keep');
    await world.activities.decideUnappliedPayment({ ...late, decisionIds: world.sent.decisions.map(String) });
    expect((await eventsOf(input)).slice(4)).toMatchObject([{ type: 'unapplied_payment.kept', sequence: 5 }]);
  });

  test.each(['ownpay', 'shadhinpay'])(
    'of a shop with %s’s contract: it is told nothing that it could not read',
    async (contract) => {
      // The shop's receivers could not even verify the signature of another contract's event.
      const { input, late } = await paidAfterCancelling(contract);
      await manual.world.activities.recordUnappliedPayment(late);
      expect((await eventsOf(input)).filter(({ type }) => String(type).startsWith('unapplied_payment'))).toEqual([]);
      expect(await manual.page(input)).toContain(wordsIn('en').unapplied.held.title);
    },
  );
});

test('a payer who pays twice reads on the page of the payment what becomes of the second payment', async () => {
  // The success page must not hide the second payment.
  const { world } = manual;
  const { input, late } = await paidAfterCancelling();
  await world.activities.recordUnappliedPayment(late);
  await world.rows(
    `update payments set status = 'SUCCEEDED', paid_at = now(), gateway_txn_id = 'x' where id = ?::bigint returning 1`,
    [input.paymentId],
  );
  const page = await manual.page(input);
  expect(page).toContain('data-state="succeeded"');
  expect(page).toContain('more than was asked for');
});
