import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { RefundAnswer, RefundState } from '../../workflows/messages/refund.ts';
import { detailsOf, timesOf } from './staged-payments.ts';
import { openRefundTheatre, type RefundTheatre } from './staged-refunds.ts';
import { until } from '../support/until.ts';

let theatre: RefundTheatre;
beforeAll(async () => {
  theatre = await openRefundTheatre();
});
afterAll(() => theatre.close());

const DAY_MS = 86_400_000;
const awaiting = (): RefundState => ({
  kind: 'awaiting',
  dueAtMs: Date.now() + 7 * DAY_MS,
  remindAtMs: Date.now() + DAY_MS,
  nowMs: Date.now(),
});
const away = (): Promise<never> =>
  Promise.reject(ApplicationFailure.nonRetryable('the gateway could not be reached', 'GATEWAY_UNAVAILABLE'));

describe('a refund', () => {
  test('that the gateway carries out ends SUCCEEDED', async () => {
    // Covers the whole refund: requested, accepted, queried, refunded and posted once.
    const staged = theatre.stage({ drive: (call) => ({ kind: call < 4 ? 'waiting' : 'refunded' }) });
    await theatre.skipping.startRefund(staged.refund);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.end).toMatchObject([{ status: 'SUCCEEDED', reference: staged.refund.reference }]);
    expect(await detailsOf(staged.handle())).toBe('Ended: SUCCEEDED.');
    expect(await (await staged.handle().describe()).staticSummary()).toBe(
      'Refund of 25.00 BDT for Shop through sslcommerz (TEST)',
    );
  });

  test('that the gateway refuses ends FAILED with its code', async () => {
    // Only a clear answer of the gateway ends a refund.
    const staged = theatre.stage({ drive: () => ({ kind: 'failed', code: 'GATEWAY_REFUSED_REFUND' }) });
    await theatre.skipping.startRefund(staged.refund);
    expect(await staged.handle().result()).toBe('FAILED');
    expect(staged.asked.end).toMatchObject([{ status: 'FAILED', failureCode: 'GATEWAY_REFUSED_REFUND' }]);
  });

  test('is asked for again, for days, while the gateway cannot be reached or is processing', async () => {
    // A refund that takes a week has not failed.
    const staged = theatre.stage({
      drive: (call): RefundAnswer | Promise<RefundAnswer> =>
        call % 2 === 1 ? away() : { kind: call < 30 ? 'waiting' : 'refunded' },
    });
    await theatre.skipping.startRefund(staged.refund);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    const history = await staged.handle().fetchHistory();
    const times = timesOf(history, 'activityTaskScheduled');
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(4 * DAY_MS);
    expect(staged.asked.end).toHaveLength(1);
  });

  test('that the gateway never finishes is left to a person after thirty days', async () => {
    // Time alone must not make a refund fail.
    const staged = theatre.stage({ drive: () => ({ kind: 'waiting' }) });
    await theatre.skipping.startRefund(staged.refund);
    await until(() => staged.asked.reviews.length === 1);
    expect(staged.asked.reviews).toEqual(['STUCK_AT_GATEWAY']);
    expect(await staged.progress()).toMatchObject({ status: 'PENDING', waitingFor: 'operator' });
    expect(staged.asked.end).toEqual([]);
    await staged.handle().terminate();
  });

  test('whose outcome is unclear waits for the operator and goes on as he decides', async () => {
    // The decision may be to query the gateway once more.
    const staged = theatre.stage({
      drive: (call) => (call === 1 ? { kind: 'unclear', reason: 'REFUSED_AFTER_DOUBT' } : { kind: 'refunded' }),
      decide: () => ({ kind: 'pending' }),
    });
    await theatre.realTime.startRefund(staged.refund);
    await until(() => staged.asked.reviews.length === 1);
    expect(await theatre.realTime.startRefund(staged.refund, 5n)).toBe('running');
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.decide).toMatchObject([{ decisionIds: ['5'], expired: false }]);
  });

  test('takes up a signal that comes while the gateway works, once, and hurries nothing', async () => {
    // A signal sent by hand, or a decision that came too late, must not make the queries more frequent.
    const staged = theatre.stage({ drive: () => ({ kind: 'waiting' }), decide: () => ({ kind: 'pending' }) });
    await theatre.realTime.startRefund(staged.refund);
    await until(async () => (await staged.progress()).until !== null);
    await staged.handle().signal('decision', 'by hand');
    await until(() => staged.asked.decide.length === 1);
    await staged.handle().signal('decision', 'again');
    await until(() => staged.asked.decide.length === 2);
    expect(staged.asked.decide.map(({ decisionIds }) => decisionIds)).toEqual([['by hand'], ['again']]);
    expect(staged.asked.drive).toHaveLength(1);
    await staged.handle().terminate();
  });

  test('ends by a decision that comes while it waits for the gateway', async () => {
    // The row must also be read when a signal comes during a pause.
    const staged = theatre.stage({
      drive: () => ({ kind: 'waiting' }),
      decide: () => ({ kind: 'ended', status: 'FAILED' }),
    });
    await theatre.realTime.startRefund(staged.refund);
    await until(async () => (await staged.progress()).until !== null);
    await theatre.realTime.startRefund(staged.refund, 8n);
    expect(await staged.handle().result()).toBe('FAILED');
    expect(staged.asked.end).toEqual([]);
  });

  test('under review tells so, also in a fresh run', async () => {
    // Operators filter the Temporal UI by this status.
    const staged = theatre.stage({ stand: () => ({ kind: 'review', reason: 'GATEWAY_CANCELLED' }) });
    await theatre.realTime.startRefund(staged.refund);
    await until(async () => (await staged.progress()).waitingFor === 'operator');
    expect(await detailsOf(staged.handle())).toContain('GATEWAY_CANCELLED');
    const history = await staged.handle().fetchHistory();
    const upserted = history.events?.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes);
    expect(upserted).toHaveLength(1);
    expect(staged.asked.drive).toEqual([]);
    await staged.handle().terminate();
  });

  test('that has ended is not run again', async () => {
    const staged = theatre.stage();
    await theatre.skipping.startRefund(staged.refund);
    await staged.handle().result();
    expect(await theatre.skipping.startRefund(staged.refund)).toBe('completed');
    expect(staged.asked.end).toHaveLength(1);
  });

  test('goes on from its row when its workflow was terminated by hand', async () => {
    // The row contains everything that a new run needs.
    const staged = theatre.stage({
      stand: (call) => (call === 1 ? awaiting() : { kind: 'pending' }),
    });
    await theatre.realTime.startRefund(staged.refund);
    await until(async () => (await staged.progress()).waitingFor === 'approval');
    await staged.handle().terminate();
    expect(await theatre.realTime.startRefund(staged.refund)).toBe('running');
    expect(await staged.handle().result()).toBe('SUCCEEDED');
  });

  test('retries its booking with pauses and gives up visibly', async () => {
    // The posting must not be retried forever unnoticed. The sweeper resumes it.
    const broken = (): Promise<never> =>
      Promise.reject(ApplicationFailure.nonRetryable('the database is away', 'INTERNAL_ERROR'));
    const staged = theatre.stage({ end: broken });
    await theatre.skipping.startRefund(staged.refund);
    await expect(staged.handle().result()).rejects.toThrow();
    expect((await staged.handle().describe()).status.name).toBe('FAILED');
    expect(staged.asked.end.length).toBeGreaterThan(5);
  });
});

describe('an approval', () => {
  test('is waited for, and a signal alone leaves it waiting', async () => {
    // The row decides: for the first signal the activity found no approval.
    const staged = theatre.stage({
      stand: awaiting,
      decide: (call) => (call === 1 ? awaiting() : { kind: 'pending' }),
    });
    await theatre.realTime.startRefund(staged.refund);
    await until(async () => (await staged.progress()).waitingFor === 'approval');
    await staged.handle().signal('decision', 'by hand');
    await until(() => staged.asked.decide.length === 1);
    expect((await staged.progress()).waitingFor).toBe('approval');
    expect(staged.asked.drive).toEqual([]);
    await theatre.realTime.startRefund(staged.refund, 9n);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.decide.map(({ decisionIds }) => decisionIds)).toEqual([['by hand'], ['9']]);
  });

  test('that is refused ends the refund without the gateway', async () => {
    // The gateway must not be called before a second person has approved.
    const staged = theatre.stage({ stand: awaiting, decide: () => ({ kind: 'ended', status: 'REJECTED' }) });
    await theatre.realTime.startRefund(staged.refund, 3n);
    expect(await staged.handle().result()).toBe('REJECTED');
    expect(staged.asked.drive).toEqual([]);
    expect(staged.asked.end).toEqual([]);
  });

  test('that never comes is reminded of once, and ends when its time is over', async () => {
    // Seven days on skipped time.
    const staged = theatre.stage({
      stand: awaiting,
      decide: (_call, { expired }) => (expired ? { kind: 'ended', status: 'REJECTED' } : awaiting()),
    });
    await theatre.skipping.startRefund(staged.refund);
    expect(await staged.handle().result()).toBe('REJECTED');
    expect(staged.asked.reminders).toHaveLength(1);
    expect(staged.asked.decide).toMatchObject([{ expired: true, decisionIds: [] }]);
  });
});
