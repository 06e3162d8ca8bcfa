import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { refundReference } from '../../../domain/references.ts';
import { AT, createSweepWorld, QUIET, type SweepWorld } from '../sweep/sweep-world.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await createSweepWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

/** Stores a decision that no workflow has read. */
async function decision(kind: string, columns: { refundId?: string; needsSecond?: boolean } = {}): Promise<string> {
  const [operator] = await world.rows(
    `insert into operators (email, name, password_hash) values (?, 'X', 'none') returning id::text`,
    [`${refundReference().toLowerCase()}@example.com`],
  );
  const { paymentId } = await world.payment({ status: 'PENDING', review_reason: 'RISK_FLAGGED', review_since: AT });
  const refundId = columns.refundId ?? null;
  const [row] = await world.rows(
    `insert into decisions (application_id, mode, kind, payment_id, refund_id, decision, operator_id, needs_second, next_sweep_at)
     select application_id, mode, ?, coalesce((select payment_id from refunds where id = ?::bigint), id), ?::bigint,
       case when ? = 'refund' then 'approve' else 'accept' end, ?::bigint, ?, now() - interval '1 second'
     from payments where id = ?::bigint returning id::text`,
    [kind, refundId, refundId, kind, operator?.['id'], columns.needsSecond ?? false, paymentId],
  );
  return String(row?.['id']);
}

test('an unread decision is signalled to its refund', async () => {
  // The decision's row was written, but its signal was lost.
  const { id, reference } = await world.refund({ due: false });
  const decisionId = await decision('refund', { refundId: id });
  expect(await world.sweep()).toEqual({ ...QUIET, decisionsSignalled: 1 });
  expect(world.calls).toMatchObject([['startRefund', { reference }, BigInt(decisionId)]]);
});

test('an unread decision is signalled to its payment under review, again in five minutes', async () => {
  // The row stays unread until the workflow has taken the decision.
  const decisionId = await decision('review');
  expect(await world.sweep()).toEqual({ ...QUIET, decisionsSignalled: 1 });
  expect(world.calls).toMatchObject([['signalReviewDecision', { applicationName: 'Shop' }, BigInt(decisionId)]]);
  expect(await world.secondsUntilNext('decisions', 'id', decisionId)).toBeGreaterThan(270);
});

test('a decision that needs a second person is not signalled', async () => {
  // One of two approvals must not decide anything.
  await decision('review', { needsSecond: true });
  expect(await world.sweep()).toEqual(QUIET);
});
