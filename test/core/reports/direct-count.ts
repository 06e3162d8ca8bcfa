import type { ReportRequest } from '../../../core/reports/read-report.ts';

export interface CountedPayment {
  readonly application: string;
  readonly mode: string;
  readonly currency: string;
  readonly gateway: string | null;
  readonly status: string;
  readonly amount: string;
  readonly fee: string | null;
  readonly created: Date | string;
  readonly paid: Date | string | null;
  readonly seconds: number | null;
}

export interface CountedRefund {
  readonly application: string;
  readonly mode: string;
  readonly currency: string;
  readonly gateway: string;
  readonly amount: string;
  readonly succeeded: Date | string;
}

/** The steps of the documentation. */
const STEPS = (
  '1 2 3 4 5 6 8 10 12 15 20 25 30 35 40 45 50 60 75 90 105 120 150 180 240 300 420 600 900 1200 1800 2700 3600 5400 7200 10800 ' +
  '21600 43200 86400 172800 259200 604800 1209600 2592000'
)
  .split(' ')
  .map(Number);

const NO_FIGURES = {
  open: 0n,
  succeeded: 0n,
  failed: 0n,
  cancelled: 0n,
  expired: 0n,
  paid: 0n,
  grossMinor: 0n,
  feeMinor: 0n,
  refunds: 0n,
  refundedMinor: 0n,
};

type Figures = Record<keyof typeof NO_FIGURES, bigint>;

const FIGURE_OF: Readonly<Record<string, keyof Figures>> = {
  CREATED: 'open',
  PENDING: 'open',
  SUCCEEDED: 'succeeded',
  PARTIALLY_REFUNDED: 'succeeded',
  REFUNDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  EXPIRED: 'expired',
};

/**
 * Counts what a report should show, row by row, as docs/reports.md defines each figure: one entry for each period and group in which anything happened.
 * It shares no code with the product.
 */
export function countDirectly(
  timeZone: string,
  {
    span,
    from,
    to,
    byApplication,
    byGateway,
    ...filter
  }: ReportRequest & { readonly from: string; readonly to: string },
  { payments, refunds }: { readonly payments: readonly CountedPayment[]; readonly refunds: readonly CountedRefund[] },
): unknown[] {
  const periodOf = periodsIn(timeZone, span);
  const found = new Map<string, { key: object; figures: Figures; seconds: number[] }>();
  const at = (row: CountedPayment | CountedRefund, time: Date | string) => {
    const instant = new Date(time);
    const { date, start } = periodOf(instant);
    if (date < from || date > to) {
      return { figures: { ...NO_FIGURES }, seconds: new Array<number>() };
    }
    const key = {
      date,
      from: start,
      currency: row.currency,
      applicationId: byApplication ? BigInt(row.application) : null,
      gateway: byGateway ? row.gateway : null,
    };
    const name = Object.values(key).join(' ');
    const known = found.get(name) ?? { key, figures: { ...NO_FIGURES }, seconds: [] };
    found.set(name, known);
    return known;
  };
  const isWanted = (row: CountedPayment | CountedRefund): boolean =>
    row.mode === filter.mode &&
    (filter.applicationId === null || row.application === String(filter.applicationId)) &&
    (filter.gateway === null || row.gateway === filter.gateway) &&
    (filter.currency === null || row.currency === filter.currency);
  for (const payment of payments.filter(isWanted)) {
    at(payment, payment.created).figures[FIGURE_OF[payment.status] ?? 'open'] += 1n;
    if (payment.paid !== null) {
      const { figures, seconds } = at(payment, payment.paid);
      figures.paid += 1n;
      figures.grossMinor += BigInt(payment.amount);
      figures.feeMinor += BigInt(payment.fee ?? 0);
      seconds.push(payment.seconds ?? 0);
    }
  }
  for (const refund of refunds.filter(isWanted)) {
    const { figures } = at(refund, refund.succeeded);
    figures.refunds += 1n;
    figures.refundedMinor += BigInt(refund.amount);
  }
  return [...found.values()].map(({ key, figures, seconds }) => ({
    ...key,
    ...figures,
    timeToPaySeconds: seconds.length === 0 ? null : { p50: rankOf(seconds, 0.5), p95: rankOf(seconds, 0.95) },
  }));
}

/** The nearest-rank percentile, rounded up to a step. */
function rankOf(seconds: readonly number[], share: number): number {
  const sorted = seconds.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  return STEPS.find((step) => step >= value) ?? STEPS.at(-1) ?? 0;
}

/** Returns the day of an instant, and the instant at which its day or hour began: found minute by minute, backwards. */
function periodsIn(timeZone: string, span: 'hour' | 'day'): (at: Date) => { date: string; start: string } {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  const starts = new Map<string, number>();
  const startOfDay = (at: Date): number => {
    const date = format.format(at);
    let start = starts.get(date);
    if (start === undefined) {
      start = Math.floor(at.getTime() / 60_000) * 60_000;
      while (format.format(start - 60_000) === date) {
        start -= 60_000;
      }
      starts.set(date, start);
    }
    return start;
  };
  return (at) => {
    const day = startOfDay(at);
    const start = span === 'day' ? day : day + Math.floor((at.getTime() - day) / 3_600_000) * 3_600_000;
    return { date: format.format(at), start: new Date(start).toISOString() };
  };
}
