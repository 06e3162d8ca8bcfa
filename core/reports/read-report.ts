import { readNow } from '../../database/clock.ts';
import type { Statements } from '../../database/statements.ts';
import type { Calendar } from '../../domain/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Mode } from '../../domain/mode.ts';
import { addDays, type PlainDate } from '../../domain/plain-date.ts';
import { REPORT_DAYS_MAX, type ReportSpan } from '../../domain/report.ts';
import { readFigures, summaryPosition, type FiguresFilter, type FiguresRow } from './store/figures.ts';

/** The most rows of a report. */
export const REPORT_ROWS_MAX = 10_000;
const DAYS_BY_DEFAULT = 31;
/** How often a report is read again because the summaries moved on meanwhile. They do so every five seconds at most. */
const READS_MAX = 5;

export interface ReportRequest {
  readonly span: ReportSpan;
  /** The first and the last day of the business time zone. Null: the last 31 days, up to today. */
  readonly from: PlainDate | null;
  readonly to: PlainDate | null;
  readonly mode: Mode;
  readonly applicationId: bigint | null;
  readonly gateway: string | null;
  readonly currency: string | null;
  /** Whether each application, or each gateway, has rows of its own. */
  readonly byApplication: boolean;
  readonly byGateway: boolean;
}

export interface ReportPeriod {
  /** The day of the business time zone. */
  readonly date: PlainDate;
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
}

/** The figures of one period and currency, and of one application or gateway where each has rows of its own. */
export interface ReportRow extends ReportPeriod {
  readonly currency: string;
  readonly applicationId: bigint | null;
  /** Null also for payments that have no gateway. */
  readonly gateway: string | null;
  readonly open: bigint;
  readonly succeeded: bigint;
  readonly failed: bigint;
  readonly cancelled: bigint;
  readonly expired: bigint;
  readonly paid: bigint;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly refunds: bigint;
  readonly refundedMinor: bigint;
  /** A step of `TIME_TO_PAY_STEPS`; null if nothing was paid. */
  readonly timeToPaySeconds: { readonly p50: number; readonly p95: number } | null;
}

export interface Report {
  readonly from: PlainDate;
  readonly to: PlainDate;
  readonly rows: readonly ReportRow[];
}

/**
 * Returns the figures of each hour or day, counted as docs/reports.md defines them. Whatever occurs in the window has a row for each of its periods.
 *
 * @throws VALIDATION_ERROR if the window is too long or ends before it begins, or the report has too many rows
 */
export async function readReport(statements: Statements, calendar: Calendar, request: ReportRequest): Promise<Report> {
  const to = request.to ?? calendar.today(await readNow(statements));
  const from = request.from ?? addDays(to, 1 - DAYS_BY_DEFAULT);
  checkWindow({ from, to, span: request.span });
  const periods = periodsOf(calendar, { from, to, span: request.span });
  const { span, mode, applicationId, gateway, currency, byApplication, byGateway } = request;
  const figures = await readExactly(statements, calendar, {
    span,
    mode,
    applicationId,
    gateway,
    currency,
    byApplication,
    byGateway,
    starts: periods.map((period) => period.from),
    before: calendar.startOf(addDays(to, 1)),
  });
  const series = [...Map.groupBy(figures, seriesOf).values()];
  if (figures.length > REPORT_ROWS_MAX || series.length * periods.length > REPORT_ROWS_MAX) {
    refuse('to', `the report would have more than ${REPORT_ROWS_MAX} rows: ask for fewer days, or for fewer groups`);
  }
  const known = series.map((rows) => ({ rows, byBucket: new Map(rows.map((row) => [row.bucket, row])) }));
  const rows = periods.flatMap((period, index) =>
    known.flatMap(({ rows: [sample], byBucket }) =>
      sample === undefined ? [] : [rowOf(request, period, byBucket.get(index + 1) ?? emptyLike(sample))],
    ),
  );
  return { from, to, rows };
}

function checkWindow({
  from,
  to,
  span,
}: {
  readonly from: PlainDate;
  readonly to: PlainDate;
  readonly span: ReportSpan;
}) {
  if (to < from) {
    refuse('to', 'must not be before `from`');
  }
  const daysMax = REPORT_DAYS_MAX[span];
  if (to > addDays(from, daysMax - 1)) {
    refuse('to', `a report by ${span} covers at most ${daysMax} days`);
  }
}

function refuse(field: 'to', message: string): never {
  throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { [field]: message } });
}

/** Returns the days, or their hours, counted from the beginning of each day. */
function periodsOf(
  calendar: Calendar,
  { from, to, span }: { readonly from: PlainDate; readonly to: PlainDate; readonly span: ReportSpan },
): ReportPeriod[] {
  const periods: ReportPeriod[] = [];
  for (let date = from; date <= to; date = addDays(date, 1)) {
    const [start, end] = [calendar.startOf(date), calendar.startOf(addDays(date, 1))];
    const lengthMs = span === 'day' ? end.getTime() - start.getTime() : HOUR_MS;
    for (let at = start.getTime(); at < end.getTime(); at += lengthMs) {
      periods.push({ date, from: new Date(at), to: new Date(Math.min(at + lengthMs, end.getTime())) });
    }
  }
  return periods;
}

const HOUR_MS = 3_600_000;
/** Earlier than anything that ended: nothing is taken from the summaries. */
const NEVER = '-infinity';

/**
 * Reads summaries and the rows that are not in them in one statement, which sees both at one moment. It is told how far the summaries reach, so that
 * the database can plan for the few rows behind that point; if they have moved on in between, it is repeated.
 */
async function readExactly(
  statements: Statements,
  calendar: Calendar,
  filter: Omit<FiguresFilter, 'through'>,
): Promise<FiguresRow[]> {
  for (let reads = 1; reads <= READS_MAX; reads += 1) {
    const { through, timeZone } = await summaryPosition(statements);
    const isUsable = timeZone === calendar.timeZone;
    const rows = await readFigures(
      statements,
      { ...filter, through: isUsable ? through : NEVER },
      { rowsMax: REPORT_ROWS_MAX + 1 },
    );
    const after = await summaryPosition(statements);
    if (after.through === through && after.timeZone === timeZone) {
      return rows;
    }
  }
  throw new DomainError('SERVICE_UNAVAILABLE', 'the summaries of reports are being rebuilt');
}

function seriesOf({ currency, application, gateway }: FiguresRow): string {
  return `${currency} ${application} ${gateway}`;
}

function emptyLike(row: FiguresRow): FiguresRow {
  const none = { open: '0', succeeded: '0', failed: '0', cancelled: '0', expired: '0', paid: '0', refunds: '0' };
  return { ...row, ...none, grossMinor: '0', feeMinor: '0', refundedMinor: '0', p50: null, p95: null };
}

function rowOf(request: ReportRequest, period: ReportPeriod, row: FiguresRow): ReportRow {
  return {
    ...period,
    currency: row.currency,
    applicationId: request.byApplication ? row.application : null,
    gateway: request.byGateway && row.gateway !== '' ? row.gateway : null,
    open: BigInt(row.open),
    succeeded: BigInt(row.succeeded),
    failed: BigInt(row.failed),
    cancelled: BigInt(row.cancelled),
    expired: BigInt(row.expired),
    paid: BigInt(row.paid),
    grossMinor: BigInt(row.grossMinor),
    feeMinor: BigInt(row.feeMinor),
    refunds: BigInt(row.refunds),
    refundedMinor: BigInt(row.refundedMinor),
    timeToPaySeconds: row.p50 === null || row.p95 === null ? null : { p50: row.p50, p95: row.p95 },
  };
}
