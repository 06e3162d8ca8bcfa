import { expressionBuilder, sql, type Expression, type RawBuilder } from 'kysely';
import type { Mode } from '../../../domain/mode.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

export interface ReportFilter {
  readonly applicationId: bigint | null;
  readonly mode: Mode;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

const NOTHING = sql.lit(0);

/** Whether a time is in the period. */
function within(time: Expression<Date | null>, $: Given<ReportFilter>): RawBuilder<boolean> {
  const [from, before] = [sql`${$('from')}::timestamptz`, sql`${$('before')}::timestamptz`];
  return sql`(${from} is null or ${time} >= ${from}) and (${before} is null or ${time} < ${before})`;
}

const SUMMARIZE = statement((db, $: Given<ReportFilter>) => {
  const of = expressionBuilder<Tables, 'payments' | 'refunds' | 'unapplied_payments'>();
  const application = of.cast<bigint | null>($('applicationId'), 'bigint');
  const isSelected = of.and([
    of('mode', '=', $('mode')),
    of.or([of(application, 'is', null), of('applicationId', '=', application)]),
  ]);
  return db
    .with('created', (q) =>
      q
        .selectFrom('payments')
        .select((eb) => ['currency', 'status', eb.cast<number>(eb.fn.countAll(), 'integer').as('number')])
        .where(isSelected)
        .where((eb) => within(eb.ref('createdAt'), $))
        .groupBy(['currency', 'status']),
    )
    .with('paid', (q) =>
      q
        .selectFrom('payments')
        .select((eb) => [
          'currency',
          eb.fn.sum<bigint>('amountMinor').as('gross'),
          eb.fn.sum<bigint>(eb.fn.coalesce('feeMinor', NOTHING)).as('fee'),
        ])
        .where(isSelected)
        .where('paidAt', 'is not', null)
        .where((eb) => within(eb.ref('paidAt'), $))
        .groupBy('currency'),
    )
    .with('refunded', (q) =>
      q
        .selectFrom('refunds')
        .select((eb) => ['currency', eb.fn.sum<bigint>('amountMinor').as('amount')])
        .where(isSelected)
        .where('status', '=', 'SUCCEEDED')
        .where('unappliedPaymentId', 'is', null)
        .where((eb) => within(eb.ref('endedAt'), $))
        .groupBy('currency'),
    )
    .with('held', (q) =>
      q
        .selectFrom('unapplied_payments')
        .select((eb) => ['currency', eb.fn.sum<bigint>('grossMinor').as('amount')])
        .where(isSelected)
        .where('status', '=', 'HELD')
        .groupBy('currency'),
    )
    .with('seen', (q) =>
      q
        .selectFrom('created')
        .select('currency')
        .union(q.selectFrom('paid').select('currency'))
        .union(q.selectFrom('refunded').select('currency'))
        .union(q.selectFrom('held').select('currency')),
    )
    .selectFrom('seen')
    .leftJoin('paid', 'paid.currency', 'seen.currency')
    .leftJoin('refunded', 'refunded.currency', 'seen.currency')
    .leftJoin('held', 'held.currency', 'seen.currency')
    .select((eb) => [
      'seen.currency',
      // The number of payments created in the period, by status.
      eb.fn
        .coalesce(
          eb
            .selectFrom('created')
            .select((c) => c.fn<Record<string, number>>('json_object_agg', ['status', 'number']).as('numbers'))
            .whereRef('created.currency', '=', 'seen.currency'),
          sql<Record<string, number>>`'{}'::json`,
        )
        .as('payments'),
      eb.cast<bigint>(eb.fn.coalesce('paid.gross', NOTHING), 'bigint').as('grossMinor'),
      eb.cast<bigint>(eb.fn.coalesce('paid.fee', NOTHING), 'bigint').as('feeMinor'),
      eb.cast<bigint>(eb.fn.coalesce('refunded.amount', NOTHING), 'bigint').as('refundedMinor'),
      // The amount held now, regardless of the period.
      eb.cast<bigint>(eb.fn.coalesce('held.amount', NOTHING), 'bigint').as('lateHeldMinor'),
    ])
    .orderBy('seen.currency');
});

export type CurrencySummary = RowOf<typeof SUMMARIZE>;

/** Returns sums over the operator's view. Money counts when it moved: a payment when it was paid, a refund when it ended. */
export function summarize(statements: Statements, filter: ReportFilter): Promise<CurrencySummary[]> {
  return SUMMARIZE.all(statements, filter);
}
