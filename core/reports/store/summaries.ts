import { sql, type Expression, type RawBuilder } from 'kysely';
import { ADVISORY_LOCKS } from '../../../database/advisory-locks.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { REPORT_SPANS, type ReportSpan } from '../../../domain/report.ts';
import {
  endedPayments,
  instantOf,
  paidPayments,
  succeededRefunds,
  SUMMED,
  timesToPay,
  undoneRefunds,
} from './facts.ts';

const KEY = ['span', 'mode', 'startsAt', 'applicationId', 'currency', 'gateway'] as const;

const LOCK = statement((db) =>
  db.selectNoFrom((eb) =>
    eb.fn<boolean>('pg_try_advisory_xact_lock', [eb.lit(ADVISORY_LOCKS.summarizing)]).as('taken'),
  ),
);

/** Returns false if another transaction is summarizing. */
export async function lockSummaries(statements: Statements): Promise<boolean> {
  return (await LOCK.first(statements, {}))?.taken === true;
}

const THROUGH = sql.ref('r.through');

/** The newest end of each kind is one entry of an index. */
const IS_BEHIND = statement((db, $: Given<{ timeZone: string }>) =>
  db.selectFrom('report_progress as r').select((eb) => {
    const payment = eb
      .selectFrom('payments')
      .select('endedAt')
      .where('endedAt', 'is not', null)
      .orderBy('endedAt', 'desc')
      .limit(1);
    const refund = eb
      .selectFrom('refunds')
      .select('succeededAt')
      .where('succeededAt', 'is not', null)
      .orderBy('succeededAt', 'desc')
      .limit(1);
    const undone = eb
      .selectFrom('refunds')
      .select('endedAt')
      .where('status', '=', 'FAILED')
      .where('succeededAt', 'is not', null)
      .orderBy('endedAt', 'desc')
      .limit(1);
    return sql<boolean>`coalesce(greatest(${payment}, ${refund}, ${undone}) >= ${THROUGH}, false)
      or ${sql.ref('r.timeZone')} <> ${$('timeZone')}`.as('behind');
  }),
);

/** Returns whether anything has ended that is in no summary, or the summaries are those of another time zone. */
export async function areSummariesBehind(statements: Statements, timeZone: string): Promise<boolean> {
  return (await IS_BEHIND.first(statements, { timeZone }))?.behind === true;
}

const FORGET_SUMS = statement((db, $: Given<{ timeZone: string }>) =>
  db
    .deleteFrom('report_sums')
    .where((eb) => eb.exists(eb.selectFrom('report_progress').select('id').where('timeZone', '<>', $('timeZone')))),
);
const FORGET_TIMES = statement((db, $: Given<{ timeZone: string }>) =>
  db
    .deleteFrom('report_times')
    .where((eb) => eb.exists(eb.selectFrom('report_progress').select('id').where('timeZone', '<>', $('timeZone')))),
);
const START_OVER = statement((db, $: Given<{ timeZone: string }>) =>
  db
    .updateTable('report_progress')
    .set({ timeZone: $('timeZone'), through: sql<Date>`'-infinity'` })
    .where('timeZone', '<>', $('timeZone')),
);

/** Removes the summaries if they are those of another time zone. */
export async function startOverIn(statements: Statements, timeZone: string): Promise<void> {
  await FORGET_SUMS.all(statements, { timeZone });
  await FORGET_TIMES.all(statements, { timeZone });
  await START_OVER.all(statements, { timeZone });
}

/**
 * Transactions that are running in this database: each holds a lock on its own virtual transaction number from its beginning to its end, and every
 * role can see these locks. Read together with the time, a little later or earlier, which the margin covers.
 */
const RUNNING = sql<{ transactions: string[]; at: Date }>`(
  select clock_timestamp() as at, array(
    select l.virtualxid from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'virtualxid' and l.mode = 'ExclusiveLock' and l.granted and l.pid <> pg_backend_pid()
      and (a.datname is null or a.datname = current_database())) as transactions)`.as<'n'>(sql`n`);

/** A time is complete this long after, so that neither the moment in which a transaction begins nor a clock set back a little matters. */
const MARGIN = sql`interval '1 minute'`;
const PASSED = sql`(${sql.ref('r.fenceAt')} is not null and not ${sql.ref('r.fence')} && ${sql.ref('n.transactions')})`;

/** `now()` is when a transaction began: a row with an earlier time can appear as long as a transaction runs that began before it. */
const ADVANCE = statement((db) =>
  db
    .updateTable('report_progress as r')
    .from(RUNNING)
    .set({
      completeUntil: sql<Date>`case when ${PASSED} then greatest(${sql.ref('r.completeUntil')}, ${sql.ref('r.fenceAt')} - ${MARGIN}) else ${sql.ref('r.completeUntil')} end`,
      fenceAt: sql<Date>`case when ${PASSED} or ${sql.ref('r.fenceAt')} is null then ${sql.ref('n.at')} else ${sql.ref('r.fenceAt')} end`,
      fence: sql<
        string[]
      >`case when ${PASSED} or ${sql.ref('r.fenceAt')} is null then ${sql.ref('n.transactions')} else ${sql.ref('r.fence')} end`,
    }),
);

/** Moves forward the time before which no row can appear any more: to when the running transactions were listed, once all of them have ended. */
export async function advance(statements: Statements): Promise<void> {
  await ADVANCE.all(statements, {});
}

/** The part of time that one transaction summarizes. Its bounds are text with microseconds. */
export interface SummaryBatch {
  readonly from: string;
  /** Exclusive. */
  readonly until: string;
}

const NEXT_BATCH = statement((db, $: Given<{ rowsMax: number }>) =>
  db.selectFrom('report_progress as r').select((eb) => {
    const rowsMax = sql<bigint>`${$('rowsMax')}::bigint`;
    const payment = eb
      .selectFrom('payments as p')
      .select('p.endedAt')
      .whereRef('p.endedAt', '>=', 'r.through')
      .orderBy('p.endedAt')
      .offset(rowsMax)
      .limit(1);
    const refund = eb
      .selectFrom('refunds as f')
      .select('f.succeededAt')
      .whereRef('f.succeededAt', '>=', 'r.through')
      .orderBy('f.succeededAt')
      .offset(rowsMax)
      .limit(1);
    // Ends of the same microsecond are summarized together, however many they are.
    const full = sql`greatest(${THROUGH} + interval '1 microsecond', coalesce(least(${payment}, ${refund}), 'infinity'))`;
    const until = sql`least(${sql.ref('r.completeUntil')}, ${full})`;
    return [
      sql<string>`${THROUGH}::text`.as('from'),
      sql<string>`${until}::text`.as('until'),
      sql<boolean>`${until} > ${THROUGH}`.as('hasTime'),
      sql<boolean>`${until} < ${sql.ref('r.completeUntil')}`.as('hasMore'),
    ];
  }),
);

export interface NextBatch extends SummaryBatch {
  /** Whether another batch can follow at once. */
  readonly hasMore: boolean;
}

/** Returns the next batch of what is complete, oldest first, with at most this many payments and this many refunds, or null. */
export async function nextBatch(
  statements: Statements,
  { rowsMax }: { readonly rowsMax: number },
): Promise<NextBatch | null> {
  const next = await NEXT_BATCH.first(statements, { rowsMax });
  return next?.hasTime === true ? next : null;
}

const DAY_OF = (at: RawBuilder<unknown>, timeZone: Expression<string>): RawBuilder<Date> =>
  sql<Date>`date_trunc('day', ${at}, ${timeZone}::text)`;

/** Days begin as in the time zone. Hours are counted from the beginning of their day, as the calendar counts them. */
function startOf(at: RawBuilder<unknown>, timeZone: Expression<string>): RawBuilder<Date> {
  const day = DAY_OF(at, timeZone);
  return sql<Date>`case ${sql.ref('l.span')} when 'day' then ${day}
    else ${day} + floor(extract(epoch from ${at} - ${day}) / 3600) * interval '1 hour' end`;
}

const SPANS = sql<{
  span: ReportSpan;
}>`(values ${sql.join(REPORT_SPANS.map((span) => sql`(${sql.lit(span)})`))})`.as<'l'>(sql`l(span)`);

/** Adds new values to those that a summary has. */
function added<Name extends string>(table: 'report_sums' | 'report_times', names: readonly Name[]) {
  return Object.fromEntries(
    names.map((name) => [name, sql<never>`${sql.ref(`${table}.${name}`)} + ${sql.ref(`excluded.${name}`)}`]),
  );
}

const sumOf = <Name extends string>(name: Name) => sql<never>`sum(${sql.ref(`f.${name}`)})`.as(name);

const SUMMARIZE = statement((db, $: Given<SummaryBatch & { timeZone: string }>) => {
  const [from, until] = [instantOf($('from')), instantOf($('until'))];
  const starts = startOf(sql.ref('f.at'), $('timeZone')).as('startsAt');
  return db
    .with('facts', () =>
      endedPayments(db)
        .where('p.endedAt', '>=', from)
        .where('p.endedAt', '<', until)
        .unionAll(paidPayments(db).where('p.endedAt', '>=', from).where('p.endedAt', '<', until))
        .unionAll(succeededRefunds(db).where('r.succeededAt', '>=', from).where('r.succeededAt', '<', until))
        .unionAll(undoneRefunds(db).where('r.endedAt', '>=', from).where('r.endedAt', '<', until)),
    )
    .with('times', () => timesToPay(db).where('p.endedAt', '>=', from).where('p.endedAt', '<', until))
    .with('summed', (q) =>
      q
        .insertInto('report_sums')
        .columns([...KEY, ...SUMMED])
        .expression(
          q
            .selectFrom((eb) =>
              eb.selectFrom('facts as f').crossJoin(SPANS).selectAll('f').select(['l.span', starts]).as('f'),
            )
            .select(KEY.map((name) => `f.${name}` as const))
            .select(SUMMED.map(sumOf))
            .groupBy(KEY.map((name) => `f.${name}` as const)),
        )
        .onConflict((conflict) => conflict.columns(KEY).doUpdateSet(added('report_sums', SUMMED))),
    )
    .with('timed', (q) =>
      q
        .insertInto('report_times')
        .columns([...KEY, 'seconds', 'payments'])
        .expression(
          q
            .selectFrom((eb) =>
              eb.selectFrom('times as f').crossJoin(SPANS).selectAll('f').select(['l.span', starts]).as('f'),
            )
            .select(KEY.map((name) => `f.${name}` as const))
            .select(['f.seconds', sumOf('payments')])
            .groupBy([...KEY.map((name) => `f.${name}` as const), 'f.seconds']),
        )
        .onConflict((conflict) =>
          conflict.columns([...KEY, 'seconds']).doUpdateSet(added('report_times', ['payments'])),
        ),
    )
    .updateTable('report_progress')
    .set({ through: until });
});

/** Adds what ended within the batch to the summaries, and notes that they reach that far, in one statement. */
export async function summarizeBatch(
  statements: Statements,
  { from, until, timeZone }: SummaryBatch & { readonly timeZone: string },
): Promise<void> {
  await SUMMARIZE.all(statements, { from, until, timeZone });
}
