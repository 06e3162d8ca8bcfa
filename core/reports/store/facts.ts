import { sql, type Expression, type QueryCreator, type RawBuilder } from 'kysely';
import type { Tables } from '../../../database/tables.ts';
import { PAID_STATUSES, type PaymentStatus } from '../../../domain/payment.ts';
import { TIME_TO_PAY_STEPS } from '../../../domain/report.ts';

/** The figures of which summaries hold sums. */
export const SUMMED = [
  'succeeded',
  'failed',
  'cancelled',
  'expired',
  'paid',
  'grossMinor',
  'feeMinor',
  'refunds',
  'refundedMinor',
] as const;
/** The figures of a report. Open payments are never in a summary. */
export const FIGURES = ['open', ...SUMMED] as const;
export type Figure = (typeof FIGURES)[number];

const NOTHING = sql<string>`0`;
const ONE = sql<string>`1`;

/** What one row adds to the figures: nothing to those that are not given. */
function adding(given: Partial<Record<Figure, RawBuilder<string>>>) {
  return FIGURES.map((figure) => (given[figure] ?? NOTHING).as(figure));
}

function hasStatus(statuses: readonly PaymentStatus[]): RawBuilder<string> {
  return sql<string>`(${sql.ref('p.status')} in (${sql.join(statuses.map((status) => sql.lit(status)))}))::integer`;
}

const GATEWAY = sql<string>`coalesce(${sql.ref('p.gateway')}, '')`.as('gateway');
const PAID_AT = sql<Date>`${sql.ref('p.paidAt')}`.as('at');
const SUCCEEDED_AT = sql<Date>`${sql.ref('r.succeededAt')}`.as('at');

/** Open payments, each counted when it was created. */
export function openPayments(q: QueryCreator<Tables>) {
  return q
    .selectFrom('payments as p')
    .select(['p.createdAt as at', 'p.applicationId', 'p.mode', 'p.currency', GATEWAY])
    .select(adding({ open: ONE }));
}

/** Ended payments, each counted when it was created. */
export function endedPayments(q: QueryCreator<Tables>) {
  return q
    .selectFrom('payments as p')
    .select(['p.createdAt as at', 'p.applicationId', 'p.mode', 'p.currency', GATEWAY])
    .select(
      adding({
        succeeded: hasStatus(PAID_STATUSES),
        failed: hasStatus(['FAILED']),
        cancelled: hasStatus(['CANCELLED']),
        expired: hasStatus(['EXPIRED']),
      }),
    );
}

/** Paid payments, each counted when it was paid. */
export function paidPayments(q: QueryCreator<Tables>) {
  return q
    .selectFrom('payments as p')
    .select([PAID_AT, 'p.applicationId', 'p.mode', 'p.currency', GATEWAY])
    .select(
      adding({
        paid: ONE,
        grossMinor: sql<string>`${sql.ref('p.amountMinor')}::numeric`,
        feeMinor: sql<string>`coalesce(${sql.ref('p.feeMinor')}, 0)::numeric`,
      }),
    )
    .where('p.paidAt', 'is not', null);
}

function refunds(q: QueryCreator<Tables>, sign: '' | '-') {
  const signed = (value: RawBuilder<unknown>): RawBuilder<string> => sql<string>`${sql.raw(sign)}(${value})`;
  return q
    .selectFrom('refunds as r')
    .select([SUCCEEDED_AT, 'r.applicationId', 'r.mode', 'r.currency', 'r.gateway'])
    .select(adding({ refunds: signed(ONE), refundedMinor: signed(sql<string>`${sql.ref('r.amountMinor')}::numeric`) }))
    .where('r.succeededAt', 'is not', null)
    .where('r.unappliedPaymentId', 'is', null);
}

/** Refunds that have succeeded, each counted when it did, whether it still counts as successful or not. */
export function succeededRefunds(q: QueryCreator<Tables>) {
  return refunds(q, '');
}

/** Refunds that failed after they had succeeded: they take back what `succeededRefunds` counted, where it was counted. */
export function undoneRefunds(q: QueryCreator<Tables>) {
  return refunds(q, '-').where('r.status', '=', 'FAILED');
}

const STEPS = sql`array[${sql.join(TIME_TO_PAY_STEPS.map((step) => sql.lit(step)))}]::bigint[]`;
const SECONDS_TO_PAY = sql`ceil(extract(epoch from ${sql.ref('p.paidAt')} - ${sql.ref('p.createdAt')}))::bigint`;
const STEP = sql<number>`(${STEPS})[least(width_bucket(${SECONDS_TO_PAY} - 1, ${STEPS}) + 1, ${sql.lit(TIME_TO_PAY_STEPS.length)})]::integer`;

/** Paid payments with the step of their time to pay, each counted when it was paid. */
export function timesToPay(q: QueryCreator<Tables>) {
  return q
    .selectFrom('payments as p')
    .select([PAID_AT, 'p.applicationId', 'p.mode', 'p.currency', GATEWAY, STEP.as('seconds')])
    .select(ONE.as('payments'))
    .where('p.paidAt', 'is not', null);
}

/** An instant as text, which keeps its microseconds: a Date would lose them. */
export function instantOf(text: Expression<string>): RawBuilder<Date> {
  return sql<Date>`${text}::text::timestamptz`;
}
