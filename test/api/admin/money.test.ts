import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { call } from '../contract-client.ts';
import { NO_REFUNDS, ONE_REFUND } from '../../support/gateways.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let shop: Registration;
let other: Registration;
const tokens: Record<string, string> = {};
const ids: Record<string, bigint> = {};

beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  other = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'owner@example.com' });
  const people = [
    ['support', 'Support', null],
    ['finance', 'Finance', null],
    ['second', 'Finance', null],
    ['admin', 'Admin', null],
    ['elsewhere', 'Admin', other.applicationId],
    ['viewer', 'Viewer', null],
  ] as const;
  for (const [name, role, applicationId] of people) {
    ids[name] = await world.addOperator({ email: `${name}@example.com`, role, applicationId });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.api.sql(
    `update applications set refund_approval_threshold_minor = 5000, refund_approval_thresholds = '{}'`,
  );
  await forgetSums();
});

/** Makes earlier actions two days old, so that each test starts with its own sums. */
async function forgetSums(): Promise<void> {
  await world.api.sql(
    `update refunds set created_at = created_at - interval '2 days' where created_at > now() - interval '1 day'`,
  );
  await world.api.sql(
    `update decisions set created_at = created_at - interval '2 days' where created_at > now() - interval '1 day'`,
  );
}

async function held(amountMinor: number): Promise<string> {
  const payment = await paid();
  const [row] = await world.api.sql<{ id: string }>(
    `insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
       fee_minor, currency)
     select application_id, mode, payment_id, id, gateway, ?, 'B1', '{}', ?, 10, 'BDT' from payment_attempts where payment_id = ?
     returning id::text`,
    [randomBytes(6).toString('hex'), amountMinor, payment],
  );
  return row?.id ?? '';
}

interface As {
  readonly as: string;
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const send = ({ as, method = 'GET', path, body, headers = {} }: As): Promise<Answer> =>
  world.send({
    method,
    path,
    headers: { ...bearer(tokens[as] ?? ''), ...headers },
    ...(body === undefined ? {} : { body }),
  });
const duplicate = (payment: string): As => ({
  as: 'support',
  method: 'POST',
  path: `/admin/payments/${payment}/refunds`,
  body: { amountMinor: 100 },
});

const paid = async (): Promise<string> => (await world.api.paidPayment(shop)).id;

async function refunded(paymentId: string, amountMinor: number, as = 'support'): Promise<Answer> {
  return send({ as, method: 'POST', path: `/admin/payments/${paymentId}/refunds`, body: { amountMinor } });
}

const idOf = ({ data }: Answer): number => (data as { id: number }).id;
const auditOf = (type: string, id: string | number): Promise<{ action: string; actor: string }[]> =>
  world.api.sql(`select action, actor from audit_logs where target_type = ? and target_id = ? order by id`, [
    type,
    String(id),
  ]);
const decisionsOf = (refundId: number): Promise<{ decision: string; operator_id: string }[]> =>
  world.api.sql('select decision, operator_id::text from decisions where refund_id = ? order by id', [refundId]);

describe("an operator's refund", () => {
  test('up to the threshold goes to the gateway, above it waits for a second person', async () => {
    // As documented, only operators' refunds are held back.
    const payment = await paid();
    expect((await refunded(payment, 5_000)).data).toMatchObject({ status: 'PENDING', approvedBy: null });
    await forgetSums();
    const held = await refunded(await paid(), 5_001);
    expect(held).toMatchObject({ status: 201, data: { status: 'AWAITING_APPROVAL' } });
    expect(held.data).toMatchObject({ createdBy: `operator:${ids['support'] ?? ''}` });
    expect(await auditOf('refund', idOf(held))).toEqual([{ action: 'refund.created', actor: 'support@example.com' }]);
  });

  test('is approved by somebody else, once, and says by whom', async () => {
    // The approver is stored with the approval, and a second approval finds the refund approved.
    const refund = idOf(await refunded(await paid(), 9_000));
    const approve = { method: 'POST', path: `/admin/refunds/${refund}/approve` };
    expect(await send({ as: 'finance', ...approve })).toMatchObject({
      status: 200,
      data: { status: 'PENDING', approvedBy: `operator:${ids['finance'] ?? ''}` },
    });
    expect(await send({ as: 'second', ...approve })).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
    expect(await decisionsOf(refund)).toEqual([{ decision: 'approve', operator_id: String(ids['finance']) }]);
    expect((await auditOf('refund', refund)).map(({ action }) => action)).toEqual([
      'refund.created',
      'refund.approved',
    ]);
  });

  test('of two approvers who come at once is approved by one', async () => {
    // Otherwise two approvals could be recorded for one refund.
    const refund = idOf(await refunded(await paid(), 9_000));
    const answers = await Promise.all(
      ['finance', 'second', 'admin'].map((as) =>
        send({ as, method: 'POST', path: `/admin/refunds/${refund}/approve` }),
      ),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409, 409]);
    expect(await decisionsOf(refund)).toHaveLength(1);
  });

  test('is one, however often it is sent with the same key', async () => {
    // A double click, or a retry after a lost answer, must refund the money once.
    const payment = await paid();
    const press = (as: string, amountMinor = 3_000): Promise<Answer> =>
      world.send({
        method: 'POST',
        path: `/admin/payments/${payment}/refunds`,
        headers: { ...bearer(tokens[as] ?? ''), 'idempotency-key': `button of ${payment}` },
        body: { amountMinor },
      });
    const first = await press('support');
    const again = await press('support');
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(await press('support', 3_001)).toMatchObject({ status: 409, code: 'IDEMPOTENCY_KEY_CONFLICT' });
    // The same key of another operator is a different key.
    expect(idOf(await press('admin'))).not.toBe(idOf(first));
    const rows = await world.api.sql('select 1 from refunds where payment_id = ?::bigint', [payment]);
    expect(rows).toHaveLength(2);
    const duplicates = await Promise.all(
      [1, 2, 3, 4].map(() => send({ ...duplicate(payment), headers: { 'idempotency-key': 'at once' } })),
    );
    expect(duplicates.map(({ status }) => status).filter((status) => status !== 201 && status !== 409)).toEqual([]);
    expect(await world.api.sql('select 1 from refunds where payment_id = ?::bigint', [payment])).toHaveLength(3);
    expect(await auditOf('refund', idOf(first))).toHaveLength(1);
  });

  test('is not approved or rejected by whoever asked for it', async () => {
    // Otherwise one operator who holds both permissions could make a refund alone.
    const refund = idOf(await refunded(await paid(), 9_000, 'admin'));
    for (const [word, body] of [
      ['approve', undefined],
      ['reject', { reason: 'changed my mind' }],
    ] as const) {
      const answer = await send({ as: 'admin', method: 'POST', path: `/admin/refunds/${refund}/${word}`, body });
      expect(answer).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    }
    expect(await decisionsOf(refund)).toEqual([]);
  });

  test('is rejected with a reason that is kept', async () => {
    // The workflow ends the refund. No workflow runs here, so the answer still shows it as waiting.
    const refund = idOf(await refunded(await paid(), 9_000));
    const body = { reason: 'the customer was paid in cash' };
    expect((await send({ as: 'finance', method: 'POST', path: `/admin/refunds/${refund}/reject`, body })).status).toBe(
      200,
    );
    const decided = await world.api.sql<{ decision: string; reason: string }>(
      'select decision, reason from decisions where refund_id = ?',
      [refund],
    );
    expect(decided).toEqual([{ decision: 'reject', reason: 'the customer was paid in cash' }]);
    const late = await send({ as: 'second', method: 'POST', path: `/admin/refunds/${refund}/approve` });
    expect(late).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
  });

  test('needs a password that was entered within five minutes to be approved', async () => {
    // Otherwise an unattended session could approve a refund.
    const refund = idOf(await refunded(await paid(), 9_000));
    await world.makeStale();
    const answer = await send({ as: 'finance', method: 'POST', path: `/admin/refunds/${refund}/approve` });
    expect(answer).toMatchObject({ status: 401, code: 'REAUTH_REQUIRED' });
    await world.api.sql('update operator_sessions set reauthenticated_at = now()');
  });

  test('never goes beyond what was captured, whoever asks at once', async () => {
    // Operators and the application use the same balance, so together they must not refund more than the charge.
    const payment = await paid();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refunded(payment, 1_500)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(6);
    expect(answers.filter(({ code }) => code === 'REFUND_EXCEEDS_BALANCE')).toHaveLength(14);
  });

  test('of an application outside the grant finds nothing', async () => {
    // Otherwise the answer would reveal another tenant's payment or refund.
    const payment = await paid();
    const refund = idOf(await refunded(payment, 9_000));
    for (const answer of [
      await refunded(payment, 100, 'elsewhere'),
      await send({ as: 'elsewhere', path: `/admin/payments/${payment}` }),
      await send({ as: 'elsewhere', path: `/admin/refunds/${refund}` }),
      await send({ as: 'elsewhere', method: 'POST', path: `/admin/refunds/${refund}/approve` }),
    ]) {
      expect(answer).toMatchObject({ status: 404, code: 'RESOURCE_NOT_FOUND' });
    }
    const listed = await send({ as: 'elsewhere', path: '/admin/refunds' });
    expect(listed.data).toEqual([]);
  });
});

describe("the sum of one person's refunds", () => {
  const statusOf = (answer: Answer): unknown => (answer.data as { status?: string }).status ?? answer.code;

  test('of one payment is what the threshold counts, whenever they were', async () => {
    // Otherwise one operator could split a large refund into small ones, even over a week.
    const payment = await paid();
    expect(statusOf(await refunded(payment, 3_000))).toBe('PENDING');
    await forgetSums();
    expect(statusOf(await refunded(payment, 2_000))).toBe('PENDING');
    await forgetSums();
    expect(statusOf(await refunded(payment, 1))).toBe('AWAITING_APPROVAL');
    // Each operator has their own sum.
    expect(statusOf(await refunded(payment, 1, 'admin'))).toBe('PENDING');
  });

  test('of one application is counted over 24 hours', async () => {
    // Otherwise one operator could refund a little of every payment without approval.
    expect(statusOf(await refunded(await paid(), 3_000))).toBe('PENDING');
    expect(statusOf(await refunded(await paid(), 2_001))).toBe('AWAITING_APPROVAL');
    await forgetSums();
    expect(statusOf(await refunded(await paid(), 5_000))).toBe('PENDING');
  });

  test('leaves out what came to nothing, and what was done in another application', async () => {
    // Money that never moved is no reason for an approval.
    const first = await refunded(await paid(), 4_000);
    expect(statusOf(await refunded(await paid(), 2_000))).toBe('AWAITING_APPROVAL');
    await world.api.sql(`update refunds set status = 'FAILED', ended_at = now() where id = ?`, [idOf(first)]);
    expect(statusOf(await refunded(await paid(), 3_000))).toBe('PENDING');
    const apart = await world.api.register({ name: 'Apart', refundApprovalThresholdMinor: 5_000n });
    const elsewhere = (await world.api.paidPayment(apart)).id;
    expect(statusOf(await refunded(elsewhere, 5_000))).toBe('PENDING');
  });

  test('is counted by one after the other, however many come at once', async () => {
    // Two refunds that both read the sum before the other is written would both stay below the threshold.
    const payments = await Promise.all(Array.from({ length: 6 }, paid));
    const answers = await Promise.all(payments.map((payment) => refunded(payment, 2_000)));
    expect(answers.map((answer) => String(statusOf(answer))).sort()).toEqual([
      ...Array.from({ length: 4 }, () => 'AWAITING_APPROVAL'),
      'PENDING',
      'PENDING',
    ]);
  });

  test('counts decisions on money with refunds, and a word that moves nothing for itself alone', async () => {
    // The threshold limits the person, whichever kind of action they use.
    const decide = (late: string, decision: string): Promise<Answer> =>
      send({
        as: 'admin',
        method: 'POST',
        path: `/admin/unapplied-payments/${late}`,
        body: { decision, reason: 'as agreed' },
      });
    expect((await decide(await held(4_000), 'keep')).data).toMatchObject({ decision: { awaitsSecondPerson: false } });
    expect((await decide(await held(4_000), 'keep')).data).toMatchObject({ decision: { awaitsSecondPerson: true } });
    expect(statusOf(await refunded(await paid(), 1_001, 'admin'))).toBe('AWAITING_APPROVAL');
  });
});

describe('thresholds of several currencies', () => {
  async function paidIn(currency: string): Promise<string> {
    const payment = await paid();
    await world.api.sql('update payments set currency = ? where id = ?::bigint', [currency, payment]);
    return payment;
  }
  const statusIn = async (currency: string, amountMinor: number): Promise<string> =>
    ((await refunded(await paidIn(currency), amountMinor)).data as { status: string }).status;

  test('are each their own, and once one is set a currency without one always waits', async () => {
    // A currency without a threshold must not be a loophole.
    await world.api.sql(`update applications set refund_approval_thresholds = '{"USD": 200}'`);
    expect(await statusIn('USD', 200)).toBe('PENDING');
    expect(await statusIn('USD', 1)).toBe('AWAITING_APPROVAL');
    expect(await statusIn('BDT', 5_000)).toBe('PENDING');
    expect(await statusIn('EUR', 1)).toBe('AWAITING_APPROVAL');
    await world.api.sql(`update applications set refund_approval_threshold_minor = null`);
    await forgetSums();
    expect(await statusIn('BDT', 1)).toBe('AWAITING_APPROVAL');
    await world.api.sql(`update applications set refund_approval_thresholds = '{}'`);
    expect(await statusIn('EUR', 9_000)).toBe('PENDING');
  });
});

describe('a refund under review', () => {
  async function underReview(reason = 'GATEWAY_CANCELLED'): Promise<number> {
    const refund = idOf(await refunded(await paid(), 2_000));
    await world.api.sql(`update refunds set review_reason = ?, review_since = now() where id = ?`, [reason, refund]);
    return refund;
  }
  const decideOn = (refund: number, as: string, decision: string): Promise<Answer> =>
    send({
      as,
      method: 'POST',
      path: `/admin/refunds/${refund}/review`,
      body: { decision, reason: 'the panel says so' },
    });

  test('is called not refunded by two people only', async () => {
    // The decision releases money, so one person must not be enough.
    const refund = await underReview();
    expect((await decideOn(refund, 'finance', 'not-refunded')).data).toMatchObject({
      decision: 'awaiting-second-approval',
    });
    expect(await decideOn(refund, 'finance', 'not-refunded')).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect((await decideOn(refund, 'second', 'not-refunded')).data).toMatchObject({ decision: 'in-progress' });
    expect(await decideOn(refund, 'admin', 'retry')).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
    const [row] = await world.api.sql<{ operator_id: string; second_operator_id: string }>(
      'select operator_id::text, second_operator_id::text from decisions where refund_id = ?',
      [refund],
    );
    expect(row).toEqual({ operator_id: String(ids['finance']), second_operator_id: String(ids['second']) });
  });

  test('is called refunded by two people only, too', async () => {
    // The decision posts money as refunded.
    const refund = await underReview();
    expect((await decideOn(refund, 'finance', 'refunded')).data).toMatchObject({
      decision: 'awaiting-second-approval',
    });
    expect((await decideOn(refund, 'second', 'refunded')).data).toMatchObject({ decision: 'in-progress' });
    expect(await decisionsOf(refund)).toEqual([{ decision: 'accept', operator_id: String(ids['finance']) }]);
  });

  test('is not held up by one person’s word: another word takes it back', async () => {
    // The first operator may be wrong, or away for a month.
    const refund = await underReview();
    await decideOn(refund, 'finance', 'not-refunded');
    expect((await decideOn(refund, 'second', 'refunded')).data).toMatchObject({ decision: 'awaiting-second-approval' });
    // Two operators have decided, but differently.
    expect((await decideOn(refund, 'finance', 'not-refunded')).data).toMatchObject({
      decision: 'awaiting-second-approval',
    });
    expect((await decideOn(refund, 'finance', 'retry')).data).toMatchObject({ decision: 'in-progress' });
    const rows = await world.api.sql<{ decision: string; outcome: string | null }>(
      'select decision, outcome from decisions where refund_id = ? order by id',
      [refund],
    );
    expect(rows).toEqual([
      { decision: 'reject', outcome: 'TAKEN_BACK' },
      { decision: 'accept', outcome: 'TAKEN_BACK' },
      { decision: 'reject', outcome: 'TAKEN_BACK' },
      { decision: 'approve', outcome: null },
    ]);
  });

  test('is asked about again by one', async () => {
    // A repeated request with the same key is harmless.
    expect((await decideOn(await underReview(), 'finance', 'retry')).data).toMatchObject({ decision: 'in-progress' });
  });

  test('is not sent after it was rejected, not even by a query', async () => {
    // A query would send a refund that the gateway does not have, and nobody approved it.
    const refund = await underReview('REJECTED_AFTER_DOUBT');
    expect(await decideOn(refund, 'finance', 'retry')).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
    expect((await decideOn(refund, 'finance', 'not-refunded')).data).toMatchObject({
      decision: 'awaiting-second-approval',
    });
  });

  test('is the only one to be decided on so', async () => {
    // A refund in progress needs no review.
    const refund = idOf(await refunded(await paid(), 2_000));
    expect(await decideOn(refund, 'finance', 'retry')).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
  });
});

describe('a payment under review', () => {
  async function underReview(amountMinor: number): Promise<string> {
    const [row] = await world.api.sql<{ id: string }>(
      `insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, expires_at,
         next_sweep_at, review_reason, review_since)
       values (?, 'TEST', ?, 'PENDING', ?, 'BDT', 'c', 'sslcommerz', now(), now(), 'RISK_FLAGGED', now()) returning id::text`,
      [shop.applicationId, `pay_${randomBytes(11).toString('hex')}`, amountMinor],
    );
    return row?.id ?? '';
  }
  const decideOn = (payment: string, as: string, decision: string): Promise<Answer> =>
    send({
      as,
      method: 'POST',
      path: `/admin/payments/${payment}/review`,
      body: { decision, reason: 'known customer' },
    });

  test.each([
    ['true', true],
    ['false', false],
  ])('is in the list with underReview=%s: %s', async (underReviewOrNot, isListed) => {
    const payment = await underReview(5_000);
    const { data } = await send({ as: 'finance', path: `/admin/payments?underReview=${underReviewOrNot}` });
    expect((data as { id: number }[]).some(({ id }) => id === Number(payment))).toBe(isListed);
  });

  test('is decided by one person up to the threshold, by two above it', async () => {
    // As for refunds, large amounts need two people.
    expect((await decideOn(await underReview(5_000), 'finance', 'accept')).data).toMatchObject({
      decision: 'in-progress',
    });
    const dear = await underReview(5_001);
    expect((await decideOn(dear, 'finance', 'reject')).data).toMatchObject({ decision: 'awaiting-second-approval' });
    expect((await decideOn(dear, 'second', 'reject')).data).toMatchObject({ decision: 'in-progress' });
    expect((await auditOf('payment', dear)).map(({ action, actor }) => `${action} ${actor}`)).toEqual([
      'payment.review-reject finance@example.com',
      'payment.review-reject second@example.com',
    ]);
  });

  test('is the only one that can be', async () => {
    // An operator must not be able to change the status of a payment by hand.
    expect(await decideOn(await paid(), 'finance', 'accept')).toMatchObject({
      status: 409,
      code: 'INVALID_OPERATION_STATE',
    });
  });
});

describe('unapplied money', () => {
  const decideOn = (late: string, as: string, decision: string): Promise<Answer> =>
    send({ as, method: 'POST', path: `/admin/unapplied-payments/${late}`, body: { decision, reason: 'as agreed' } });

  test('that its gateway does not give back any more can only be kept', async () => {
    // Otherwise two people would approve a refund that the gateway then refuses.
    const late = await held(4_000);
    await world.api.sql(
      `update unapplied_payments set gateway = '${ONE_REFUND}', created_at = now() - interval '16 days' where id = ?::bigint`,
      [late],
    );
    expect(await decideOn(late, 'finance', 'refund')).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
    expect((await decideOn(late, 'finance', 'keep')).status).toBe(200);
  });

  test('is listed, and decided by two people above the threshold', async () => {
    // Money in suspense belongs to a payer.
    const late = await held(9_000);
    expect((await send({ as: 'viewer', path: '/admin/unapplied-payments?status=HELD' })).data).toContainEqual(
      expect.objectContaining({ id: Number(late), status: 'HELD', amountMinor: 9_000, decision: null }),
    );
    expect((await decideOn(late, 'finance', 'refund')).data).toMatchObject({
      decision: { decision: 'refund', awaitsSecondPerson: true },
    });
    expect(await decideOn(late, 'finance', 'refund')).toMatchObject({ status: 403 });
    expect((await decideOn(late, 'second', 'keep')).data).toMatchObject({
      decision: { decision: 'keep', awaitsSecondPerson: true },
    });
    expect((await decideOn(late, 'second', 'refund')).data).toMatchObject({ decision: { awaitsSecondPerson: true } });
    expect((await decideOn(late, 'finance', 'refund')).data).toMatchObject({
      decision: { decision: 'refund', awaitsSecondPerson: false },
    });
    expect(await decideOn(late, 'admin', 'keep')).toMatchObject({ status: 409 });
  });

  test('that is not held any more is left alone', async () => {
    // Otherwise money could be decided on twice.
    const late = await held(100);
    await world.api.sql(`update unapplied_payments set status = 'KEPT' where id = ?`, [late]);
    expect(await decideOn(late, 'finance', 'refund')).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
  });
});

describe('finding payments', () => {
  test('keeps its pages while payments are added', async () => {
    // The cursor continues after the last row, so no payment may be skipped or shown twice.
    const made = new Set<number>();
    for (let count = 0; count < 7; count += 1) {
      made.add(Number(await paid()));
    }
    const seen: number[] = [];
    let cursor = '';
    for (let pages = 0; pages < 20; pages += 1) {
      const answer = await send({ as: 'viewer', path: `/admin/payments?size=3${cursor}` });
      seen.push(...(answer.data as { id: number }[]).map(({ id }) => id));
      await paid();
      if (answer.pagination?.nextCursor === null || answer.pagination === null) {
        break;
      }
      cursor = `&cursor=${answer.pagination.nextCursor}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect([...made].every((id) => seen.includes(id))).toBe(true);
  });

  test.each([
    ['cursor=bm9uZQ', 'cursor'],
    ['from=yesterday', 'from'],
    ['status=PAID', 'status'],
    ['size=1000000000', 'size'],
    ['size=-1', 'size'],
    ['applicationId=0', 'applicationId'],
    ['minAmountMinor=-1', 'minAmountMinor'],
    ['gateway=paypal', 'gateway'],
    ['underReview=maybe', 'underReview'],
  ])('refuses %s by name', async (query, field) => {
    // Bad input must cause a stable error, never a 500.
    const answer = await send({ as: 'viewer', path: `/admin/payments?${query}` });
    expect(answer).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
    expect(Object.keys(answer.data as object)).toEqual([field]);
  });

  test('by every filter finds what fits and nothing else', async () => {
    // The documentation calls this parameter `customerRefId`.
    const { id, reference } = await world.api.paidPayment(other);
    const today = new Date().toISOString().slice(0, 10);
    const found = async (query: string): Promise<number[]> =>
      ((await send({ as: 'viewer', path: `/admin/payments?${query}` })).data as { id: number }[]).map((row) => row.id);
    expect(await found(`reference=${reference}`)).toEqual([Number(id)]);
    expect(await found(`applicationId=${other.applicationId}&mode=TEST&status=SUCCEEDED&customerRefId=c`)).toEqual([
      Number(id),
    ]);
    expect(await found(`reference=${reference}&from=${today}&to=${today}`)).toEqual([Number(id)]);
    const fits = ['gateway=sslcommerz', 'minAmountMinor=10000', 'maxAmountMinor=10000', 'underReview=false'];
    for (const fit of fits) {
      expect(await found(`reference=${reference}&${fit}`)).toEqual([Number(id)]);
    }
    const misses = ['mode=LIVE', 'status=FAILED', 'customerRefId=d', 'to=2020-01-01', 'from=2999-01-01'];
    for (const miss of [
      ...misses,
      'gateway=bkash',
      'minAmountMinor=10001',
      'maxAmountMinor=9999',
      'underReview=true',
    ]) {
      expect(await found(`reference=${reference}&${miss}`)).toEqual([]);
    }
  });

  test('shows one with its ledger, refunds and what it waits for', async () => {
    // An operator who answers a customer has to see the reason.
    const payment = await paid();
    await refunded(payment, 1_000);
    const { data } = await send({ as: 'viewer', path: `/admin/payments/${payment}` });
    expect(data).toMatchObject({
      payment: { id: Number(payment), status: 'SUCCEEDED' },
      refunds: [{ amountMinor: 1_000, status: 'PENDING' }],
      attempts: [{ number: 1, status: 'CONFIRMED', grossMinor: 10_000 }],
      explanation: { status: 'SUCCEEDED' },
      workflow: { id: expect.stringMatching(/^payment:pay_/) },
    });
  });
});

describe('the export', () => {
  test('is CSV that a spreadsheet may open, in the filter and the view', async () => {
    // ASVS 1.2.10: a customer's reference can contain a spreadsheet formula.
    const payment = await paid();
    await world.api.sql('update payments set customer_reference = ? where id = ?', [
      '=HYPERLINK("http://evil")',
      payment,
    ]);
    const answer = await fetch(`${world.origin}/api/v1/admin/payments/export?applicationId=${shop.applicationId}`, {
      headers: bearer(tokens['finance'] ?? ''),
    });
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(text.split('\r\n')[0]).toMatch(/^id,reference,applicationId/);
    expect(text).toContain(`"'=HYPERLINK(""http://evil"")"`);
    expect(text).toContain(',100.00,0.00,BDT,');
    expect(text).not.toContain('Other');
    expect(await auditOf('payments', 'export')).toContainEqual({
      action: 'payment.exported',
      actor: 'finance@example.com',
    });
  });

  test('is not for everybody who may look', async () => {
    // Permission to read a page does not include exporting the whole table.
    const answer = await send({ as: 'viewer', path: '/admin/payments/export' });
    expect(answer).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });
});

describe('a gateway that makes no refunds', () => {
  test('has none promised: applications and operators are refused at once, with nothing reserved', async () => {
    // A shop that gets PENDING promises its customer a refund, so a refund that must fail has to be refused at once.
    const payment = await paid();
    await world.api.sql(`update payments set gateway = '${NO_REFUNDS}' where id = ?::bigint`, [payment]);
    const own = await call({
      origin: await world.api.listen(),
      method: 'POST',
      path: `/payments/${payment}/refunds`,
      credentials: shop.test,
      body: { amountMinor: 100 },
    });
    expect([own.status, own.meta.errorCode]).toEqual([409, 'INVALID_OPERATION_STATE']);
    const operators = await send(duplicate(payment));
    expect(operators).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
    expect(await world.api.sql('select 1 from refunds where payment_id = ?::bigint', [payment])).toEqual([]);
  });
});
