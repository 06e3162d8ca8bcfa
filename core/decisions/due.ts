import { jsonBuildObject } from 'kysely/helpers/postgres';
import { later, now } from '../../database/expressions.ts';
import type { Statements } from '../../database/statements.ts';
import { statement, type Given } from '../../database/typed-statements.ts';
import type { RefundHandle } from '../dispatch.ts';
import { SWEPT_PAYMENT, sweptPaymentOf, type SweptPayment } from '../payments/store/due.ts';
import { sweptRefundOf } from '../refunds/store/due.ts';

/** A decision that no workflow has read. */
export interface UnreadDecision {
  readonly decisionId: bigint;
  readonly payment: SweptPayment;
  /** The refund that was decided, if any. */
  readonly refund: RefundHandle | null;
  /** The attempt whose unapplied payment was decided, if any. */
  readonly attemptReference: string | null;
}

const TAKE_UNREAD = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('decisions')
        .select('id')
        .where('consumedAt', 'is', null)
        .where((eb) => eb.or([eb.not('needsSecond'), eb('secondOperatorId', 'is not', null)]))
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .with('moved', (q) =>
      q
        .updateTable('decisions as d')
        .from('due')
        .set({ nextSweepAt: later('5 minutes') })
        .whereRef('d.id', '=', 'due.id')
        .returning(['d.id', 'd.paymentId', 'd.refundId', 'd.unappliedPaymentId']),
    )
    .selectFrom('moved')
    .innerJoin('payments as p', 'p.id', 'moved.paymentId')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(SWEPT_PAYMENT)
    .select((eb) => [
      'moved.id as decisionId',
      eb
        .selectFrom('refunds as r')
        .select((r) =>
          jsonBuildObject({
            reference: r.ref('r.reference'),
            applicationId: r.cast<string>('r.applicationId', 'text'),
            applicationName: r.ref('a.name'),
            mode: r.ref('r.mode'),
            amountMinor: r.cast<string>('r.amountMinor', 'text'),
            currency: r.ref('r.currency'),
            gateway: r.ref('r.gateway'),
            status: r.ref('r.status'),
          }).as('refund'),
        )
        .whereRef('r.id', '=', 'moved.refundId')
        .as('refund'),
      eb
        .selectFrom('unapplied_payments as l')
        .innerJoin('payment_attempts as t', 't.id', 'l.attemptId')
        .select('t.reference')
        .whereRef('l.id', '=', 'moved.unappliedPaymentId')
        .as('attemptReference'),
    ]),
);

/** Takes decisions that are due for a check, and postpones their next one by five minutes. */
export async function takeUnreadDecisions(statements: Statements, max: number): Promise<UnreadDecision[]> {
  return (await TAKE_UNREAD.all(statements, { max })).map((row) => ({
    decisionId: row.decisionId,
    payment: sweptPaymentOf(row),
    refund: row.refund === null ? null : sweptRefundOf(row.refund),
    attemptReference: row.attemptReference,
  }));
}
