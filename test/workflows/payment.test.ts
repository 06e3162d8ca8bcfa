import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../workflows/messages/names.ts';
import { decisionSignal } from '../../workflows/messages/refund.ts';
import type { FinalStatus } from '../../domain/payment.ts';
import { attemptReference } from '../../domain/references.ts';
import type { OpenCheckoutResult, Verdict } from '../../workflows/messages/payment.ts';
import { advanceWorkflow } from '../support/temporal.ts';
import {
  detailsOf,
  eventNames,
  lengthen,
  openTheatre,
  queryTimesOf,
  type Script,
  type StagedPayment,
  type Theatre,
} from './staged-payments.ts';
import { until } from '../support/until.ts';

const HOUR_MS = 3_600_000;
const PATIENT = { timeoutMs: 60_000, unreachableMs: 30_000 };

let theatre: Theatre;
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre.close());

/** The gateway is unavailable, as the workflow sees it after the activity's own retries. */
const away = (): Promise<never> =>
  Promise.reject(ApplicationFailure.nonRetryable('the gateway could not be reached', 'GATEWAY_UNAVAILABLE'));

/** The database is unavailable for longer than the activity's own retries, which run in real time. */
const databaseAway = (): Promise<never> =>
  Promise.reject(ApplicationFailure.nonRetryable('an internal error', 'INTERNAL_ERROR'));

async function startSkipping(script: Script, expiresInMs?: number): Promise<StagedPayment> {
  const staged = theatre.stage(script, expiresInMs);
  await theatre.skipping.dispatch.startPayment(staged.payment);
  return staged;
}

/** Stages a payment that waits for its payer in real time. */
async function waiting(script: Script = {}): Promise<StagedPayment> {
  const staged = theatre.stage(script);
  await theatre.realTime.dispatch.openCheckout(staged.payment, PATIENT);
  return staged;
}

/** Stages a payment on skipped time, with a callback that existed when it began. */
async function calledBack(script: Script): Promise<StagedPayment> {
  const staged = theatre.stage({});
  staged.script = {
    ...script,
    open: () => ({ kind: 'open', expiresAtMs: staged.expiresAtMs, attention: true }),
  };
  await theatre.skipping.dispatch.startPayment(staged.payment);
  return staged;
}

const callback = (staged: StagedPayment, id = 1n): Promise<boolean> =>
  theatre.realTime.dispatch.signalCallback(staged.payment.reference, id);

async function statusOf(handle: WorkflowHandle): Promise<unknown> {
  const { typedSearchAttributes } = await handle.describe();
  return typedSearchAttributes.get(SEARCH_ATTRIBUTES.status);
}

async function waitsFor(handle: WorkflowHandle): Promise<unknown> {
  return (await handle.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.waitsFor);
}

describe('a payment that the payer acts on', () => {
  const ends: [Verdict['kind'], Verdict, FinalStatus, string | undefined][] = [
    ['charged', { kind: 'charged' }, 'SUCCEEDED', undefined],
    ['failed', { kind: 'failed' }, 'FAILED', 'GATEWAY_DECLINED'],
    ['cancelled', { kind: 'cancelled' }, 'CANCELLED', undefined],
    ['expired', { kind: 'expired' }, 'EXPIRED', undefined],
  ];
  test.each(ends)('ends as the gateway says: %s', async (_name, verdict, status, failureCode) => {
    // Only the gateway's own answer ends a payment, and only once.
    const staged = await waiting({ verify: () => verdict });
    expect(await detailsOf(staged.handle())).toMatch(/^Waiting for the payer until \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/);
    expect(await staged.progress()).toEqual({
      status: 'PENDING',
      waitingFor: 'payer',
      until: new Date(staged.expiresAtMs).toISOString(),
      reviewReason: null,
    });
    expect(await callback(staged)).toBe(true);
    expect(await staged.handle().result()).toBe(status);
    expect(staged.asked.verify).toMatchObject([{ final: false, reference: staged.payment.reference }]);
    expect(staged.asked.settle).toHaveLength(1);
    expect(staged.asked.settle[0]).toMatchObject({ status, ...(failureCode === undefined ? {} : { failureCode }) });
    expect(await detailsOf(staged.handle())).toBe(`Ended: ${status}.`);
    expect(await statusOf(staged.handle())).toBe(status);
    expect(await waitsFor(staged.handle())).toBeUndefined();
    // An update is the most expensive write in Temporal. A payment without errors makes one, at its end.
    const { events } = await staged.handle().fetchHistory();
    expect(events?.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes)).toHaveLength(1);
  });

  test('carries in its start what an operator filters and reads by, and nothing of the payer', async () => {
    // The Temporal UI is a work queue. It must show app, mode, reference, gateway, amount and status without opening a history.
    const { payment, handle } = await waiting();
    const { typedSearchAttributes, staticSummary } = await handle().describe();
    const { app, mode, reference, gateway, amountMinor, status, waitsFor } = SEARCH_ATTRIBUTES;
    expect([
      typedSearchAttributes.get(app),
      typedSearchAttributes.get(mode),
      typedSearchAttributes.get(reference),
      typedSearchAttributes.get(gateway),
      typedSearchAttributes.get(amountMinor),
      typedSearchAttributes.get(status),
      typedSearchAttributes.get(waitsFor),
    ]).toEqual(['7', 'TEST', payment.reference, 'sslcommerz', 10_000, 'PENDING', 'payer']);
    expect(await staticSummary()).toBe('100.00 BDT for Shop through sslcommerz (TEST)');
    await handle().terminate();
  });

  test('costs at most 25 events and 6 workflow tasks when it succeeds', async () => {
    // Temporal charges for events. The budget is a design target.
    const staged = await waiting({ verify: () => ({ kind: 'charged' }) });
    await callback(staged);
    await staged.handle().result();
    const names = eventNames(await staged.handle().fetchHistory());
    expect(names.length).toBeLessThanOrEqual(25);
    expect(names.filter((name) => name === 'workflowTaskCompleted').length).toBeLessThanOrEqual(6);
  });

  test('ends on our own page when the payer cancels and the gateway has nothing of his', async () => {
    // A cancellation is a request: the activity queries the gateway before it is granted.
    const staged = await waiting({ verify: () => ({ kind: 'cancelled' }) });
    expect(await theatre.realTime.dispatch.signalCancel(staged.payment.reference)).toBe(true);
    expect(await staged.handle().result()).toBe('CANCELLED');
    expect(staged.asked.verify).toHaveLength(1);
  });

  test('does not end by a cancel while the gateway says that he is paying', async () => {
    // A payer who cancels here and pays at the gateway has paid.
    const staged = await waiting({
      verify: (call) => (call === 1 ? { kind: 'undecided', hopeful: true } : { kind: 'charged' }),
    });
    await theatre.realTime.dispatch.signalCancel(staged.payment.reference);
    await until(async () => (await detailsOf(staged.handle())).startsWith('Waiting for the gateway to confirm'));
    expect(await staged.progress()).toMatchObject({ status: 'PENDING', waitingFor: 'gateway-answer' });
    await until(async () => (await waitsFor(staged.handle())) === 'gateway');
    await callback(staged);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
  });

  test('goes on waiting after a callback that the gateway does not confirm', async () => {
    // Whatever a callback claims, a session without a payment must stay open for its payer.
    const staged = await waiting({
      verify: (call) => (call === 1 ? { kind: 'undecided', hopeful: false } : { kind: 'charged' }),
    });
    await callback(staged, 1n);
    await until(() => staged.asked.verify.length === 1);
    await until(async () => (await detailsOf(staged.handle())).startsWith('Waiting for the payer'));
    expect(staged.asked.settle).toEqual([]);
    await callback(staged, 2n);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
  });

  test('asks once for two callbacks at once, and again for one that comes while it asks', async () => {
    // No callback may be ignored, and several may share one query.
    const first = Promise.withResolvers<Verdict>();
    const staged = await waiting({ verify: (call) => (call === 1 ? first.promise : { kind: 'charged' }) });
    await Promise.all([callback(staged, 1n), callback(staged, 2n)]);
    await until(() => staged.asked.verify.length === 1);
    await callback(staged, 3n);
    first.resolve({ kind: 'undecided', hopeful: false });
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.verify).toHaveLength(2);
    expect(staged.asked.settle).toHaveLength(1);
  });

  test('ends properly when a signal arrives just as it does', async () => {
    // A second IPN in the last millisecond must neither fail the workflow nor finalize the payment twice.
    const staged = await waiting({
      verify: () => ({ kind: 'charged' }),
      settle: async (call, { status }) => {
        if (call === 1) {
          await Promise.all([callback(staged, 2n), callback(staged, 3n)]);
        }
        return status;
      },
    });
    await callback(staged, 1n);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(new Set(staged.asked.settle.map(({ status }) => status))).toEqual(new Set(['SUCCEEDED']));
    expect(await callback(staged, 4n)).toBe(false);
  });

  test('answers with the status that stands when another settled it first', async () => {
    // The row decides: a workflow that finds the payment finalized returns its status.
    const staged = await waiting({ verify: () => ({ kind: 'failed' }), settle: () => 'SUCCEEDED' });
    await callback(staged);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(await statusOf(staged.handle())).toBe('SUCCEEDED');
  });
});

describe('hope', () => {
  test('is bounded: a claim that is never confirmed is asked after four times, then at expiry', async () => {
    // A gateway that answers "pending" forever must not fill the history.
    const staged = await calledBack({
      verify: (_call, { final }) => (final ? { kind: 'expired' } : { kind: 'undecided', hopeful: true }),
    });
    expect(await staged.handle().result()).toBe('EXPIRED');
    const times = queryTimesOf(await staged.handle().fetchHistory());
    const gaps = times.slice(1, 5).map((time, index) => Math.round((time - (times[index] ?? 0)) / 1_000));
    expect(gaps).toEqual([5, 15, 60, 300]);
    expect(staged.asked.verify.map(({ final }) => final)).toEqual([false, false, false, false, false, true]);
  });

  test('begins anew with each message, however often it was disappointed before', async () => {
    // A gateway's outage at noon must not leave a payer of one o'clock without an answer until expiry.
    const staged = await calledBack({
      verify: async (call, { final }) => {
        if (call === 5) {
          await theatre.skipping.dispatch.signalCallback(staged.payment.reference, 2n);
        }
        return final ? { kind: 'expired' } : { kind: 'undecided', hopeful: true };
      },
    });
    expect(await staged.handle().result()).toBe('EXPIRED');
    const times = queryTimesOf(await staged.handle().fetchHistory());
    const gaps = times.slice(6, 10).map((time, index) => Math.round((time - (times[index + 5] ?? 0)) / 1_000));
    expect(gaps).toEqual([5, 15, 60, 300]);
    expect(staged.asked.verify.map(({ final }) => final)).toEqual([...Array.from({ length: 10 }, () => false), true]);
  });

  test('is rewarded when the gateway confirms a little later', async () => {
    // An IPN may arrive before the gateway's own records are updated.
    const staged = await calledBack({
      verify: (call) => (call < 3 ? { kind: 'undecided', hopeful: true } : { kind: 'charged' }),
    });
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.verify.every(({ final }) => !final)).toBe(true);
  });

  test('covers a gateway that cannot be asked when the callback comes', async () => {
    // A query without an answer decides nothing and must be repeated.
    const staged = await calledBack({ verify: (call) => (call < 4 ? away() : { kind: 'charged' }) });
    expect(await staged.handle().result()).toBe('SUCCEEDED');
  });
});

describe('expiry', () => {
  test('ends an untouched payment at its time, after one last question', async () => {
    // A payment must not expire before the gateway was queried.
    const staged = await startSkipping({});
    expect(await staged.handle().result()).toBe('EXPIRED');
    expect(staged.asked.verify).toMatchObject([{ final: true }]);
    const [queriedAt = 0] = queryTimesOf(await staged.handle().fetchHistory());
    expect(Math.abs(queriedAt - staged.expiresAtMs)).toBeLessThan(5_000);
  });

  test('is the database’s word: a timer that comes too early waits for the rest', async () => {
    // The clock of Temporal's server may be ahead. Payers must not lose time to pay, and the history must not fill with queries.
    const restMs = 10 * 60_000;
    const staged = await startSkipping({
      verify: (call) => (call === 1 ? { kind: 'undecided', hopeful: false, expiresInMs: restMs } : { kind: 'expired' }),
    });
    expect(await staged.handle().result()).toBe('EXPIRED');
    const [first = 0, second = 0, ...more] = queryTimesOf(await staged.handle().fetchHistory());
    expect(more).toEqual([]);
    expect(second - first).toBeGreaterThanOrEqual(restMs);
    expect(second - first).toBeLessThan(restMs + 5_000);
  });

  test('that is only just to come is looked for at most once a second', async () => {
    // However little two clocks differ, the history must not fill with queries.
    const staged = await startSkipping({
      verify: (call) => (call < 4 ? { kind: 'undecided', hopeful: false, expiresInMs: 1 } : { kind: 'expired' }),
    });
    expect(await staged.handle().result()).toBe('EXPIRED');
    const asked = queryTimesOf(await staged.handle().fetchHistory());
    expect(asked.slice(1).every((at, index) => at - (asked[index] ?? 0) >= 1_000)).toBe(true);
  });

  test('finds by the last question what was paid in silence', async () => {
    // The payer has paid, but neither an IPN nor a browser return arrived.
    const staged = await startSkipping({ verify: () => ({ kind: 'charged' }) });
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.settle).toMatchObject([{ status: 'SUCCEEDED' }]);
  });

  test.each([
    ['not paid', { kind: 'expired' }, 'EXPIRED'],
    ['paid', { kind: 'charged' }, 'SUCCEEDED'],
  ] as const)('waits for a gateway that is away for an hour and then says: %s', async (_name, verdict, status) => {
    // An unknown state is not a failure: the payment must stay PENDING until the gateway answers.
    const staged = theatre.stage();
    staged.script = {
      // Each of six rounds queries twice: briefly, then by a regular activity.
      verify: (call) => (call <= 12 ? away() : verdict),
    };
    await theatre.skipping.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe(status);
    const asked = queryTimesOf(await staged.handle().fetchHistory());
    expect(asked).toHaveLength(13);
    expect((asked.at(-1) ?? 0) - staged.expiresAtMs).toBeGreaterThan(HOUR_MS);
    expect(staged.asked.verify.every(({ final }) => final)).toBe(true);
  });

  test('hands the payment to an operator when the gateway cannot be asked for 72 hours', async () => {
    // After three days an operator decides, not the clock. The number of queries must stay limited.
    const staged = await startSkipping({ verify: away });
    await until(() => staged.asked.review.length === 1);
    await until(async () => (await detailsOf(staged.handle())).startsWith('Under review (GATEWAY_UNREACHABLE)'));
    expect(staged.asked.review).toMatchObject([{ reason: 'GATEWAY_UNREACHABLE' }]);
    expect(staged.asked.settle).toEqual([]);
    const history = await staged.handle().fetchHistory();
    const asked = queryTimesOf(history);
    expect((asked.at(-1) ?? 0) - staged.expiresAtMs).toBeGreaterThanOrEqual(72 * HOUR_MS);
    expect(asked.length).toBeLessThanOrEqual(160);
    await staged.handle().terminate();
  });

  test('waits for an operator who is to say whether money has arrived, longer than 72 hours', async () => {
    // Time alone must not end a payment that may be paid.
    const staged = await startSkipping({
      verify: (call) => (call <= 85 ? { kind: 'undecided', hopeful: false, withOperator: true } : { kind: 'charged' }),
    });
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.review).toEqual([]);
    const asked = queryTimesOf(await staged.handle().fetchHistory());
    expect((asked.at(-1) ?? 0) - staged.expiresAtMs).toBeGreaterThanOrEqual(72 * HOUR_MS);
  });

  test('adds at most ten events to a payment that waits for a day', async () => {
    // Waiting must be one timer, not a loop that fills the history.
    const staged = theatre.stage({}, 24 * HOUR_MS);
    await theatre.skipping.dispatch.startPayment(staged.payment);
    await staged.handle().result();
    const names = eventNames(await staged.handle().fetchHistory());
    const fired = names.indexOf('timerFired');
    expect(names.slice(names.indexOf('timerStarted'), fired + 1).length).toBeLessThanOrEqual(10);
    expect(names.filter((name) => name === 'timerStarted')).toHaveLength(1);
  });

  test('is decided by a callback that comes during the final questions', async () => {
    // A gateway that is back sends an IPN. The payer must not wait another hour for the next query.
    const staged = theatre.stage({}, 100);
    let isAway = true;
    staged.script = { verify: () => (isAway ? away() : { kind: 'charged' }) };
    await theatre.realTime.dispatch.startPayment(staged.payment);
    await until(async () => (await detailsOf(staged.handle())).startsWith('Expired, but the gateway does not report'));
    isAway = false;
    await callback(staged);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
  });
});

describe('a history that has become long', () => {
  test('is not left with a decision that was told and not taken up', async () => {
    // A signal reaches only one run. If the next run does not get it, the decision waits minutes for the sweeper.
    const asking = Promise.withResolvers<Verdict>();
    const staged = theatre.stage({
      open: () => ({ kind: 'review', reason: 'AMOUNT_MISMATCH' }),
      verify: () => asking.promise,
      reviewDecision: () => ({ kind: 'reject', decisionId: '7' }),
    });
    await theatre.realTime.dispatch.startPayment(staged.payment);
    await until(async () => (await detailsOf(staged.handle())).startsWith('Under review'));
    await callback(staged);
    await until(() => staged.asked.verify.length === 1);
    await lengthen(staged.handle());
    await staged.handle().signal(decisionSignal, '7');
    asking.resolve({ kind: 'undecided', hopeful: false });
    expect(await staged.handle().result()).toBe('FAILED');
    expect(staged.asked.decisions).toEqual(['7']);
  });

  test('is not left, nor waited in for ever, with a choice that comes in the moment of leaving it', async () => {
    // The choice's handler waits for its session, which only the main loop opens. If the loop first waited for the handler, both would wait forever.
    const asking = [Promise.withResolvers<Verdict>(), Promise.withResolvers<Verdict>()];
    const staged = theatre.stage({});
    const { expiresAtMs } = staged;
    staged.script = {
      open: (call) =>
        call === 1
          ? { kind: 'choosing', expiresAtMs }
          : { kind: 'open', expiresAtMs, attention: false, gateway: 'bkash' },
      verify: (call) => asking[call - 1]?.promise ?? { kind: 'undecided', hopeful: false },
    };
    await theatre.realTime.dispatch.openCheckout(staged.payment, PATIENT);
    await callback(staged);
    await until(() => staged.asked.verify.length === 1);
    await lengthen(staged.handle());
    asking[0]?.resolve({ kind: 'undecided', hopeful: false });
    // Everything before the first query has been handled. After the second query the run has nothing left to do.
    await until(() => staged.asked.verify.length === 2);
    const choice = await theatre.withoutWorker(async () => {
      asking[1]?.resolve({ kind: 'undecided', hopeful: false });
      const chosen = theatre.realTime.dispatch.chooseGateway(staged.payment, {
        attemptReference: attemptReference(),
        ...PATIENT,
      });
      await sleep(1_000);
      return { chosen };
    });
    expect(await choice.chosen).toEqual({ status: 'PENDING' });
    expect(staged.asked.open.length).toBeGreaterThan(1);
    await staged.handle().terminate();
  });
});

describe('review', () => {
  const inReview = (staged: StagedPayment) =>
    until(async () => (await detailsOf(staged.handle())).startsWith('Under review'));

  test('is not ended by time, nor by callbacks, whatever the gateway says then', async () => {
    // An operator must decide about a charge that disagrees with its order.
    const staged = await calledBack({
      verify: (call) => (call === 1 ? { kind: 'review', reason: 'AMOUNT_MISMATCH' } : { kind: 'charged' }),
    });
    await inReview(staged);
    expect(staged.asked.review).toMatchObject([{ reason: 'AMOUNT_MISMATCH' }]);
    expect(await statusOf(staged.handle())).toBe('PENDING');
    expect(await waitsFor(staged.handle())).toBe('review');
    await callback(staged);
    await until(() => staged.asked.verify.length === 2);
    const { payment } = staged;
    await advanceWorkflow(theatre.skipping.temporal, {
      workflowId: `payment:${payment.reference}`,
      byMs: 100 * 24 * HOUR_MS,
    });
    await callback(staged, 2n);
    await until(() => staged.asked.verify.length === 3);
    await inReview(staged);
    expect(await staged.progress()).toEqual({
      status: 'PENDING',
      waitingFor: 'operator',
      until: null,
      reviewReason: 'AMOUNT_MISMATCH',
    });
    expect((await staged.handle().describe()).status.name).toBe('RUNNING');
    expect(staged.asked.settle).toEqual([]);
    await staged.handle().terminate();
  });

  test('opens no page, and answers whoever has chosen one', async () => {
    // The payer's browser waits for an answer.
    const staged = await waiting({ verify: () => ({ kind: 'review', reason: 'AMOUNT_MISMATCH' }) });
    await callback(staged);
    await inReview(staged);
    const choice = { attemptReference: attemptReference(), ...PATIENT };
    expect(await theatre.realTime.dispatch.chooseGateway(staged.payment, choice)).toEqual({ status: 'PENDING' });
    expect(staged.asked.open).toHaveLength(1);
    await staged.handle().terminate();
  });

  test('is written down although the database is away for a while', async () => {
    // The reason for the review must not be lost with a connection.
    const staged = await calledBack({
      verify: () => ({ kind: 'review', reason: 'RISK_FLAGGED' }),
      review: (call) => (call <= 4 ? databaseAway() : undefined),
    });
    await inReview(staged);
    expect(staged.asked.review).toHaveLength(5);
    await staged.handle().terminate();
  });
});

describe('opening the checkout', () => {
  test('that the gateway refuses for good fails the payment with the reason', async () => {
    // A refusal is final, and the app must learn of it at once.
    const staged = theatre.stage({ open: () => ({ kind: 'refused', code: 'GATEWAY_REFUSED_SESSION' }) });
    const opened = await theatre.realTime.dispatch.openCheckout(staged.payment, PATIENT);
    expect(opened).toEqual({ status: 'FAILED' });
    expect(await staged.handle().result()).toBe('FAILED');
    expect(staged.asked.settle).toMatchObject([{ status: 'FAILED', failureCode: 'GATEWAY_REFUSED_SESSION' }]);
    expect(staged.asked.verify).toEqual([]);
  });

  test('is tried again while the gateway is away, and the checkout opens when it is back', async () => {
    // The payer's page waits, so that the payer need not create a second payment.
    const staged = theatre.stage();
    const { expiresAtMs } = staged;
    staged.script = {
      open: (call) =>
        call <= 3 ? { kind: 'unavailable', expiresAtMs } : { kind: 'open', expiresAtMs, attention: true },
      verify: () => ({ kind: 'charged' }),
    };
    await theatre.skipping.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.open).toHaveLength(4);
    expect(new Set(staged.asked.open.map((input) => JSON.stringify(input))).size).toBe(1);
  });

  test('is given up at expiry, when the gateway is asked what became of the session', async () => {
    // A session whose answer was lost may have been paid, so the gateway must be queried.
    const staged = theatre.stage();
    staged.script = { open: () => ({ kind: 'unavailable', expiresAtMs: staged.expiresAtMs }) };
    await theatre.skipping.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('EXPIRED');
    expect(staged.asked.verify).toMatchObject([{ final: true }]);
    expect(staged.asked.open.length).toBeLessThanOrEqual(40);
    expect(eventNames(await staged.handle().fetchHistory()).length).toBeLessThanOrEqual(300);
  });

  test('says in words that the gateway cannot be reached', async () => {
    // An operator who opens the workflow must see what it is doing.
    const staged = theatre.stage();
    staged.script = { open: () => ({ kind: 'unavailable', expiresAtMs: staged.expiresAtMs }) };
    await theatre.realTime.dispatch.startPayment(staged.payment);
    await until(async () => (await detailsOf(staged.handle())) === 'The gateway cannot be reached; attempt 2 follows.');
    expect(await staged.progress()).toMatchObject({ status: 'CREATED', waitingFor: 'gateway-session' });
    await staged.handle().terminate();
  });

  test('ends by a callback for a session whose answer was lost', async () => {
    // The callback proves that the session exists, so the gateway is queried instead of opening another session.
    const staged = theatre.stage();
    staged.script = {
      open: () => ({ kind: 'unavailable', expiresAtMs: staged.expiresAtMs }),
      verify: () => ({ kind: 'charged' }),
    };
    await theatre.realTime.dispatch.startPayment(staged.payment);
    await until(() => staged.asked.open.length === 1);
    await callback(staged);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.open.length).toBeLessThanOrEqual(2);
  });

  /** Runs a payment on skipped time whose gateway stays unavailable, with one signal during the first try to open a session. */
  async function unopened(send: (reference: string) => Promise<boolean>): Promise<StagedPayment> {
    const staged = theatre.stage();
    staged.script = {
      open: async (call) => {
        if (call === 1) {
          await send(staged.payment.reference);
        }
        return { kind: 'unavailable', expiresAtMs: staged.expiresAtMs };
      },
    };
    await theatre.skipping.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('EXPIRED');
    return staged;
  }

  test('goes on after a callback that decides nothing, with its pauses, until expiry', async () => {
    // Anyone may send a callback. It must neither end the tries nor remove the pauses between them.
    const { asked } = await unopened((reference) => theatre.realTime.dispatch.signalCallback(reference, 1n));
    expect(asked.verify).toMatchObject([{ final: false }, { final: true }]);
    expect(asked.open.length).toBeGreaterThan(8);
    expect(asked.open.length).toBeLessThanOrEqual(16);
  });

  test('goes on beside a claim that is never confirmed, which is looked into as often as for an open page', async () => {
    // An unopened session must not cause queries every five seconds until expiry.
    const staged = theatre.stage();
    staged.script = {
      open: async (call) => {
        if (call === 1) {
          await theatre.realTime.dispatch.signalCallback(staged.payment.reference, 1n);
        }
        return { kind: 'unavailable', expiresAtMs: staged.expiresAtMs };
      },
      verify: (_call, { final }) => (final ? { kind: 'expired' } : { kind: 'undecided', hopeful: true }),
    };
    await theatre.skipping.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('EXPIRED');
    expect(staged.asked.verify.map(({ final }) => final)).toEqual([false, false, false, false, false, true]);
    expect(staged.asked.open.length).toBeGreaterThan(8);
    expect(staged.asked.open.length).toBeLessThanOrEqual(24);
  });

  test('is not tried again for a payer who has called the payment off', async () => {
    // A session that the payer no longer wants could only take their money.
    const { asked } = await unopened((reference) => theatre.realTime.dispatch.signalCancel(reference));
    expect(asked.open.length).toBeLessThanOrEqual(2);
  });

  test('outlives a database that is away', async () => {
    // Without the database the expiry is unknown, so the workflow must retry until it can read the row.
    const staged = theatre.stage();
    staged.script = {
      open: (call) => (call <= 5 ? databaseAway() : { kind: 'open', expiresAtMs: staged.expiresAtMs, attention: true }),
      verify: () => ({ kind: 'charged' }),
    };
    await theatre.skipping.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
  });
});

describe('the update that waits for the checkout', () => {
  test('is one for all callers, from before the session to the end', async () => {
    // Duplicate requests with one Idempotency-Key wait for the same answer, and a late one also gets it.
    const session = Promise.withResolvers<OpenCheckoutResult>();
    const staged = theatre.stage({ open: () => session.promise, verify: () => ({ kind: 'charged' }) });
    const ask = () => theatre.realTime.dispatch.openCheckout(staged.payment, PATIENT);
    const early = [ask(), ask()];
    await until(() => staged.asked.open.length === 1);
    session.resolve({ kind: 'open', expiresAtMs: staged.expiresAtMs, attention: false });
    expect(await Promise.all(early)).toEqual([{ status: 'PENDING' }, { status: 'PENDING' }]);
    expect(await ask()).toEqual({ status: 'PENDING' });
    await callback(staged);
    await staged.handle().result();
    await expect(ask()).resolves.toEqual({ status: 'PENDING' });
    expect(staged.asked.open).toHaveLength(1);
    const names = eventNames(await staged.handle().fetchHistory());
    expect(names.filter((name) => name === 'workflowExecutionUpdateAccepted')).toHaveLength(1);
  });

  test('gives up in time when the session does not come', async () => {
    // The creator must get a CREATED payment instead of an open connection.
    const session = Promise.withResolvers<OpenCheckoutResult>();
    const staged = theatre.stage({ open: () => session.promise });
    await expect(
      theatre.realTime.dispatch.openCheckout(staged.payment, { timeoutMs: 600, unreachableMs: 300 }),
    ).rejects.toThrow();
    session.resolve({ kind: 'open', expiresAtMs: staged.expiresAtMs, attention: false });
    await until(async () => (await staged.progress()).waitingFor === 'payer');
    await staged.handle().terminate();
  });

  test('is answered under review', async () => {
    // A resumed payment under review has a page to show.
    const staged = theatre.stage({ open: () => ({ kind: 'review', reason: 'STORE_MISMATCH' }) });
    expect(await theatre.realTime.dispatch.openCheckout(staged.payment, PATIENT)).toEqual({ status: 'PENDING' });
    await staged.handle().terminate();
  });
});

describe('a workflow that was terminated', () => {
  async function terminated(): Promise<StagedPayment> {
    const staged = await waiting();
    await staged.handle().terminate('by hand');
    return staged;
  }

  test('goes on waiting where its row is open', async () => {
    // A click in the Temporal UI must not lose a payment.
    const staged = await terminated();
    expect(await callback(staged)).toBe(false);
    expect(await theatre.realTime.dispatch.startPayment(staged.payment)).toBe('running');
    await until(async () => (await staged.progress()).waitingFor === 'payer');
    staged.script = { verify: () => ({ kind: 'charged' }) };
    await callback(staged);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
  });

  test('settles at once where its attempt is confirmed', async () => {
    // A confirmed charge must not be forgotten before it is posted.
    const staged = await terminated();
    staged.script = {
      open: () => ({ kind: 'open', expiresAtMs: staged.expiresAtMs, attention: true }),
      verify: () => ({ kind: 'charged' }),
    };
    await theatre.realTime.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
  });

  test('is under review again where its row is', async () => {
    // Terminating the workflow must not accept a doubtful charge.
    const staged = await terminated();
    staged.script = { open: () => ({ kind: 'review', reason: 'CURRENCY_MISMATCH' }) };
    await theatre.realTime.dispatch.startPayment(staged.payment);
    await until(async () => (await detailsOf(staged.handle())).startsWith('Under review (CURRENCY_MISMATCH)'));
    expect((await staged.progress()).reviewReason).toBe('CURRENCY_MISMATCH');
    await staged.handle().terminate();
  });

  test('returns at once where its row is final', async () => {
    // A final payment must not be queried, finalized or notified a second time.
    const staged = await terminated();
    staged.script = { open: () => ({ kind: 'ended', status: 'EXPIRED' }) };
    await theatre.realTime.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('EXPIRED');
    expect(staged.asked.settle).toEqual([]);
    expect(staged.asked.verify).toEqual([]);
  });
});

describe('one payment, one workflow', () => {
  test('however many start it at once', async () => {
    const staged = theatre.stage();
    const starts = await Promise.all(
      Array.from({ length: 50 }, () => theatre.realTime.dispatch.startPayment(staged.payment)),
    );
    expect(new Set(starts)).toEqual(new Set(['running']));
    await until(async () => (await staged.progress()).waitingFor === 'payer');
    expect(staged.asked.open).toHaveLength(1);
    await staged.handle().terminate();
  });

  test('and one that completed never runs again', async () => {
    // A sweeper on a restored database must not charge a payer twice.
    const staged = await waiting({ verify: () => ({ kind: 'charged' }) });
    await callback(staged);
    await staged.handle().result();
    expect(await theatre.realTime.dispatch.startPayment(staged.payment)).toBe('completed');
    expect(staged.asked.open).toHaveLength(1);
  });
});

describe('settling', () => {
  test('is repeated until the database is back', async () => {
    // A confirmed charge must wait for Postgres and then be posted.
    const staged = await calledBack({
      verify: () => ({ kind: 'charged' }),
      settle(call, { status }) {
        if (call <= 2) {
          return Promise.reject(new Error('connection lost'));
        }
        return call <= 8 ? databaseAway() : status;
      },
    });
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.settle).toHaveLength(9);
    expect(staged.asked.verify).toHaveLength(1);
  });

  test('that can never succeed fails visibly, and the payment is resumed and settled once it can', async () => {
    // A payment that cannot be finalized must fail visibly, and not be retried forever unnoticed.
    const staged = await calledBack({
      verify: () => ({ kind: 'charged' }),
      settle: databaseAway,
    });
    const failure = await staged
      .handle()
      .result()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect(failure).toMatchObject({ cause: { type: 'RECORDING_FAILED', nonRetryable: true } });
    const tries = staged.asked.settle.length;
    expect(tries).toBe(7);
    staged.script = {
      open: () => ({ kind: 'open', expiresAtMs: staged.expiresAtMs, attention: true }),
      verify: () => ({ kind: 'charged' }),
    };
    expect(await theatre.realTime.dispatch.startPayment(staged.payment)).toBe('running');
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.settle).toHaveLength(tries + 1);
  });
});
