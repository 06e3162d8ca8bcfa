import type { Mode } from '../../../domain/mode.ts';
import type { EntityManager } from '../../../database/connection.ts';

export interface ReportFilter {
  readonly applicationId: bigint | undefined;
  readonly mode: Mode;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

export interface CurrencySummary {
  readonly currency: string;
  /** Number of payments created in the period, by status. */
  readonly payments: Readonly<Record<string, number>>;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly refundedMinor: bigint;
  /** The amount held now, regardless of the period. */
  readonly lateHeldMinor: bigint;
}

interface SummaryRow {
  currency: string;
  payments: Record<string, number> | null;
  gross: string;
  fee: string;
  refunded: string;
  held: string;
}

/** Returns sums over the operator's view. Money counts when it moved: a payment when it was paid, a refund when it ended. */
export async function summarize(
  em: EntityManager,
  { applicationId, mode, from, before }: ReportFilter,
): Promise<CurrencySummary[]> {
  const scope = [mode, applicationId ?? null, applicationId ?? null];
  const time = [from, from, before, before];
  const rows = await em.execute<SummaryRow[]>(
    `with made as (
       select currency, status, count(*)::integer as number from payments
       where mode = ? and (?::bigint is null or application_id = ?::bigint) and ${within('created_at')} group by currency, status
     ), taken as (
       select currency, sum(amount_minor) as gross, sum(coalesce(fee_minor, 0)) as fee from payments
       where mode = ? and (?::bigint is null or application_id = ?::bigint) and paid_at is not null and ${within('paid_at')} group by currency
     ), given as (
       select currency, sum(amount_minor) as refunded from refunds
       where mode = ? and (?::bigint is null or application_id = ?::bigint) and status = 'SUCCEEDED' and unapplied_payment_id is null
         and ${within('ended_at')} group by currency
     ), waiting as (
       select currency, sum(gross_minor) as held from unapplied_payments
       where mode = ? and (?::bigint is null or application_id = ?::bigint) and status = 'HELD' group by currency
     ), seen as (
       select currency from made union select currency from taken union select currency from given union select currency from waiting
     )
     select seen.currency, (select json_object_agg(status, number) from made where made.currency = seen.currency) as payments,
       coalesce(taken.gross, 0)::text as gross, coalesce(taken.fee, 0)::text as fee, coalesce(given.refunded, 0)::text as refunded,
       coalesce(waiting.held, 0)::text as held
     from seen left join taken using (currency) left join given using (currency) left join waiting using (currency) order by seen.currency`,
    [...scope, ...time, ...scope, ...time, ...scope, ...time, ...scope],
  );
  return rows.map((row) => ({
    currency: row.currency,
    payments: row.payments ?? {},
    grossMinor: BigInt(row.gross),
    feeMinor: BigInt(row.fee),
    refundedMinor: BigInt(row.refunded),
    lateHeldMinor: BigInt(row.held),
  }));
}

function within(column: string): string {
  return `(?::timestamptz is null or ${column} >= ?::timestamptz) and (?::timestamptz is null or ${column} < ?::timestamptz)`;
}
