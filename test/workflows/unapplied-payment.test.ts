import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../workflows/messages/names.ts';
import type { UnappliedPaymentResult } from '../../workflows/messages/unapplied-payment.ts';
import { callbackSignal } from '../../workflows/messages/payment.ts';
import { decisionSignal } from '../../workflows/messages/refund.ts';
import {
  detailsOf,
  lengthen,
  openTheatre,
  timesOf,
  type Script,
  type StagedPayment,
  type Theatre,
} from './staged-payments.ts';
import { until } from '../support/until.ts';

let theatre: Theatre;
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre.close());

const away = (): Promise<never> =>
  Promise.reject(ApplicationFailure.nonRetryable('the gateway could not be reached', 'GATEWAY_UNAVAILABLE'));

async function arrive(staged: StagedPayment, callbackId: bigint, dispatch = theatre.skipping.dispatch): Promise<void> {
  await dispatch.startUnappliedPayment(staged.payment, { attemptReference: staged.attemptReference, callbackId });
}

async function late(script: Script): Promise<StagedPayment> {
  const staged = theatre.stage(script);
  await arrive(staged, 1n);
  return staged;
}

const statusOf = async (staged: StagedPayment): Promise<unknown> =>
  (await staged.late().describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.status);
const waitsFor = async (staged: StagedPayment): Promise<unknown> =>
  (await staged.late().describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.waitsFor);

describe('money after the end', () => {
  test('that the gateway does not confirm ends with a note and books nothing', async () => {
    // A callback alone does not mean that there is money.
    const staged = await late({ late: () => ({ kind: 'nothing' }) });
    expect(await staged.late().result()).toBe('nothing-unapplied');
    expect(staged.asked.late).toMatchObject([
      { reference: staged.payment.reference, attemptReference: staged.attemptReference },
    ]);
    expect(await detailsOf(staged.late())).toBe(
      'The gateway confirms no charge other than the one that paid the payment, if any.',
    );
    expect(await statusOf(staged)).toBe('NOTHING_LATE');
    expect(await waitsFor(staged)).toBeUndefined();
  });

  test('stays open and visible while it is held', async () => {
    // Money in suspense belongs to somebody. The open workflow is the reminder until an operator decides.
    const staged = await late({ late: () => ({ kind: 'held', amountMinor: '10000', currency: 'BDT' }) });
    await until(async () => (await statusOf(staged)) === 'HELD');
    expect(await detailsOf(staged.late())).toBe(
      '10000 BDT (minor units) is held in suspense until it is refunded or kept.',
    );
    const description = await staged.late().describe();
    expect(description.status.name).toBe('RUNNING');
    expect(await description.staticSummary()).toBe('Unapplied payment? 100.00 BDT for Shop through sslcommerz (TEST)');
    await staged.late().terminate();
  });

  test('counts a second charge that arrives while the first is held', async () => {
    // One attempt can be charged more than once.
    const staged = await late({
      late: (call) => ({ kind: 'held', amountMinor: call === 1 ? '10000' : '20000', currency: 'BDT' }),
    });
    await until(async () => (await detailsOf(staged.late())).startsWith('10000'));
    await arrive(staged, 2n);
    await until(async () => (await detailsOf(staged.late())).startsWith('20000 BDT'));
    expect(staged.asked.late).toHaveLength(2);
    await staged.late().terminate();
  });

  test('is not left in a long history with a decision that was told and not taken up', async () => {
    // A signal reaches only one run. If the next run does not get it, the decision waits minutes for the sweeper.
    const asking = Promise.withResolvers<UnappliedPaymentResult>();
    const held: UnappliedPaymentResult = { kind: 'held', amountMinor: '10000', currency: 'BDT' };
    const kept: UnappliedPaymentResult = { ...held, kind: 'kept' };
    // The signals that lengthen the history cause one more query after the decision.
    const staged = theatre.stage({
      late: (call) => (call === 1 ? held : call === 2 ? asking.promise : kept),
      unappliedDecision: () => kept,
    });
    await arrive(staged, 1n, theatre.realTime.dispatch);
    await until(async () => (await statusOf(staged)) === 'HELD');
    await arrive(staged, 2n, theatre.realTime.dispatch);
    await until(() => staged.asked.late.length === 2);
    await lengthen(staged.late());
    await staged.late().signal(decisionSignal, '7');
    asking.resolve(held);
    await until(() => staged.asked.decisions.length === 1);
    expect(staged.asked.decisions).toEqual(['7']);
    expect(await staged.late().result()).toBe('kept');
  });

  test('is asked for again after an earlier question found nothing', async () => {
    // The money may arrive later than the first callback about it.
    const staged = await late({
      late: (call) => (call === 1 ? { kind: 'nothing' } : { kind: 'held', amountMinor: '10000', currency: 'BDT' }),
    });
    await staged.late().result();
    await arrive(staged, 2n);
    await until(async () => (await statusOf(staged)) === 'HELD');
    await staged.late().terminate();
  });

  test('is asked for until the gateway answers', async () => {
    // A gateway that is unavailable for hours must not cause unapplied money to be lost.
    const staged = await late({ late: (call) => (call <= 8 ? away() : { kind: 'nothing' }) });
    expect(await staged.late().result()).toBe('nothing-unapplied');
    const asked = timesOf(await staged.late().fetchHistory(), 'activityTaskScheduled');
    expect((asked.at(-1) ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(3 * 3_600_000);
  });

  test('is asked for at the same pace when further callbacks come while the gateway is silent', async () => {
    // A callback makes one query earlier. It must not end every pause for three days and fill the history.
    const staged = theatre.stage({ late: (call) => (call <= 12 ? away() : { kind: 'nothing' }) });
    staged.script = {
      late: async (call) => {
        if (call === 2) {
          await staged.late().signal(callbackSignal, 'c2');
        }
        return call <= 12 ? away() : { kind: 'nothing' };
      },
    };
    await arrive(staged, 1n);
    expect(await staged.late().result()).toBe('nothing-unapplied');
    const asked = timesOf(await staged.late().fetchHistory(), 'activityTaskScheduled');
    expect((asked.at(-1) ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(6 * 3_600_000);
  });

  const money = (kind: 'held' | 'refunding' | 'refunded' | 'kept') => ({ kind, amountMinor: '10000', currency: 'BDT' });

  test.each([
    ['refunded', 'REFUNDED'],
    ['kept', 'KEPT'],
  ] as const)('that a question finds %s ends so, never as if there had been none', async (kind, status) => {
    // An operator who searches for a payer's money must find its outcome in the status.
    const staged = await late({ late: () => money(kind) });
    expect(await staged.late().result()).toBe(kind);
    expect(await statusOf(staged)).toBe(status);
  });

  test('stays open while it is on its way back, and ends with its refund', async () => {
    // The workflow must end when the payer has the money, not when the refund was requested.
    const staged = theatre.stage({ late: () => money('refunding'), lookedAt: () => money('refunded') });
    await arrive(staged, 1n, theatre.realTime.dispatch);
    await until(async () => (await statusOf(staged)) === 'REFUNDING');
    expect((await staged.late().describe()).status.name).toBe('RUNNING');
    expect(await theatre.realTime.dispatch.signalRefundEnded(staged.attemptReference)).toBe(true);
    expect(await staged.late().result()).toBe('refunded');
    expect(await statusOf(staged)).toBe('REFUNDED');
    expect(staged.asked.late).toHaveLength(1);
    expect(await theatre.realTime.dispatch.signalRefundEnded(staged.attemptReference)).toBe(false);
  });

  test('is held again when its refund fails', async () => {
    // The money is still here, and an operator must decide again.
    const staged = theatre.stage({ late: () => money('refunding'), lookedAt: () => money('held') });
    await arrive(staged, 1n, theatre.realTime.dispatch);
    await until(async () => (await statusOf(staged)) === 'REFUNDING');
    await theatre.realTime.dispatch.signalRefundEnded(staged.attemptReference);
    await until(async () => (await statusOf(staged)) === 'HELD');
    await staged.late().terminate();
  });

  test('hears of the end of its refund also when nobody tells', async () => {
    // A signal may be lost when its sender dies, so the row is read from time to time.
    const staged = await late({
      late: () => money('refunding'),
      lookedAt: (call) => money(call < 3 ? 'refunding' : 'refunded'),
    });
    expect(await staged.late().result()).toBe('refunded');
    expect(staged.asked.lookedAt).toHaveLength(3);
  });

  test('that stays unclear for 72 hours is left to people, and asked about again by a new callback', async () => {
    // Queries must not continue forever unnoticed, and the case must not be closed as if there were no money.
    let silent = true;
    const staged = await late({ late: () => (silent ? away() : { kind: 'nothing' }) });
    await until(async () => (await waitsFor(staged)) === 'review');
    expect(await statusOf(staged)).toBe('PENDING');
    expect(staged.asked.parked).toHaveLength(1);
    expect(staged.asked.late.length).toBeLessThanOrEqual(80);
    expect(await detailsOf(staged.late())).toMatch(/^The gateway has given no clear answer for 72 hours/);
    expect((await staged.late().describe()).status.name).toBe('RUNNING');
    silent = false;
    await arrive(staged, 2n);
    expect(await staged.late().result()).toBe('nothing-unapplied');
    expect(await statusOf(staged)).toBe('NOTHING_LATE');
  });
});
