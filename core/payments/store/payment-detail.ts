import type { EntityManager } from '../../../database/connection.ts';
import { GatewayCallback, UnappliedPayment, PaymentAttempt, type Payment } from '../../../database/entities/payment.ts';
import { Decision, Refund } from '../../../database/entities/refund.ts';
import { WebhookEvent } from '../../../database/entities/webhook.ts';

const ROWS_MAX = 200;

export interface DetailPosting {
  readonly kind: string;
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly createdAt: Date;
}

/** All rows that belong to a payment, oldest first, at most 200 of each kind. */
export interface Detail {
  readonly attempts: readonly PaymentAttempt[];
  readonly refunds: readonly Refund[];
  readonly callbacks: readonly GatewayCallback[];
  readonly unappliedPayments: readonly UnappliedPayment[];
  readonly decisions: readonly Decision[];
  readonly events: readonly WebhookEvent[];
  readonly postings: readonly DetailPosting[];
}

interface PostingRow {
  kind: string;
  debit: string;
  credit: string;
  amount_minor: string;
  currency: string;
  created_at: Date;
}

export async function paymentDetail(em: EntityManager, { id: paymentId, reference }: Payment): Promise<Detail> {
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
  const postings = await em.execute<PostingRow[]>(
    `select t.kind, d.name as debit, c.name as credit, p.amount_minor, t.currency, t.created_at
     from ledger_transactions t join ledger_postings p on p.transaction_id = t.id
       join ledger_accounts d on d.id = p.debit_account_id join ledger_accounts c on c.id = p.credit_account_id
     where t.cause_type in ('payment', 'refund', 'unapplied-payment')
       and t.cause_id in (select jsonb_array_elements_text(?::jsonb)) order by p.id limit ${ROWS_MAX}`,
    [JSON.stringify(causes)],
  );
  return {
    attempts,
    refunds,
    unappliedPayments,
    callbacks: await em.find(GatewayCallback, { paymentId }, page),
    decisions: await em.find(Decision, { paymentId }, page),
    events: await em.find(WebhookEvent, { paymentId }, page),
    postings: postings.map(({ amount_minor: amount, created_at: createdAt, ...posting }) => ({
      ...posting,
      amountMinor: BigInt(amount),
      createdAt: new Date(createdAt),
    })),
  };
}
