import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { reset } from './scripted-answers.ts';
import { createScriptedWorld, type ScriptedWorld } from './scripted-payments.ts';

let world: ScriptedWorld;
beforeAll(async () => {
  world = await createScriptedWorld();
});
afterAll(() => world.close());
beforeEach(() => reset(world));

test('a review stops an open payment and keeps its first reason and time, with one alarm', async () => {
  // A person is alerted once and sees the reason. A repeated call must not overwrite it.
  const input = await world.payment();
  await world.activities.markForReview({ ...input, reason: 'STORE_MISMATCH' });
  const first = await world.paymentRow(input);
  expect(first).toMatchObject({ status: 'PENDING', review_reason: 'STORE_MISMATCH' });
  expect(Math.abs(Date.now() - Date.parse(String(first?.['review_since'])))).toBeLessThan(60_000);
  await world.activities.markForReview({ ...input, reason: 'RISK_FLAGGED' });
  expect(await world.paymentRow(input)).toEqual(first);
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

test('a review changes neither a payment that has ended nor another payment', async () => {
  // A payment that has ended must not change.
  const ended = await world.payment({ status: 'EXPIRED', ended_at: '2026-01-01T00:00:00Z' });
  const other = await world.payment();
  await world.activities.markForReview({ ...ended, reason: 'RISK_FLAGGED' });
  expect(await world.paymentRow(ended)).toMatchObject({ status: 'EXPIRED', review_reason: null });
  expect(await world.paymentRow(other)).toMatchObject({ status: 'CREATED', review_reason: null });
  expect(world.log).toEqual([]);
});

test('a review that cannot be written is logged by name and retried', async () => {
  // Operators look in the log first.
  const input = await world.payment();
  await expect(
    world.activities.markForReview({ ...input, applicationId: '9'.repeat(30), reason: 'RISK_FLAGGED' }),
  ).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
  expect(world.log).toEqual([expect.objectContaining({ level: 'warn', activity: 'markForReview' })]);
});

test('a review of a payment that does not exist fails', async () => {
  // Its workflow then ends visibly: an older backup was restored.
  const { reference: _, ...input } = await world.payment();
  await expect(
    world.activities.markForReview({ ...input, reference: 'pay_missing', reason: 'RISK_FLAGGED' }),
  ).rejects.toMatchObject({ type: 'ROW_MISSING' });
});
