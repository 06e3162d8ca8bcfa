import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTheatre, type Script, type StagedPayment, type Theatre } from './staged-payments.ts';
import { until } from '../support/until.ts';

let theatre: Theatre;
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre.close());

/** Stages a payment whose confirmed charge the gateway flags as risky. */
async function underReview(script: Script): Promise<StagedPayment> {
  const staged = theatre.stage({
    verify: (_call, { riskAccepted }) =>
      riskAccepted === true ? { kind: 'charged' } : { kind: 'review', reason: 'RISK_FLAGGED' },
    ...script,
  });
  const { dispatch } = theatre.realTime;
  await dispatch.startPayment(staged.payment);
  await dispatch.signalCallback(staged.payment.reference, 1n);
  await until(() => staged.asked.review.length === 1);
  return staged;
}

const decide = (staged: StagedPayment, id: bigint): Promise<void> =>
  theatre.realTime.dispatch.signalReviewDecision(staged.payment, id);

describe('a payment under review', () => {
  test('that is accepted succeeds by what the gateway confirms once more', async () => {
    // The operator accepts the risk, but the gateway must still confirm the charge.
    const staged = await underReview({ reviewDecision: () => ({ kind: 'accept', decisionId: '12' }) });
    await decide(staged, 12n);
    expect(await staged.handle().result()).toBe('SUCCEEDED');
    expect(staged.asked.verify.at(-1)).toMatchObject({ riskAccepted: true, final: false });
    expect(staged.asked.settle).toMatchObject([{ status: 'SUCCEEDED', decisionId: '12' }]);
    expect(staged.asked.lookedForLate).toEqual([]);
  });

  test('that is rejected fails, and its money is looked for as unapplied money', async () => {
    // Money that was taken must not be forgotten.
    const staged = await underReview({ reviewDecision: () => ({ kind: 'reject', decisionId: '13' }) });
    await decide(staged, 13n);
    expect(await staged.handle().result()).toBe('FAILED');
    expect(staged.asked.settle).toMatchObject([{ status: 'FAILED', failureCode: 'REVIEW_REJECTED', decisionId: '13' }]);
    expect(staged.asked.lookedForLate).toHaveLength(1);
  });

  test('whose rejection was carried out by a task that was lost is ended all the same, and looked for unapplied money', async () => {
    // Otherwise the workflow would wait for an operator forever, although the payment has ended.
    const staged = await underReview({
      reviewDecision: () => ({ kind: 'ended', status: 'FAILED', failureCode: 'REVIEW_REJECTED' }),
    });
    await decide(staged, 13n);
    expect(await staged.handle().result()).toBe('FAILED');
    expect(staged.asked.settle).toEqual([]);
    expect(staged.asked.lookedForLate).toHaveLength(1);
  });

  test('that was rejected is looked for unapplied money also by a run that finds it ended', async () => {
    // The workflow was terminated between the posting and the search for unapplied money.
    const staged = theatre.stage({ open: () => ({ kind: 'ended', status: 'FAILED', failureCode: 'REVIEW_REJECTED' }) });
    await theatre.realTime.dispatch.startPayment(staged.payment);
    expect(await staged.handle().result()).toBe('FAILED');
    expect(staged.asked.lookedForLate).toHaveLength(1);
    expect(staged.asked.settle).toEqual([]);
  });

  test('stays so when the gateway does not confirm what was accepted, and the decision is closed', async () => {
    // A payment must not count as paid unless the gateway confirmed it.
    const staged = await underReview({
      verify: () => ({ kind: 'review', reason: 'AMOUNT_MISMATCH' }),
      reviewDecision: () => ({ kind: 'accept', decisionId: '14' }),
    });
    await decide(staged, 14n);
    await until(() => staged.asked.declined.length === 1);
    expect(staged.asked.declined).toEqual(['AMOUNT_MISMATCH']);
    expect(staged.asked.settle).toEqual([]);
    expect(await staged.progress()).toMatchObject({ status: 'PENDING', waitingFor: 'operator' });
    await staged.handle().terminate();
  });

  test('is not moved by a signal without a decision', async () => {
    // The row decides, not the signal.
    const staged = await underReview({ reviewDecision: () => ({ kind: 'none' }) });
    await staged.handle().signal('decision', 'by hand');
    await until(() => staged.asked.decisions.length === 1);
    expect(await staged.progress()).toMatchObject({ waitingFor: 'operator' });
    expect(staged.asked.settle).toEqual([]);
    await staged.handle().terminate();
  });
});

describe('unapplied money that is held', () => {
  const held = { kind: 'held', amountMinor: '10000', currency: 'BDT' } as const;

  test('is decided about, and its workflow ends when nothing is held any more', async () => {
    // Once the money is refunded or kept, no reminder is needed.
    const staged = theatre.stage({ late: () => held, unappliedDecision: () => ({ kind: 'nothing' }) });
    const { dispatch } = theatre.realTime;
    const { attemptReference } = staged;
    await dispatch.startUnappliedPayment(staged.payment, { attemptReference, callbackId: 1n });
    await until(() => staged.asked.late.length === 1);
    await dispatch.decideUnappliedPayment(staged.payment, { attemptReference, decisionId: 21n });
    expect(await staged.late().result()).toBe('nothing-unapplied');
    expect(staged.asked.decisions).toEqual(['21']);
    expect(staged.asked.late).toHaveLength(1);
  });

  test('stays held by a decision that leaves it so', async () => {
    // The signal was sent by hand, or only one of two charges was decided.
    const staged = theatre.stage({ late: () => held, unappliedDecision: () => held });
    const { dispatch } = theatre.realTime;
    const { attemptReference } = staged;
    await dispatch.startUnappliedPayment(staged.payment, { attemptReference, callbackId: 1n });
    await until(() => staged.asked.late.length === 1);
    await staged.late().signal('decision', 'by hand');
    await until(() => staged.asked.decisions.length === 1);
    expect((await staged.late().describe()).status.name).toBe('RUNNING');
    await staged.late().terminate();
  });

  test('is decided about also when its workflow had been terminated', async () => {
    // The decision starts the workflow again. It queries the gateway and then carries out the decision.
    const staged = theatre.stage({ late: () => held, unappliedDecision: () => ({ kind: 'nothing' }) });
    const { attemptReference } = staged;
    await theatre.realTime.dispatch.decideUnappliedPayment(staged.payment, { attemptReference, decisionId: 22n });
    expect(await staged.late().result()).toBe('nothing-unapplied');
    expect(staged.asked.decisions).toEqual(['22']);
  });
});
