import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { Verdict } from '../../workflows/messages/payment.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/messages/names.ts';
import { until } from '../support/until.ts';
import { openTheatre, type Script, type StagedPayment, type Theatre } from './staged-payments.ts';

let theatre: Theatre;
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre.close());

const away = (): Promise<never> =>
  Promise.reject(ApplicationFailure.nonRetryable('the gateway could not be reached', 'GATEWAY_UNAVAILABLE'));

const waitsFor = async (staged: StagedPayment): Promise<unknown> =>
  (await staged.handle().describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.waitsFor);

async function started(script: Script, expiresInMs?: number): Promise<StagedPayment> {
  const staged = theatre.stage(script, expiresInMs);
  await theatre.realTime.dispatch.startPayment(staged.payment);
  return staged;
}

test('a payment whose gateway is silent waits for the gateway while it is queried, and then for its payer again', async () => {
  // Operators look for gateways in trouble by this attribute, while they are in trouble.
  let answer: (verdict: Verdict) => void = () => undefined;
  const staged = await started({
    verify: (call) =>
      call === 1
        ? away()
        : new Promise((resolve) => {
            answer = resolve;
          }),
  });
  await until(async () => (await waitsFor(staged)) === 'payer');
  await theatre.realTime.dispatch.signalCallback(staged.payment.reference, 1n);
  await until(async () => (await waitsFor(staged)) === 'gateway');
  await until(() => staged.asked.verify.length === 2);
  answer({ kind: 'undecided', hopeful: false });
  await until(async () => (await waitsFor(staged)) === 'payer');
  await staged.handle().terminate();
});

test('a payment whose page cannot be opened waits for the gateway', async () => {
  // The payer cannot do anything.
  const staged = theatre.stage();
  staged.script = { open: () => ({ kind: 'unavailable', expiresAtMs: staged.expiresAtMs }) };
  await theatre.realTime.dispatch.startPayment(staged.payment);
  await until(async () => (await waitsFor(staged)) === 'gateway');
  await staged.handle().terminate();
});

test.each([
  ['the gateway does not say how it ended', 'gateway', { kind: 'undecided', hopeful: false }],
  ['an operator has to say whether it was paid', 'review', { kind: 'undecided', hopeful: false, withOperator: true }],
] as const)('an expired payment of which %s waits for: %s', async (_what, expected, verdict) => {
  // Neither ends by time alone.
  const staged = await started({ verify: () => verdict }, 1_000);
  await until(async () => (await waitsFor(staged)) === expected);
  await staged.handle().terminate();
});

test('a payment that its query has finalized ends without another step', async () => {
  // Finalizing again would be harmless, but costs a transaction and a marker for every payment.
  const staged = await started({ verify: () => ({ kind: 'charged', isFinalized: true }) });
  await theatre.realTime.dispatch.signalCallback(staged.payment.reference, 1n);
  expect(await staged.handle().result()).toBe('SUCCEEDED');
  expect(staged.asked.verify).toMatchObject([{ finalizes: true, executesNothing: true }]);
  expect(staged.asked.settle).toEqual([]);
  expect(await waitsFor(staged)).toBeUndefined();
});

test('a query during a review never finalizes', async () => {
  // Only an operator ends a review.
  const staged = await started({
    verify: (call) => (call === 1 ? { kind: 'review', reason: 'AMOUNT_MISMATCH' } : { kind: 'charged' }),
  });
  await theatre.realTime.dispatch.signalCallback(staged.payment.reference, 1n);
  await until(async () => (await waitsFor(staged)) === 'review');
  await theatre.realTime.dispatch.signalCallback(staged.payment.reference, 2n);
  await until(() => staged.asked.verify.length === 2);
  expect(staged.asked.verify[1]?.finalizes).toBeUndefined();
  await staged.handle().terminate();
});
