import { sql, type Expression, type RawBuilder } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';
import type { ReportSpan } from '../../../domain/report.ts';
import {
  endedPayments,
  FIGURES,
  instantOf,
  openPayments,
  paidPayments,
  succeededRefunds,
  SUMMED,
  timesToPay,
  undoneRefunds,
} from './facts.ts';

const POSITION = statement((db) =>
  db
    .selectFrom('report_progress as r')
    .select([sql<string>`${sql.ref('r.through')}::text`.as('through'), 'r.timeZone']),
);

/** How far the summaries reach, in microseconds, and in which time zone they are made. */
export type SummaryPosition = RowOf<typeof POSITION>;

export async function summaryPosition(statements: Statements): Promise<SummaryPosition> {
  const position = await POSITION.first(statements, {});
  if (position === undefined) {
    throw new Error('report_progress has no row');
  }
  return position;
}

export interface FiguresFilter {
  readonly span: ReportSpan;
  readonly mode: Mode;
  readonly applicationId: bigint | null;
  readonly gateway: string | null;
  readonly currency: string | null;
  readonly byApplication: boolean;
  readonly byGateway: boolean;
  /** The first instants of the periods, ascending. */
  readonly starts: ReadonlyArray<Date>;
  /** Where the last period ends. */
  readonly before: Date;
  /** Everything that ended before is taken from the summaries. If it is `-infinity`, none of them are used. */
  readonly through: string;
}

interface Wanted extends Omit<FiguresFilter, 'starts'> {
  readonly starts: readonly string[];
  readonly from: Date;
  readonly rowsMax: number;
}

/** What identifies a row. Without grouping, application and gateway are the same for all. */
const KEY = ['bucket', 'currency', 'application', 'gateway'] as const;

const REF = {
  at: sql.ref<Date>('f.at'),
  application: sql.ref<bigint>('f.applicationId'),
  gateway: sql.ref<string>('f.gateway'),
};

function keyOf($: Given<Wanted>) {
  return [
    sql<number>`width_bucket(${REF.at}, ${$('starts')}::timestamptz[])`.as('bucket'),
    'f.currency',
    sql<bigint>`case when ${$('byApplication')}::boolean then ${REF.application} else 0 end`.as('application'),
    sql<string>`case when ${$('byGateway')}::boolean then ${REF.gateway} else '' end`.as('gateway'),
  ] as const;
}

function isWanted($: Given<Wanted>): RawBuilder<boolean> {
  const isGiven = (name: 'applicationId' | 'gateway' | 'currency', type: string, value: Expression<unknown>) =>
    sql`(${$(name)}::${sql.raw(type)} is null or ${value} = ${$(name)}::${sql.raw(type)})`;
  return sql<boolean>`${sql.ref('f.mode')} = ${$('mode')}::text
    and ${isGiven('applicationId', 'bigint', REF.application)}
    and ${isGiven('gateway', 'text', REF.gateway)}
    and ${isGiven('currency', 'text', sql.ref('f.currency'))}`;
}

const sumOf = <Name extends string>(name: Name) => sql<string>`sum(${sql.ref(`f.${name}`)})`.as(name);
/** An undone refund leaves zeros behind, which a count of rows does not show. */
const IS_SOMETHING = sql<boolean>`sum(f.open + f.succeeded + f.failed + f.cancelled + f.expired + f.paid + f.refunds) > 0`;
const NOT_SUMMARIZED = sql<string>`0`.as('open');

/** The smallest step within which this share of the payments was paid. */
const percentile = (percent: number) =>
  sql<number | null>`(min(seconds) filter (where reached * 100 >= total * ${sql.lit(percent)}))::integer`.as(
    `p${percent}`,
  );

const READ = statement((db, $: Given<Wanted>) => {
  const through = instantOf($('through'));
  const within = (time: Expression<Date | null>): RawBuilder<boolean> =>
    sql<boolean>`${time} >= ${$('from')}::timestamptz and ${time} < ${$('before')}::timestamptz`;
  // Summaries that reach nowhere are those of another time zone.
  const ofSpan = sql<boolean>`${through} > '-infinity' and s.span = ${$('span')}::text and ${within(sql.ref<Date>('s.startsAt'))}`;
  return db
    .with('facts', (q) =>
      openPayments(db)
        .where('p.status', 'in', OPEN_STATUSES)
        .where((eb) => within(eb.ref('p.createdAt')))
        .unionAll(
          endedPayments(db)
            .where('p.endedAt', '>=', through)
            .where((eb) => within(eb.ref('p.createdAt'))),
        )
        .unionAll(
          paidPayments(db)
            .where('p.endedAt', '>=', through)
            .where((eb) => within(eb.ref('p.paidAt'))),
        )
        .unionAll(
          succeededRefunds(db)
            .where('r.succeededAt', '>=', through)
            .where((eb) => within(eb.ref('r.succeededAt'))),
        )
        .unionAll(
          undoneRefunds(db)
            .where('r.endedAt', '>=', through)
            .where((eb) => within(eb.ref('r.succeededAt'))),
        )
        .unionAll(
          q
            .selectFrom('report_sums as s')
            .select(['s.startsAt as at', 's.applicationId', 's.mode', 's.currency', 's.gateway', NOT_SUMMARIZED])
            .select(SUMMED.map((name) => sql<string>`${sql.ref(`s.${name}`)}`.as(name)))
            .where(ofSpan),
        ),
    )
    .with('times', (q) =>
      timesToPay(db)
        .where('p.endedAt', '>=', through)
        .where((eb) => within(eb.ref('p.paidAt')))
        .unionAll(
          q
            .selectFrom('report_times as s')
            .select(['s.startsAt as at', 's.applicationId', 's.mode', 's.currency', 's.gateway', 's.seconds'])
            .select(sql<string>`${sql.ref('s.payments')}`.as('payments'))
            .where(ofSpan),
        ),
    )
    .with('sums', (q) =>
      q
        .selectFrom((eb) =>
          eb
            .selectFrom('facts as f')
            .select(keyOf($))
            .select(FIGURES.map((name) => sql<string>`${sql.ref(`f.${name}`)}`.as(name)))
            .where(isWanted($))
            .as('f'),
        )
        .select(KEY.map((name) => `f.${name}` as const))
        .select(FIGURES.map(sumOf))
        .groupBy(KEY.map((name) => `f.${name}` as const))
        .having(IS_SOMETHING),
    )
    .with('steps', (q) =>
      q
        .selectFrom((eb) =>
          eb.selectFrom('times as f').select(keyOf($)).select(['f.seconds', 'f.payments']).where(isWanted($)).as('f'),
        )
        .select(KEY.map((name) => `f.${name}` as const))
        .select(['f.seconds', sumOf('payments')])
        .groupBy([...KEY.map((name) => `f.${name}` as const), 'f.seconds']),
    )
    .with('reached', (q) =>
      q
        .selectFrom('steps as f')
        .select(KEY.map((name) => `f.${name}` as const))
        .select('f.seconds')
        .select((eb) => [
          eb.fn
            .sum<string>('f.payments')
            .over((over) => over.partitionBy(KEY.map((name) => `f.${name}` as const)).orderBy('f.seconds'))
            .as('reached'),
          eb.fn
            .sum<string>('f.payments')
            .over((over) => over.partitionBy(KEY.map((name) => `f.${name}` as const)))
            .as('total'),
        ]),
    )
    .with('percentiles', (q) =>
      q
        .selectFrom('reached as f')
        .select(KEY.map((name) => `f.${name}` as const))
        .select([percentile(50), percentile(95)])
        .groupBy(KEY.map((name) => `f.${name}` as const)),
    )
    .selectFrom('sums as f')
    .leftJoin('percentiles as t', (join) => KEY.reduce((on, name) => on.onRef(`t.${name}`, '=', `f.${name}`), join))
    .select(KEY.map((name) => `f.${name}` as const))
    .select(FIGURES.map((name) => sql<string>`${sql.ref(`f.${name}`)}::text`.as(name)))
    .select(['t.p50', 't.p95'])
    .orderBy('f.bucket')
    .orderBy('f.currency')
    .orderBy('f.application')
    .orderBy('f.gateway')
    .limit(sql<bigint>`${$('rowsMax')}::bigint`);
});

/** The figures of a period, as decimal digits. `bucket` counts the periods from 1. Times are in seconds. */
export type FiguresRow = RowOf<typeof READ>;

/** Returns the figures of the periods in which anything happened, at most `rowsMax`, in the operator's view. */
export function readFigures(
  statements: Statements,
  { starts, ...filter }: FiguresFilter,
  { rowsMax }: { readonly rowsMax: number },
): Promise<FiguresRow[]> {
  const [from = filter.before] = starts;
  return READ.all(statements, { ...filter, from, starts: starts.map((start) => start.toISOString()), rowsMax });
}
