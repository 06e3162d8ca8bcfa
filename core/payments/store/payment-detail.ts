import type { EntityManager } from '../../../database/connection.ts';
import { Dispute } from '../../../database/entities/dispute.ts';
import { GatewayCallback, UnappliedPayment, PaymentAttempt, type Payment } from '../../../database/entities/payment.ts';
import { Decision, Refund } from '../../../database/entities/refund.ts';
import { WebhookEvent } from '../../../database/entities/webhook.ts';
import { aheadSecondsOf } from '../../../database/expressions.ts';
import { payoutLinesOf, type PayoutLineOfPayment } from '../../payouts/store/lines-of-payment.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

const ROWS_MAX = 200;

const POSTINGS = statement((db, $: Given<{ causes: readonly string[] }>) =>
  db
    .selectFrom('ledger_transactions as t')
    .innerJoin('ledger_postings as p', 'p.transactionId', 't.id')
    .innerJoin('ledger_accounts as d', 'd.id', 'p.debitAccountId')
    .innerJoin('ledger_accounts as c', 'c.id', 'p.creditAccountId')
    .select(['t.kind', 'd.name as debit', 'c.name as credit', 'p.amountMinor', 't.currency', 't.createdAt'])
    .where('t.causeType', 'in', ['payment', 'refund', 'unapplied-payment'])
    .where('t.causeId', '=', (eb) => eb.fn.any($('causes')))
    .orderBy('p.id')
    .limit(ROWS_MAX),
);

const INVOICE = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db.selectFrom('invoices').select(['id', 'reference', 'numberLabel as number']).where('id', '=', $('invoiceId')),
);

const CLOCK = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('payments')
    .select((eb) => aheadSecondsOf(eb.ref('clockOffset')).as('aheadSeconds'))
    .where('id', '=', $('paymentId')),
);

export type DetailPosting = RowOf<typeof POSTINGS>;

/** All rows that belong to a payment, oldest first, at most 200 of each kind. */
export interface Detail {
  readonly attempts: readonly PaymentAttempt[];
  readonly refunds: readonly Refund[];
  readonly callbacks: readonly GatewayCallback[];
  readonly unappliedPayments: readonly UnappliedPayment[];
  readonly disputes: readonly Dispute[];
  readonly decisions: readonly Decision[];
  readonly events: readonly WebhookEvent[];
  readonly postings: readonly DetailPosting[];
  /** The invoice that it pays. */
  readonly invoice: RowOf<typeof INVOICE> | null;
  readonly payoutLines: readonly PayoutLineOfPayment[];
  readonly clockAheadSeconds: number;
}

export async function paymentDetail(
  em: EntityManager,
  { id: paymentId, reference, invoiceId }: Pick<Payment, 'id' | 'reference' | 'invoiceId'>,
): Promise<Detail> {
  const page = { orderBy: { id: 'asc' }, limit: ROWS_MAX } as const;
  const attempts = await em.find(PaymentAttempt, { paymentId }, page);
  const refunds = await em.find(Refund, { paymentId }, page);
  const unappliedPayments = await em.find(UnappliedPayment, { paymentId }, page);
  const attemptReferences = new Map(attempts.map(({ id, reference: own }) => [id, own]));
  const causes = [
    reference,
    ...refunds.map((refund) => refund.reference),
    ...unappliedPayments.map(
      ({ attemptId, validationId }) => `${attemptReferences.get(attemptId) ?? ''}:${validationId}`,
    ),
  ];
  const postings = await POSTINGS.all(em, { causes });
  return {
    attempts,
    refunds,
    unappliedPayments,
    callbacks: await em.find(GatewayCallback, { paymentId }, page),
    disputes: await em.find(Dispute, { paymentId }, page),
    decisions: await em.find(Decision, { paymentId }, page),
    events: await em.find(WebhookEvent, { paymentId }, page),
    postings,
    invoice: typeof invoiceId === 'bigint' ? ((await INVOICE.first(em, { invoiceId })) ?? null) : null,
    payoutLines: await payoutLinesOf(em, paymentId),
    clockAheadSeconds: (await CLOCK.first(em, { paymentId }))?.aheadSeconds ?? 0,
  };
}
