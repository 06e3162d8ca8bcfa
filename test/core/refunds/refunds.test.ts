import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPaymentActivities } from '../../../activities/payments.ts';
import { doubtOpenRefunds } from '../../../core/maintenance/store/after-restore.ts';
import { refundUnappliedMoney, reserveRefund, type RefundCreator } from '../../../core/refunds/store/new-refunds.ts';
import type { RefundRecord } from '../../../core/refunds/store/refunds.ts';
import { DomainError } from '../../../domain/errors.ts';
import { refundReference } from '../../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS, type RefundBounds } from '../../../domain/refund.ts';
import type { RefundAnswer, RefundState } from '../../../workflows/messages/refund.ts';
import { createPaymentWorld, type PaymentWorld, type Row } from '../payments/payment-world.ts';
import { until } from '../../support/until.ts';
import type { StoredPayment, StoredRefund } from '../../support/stored.ts';

let world: PaymentWorld;
let operators: readonly [bigint, bigint];
beforeAll(async () => {
  world = await createPaymentWorld();
  operators = [await newOperator('a@example.com'), await newOperator('b@example.com')];
});
afterAll(() => world.close());

async function newOperator(email: string): Promise<bigint> {
  const [row] = await world.rows(
    `insert into operators (email, name, password_hash) values (?, 'Somebody', 'none') returning id`,
    [email],
  );
  return BigInt(String(row?.['id']));
}

/** Creates a payment that the gateway has charged and that is finalized. `number` selects a fault of the gateway by its amount. */
async function settled(number = 0): Promise<{ input: StoredPayment; attempt: Row; amountMinor: bigint }> {
  const amountMinor = number === 0 ? 10_000n : 131_300n + BigInt(number);
  const { input, attempt } = await world.opened({ amountMinor });
  await world.finish(attempt);
  await until(async () => (await world.callbacksOf(input)).length > 0);
  expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
  await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
  return { input, attempt, amountMinor };
}

interface Asked {
  readonly amountMinor?: bigint;
  readonly creator?: RefundCreator;
  readonly bounds?: RefundBounds;
}

function reserve(
  payment: StoredPayment,
  { amountMinor = 4_000n, creator = { type: 'APP' }, bounds = WITHOUT_REFUND_BOUNDS }: Asked = {},
): Promise<RefundRecord> {
  const scope = { applicationId: BigInt(payment.applicationId), mode: payment.mode };
  return world.database.withScope(scope, (statements) =>
    reserveRefund(statements, {
      scope,
      paymentId: BigInt(payment.paymentId),
      reference: refundReference(),
      amountMinor,
      reason: null,
      creator,
      boundsOf: () => bounds,
    }),
  );
}

const inputOf = (refund: RefundRecord): StoredRefund => ({
  refundId: refund.id.toString(),
  reference: refund.reference,
  applicationId: refund.applicationId.toString(),
  mode: refund.mode,
});

async function asked(payment: StoredPayment, options: Asked = {}): Promise<StoredRefund> {
  return inputOf(await reserve(payment, options));
}

const drive = (refund: StoredRefund): Promise<RefundAnswer> => world.activities.driveRefund(refund);
const end = (refund: StoredRefund, status: 'SUCCEEDED' | 'FAILED' = 'SUCCEEDED') =>
  world.activities.endRefund({ ...refund, status, ...(status === 'FAILED' ? { failureCode: 'NO' } : {}) });
const refundRow = async (refund: StoredRefund): Promise<Row> =>
  (await world.rows('select * from refunds where id = ?::bigint', [refund.refundId]))[0] ?? {};
const atTheGateway = async (attempt: Row): Promise<Row[]> => {
  const [session] = (await world.control('GET', `sessions/${String(attempt['reference'])}`)) as { refunds: Row[] }[];
  return session?.refunds ?? [];
};
const postingsOf = (cause: string): Promise<Row[]> =>
  world.rows(
    `select d.name as debit, c.name as credit, p.amount_minor::integer as amount from ledger_postings p
     join ledger_transactions t on t.id = p.transaction_id join ledger_accounts d on d.id = p.debit_account_id
     join ledger_accounts c on c.id = p.credit_account_id where t.cause_id = ? and t.cause_type = 'refund' order by p.id`,
    [cause],
  );
const eventsOf = (payment: StoredPayment): Promise<Row[]> =>
  world.rows(
    'select type, sequence, payload::jsonb as payload from webhook_events where payment_id = ?::bigint order by sequence',
    [payment.paymentId],
  );
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => (error instanceof DomainError ? error.code : error),
  );
}

/** Repeats the query until the answer is not "wait". */
async function driveToTheEnd(refund: StoredRefund): Promise<RefundAnswer> {
  let answer: RefundAnswer = { kind: 'waiting' };
  await until(async () => {
    answer = await drive(refund).catch((): RefundAnswer => ({ kind: 'waiting' }));
    return answer.kind !== 'waiting';
  });
  return answer;
}

describe('a reservation', () => {
  test('takes no more than was captured, whatever is asked at once', async () => {
    // Of a hundred refunds at once, only those that the payment covers may be reserved.
    const { input } = await settled();
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, () => failureOf(reserve(input, { amountMinor: 700n }))),
    );
    expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(14);
    expect(outcomes.filter((outcome) => outcome === 'REFUND_EXCEEDS_BALANCE')).toHaveLength(86);
    const [sum] = await world.rows(
      'select sum(amount_minor)::integer as sum from refunds where payment_id = ?::bigint',
      [input.paymentId],
    );
    expect(sum).toEqual({ sum: 9_800 });
  });

  test('is freed by a refund that failed, and by no other', async () => {
    // The balance counts waiting and succeeded refunds.
    const { input } = await settled();
    const first = await asked(input, { amountMinor: 10_000n });
    expect(await failureOf(reserve(input, { amountMinor: 1n }))).toBe('REFUND_EXCEEDS_BALANCE');
    await end(first, 'FAILED');
    const second = await asked(input, { amountMinor: 10_000n });
    await end(second);
    expect(await failureOf(reserve(input, { amountMinor: 1n }))).toBe('REFUND_EXCEEDS_BALANCE');
  });

  test.each(['FAILED', 'CANCELLED', 'EXPIRED'] as const)('is refused for a payment that ended %s', async (status) => {
    // There is nothing to refund.
    const { input } = await world.opened();
    await world.activities.finalizePayment({ ...input, status });
    expect(await failureOf(reserve(input))).toBe('INVALID_OPERATION_STATE');
  });

  test('of another mode or application finds no payment', async () => {
    // Otherwise the answer would reveal that another application's payment exists.
    const { input } = await settled();
    expect(await failureOf(reserve({ ...input, mode: 'LIVE' }))).toBe('RESOURCE_NOT_FOUND');
    expect(await failureOf(reserve({ ...input, applicationId: '999999' }))).toBe('RESOURCE_NOT_FOUND');
  });

  test('waits for a second person above the threshold, only when an operator asked', async () => {
    // Only an operator's refund needs approval. An application's own refund must not be held, as documented.
    await world.rows(
      'update applications set refund_approval_threshold_minor = 5000 where id = ?::bigint returning 1',
      [world.app.applicationId],
    );
    const { input } = await settled();
    const creator = { type: 'USER', operatorId: operators[0] } as const;
    expect(await reserve(input, { amountMinor: 5_000n, creator })).toMatchObject({ status: 'PENDING' });
    expect(await reserve(input, { amountMinor: 2_000n })).toMatchObject({ status: 'PENDING' });
    const other = await settled();
    expect(await reserve(other.input, { amountMinor: 5_001n, creator })).toMatchObject({ status: 'AWAITING_APPROVAL' });
    expect(await reserve((await settled()).input, { amountMinor: 10_000n })).toMatchObject({ status: 'PENDING' });
  });
});

describe('a gateway that bounds its refunds', () => {
  const once: RefundBounds = { refunds: true, refundsPerPaymentMax: 1, refundWindowDays: null };
  const within: RefundBounds = { refunds: true, refundsPerPaymentMax: null, refundWindowDays: 15 };
  const charged = (input: StoredPayment, daysAgo: number) =>
    world.rows(
      `update payment_attempts set confirmed_at = now() - make_interval(days => ?::integer) where payment_id = ?::bigint returning 1`,
      [daysAgo, input.paymentId],
    );

  test('takes one refund where that is its bound, of those that come at once and of those that come later', async () => {
    // The caller has to learn at once that bKash will refuse the refund.
    const { input } = await settled();
    const outcomes = await Promise.all(
      [1, 2, 3, 4, 5].map(() => failureOf(reserve(input, { amountMinor: 100n, bounds: once }))),
    );
    expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'INVALID_OPERATION_STATE')).toHaveLength(4);
    expect(await failureOf(reserve(input, { bounds: once }))).toBe('INVALID_OPERATION_STATE');
  });

  test('takes another one when the first has failed', async () => {
    // No money has moved, so the refund does not count.
    const { input } = await settled();
    await end(await asked(input, { bounds: once }), 'FAILED');
    expect(await failureOf(reserve(input, { bounds: once }))).toBeNull();
  });

  test('takes none when the charge is older than its window', async () => {
    // The day of the charge counts, not the day of the request.
    const { input } = await settled();
    await charged(input, 14);
    expect(await failureOf(reserve(input, { amountMinor: 1n, bounds: within }))).toBeNull();
    await charged(input, 16);
    expect(await failureOf(reserve(input, { amountMinor: 1n, bounds: within }))).toBe('INVALID_OPERATION_STATE');
    expect(await failureOf(reserve(input, { amountMinor: 1n }))).toBeNull();
  });

  test('counts what went back of the same charge as too much, and does not give that back after a refund', async () => {
    // For the gateway, both are refunds of one transaction.
    const overpaymentOf = async ({ input }: { input: StoredPayment }): Promise<bigint> => {
      const [row] = await world.rows(
        `insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
           fee_minor, currency)
         select application_id, mode, payment_id, id, gateway, 'overpayment', gateway_txn_id, '{}', 500, 0, 'BDT' from payment_attempts
         where payment_id = ?::bigint returning id::text`,
        [input.paymentId],
      );
      return BigInt(String(row?.['id']));
    };
    const refundUnapplied = (input: StoredPayment, unappliedPaymentId: bigint): Promise<RefundRecord | null> => {
      const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
      return world.database.withScope(scope, (statements) =>
        refundUnappliedMoney(statements, {
          scope,
          unappliedPaymentId,
          reference: refundReference(),
          reason: null,
          creator: { type: 'SYSTEM' },
          boundsOf: () => once,
        }),
      );
    };
    const [one, two] = [await settled(), await settled()];
    expect(await refundUnapplied(one.input, await overpaymentOf(one))).toMatchObject({
      status: 'PENDING',
      amountMinor: 500n,
    });
    expect(await failureOf(reserve(one.input, { bounds: once }))).toBe('INVALID_OPERATION_STATE');
    const overpayment = await overpaymentOf(two);
    await reserve(two.input, { bounds: once });
    expect(await refundUnapplied(two.input, overpayment)).toBeNull();
    expect(await world.rows('select status from unapplied_payments where id = ?', [overpayment])).toEqual([
      { status: 'HELD' },
    ]);
  });
});

describe('asking the gateway', () => {
  test('gives back once, however often it is asked', async () => {
    // The refund's reference is the key at the gateway, also in every retry.
    const { input, attempt } = await settled();
    const refund = await asked(input);
    expect(await drive(refund)).toEqual({ kind: 'waiting' });
    expect(await driveToTheEnd(refund)).toEqual({ kind: 'refunded' });
    expect(await atTheGateway(attempt)).toMatchObject([
      { transId: refund.reference, amount: '40.00', ends: 'refunded' },
    ]);
    expect(await refundRow(refund)).toMatchObject({ doubtful: false, status: 'PENDING' });
    expect((await refundRow(refund))['gateway_refund_id']).toMatch(/\w/);
  });

  test.each([
    ['an answer that was lost after the gateway had accepted', 61],
    ['an answer in HTML after the gateway had accepted', 66],
    ['HTTP 500 that did nothing', 65],
    ['a call that hung and did nothing', 69],
    ['questions that are answered by HTTP 500', 67],
  ])('comes to one refund through %s', async (_name, script) => {
    // A timeout is neither success nor failure. A repeated request with the same key finds the result.
    const { input, attempt } = await settled(script);
    const refund = await asked(input);
    expect(await driveToTheEnd(refund)).toEqual({ kind: 'refunded' });
    expect(await atTheGateway(attempt)).toHaveLength(1);
  });

  test.each([
    ['refuses', 62],
    ['refuses for the caller’s address', 68],
  ])('fails when the gateway plainly %s', async (_name, script) => {
    // Nothing was accepted and nothing is in doubt, so the reserved amount is released.
    const { input } = await settled(script);
    const refund = await asked(input);
    expect(await drive(refund)).toEqual({ kind: 'failed', code: 'GATEWAY_REFUSED_REFUND' });
    expect(await end(refund, 'FAILED')).toBe('FAILED');
    expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('never takes a refusal for the end after an answer was lost', async () => {
    // The first request may have been accepted, so only a person can say that no money moved.
    const { input } = await settled(62);
    const refund = await asked(input);
    await world.rows('update refunds set queried_at = now() where id = ?::bigint returning 1', [refund.refundId]);
    expect(await drive(refund)).toEqual({ kind: 'unclear', reason: 'REFUSED_AFTER_DOUBT' });
    expect(await refundRow(refund)).toMatchObject({ status: 'PENDING', doubtful: true });
  });

  test('never books one refund of the gateway’s as two of ours', async () => {
    // Asked for a second refund, a gateway can answer with the one that it is already processing.
    const { input, attempt } = await settled();
    const first = await asked(input);
    expect(await drive(first)).toEqual({ kind: 'waiting' });
    const second = await asked(input);
    await world.rows(`update refunds set reference = 'ref_' || repeat('x', 22) where id = ?::bigint returning 1`, [
      first.refundId,
    ]);
    await world.rows('update refunds set reference = ? where id = ?::bigint returning 1', [
      first.reference,
      second.refundId,
    ]);
    const [renamed, namesake] = [
      { ...first, reference: `ref_${'x'.repeat(22)}` },
      { ...second, reference: first.reference },
    ];
    for (const answered of ['at first', 'and again']) {
      expect([answered, await drive(namesake)]).toEqual([answered, { kind: 'unclear', reason: 'REFUSED_AFTER_DOUBT' }]);
    }
    const { status, gateway_refund_id: id, evidence } = await refundRow(second);
    expect([status, id]).toEqual(['PENDING', null]);
    expect(evidence).toContain('processing');
    // The refund that owns the gateway's id completes.
    expect(await driveToTheEnd(renamed)).toEqual({ kind: 'refunded' });
    expect(await atTheGateway(attempt)).toHaveLength(1);
  });

  test('never takes another store’s refusal for the end', async () => {
    // The store was changed after the payment. The new store does not know the charge and refuses.
    const { input } = await settled(62);
    const refund = await asked(input);
    await world.rows(`update refunds set store_id = 'another_store' where id = ?::bigint returning 1`, [
      refund.refundId,
    ]);
    await expect(drive(refund)).rejects.toMatchObject({ type: 'GATEWAY_UNAUTHORIZED' });
    expect(await refundRow(refund)).toMatchObject({ status: 'PENDING', queried_at: null });
  });

  test('leaves a cancelled refund to a person', async () => {
    // The gateway's documentation contradicts itself about this status.
    const { input } = await settled(64);
    const refund = await asked(input);
    expect(await driveToTheEnd(refund)).toEqual({ kind: 'unclear', reason: 'GATEWAY_CANCELLED' });
    await world.activities.markRefundForReview({ ...refund, reason: 'GATEWAY_CANCELLED' });
    expect(await world.activities.readRefund(refund)).toEqual({ kind: 'review', reason: 'GATEWAY_CANCELLED' });
    expect(world.log.filter(({ alert }) => alert === 'refund-review')).not.toHaveLength(0);
  });

  test('waits while the gateway is processing', async () => {
    // Banks take days.
    const { input } = await settled(60);
    const refund = await asked(input);
    expect(await drive(refund)).toEqual({ kind: 'waiting' });
    expect(await drive(refund)).toEqual({ kind: 'waiting' });
  });
});

describe('the end of a refund', () => {
  test('books status, payment, ledger and events together, once', async () => {
    // Two workers at once, or a repeated run, must not post anything twice.
    const { input } = await settled();
    const refund = await asked(input);
    await Promise.all(Array.from({ length: 10 }, () => end(refund)));
    expect(await end(refund, 'FAILED')).toBe('SUCCEEDED');
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PARTIALLY_REFUNDED' });
    expect(await postingsOf(refund.reference)).toEqual([
      { debit: 'app:payable', credit: 'gateway:sslcommerz:clearing', amount: 4_000 },
    ]);
    const events = await eventsOf(input);
    expect(events.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['payment.succeeded', 1],
      ['refund.succeeded', 2],
      ['payment.refunded', 3],
    ]);
    expect(events[2]?.['payload']).toMatchObject({ data: { status: 'PARTIALLY_REFUNDED' } });
    // The events are sent in parallel. They are about different objects, so a receiver does not take the later one for outdated.
    expect(events.map(({ payload }) => (payload as Row)['subject'])).toEqual([
      `payment:${input.paymentId}`,
      `refund:${refund.refundId}`,
      `payment:${input.paymentId}`,
    ]);
  });

  test('that gives back the rest makes the payment REFUNDED', async () => {
    // Partial or full depends on the sum of all refunds.
    const { input } = await settled();
    for (const amountMinor of [2_500n, 7_500n]) {
      await end(await asked(input, { amountMinor }));
    }
    expect(await world.paymentRow(input)).toMatchObject({ status: 'REFUNDED' });
    expect((await eventsOf(input)).map(({ type }) => type)).toEqual([
      'payment.succeeded',
      'refund.succeeded',
      'payment.refunded',
      'refund.succeeded',
      'payment.refunded',
    ]);
    expect((await eventsOf(input)).at(-1)?.['payload']).toMatchObject({ sequence: 5, data: { status: 'REFUNDED' } });
  });

  test('as failed tells the application and posts nothing', async () => {
    // A failed refund must not be posted.
    const { input } = await settled();
    const refund = await asked(input);
    expect(await end(refund, 'FAILED')).toBe('FAILED');
    expect(await postingsOf(refund.reference)).toEqual([]);
    expect((await eventsOf(input)).map(({ type }) => type)).toEqual(['payment.succeeded', 'refund.failed']);
    expect(await refundRow(refund)).toMatchObject({ status: 'FAILED', failure_code: 'NO' });
  });
});

describe('an approval', () => {
  async function awaiting(): Promise<{ input: StoredPayment; refund: StoredRefund }> {
    const { input } = await settled();
    const creator = { type: 'USER', operatorId: operators[0] } as const;
    const refund = await asked(input, { amountMinor: 9_000n, creator });
    expect(await world.activities.readRefund(refund)).toMatchObject({ kind: 'awaiting' });
    return { input, refund };
  }

  async function decision(refund: StoredRefund, word: string, operator = operators[1]): Promise<string> {
    const [row] = await world.rows(
      `insert into decisions (application_id, mode, kind, payment_id, refund_id, decision, operator_id)
       select application_id, mode, 'refund', payment_id, id, ?, ?::bigint from refunds where id = ?::bigint returning id`,
      [word, operator, refund.refundId],
    );
    return String(row?.['id']);
  }

  const decide = (refund: StoredRefund, decisionIds: string[] = [], expired = false): Promise<RefundState> =>
    world.activities.decideRefund({ ...refund, decisionIds, expired });

  test('by a signal alone changes nothing and is written down', async () => {
    // Somebody with access to the Temporal UI must not be able to refund money.
    const { refund } = await awaiting();
    expect(await decide(refund, ['4711'])).toMatchObject({ kind: 'awaiting' });
    expect(await refundRow(refund)).toMatchObject({ status: 'AWAITING_APPROVAL' });
    const audited = await world.rows(`select * from audit_logs where target_type = 'refund' and target_id = ?`, [
      refund.refundId,
    ]);
    expect(audited).toMatchObject([
      { action: 'decision.signal-without-row', actor_type: 'SYSTEM', details: { claimed: ['4711'] } },
    ]);
  });

  test('by a decision row carries on, and closes the row', async () => {
    // The row is authoritative, whatever id the signal contains.
    const { refund } = await awaiting();
    const id = await decision(refund, 'approve');
    expect(await decide(refund, ['something else'])).toEqual({ kind: 'pending' });
    expect(await refundRow(refund)).toMatchObject({ status: 'PENDING', approved_by_operator_id: String(operators[1]) });
    expect(await world.rows('select outcome from decisions where id = ?::bigint', [id])).toEqual([
      { outcome: 'PENDING' },
    ]);
    expect(await decide(refund)).toEqual({ kind: 'pending' });
  });

  test('that is signalled again after it was carried out gives no alarm', async () => {
    // The sweeper repeats signals that may not have arrived. Only an unknown id is recorded in the audit log.
    const { refund } = await awaiting();
    const id = await decision(refund, 'approve');
    await decide(refund, [id]);
    const audited = (): Promise<Row[]> =>
      world.rows(`select details from audit_logs where target_type = 'refund' and target_id = ?`, [refund.refundId]);
    expect(await decide(refund, [id])).toEqual({ kind: 'pending' });
    expect(await audited()).toEqual([]);
    await decide(refund, [id, '4712']);
    expect(await audited()).toEqual([{ details: { claimed: ['4712'] } }]);
  });

  test('that turns to a refusal after the gateway was asked comes too late', async () => {
    // The gateway may already have the refund, so only its answer or a review can end it.
    const { refund } = await awaiting();
    await decide(refund, [await decision(refund, 'approve')]);
    const late = await decision(refund, 'reject');
    expect(await decide(refund, [late])).toEqual({ kind: 'pending' });
    expect(await refundRow(refund)).toMatchObject({ status: 'PENDING', failure_code: null });
    expect(await world.rows('select outcome from decisions where id = ?::bigint', [late])).toEqual([
      { outcome: 'TOO_LATE' },
    ]);
  });

  test('that the money went back, by two people who saw it, books it once', async () => {
    // The gateway refuses the repeated key and never reports the result. Without the operators, the refund would stay open for ever.
    const { input } = await settled();
    const refund = await asked(input);
    await world.activities.markRefundForReview({ ...refund, reason: 'REFUSED_AFTER_DOUBT' });
    const [row] = await world.rows(
      `insert into decisions (application_id, mode, kind, payment_id, refund_id, decision, operator_id, needs_second)
       select application_id, mode, 'refund', payment_id, id, 'accept', ?::bigint, true from refunds where id = ?::bigint returning id`,
      [operators[0], refund.refundId],
    );
    expect(await decide(refund)).toEqual({ kind: 'review', reason: 'REFUSED_AFTER_DOUBT' });
    await world.rows('update decisions set second_operator_id = ?::bigint where id = ?::bigint returning 1', [
      operators[1],
      row?.['id'],
    ]);
    const ends = await Promise.all([decide(refund), decide(refund), decide(refund)]);
    expect(ends).toEqual(ends.map(() => ({ kind: 'ended', status: 'SUCCEEDED' })));
    expect(await postingsOf(refund.reference)).toHaveLength(1);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PARTIALLY_REFUNDED' });
    expect((await eventsOf(input)).map(({ type }) => type)).toEqual([
      'payment.succeeded',
      'refund.succeeded',
      'payment.refunded',
    ]);
  });

  const caseOf = (refund: StoredRefund): Promise<Row[]> =>
    world.rows(
      `select kind, reason, state, amount_minor::text as amount from reconciliation_cases where refund_id = ?::bigint`,
      [refund.refundId],
    );
  /** What two people found about a refund. */
  async function byTwo(refund: StoredRefund, found: 'accept' | 'reject'): Promise<void> {
    await world.rows(
      `insert into decisions (application_id, mode, kind, payment_id, refund_id, decision, operator_id, needs_second, second_operator_id)
       select application_id, mode, 'refund', payment_id, id, ?, ?::bigint, true, ?::bigint from refunds where id = ?::bigint returning id`,
      [found, operators[0], operators[1], refund.refundId],
    );
    await decide(refund);
  }

  test.each([
    ['accept', 'SUCCEEDED', 'REFUNDED_BY_WORD'],
    ['reject', 'FAILED', 'NOT_REFUNDED_BY_WORD'],
  ] as const)(
    'to %s a refund in doubt opens a case until a payout line says the same',
    async (found, status, reason) => {
      // Two people can be wrong until the gateway's payout shows it.
      const { input } = await settled();
      const refund = await asked(input);
      await world.activities.markRefundForReview({ ...refund, reason: 'REFUSED_AFTER_DOUBT' });
      await byTwo(refund, found);
      expect(await refundRow(refund)).toMatchObject({ status });
      await decide(refund);
      expect(await caseOf(refund)).toEqual([{ kind: 'refund-by-word', reason, state: 'OPEN', amount: '4000' }]);
    },
  );

  test.each([
    ['accept', 'SUCCEEDED', 'REFUNDED_BY_WORD'],
    ['reject', 'FAILED', 'NOT_REFUNDED_BY_WORD'],
  ] as const)('to %s a refund that failed after success opens a case too', async (found, status, reason) => {
    const { input } = await settled();
    const refund = await asked(input);
    await end(refund);
    await world.rows(
      `update refunds set review_reason = 'FAILED_AFTER_SUCCESS', review_since = now() where id = ?::bigint returning 1`,
      [refund.refundId],
    );
    await byTwo(refund, found);
    expect(await refundRow(refund)).toMatchObject({ status, review_reason: null });
    expect(await caseOf(refund)).toMatchObject([{ reason, state: 'OPEN' }]);
  });

  test('about what the gateway itself answered, or what people paid back by hand, opens no case', async () => {
    // No line will ever speak of money that no gateway returned.
    const { input } = await settled();
    const answered = await asked(input);
    await end(answered);
    const byHand = await asked(input);
    await world.activities.markRefundForReview({ ...byHand, reason: 'PAID_BACK_BY_HAND' });
    await byTwo(byHand, 'accept');
    expect(await refundRow(byHand)).toMatchObject({ status: 'SUCCEEDED' });
    const { refund: refused } = await awaiting();
    await decide(refused, [await decision(refused, 'reject')]);
    expect([...(await caseOf(answered)), ...(await caseOf(byHand)), ...(await caseOf(refused))]).toEqual([]);
  });

  test('that the money went back counts for nothing where nobody doubts it', async () => {
    // The row was written before the doubt was resolved.
    const { input } = await settled();
    const refund = await asked(input);
    const late = await decision(refund, 'accept');
    expect(await decide(refund, [late])).toEqual({ kind: 'pending' });
    expect(await postingsOf(refund.reference)).toEqual([]);
  });

  test('that nobody took up is closed by the end of the refund', async () => {
    // Otherwise the sweeper would signal it for ever.
    const { refund } = await awaiting();
    await decide(refund, [await decision(refund, 'approve')]);
    const late = await decision(refund, 'reject');
    await end(refund);
    expect(
      await world.rows('select outcome, consumed_at is not null as closed from decisions where id = ?::bigint', [late]),
    ).toEqual([{ outcome: 'SUCCEEDED', closed: true }]);
  });

  test('by the creator is refused by the database itself', async () => {
    // The second approval must not depend on the application code alone.
    const { refund } = await awaiting();
    await decision(refund, 'approve', operators[0]);
    await expect(decide(refund)).rejects.toThrow();
    expect(await refundRow(refund)).toMatchObject({ status: 'AWAITING_APPROVAL' });
  });

  test('that is refused frees the money and tells the application', async () => {
    // The application has to learn that the refund was rejected and never sent to the gateway.
    const { input, refund } = await awaiting();
    const id = await decision(refund, 'reject');
    expect(await decide(refund, [id])).toEqual({ kind: 'ended', status: 'REJECTED' });
    expect((await eventsOf(input)).map(({ type }) => type)).toEqual(['payment.succeeded', 'refund.rejected']);
    expect(await refundRow(refund)).toMatchObject({ failure_code: 'APPROVER_REJECTED' });
    expect(await reserve(input, { amountMinor: 10_000n })).toMatchObject({ status: 'PENDING' });
  });

  test('is waited for as long as the database says, whatever the timer of the workflow said', async () => {
    // The second person must have the promised time, even if the clock of Temporal's server is ahead.
    const { refund } = await awaiting();
    const { decideRefund } = createPaymentActivities(world.deps);
    expect(await decideRefund({ ...refund, decisionIds: [], expired: true })).toMatchObject({ kind: 'awaiting' });
    expect(await refundRow(refund)).toMatchObject({ status: 'AWAITING_APPROVAL', failure_code: null });
  });

  test('that never comes rejects the refund', async () => {
    // Otherwise an unapproved refund would hold its amount for ever.
    const { refund } = await awaiting();
    expect(await decide(refund, [], true)).toEqual({ kind: 'ended', status: 'REJECTED' });
    expect(await refundRow(refund)).toMatchObject({ status: 'REJECTED', failure_code: 'APPROVAL_EXPIRED' });
  });

  describe('that may have been given before an older database was restored', () => {
    async function doubted(): ReturnType<typeof awaiting> {
      const { input, refund } = await awaiting();
      await world.database.withSystem(doubtOpenRefunds);
      return { input, refund };
    }

    const underReview = { kind: 'review', reason: 'REJECTED_AFTER_DOUBT' } as const;

    test('and is refused now keeps the amount until two people have looked at the gateway', async () => {
      // Otherwise the same money could be refunded twice.
      const { input, refund } = await doubted();
      const id = await decision(refund, 'reject');
      expect(await decide(refund, [id])).toEqual(underReview);
      expect(await refundRow(refund)).toMatchObject({
        status: 'PENDING',
        review_reason: 'REJECTED_AFTER_DOUBT',
        approval_due_at: null,
        approved_by_operator_id: null,
      });
      expect(await world.rows('select outcome from decisions where id = ?::bigint', [id])).toEqual([
        { outcome: 'UNDER_REVIEW' },
      ]);
      expect(await failureOf(reserve(input, { amountMinor: 9_000n }))).toBe('REFUND_EXCEEDS_BALANCE');
      expect((await eventsOf(input)).map(({ type }) => type)).toEqual(['payment.succeeded']);
      expect(await decide(refund)).toEqual(underReview);
    });

    test('and does not come again goes under review', async () => {
      const { refund } = await doubted();
      expect(await decide(refund, [], true)).toEqual(underReview);
      expect(await decide(refund, [], true)).toEqual(underReview);
    });

    test('and is given again has the gateway queried for the first one', async () => {
      const { refund } = await doubted();
      expect(await decide(refund, [await decision(refund, 'approve')])).toEqual({ kind: 'pending' });
      expect(await refundRow(refund)).toMatchObject({ status: 'PENDING', review_reason: null, doubtful: true });
    });
  });

  test('that comes in the same moment as its end counts', async () => {
    // The decision was stored before the refund expired.
    const { refund } = await awaiting();
    await decision(refund, 'approve');
    expect(await decide(refund, [], true)).toEqual({ kind: 'pending' });
  });
});
