import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createSweepActivities } from '../../../activities/sweep.ts';
import { dueMinorOf } from '../../../domain/invoice-due.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import type { StoredPayment, StoredRefund } from '../../support/stored.ts';
import { openInvoiceWorld, type InvoiceWorld } from './invoice-world.ts';

let world: InvoiceWorld;
beforeAll(async () => {
  world = await openInvoiceWorld();
});
afterAll(() => world.close());

beforeEach(async () => {
  await world.set({ unappliedPaymentPolicy: 'REVIEW', refundedInvoices: 'REOPEN' });
  world.calls.length = 0;
  world.log.length = 0;
});

const postings = async (causeId: string): Promise<string[]> =>
  (
    await world.rows<{ posting: string }>(
      `select d.name || ' → ' || c.name || ' ' || p.amount_minor as posting from ledger_postings p
       join ledger_transactions t on t.id = p.transaction_id join ledger_accounts d on d.id = p.debit_account_id
       join ledger_accounts c on c.id = p.credit_account_id where t.cause_id = ? order by p.id`,
      [causeId],
    )
  ).map(({ posting }) => posting);
const overpayments = (paymentId: string) =>
  world.rows<{ status: string; kind: string; gross_minor: string; fee_minor: string }>(
    'select status, kind, gross_minor, fee_minor from unapplied_payments where payment_id = ?::bigint',
    [paymentId],
  );
const unappliedDecision = async (paymentId: string, decision: 'keep' | 'refund') => {
  await world.rows(
    `with boss as (insert into operators (email, name, password_hash) values ('boss@example.com', 'Boss', 'x')
       on conflict (email) do update set name = excluded.name returning id)
     insert into decisions (application_id, mode, kind, payment_id, unapplied_payment_id, decision, operator_id)
     select l.application_id, l.mode, 'unapplied-payment', l.payment_id, l.id, ?, boss.id from unapplied_payments l, boss
     where l.payment_id = ?::bigint and l.status = 'HELD'`,
    [decision, paymentId],
  );
};
const attemptOf = async (paymentId: string): Promise<string> =>
  String(
    (await world.rows('select reference from payment_attempts where payment_id = ?::bigint', [paymentId]))[0]?.[
      'reference'
    ],
  );

describe('a payment of an invoice', () => {
  // Paying everything that is due ends the invoice, with an event in addition to the payment's.
  test('of all that is due pays it', async () => {
    const invoice = await world.bill();
    await world.pay(invoice, 10_000n);
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n, nextDueDate: null });
    expect((await world.events(invoice)).map(({ type, sequence }) => [type, sequence])).toEqual([
      ['invoice.issued', 1],
      ['invoice.paid', 2],
    ]);
    expect((await world.events(invoice))[1]?.data).toMatchObject({
      status: 'PAID',
      amountDueMinor: 0,
      payments: [{ status: 'SUCCEEDED', amountMinor: 10_000, overpaymentMinor: 0 }],
    });
    expect(world.calls).toContainEqual([
      'notifyInvoice',
      expect.objectContaining({ reference: invoice.reference }),
      'paid',
    ]);
  });

  // Paid plus due is the total, whoever pays how much.
  test('of a part leaves the rest due, in the order of the installments', async () => {
    const invoice = await world.bill({
      installments: [
        { dueDate: '2031-01-01', amountMinor: 4_000 },
        { dueDate: '2031-02-01', amountMinor: 6_000 },
      ],
    });
    await world.pay(invoice, 5_000n);
    const after = await world.read(invoice);
    expect(after).toMatchObject({ status: 'PARTIALLY_PAID', paidMinor: 5_000n, nextDueDate: '2031-02-01' });
    expect(dueMinorOf(after)).toBe(5_000n);
    expect(world.calls).toContainEqual([
      'notifyInvoice',
      expect.objectContaining({ reference: invoice.reference }),
      'payment',
    ]);
  });

  // With two tabs or two payers, no more than the total may count, and the rest must be recorded.
  test('that finds nothing due any more is overpayment as a whole', async () => {
    const invoice = await world.bill();
    const first = await world.begin(invoice, 10_000n);
    const second = await world.begin(invoice, 10_000n);
    await world.confirm(first);
    await world.confirm(second);
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
    expect(await overpayments(second.paymentId)).toEqual([
      { status: 'HELD', kind: 'overpayment', gross_minor: '10000', fee_minor: '0' },
    ]);
    expect(await postings(first.reference)).toEqual(['gateway:sslcommerz:clearing → app:payable 10000']);
    expect(await postings(second.reference)).toEqual(['gateway:sslcommerz:clearing → suspense 10000']);
    expect(world.log).toContainEqual(expect.objectContaining({ level: 'error', alert: 'invoice-overpayment' }));
    // The workflow of the unapplied payment waits for an operator and can be seen.
    expect(world.calls.filter(([name]) => name === 'startUnappliedPayment')).toHaveLength(1);
    expect((await world.events(invoice)).map(({ type }) => type)).toEqual(['invoice.issued', 'invoice.paid']);
    expect((await world.verify()).findings).toEqual([]);
  });

  // One part is owed to the application, the other is held.
  test('that is more than is due counts for what is due, and the rest is held', async () => {
    const invoice = await world.bill();
    const late = await world.begin(invoice, 8_000n);
    await world.pay(invoice, 5_000n);
    await world.confirm(late);
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
    expect(await postings(late.reference)).toEqual([
      'gateway:sslcommerz:clearing → app:payable 5000',
      'gateway:sslcommerz:clearing → suspense 3000',
    ]);
    expect((await world.verify()).findings).toEqual([]);
  });

  // With this policy the overpayment is refunded without a decision.
  test('is given its overpayment back where the policy says so, and only that', async () => {
    await world.set({ unappliedPaymentPolicy: 'REFUND' });
    const invoice = await world.bill();
    const late = await world.begin(invoice, 8_000n);
    await world.pay(invoice, 5_000n);
    await world.confirm(late);
    expect(await overpayments(late.paymentId)).toMatchObject([{ status: 'REFUNDING' }]);
    const [refund] = await world.rows<{ reference: string; amount_minor: string }>(
      'select reference, amount_minor from refunds where payment_id = ?::bigint',
      [late.paymentId],
    );
    expect(refund?.amount_minor).toBe('3000');
    expect(world.calls).toContainEqual(['startRefund', expect.objectContaining({ reference: refund?.reference })]);
    await world.activities.endRefund({
      reference: refund?.reference ?? '',
      applicationId: late.applicationId,
      mode: 'TEST',
      status: 'SUCCEEDED',
    });
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
    const [payment] = await world.rows('select status from payments where id = ?::bigint', [late.paymentId]);
    expect(payment).toEqual({ status: 'SUCCEEDED' });
    expect((await world.verify()).findings).toEqual([]);
  });

  // The part that was not applied to the invoice must not be refunded as if it had been.
  test('can be refunded up to what counted of it, and is then refunded whole', async () => {
    const invoice = await world.bill();
    const late = await world.begin(invoice, 8_000n);
    await world.pay(invoice, 5_000n);
    await world.confirm(late);
    await expect(world.queryRefund(late, 5_001n)).rejects.toMatchObject({ code: 'REFUND_EXCEEDS_BALANCE' });
    await world.refund(late, 5_000n);
    const [payment] = await world.rows('select status from payments where id = ?::bigint', [late.paymentId]);
    expect(payment).toEqual({ status: 'REFUNDED' });
    expect(await world.read(invoice)).toMatchObject({ status: 'PARTIALLY_PAID', paidMinor: 5_000n });
    expect((await world.verify()).findings).toEqual([]);
  });

  // Otherwise a payer on another page would pay more than the invoice asks for.
  test('calls off others that would pay more than is left, and no smaller one', async () => {
    const invoice = await world.bill();
    const [whole, half, rest] = [
      await world.begin(invoice, 10_000n),
      await world.begin(invoice, 5_000n),
      await world.begin(invoice, 4_000n),
    ];
    await world.confirm(half);
    const asked = await world.rows<{ reference: string; asked: boolean }>(
      `select reference, cancel_requested_at is not null as asked from payments where id = any(?::bigint[])`,
      [`{${whole.paymentId},${rest.paymentId}}`],
    );
    expect(new Map(asked.map(({ reference, asked: called }) => [reference, called]))).toEqual(
      new Map([
        [whole.reference, true],
        [rest.reference, false],
      ]),
    );
    expect(world.calls.filter(([name]) => name === 'signalCancel')).toEqual([['signalCancel', whole.reference]]);
  });

  // After a worker dies just after its commit, another one runs the activity again.
  test('settled twice, or by many at once, counts once', async () => {
    const invoice = await world.bill();
    const payment = await world.begin(invoice, 6_000n);
    await world.charge(payment);
    const settle = () => world.activities.finalizePayment({ ...payment, status: 'SUCCEEDED' });
    expect(await Promise.all(Array.from({ length: 8 }, settle))).toEqual(Array.from({ length: 8 }, () => 'SUCCEEDED'));
    expect(await world.read(invoice)).toMatchObject({ paidMinor: 6_000n });
  });

  // The lock order prevents a deadlock, and each transaction sees what the others have paid.
  test('made by twelve payers at once never counts more than the total', async () => {
    const invoice = await world.bill();
    const payments = await Promise.all(Array.from({ length: 12 }, () => world.begin(invoice, 3_000n)));
    await Promise.all(payments.map((payment) => world.confirm(payment)));
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
    const [held] = await world.rows<{ sum: string }>(
      `select sum(l.gross_minor)::text as sum from unapplied_payments l join payments p on p.id = l.payment_id where p.invoice_id = ?`,
      [invoice.id],
    );
    expect(held?.sum).toBe('26000');
    expect((await world.verify()).findings).toEqual([]);
  });

  // A workflow that does not know the invoice would finalize the payment without locking it.
  test('is not settled by a workflow that does not know its invoice', async () => {
    const invoice = await world.bill();
    const { paysInvoice: _unknown, ...payment } = await world.begin(invoice, 10_000n);
    await world.charge(payment);
    await expect(world.activities.finalizePayment({ ...payment, status: 'SUCCEEDED' })).rejects.toThrow();
    expect(await world.read(invoice)).toMatchObject({ status: 'ISSUED', paidMinor: 0n });
    const [row] = await world.rows('select status from payments where id = ?::bigint', [payment.paymentId]);
    expect(row).toEqual({ status: 'CREATED' });
  });

  test('that fails or expires leaves the invoice as it was', async () => {
    const invoice = await world.bill();
    for (const status of ['FAILED', 'EXPIRED', 'CANCELLED'] as const) {
      const payment = await world.begin(invoice, 10_000n);
      await world.activities.finalizePayment({ ...payment, status });
    }
    expect(await world.read(invoice)).toEqual({ ...invoice, readAt: expect.any(Date), realReadAt: expect.any(Date) });
  });
});

describe('an overpayment that no workflow watches over', () => {
  const sweep = async (): Promise<unknown[]> => {
    world.calls.length = 0;
    await createSweepActivities(world.deps).sweep();
    return world.calls.flatMap(([name, , late]) => (name === 'startUnappliedPayment' ? [late] : []));
  };
  /** Simulates a process that dies after its commit, before it has called Temporal. */
  const losingStarts = async <T>(work: () => Promise<T>): Promise<T> => {
    const { dispatch } = world.deps;
    const { startUnappliedPayment } = dispatch;
    dispatch.startUnappliedPayment = () => Promise.reject(new Error('Temporal is away'));
    try {
      return await work();
    } finally {
      dispatch.startUnappliedPayment = startUnappliedPayment;
    }
  };
  const paidTwice = async (): Promise<StoredPayment> => {
    const invoice = await world.bill();
    const second = await world.begin(invoice, 10_000n);
    await world.pay(invoice, 10_000n);
    await world.confirm(second);
    return second;
  };
  const nextLook = async ({ paymentId }: StoredPayment) => {
    const [row] = await world.rows<{ seconds: number | null }>(
      'select extract(epoch from next_sweep_at - now())::float8 as seconds from unapplied_payments where payment_id = ?::bigint',
      [paymentId],
    );
    return row?.seconds ?? null;
  };
  const aMinuteLater = (): Promise<unknown> =>
    world.rows(`update unapplied_payments set next_sweep_at = next_sweep_at - interval '1 minute' returning 1`);

  beforeEach(() => world.rows('update unapplied_payments set next_sweep_at = null returning 1'));

  test('since its start was lost is given one by the sweeper, until it has taken the money up', async () => {
    // Otherwise no workflow would hold the money, and no operator could see it.
    const payment = await losingStarts(paidTwice);
    expect(await sweep()).toEqual([]);
    await aMinuteLater();
    const attemptReference = await attemptOf(payment.paymentId);
    expect(await sweep()).toEqual([{ attemptReference, callbackId: 0n }]);
    expect(await nextLook(payment)).toBeGreaterThan(500);
    expect(await sweep()).toEqual([]);
    await world.activities.readUnappliedPayment({ ...payment, attemptReference });
    expect(await nextLook(payment)).toBeNull();
  });

  test('since the word was lost that its refund has failed is given one, too', async () => {
    await world.set({ unappliedPaymentPolicy: 'REFUND' });
    const payment = await paidTwice();
    await aMinuteLater();
    // A refund that is in progress needs no workflow for the held money.
    expect(await sweep()).toEqual([]);
    const [refund] = await world.rows<{ reference: string }>(
      'select reference from refunds where payment_id = ?::bigint',
      [payment.paymentId],
    );
    const { applicationId, mode } = payment;
    const failed = { status: 'FAILED', failureCode: 'GATEWAY_REFUSED_REFUND' } as const;
    const { dispatch } = world.deps;
    const { signalRefundEnded } = dispatch;
    dispatch.signalRefundEnded = () => Promise.resolve(false);
    await losingStarts(() =>
      world.activities.endRefund({ reference: refund?.reference ?? '', applicationId, mode, ...failed }),
    );
    dispatch.signalRefundEnded = signalRefundEnded;
    await aMinuteLater();
    expect(await sweep()).toEqual([{ attemptReference: await attemptOf(payment.paymentId), callbackId: 0n }]);
  });

  test('since it was kept is left alone', async () => {
    const payment = await losingStarts(paidTwice);
    await unappliedDecision(payment.paymentId, 'keep');
    const attemptReference = await attemptOf(payment.paymentId);
    await world.activities.decideUnappliedPayment({ ...payment, attemptReference, decisionIds: [] });
    await world.rows(
      `update unapplied_payments set next_sweep_at = now() - interval '1 second' where payment_id = ?::bigint`,
      [payment.paymentId],
    );
    expect(await sweep()).toEqual([]);
  });
});

describe('a refund of an invoice’s payment', () => {
  test('makes due again what it gave back, and the invoice is told', async () => {
    const invoice = await world.bill();
    const payment = await world.pay(invoice, 10_000n);
    await world.refund(payment, 4_000n);
    expect(await world.read(invoice)).toMatchObject({ status: 'PARTIALLY_PAID', paidMinor: 6_000n, paidAt: null });
    expect(world.calls).toContainEqual([
      'notifyInvoice',
      expect.objectContaining({ reference: invoice.reference }),
      'reopened',
    ]);
    await world.pay(invoice, 4_000n);
    expect((await world.events(invoice)).map(({ type, sequence }) => [type, sequence])).toEqual([
      ['invoice.issued', 1],
      ['invoice.paid', 2],
      ['invoice.paid', 3],
    ]);
    expect((await world.verify()).findings).toEqual([]);
  });

  test('is a credit where the application says so: nothing is due again', async () => {
    await world.set({ refundedInvoices: 'KEEP' });
    const invoice = await world.bill();
    const payment = await world.pay(invoice, 10_000n);
    await world.refund(payment, 4_000n);
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
    expect(world.calls.filter(([name, , change]) => name === 'notifyInvoice' && change === 'reopened')).toEqual([]);
    expect((await world.verify()).findings).toEqual([]);
  });

  test('that comes to nothing changes nothing', async () => {
    const invoice = await world.bill();
    const payment = await world.pay(invoice, 10_000n);
    const refund = await world.queryRefund(payment, 4_000n);
    await world.activities.endRefund({ ...refund, status: 'FAILED', failureCode: 'GATEWAY_REFUSED_REFUND' });
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
  });

  // Refund and payment lock the same rows. Both must be counted in either order.
  test('beside a payment of the rest is counted, too', async () => {
    const invoice = await world.bill();
    const first = await world.pay(invoice, 5_000n);
    const second = await world.begin(invoice, 5_000n);
    const refund = await world.queryRefund(first, 2_000n);
    await Promise.all([world.confirm(second), world.activities.endRefund({ ...refund, status: 'SUCCEEDED' })]);
    expect(await world.read(invoice)).toMatchObject({ status: 'PARTIALLY_PAID', paidMinor: 8_000n });
    expect((await world.verify()).findings).toEqual([]);
  });
});

describe('a refund of an invoice’s payment that failed after it had succeeded', () => {
  const TOLD = ['invoice.issued', 'invoice.paid'];

  /** Simulates an operator's finding that the payer did not get the refund. */
  const notRefunded = async (refund: StoredRefund) => {
    await world.rows(
      `update refunds set review_reason = 'FAILED_AFTER_SUCCESS', review_since = now() where id = ?::bigint returning 1`,
      [refund.refundId],
    );
    await world.rows(
      `with boss as (insert into operators (email, name, password_hash) values ('boss@example.com', 'Boss', 'x')
         on conflict (email) do update set name = excluded.name returning id)
       insert into decisions (application_id, mode, kind, payment_id, refund_id, decision, operator_id)
       select r.application_id, r.mode, 'refund', r.payment_id, r.id, 'reject', boss.id from refunds r, boss where r.id = ?::bigint`,
      [refund.refundId],
    );
    world.calls.length = 0;
    return world.activities.decideRefund({ ...refund, decisionIds: [], expired: false });
  };
  const rowOf = async ({ refundId }: StoredRefund) =>
    (
      await world.rows('select status, review_reason, reopens_invoice from refunds where id = ?::bigint', [refundId])
    )[0];

  test('pays the invoice again, which is told, and asks nobody for the money a second time', async () => {
    // The customer has paid and has not been refunded.
    const invoice = await world.bill();
    const payment = await world.pay(invoice, 10_000n);
    const refund = await world.refund(payment, 4_000n);
    expect(await world.read(invoice)).toMatchObject({ status: 'PARTIALLY_PAID', paidMinor: 6_000n });
    expect(await notRefunded(refund)).toEqual({ kind: 'ended', status: 'FAILED' });
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
    expect(await rowOf(refund)).toEqual({ status: 'FAILED', review_reason: null, reopens_invoice: false });
    expect((await world.events(invoice)).map(({ type }) => type)).toEqual([...TOLD, 'invoice.paid']);
    const handle = expect.objectContaining({ reference: invoice.reference });
    expect(world.calls).toContainEqual(['notifyInvoice', handle, 'paid']);
    expect(await world.activities.decideRefund({ ...refund, decisionIds: [], expired: false })).toEqual({
      kind: 'ended',
      status: 'FAILED',
    });
    expect(await world.read(invoice)).toMatchObject({ paidMinor: 10_000n });
    expect((await world.verify()).findings).toEqual([]);
  });

  test.each([
    ['was paid otherwise', (invoice: InvoiceRecord) => world.pay(invoice, 10_000n), 'PAID'],
    ['was voided', (invoice: InvoiceRecord) => world.void(invoice), 'VOID'],
  ] as const)('is not undone where the invoice %s since', async (_name, meanwhile, status) => {
    // The invoice could not take the money back, so the refund stays under review.
    const invoice = await world.bill();
    const refund = await world.refund(await world.pay(invoice, 10_000n), 10_000n);
    await meanwhile(invoice);
    expect(await notRefunded(refund)).toEqual({ kind: 'review', reason: 'FAILED_AFTER_SUCCESS' });
    expect(await world.read(invoice)).toMatchObject({ status });
    expect(await rowOf(refund)).toMatchObject({ status: 'SUCCEEDED', reopens_invoice: true });
    expect(await postings(refund.reference)).toHaveLength(1);
    expect((await world.verify()).findings).toEqual([]);
  });

  test('leaves the invoice alone where it was a credit', async () => {
    await world.set({ refundedInvoices: 'KEEP' });
    const invoice = await world.bill();
    const refund = await world.refund(await world.pay(invoice, 10_000n), 4_000n);
    expect(await notRefunded(refund)).toEqual({ kind: 'ended', status: 'FAILED' });
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
    expect((await world.events(invoice)).map(({ type }) => type)).toEqual(TOLD);
    expect((await world.verify()).findings).toEqual([]);
  });
});

describe('unapplied money of an invoice’s payment', () => {
  const recordLate = async (paymentId: string, amountMinor: bigint, currency = 'BDT'): Promise<void> => {
    await world.rows(
      `insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
         fee_minor, currency)
       select application_id, mode, payment_id, id, gateway, 'L' || reference, 'B' || reference,
         jsonb_build_object('attemptReference', reference, 'validationId', 'L' || reference, 'gatewayTxnId', 'B' || reference,
           'gross', ?::text)::text, ?::bigint, 0, ?
       from payment_attempts where payment_id = ?::bigint`,
      [amountMinor.toString(), amountMinor, currency, paymentId],
    );
  };

  // An operator who keeps money that a payer sent for an invoice means that the payer has paid it.
  test('that an operator keeps pays what the invoice still asks for', async () => {
    const invoice = await world.bill();
    const payment = await world.begin(invoice, 10_000n);
    await world.activities.finalizePayment({ ...payment, status: 'EXPIRED' });
    await recordLate(payment.paymentId, 10_000n);
    await unappliedDecision(payment.paymentId, 'keep');
    const attempt = await attemptOf(payment.paymentId);
    const { paysInvoice: _unknown, ...input } = payment;
    await world.activities.decideUnappliedPayment({ ...input, attemptReference: attempt, decisionIds: [] });
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
    expect((await world.events(invoice)).map(({ type }) => type)).toEqual(['invoice.issued', 'invoice.paid']);
    expect(
      await world.rows('select status, applied_minor from unapplied_payments where payment_id = ?::bigint', [
        payment.paymentId,
      ]),
    ).toEqual([{ status: 'KEPT', applied_minor: '10000' }]);
  });

  test('that is kept in another currency pays nothing of the invoice', async () => {
    const invoice = await world.bill();
    const payment = await world.begin(invoice, 10_000n);
    await world.activities.finalizePayment({ ...payment, status: 'EXPIRED' });
    await recordLate(payment.paymentId, 10_000n, 'USD');
    await unappliedDecision(payment.paymentId, 'keep');
    const attempt = await attemptOf(payment.paymentId);
    await world.activities.decideUnappliedPayment({ ...payment, attemptReference: attempt, decisionIds: [] });
    expect(await world.read(invoice)).toMatchObject({ status: 'ISSUED', paidMinor: 0n });
    expect((await world.events(invoice)).map(({ type }) => type)).toEqual(['invoice.issued']);
    expect(
      await world.rows('select status, applied_minor, currency from unapplied_payments where payment_id = ?::bigint', [
        payment.paymentId,
      ]),
    ).toEqual([{ status: 'KEPT', applied_minor: '0', currency: 'USD' }]);
  });

  test('that is kept where nothing is due stays the application’s, and no invoice’s', async () => {
    const invoice = await world.bill();
    const late = await world.begin(invoice, 10_000n);
    await world.pay(invoice, 10_000n);
    await world.confirm(late);
    await unappliedDecision(late.paymentId, 'keep');
    await world.activities.decideUnappliedPayment({
      ...late,
      attemptReference: await attemptOf(late.paymentId),
      decisionIds: [],
    });
    expect(await overpayments(late.paymentId)).toMatchObject([{ status: 'KEPT' }]);
    expect(await world.read(invoice)).toMatchObject({ status: 'PAID', paidMinor: 10_000n });
  });
});

describe('a void', () => {
  test('is refused while something is paid, or somebody is paying', async () => {
    const paid = await world.bill();
    await world.pay(paid, 1_000n);
    await expect(world.void(paid)).rejects.toMatchObject({ code: 'INVALID_OPERATION_STATE' });
    const open = await world.bill();
    const payment = await world.begin(open, 10_000n);
    await expect(world.void(open)).rejects.toMatchObject({ code: 'INVALID_OPERATION_STATE' });
    await world.activities.finalizePayment({ ...payment, status: 'EXPIRED' });
    expect(await world.void(open)).toMatchObject({ status: 'VOID', amountDueMinor: 0 });
    await expect(world.begin(open, 10_000n)).rejects.toMatchObject({ code: 'INVALID_OPERATION_STATE' });
  });

  // When a payer and the shop act at the same moment, one of them must be refused.
  test('and a payment that is begun at once exclude each other', async () => {
    for (let round = 0; round < 10; round += 1) {
      const invoice = await world.bill();
      const [begun, voided] = await Promise.allSettled([world.begin(invoice, 10_000n), world.void(invoice)]);
      expect([begun.status, voided.status].sort()).toEqual(['fulfilled', 'rejected']);
    }
  });
});
