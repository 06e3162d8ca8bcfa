import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { attemptReference } from '../../domain/references.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/messages/names.ts';
import type { OpenCheckoutResult } from '../../workflows/messages/payment.ts';
import {
  detailsOf,
  eventNames,
  openTheatre,
  queryTimesOf,
  type Script,
  type StagedPayment,
  type Theatre,
} from './staged-payments.ts';
import { until } from '../support/until.ts';

const PATIENT = { timeoutMs: 60_000, unreachableMs: 30_000 };

let theatre: Theatre;
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre.close());

/**
 * Stages a payment that waits for its payer's choice in real time. `then` contains the results of the choices, in order.
 */
async function choosing(then: readonly OpenCheckoutResult[], script: Script = {}): Promise<StagedPayment> {
  const staged = theatre.stage({});
  const waits: OpenCheckoutResult = { kind: 'choosing', expiresAtMs: staged.expiresAtMs };
  staged.script = { ...script, open: (call) => (call === 1 ? waits : (then[call - 2] ?? waits)) };
  await theatre.realTime.dispatch.openCheckout(staged.payment, PATIENT);
  return staged;
}

const choose = (staged: StagedPayment, reference = attemptReference()): Promise<unknown> =>
  theatre.realTime.dispatch.chooseGateway(staged.payment, { attemptReference: reference, ...PATIENT });

const pay = (staged: StagedPayment): Promise<boolean> =>
  theatre.realTime.dispatch.signalCallback(staged.payment.reference, 1n);

const open = (gateway: string): OpenCheckoutResult => ({
  kind: 'open',
  expiresAtMs: Date.now() + 30 * 60_000,
  attention: false,
  gateway,
});

async function updatesOf(staged: StagedPayment): Promise<number> {
  const names = eventNames(await staged.handle().fetchHistory());
  return names.filter((name) => name === 'workflowExecutionUpdateAccepted').length;
}

async function gatewayShown(staged: StagedPayment): Promise<unknown> {
  return (await staged.handle().describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.gateway);
}

describe('a payment whose payer chooses the gateway', () => {
  test('waits for the choice, opens the chosen page, and is told by its name', async () => {
    // The page redirects the payer at once, so the update must return only after the session was tried.
    const staged = await choosing([open('bkash')], { verify: () => ({ kind: 'charged' }) });
    expect(await staged.progress()).toMatchObject({ status: 'PENDING', waitingFor: 'payer' });
    expect(await choose(staged)).toEqual({ status: 'PENDING' });
    expect(staged.asked.open).toHaveLength(2);
    expect(await gatewayShown(staged)).toBe('bkash');
    await pay(staged);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.settle).toHaveLength(1);
  });

  test('opens another page for each change of mind, and is told by the last', async () => {
    // Each choice opens its own session. A payer who changes the choice must not get the page of the earlier one.
    const staged = await choosing([open('bkash'), open('sslcommerz'), open('bkash')]);
    for (const gateway of ['bkash', 'sslcommerz', 'bkash']) {
      await choose(staged);
      expect(await gatewayShown(staged)).toBe(gateway);
    }
    expect(staged.asked.open).toHaveLength(4);
    await staged.handle().terminate();
  });

  test('tries a choice once, however often the same request comes', async () => {
    // A form sent twice names the same attempt. It must neither open two sessions nor wait forever.
    const staged = await choosing([open('bkash')]);
    const reference = attemptReference();
    await Promise.all([choose(staged, reference), choose(staged, reference)]);
    expect(await choose(staged, reference)).toEqual({ status: 'PENDING' });
    expect(staged.asked.open).toHaveLength(2);
    await staged.handle().terminate();
  });

  test('lets the payer choose again when the gateway refuses him', async () => {
    // One unavailable gateway must not end the payment if another can take it.
    const staged = await choosing([{ kind: 'choosing', expiresAtMs: Date.now() + 60_000 }, open('sslcommerz')], {
      verify: () => ({ kind: 'charged' }),
    });
    expect(await choose(staged)).toEqual({ status: 'PENDING' });
    expect(await staged.progress()).toMatchObject({ waitingFor: 'payer' });
    expect(staged.asked.settle).toEqual([]);
    await choose(staged);
    await pay(staged);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
  });

  test('tries an unreachable gateway again, and leaves it at once for another choice', async () => {
    // A payer who has chosen another gateway must not wait for the pause between two tries.
    const away: OpenCheckoutResult = { kind: 'unavailable', expiresAtMs: Date.now() + 30 * 60_000 };
    const staged = await choosing([away, away, away, open('sslcommerz')]);
    await choose(staged);
    await until(() => staged.asked.open.length >= 4);
    const before = staged.asked.open.length;
    await choose(staged);
    expect(staged.asked.open.length).toBeGreaterThan(before);
    await until(async () => (await detailsOf(staged.handle())).startsWith('Waiting for the payer'));
    expect(await gatewayShown(staged)).toBe('sslcommerz');
    await staged.handle().terminate();
  });

  test('asks the gateway before it opens another page when a callback came with the choice', async () => {
    // Existing money must be found first, so that the payer is not sent to pay a second time.
    const question = Promise.withResolvers<{ kind: 'charged' }>();
    const staged = await choosing([open('bkash'), open('sslcommerz')], { verify: () => question.promise });
    await choose(staged);
    await pay(staged);
    await until(() => staged.asked.verify.length === 1);
    const second = choose(staged);
    // Three updates: the checkout's, the first choice's and this one. The third must arrive before the answer.
    await until(async () => (await updatesOf(staged)) === 3);
    question.resolve({ kind: 'charged' });
    expect(await second).toEqual({ status: 'SUCCEEDED' });
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.open).toHaveLength(2);
  });

  test('goes on opening the chosen page after a callback from the one that he has left', async () => {
    // The first gateway reports that the payer left, and the chosen one may be back in ten seconds.
    let isAway = true;
    const staged = await choosing([], { verify: () => ({ kind: 'undecided', hopeful: false }) });
    const away: OpenCheckoutResult = { kind: 'unavailable', expiresAtMs: staged.expiresAtMs };
    staged.script = { ...staged.script, open: () => (isAway ? away : open('bkash')) };
    await choose(staged);
    await pay(staged);
    await until(() => staged.asked.verify.length === 1);
    isAway = false;
    await until(async () => (await gatewayShown(staged)) === 'bkash');
    await until(async () => (await detailsOf(staged.handle())).startsWith('Waiting for the payer'));
    await staged.handle().terminate();
  });

  test('asks about money that a callback claims while the chosen gateway stays away', async () => {
    // The payer may have paid at the first gateway. Tries to open another session must not delay that until expiry.
    const away: OpenCheckoutResult = { kind: 'unavailable', expiresAtMs: Date.now() + 30 * 60_000 };
    const staged = await choosing(
      Array.from({ length: 50 }, () => away),
      {
        verify: (call) => (call === 1 ? { kind: 'undecided', hopeful: true } : { kind: 'charged' }),
      },
    );
    await choose(staged);
    await pay(staged);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.verify).toMatchObject([{ final: false }, { final: false }]);
    expect(staged.asked.open.length).toBeGreaterThan(2);
  });

  test('asks again about money under way when the next choice cannot be opened', async () => {
    // The payer paid with a slow wallet and then chose a gateway that is unavailable. The wallet's money must finalize the payment.
    const staged = await choosing([open('bkash')], {
      verify: (call) => (call === 1 ? { kind: 'undecided', hopeful: true } : { kind: 'charged' }),
    });
    await choose(staged);
    await pay(staged);
    await until(async () => (await detailsOf(staged.handle())).startsWith('Waiting for the gateway to confirm'));
    const away: OpenCheckoutResult = { kind: 'unavailable', expiresAtMs: staged.expiresAtMs };
    staged.script = { ...staged.script, open: () => away };
    await choose(staged);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.verify).toMatchObject([{ final: false }, { final: false }]);
  });

  test('opens nothing for a signal that comes when it has ended', async () => {
    // The sweeper may repeat a choice at any time.
    const staged = await choosing([open('bkash')], { verify: () => ({ kind: 'charged' }) });
    await choose(staged);
    await pay(staged);
    await staged.handle().result();
    expect(await theatre.realTime.dispatch.signalChoice(staged.payment.reference)).toBe(false);
  });

  test('expires where nobody chooses, after one last look', async () => {
    // Without an attempt there is nothing to query, but the rows decide that, not the clock.
    const staged = theatre.stage({});
    staged.script = { open: () => ({ kind: 'choosing', expiresAtMs: staged.expiresAtMs }) };
    await theatre.skipping.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('EXPIRED');
    expect(staged.asked.verify).toMatchObject([{ final: true }]);
  });

  test('keeps to the pauses of the final questions when a choice comes after expiry', async () => {
    // No session is opened after expiry, so an open choice must not cause queries without a pause.
    const staged = theatre.stage({});
    const { reference } = staged.payment;
    staged.script = {
      verify: async (call) => {
        if (call === 1 || call === 40) {
          await theatre.realTime.dispatch.signalChoice(reference);
        }
        return call <= 85 ? { kind: 'undecided', hopeful: false, withOperator: true } : { kind: 'charged' };
      },
    };
    await theatre.skipping.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    const asked = queryTimesOf(await staged.handle().fetchHistory());
    expect((asked.at(-1) ?? 0) - staged.expiresAtMs).toBeGreaterThanOrEqual(72 * 3_600_000);
    expect(staged.asked.open).toHaveLength(1);
  });

  test('answers a choice that comes after expiry', async () => {
    // The payer's browser waits for an answer, and no session is opened any more.
    const staged = theatre.stage({}, 100);
    staged.script = { verify: () => ({ kind: 'undecided', hopeful: false, withOperator: true }) };
    await theatre.realTime.dispatch.startPayment(staged.payment);
    await until(async () => (await detailsOf(staged.handle())).startsWith('Expired, but the payer has submitted'));
    expect(await choose(staged)).toEqual({ status: 'PENDING' });
    expect(staged.asked.open).toHaveLength(1);
    await staged.handle().terminate();
  });
});
