import { Readable } from 'node:stream';
import { z } from 'zod';
import { readReport, type Report, type ReportRow } from '../../core/reports/read-report.ts';
import { summarize, type CurrencySummary } from '../../core/payments/store/report.ts';
import { csvLine, type CsvCell } from '../../domain/csv.ts';
import { toBoundedJsonInteger, toDecimalText, toJsonInteger } from '../../domain/money.ts';
import { successRate } from '../../domain/report.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { momentRange } from './filters.ts';
import {
  PaymentReport,
  PaymentReportQuery,
  ReportQuery,
  ReportSummary,
  type PaymentReportFilter,
} from './report-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Reports';

/** Returns the routes for figures of payments and refunds. */
export function reportRoutes(deps: AdminDependencies): AdminRoute[] {
  return [summary(deps), payments(deps), exportPayments(deps)];
}

function summary(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/reports/summary',
    operationId: 'getReportSummary',
    tag: TAG,
    summary: 'Retrieve gross, fee and refund totals by currency',
    description: 'Covers LIVE unless `mode` is TEST.',
    permission: 'report:read',
    query: ReportQuery,
    response: { status: 200, schema: ReportSummary },
    errors: [],
    handler: async ({ caller, query }) => {
      const { from, before } = momentRange(query);
      const { applicationId = null, mode = 'LIVE' } = query;
      const currencies = await deps.database.withOperator(caller.view, (em) =>
        summarize(em, { applicationId, mode, from, before }),
      );
      return {
        status: 200,
        data: {
          mode,
          from: from?.toISOString() ?? null,
          to: before?.toISOString() ?? null,
          currencies: currencies.map(currencyView),
        },
      };
    },
  });
}

function currencyView({ currency, payments, grossMinor, feeMinor, refundedMinor, lateHeldMinor }: CurrencySummary) {
  return {
    currency,
    payments,
    grossMinor: toBoundedJsonInteger(grossMinor),
    feeMinor: toBoundedJsonInteger(feeMinor),
    refundedMinor: toBoundedJsonInteger(refundedMinor),
    netMinor: toBoundedJsonInteger(grossMinor - feeMinor - refundedMinor),
    lateHeldMinor: toBoundedJsonInteger(lateHeldMinor),
  };
}

const REPORT_DESCRIPTION =
  'One row for each hour or day of the business time zone and each currency. Whatever occurs in the window has a row for each of its periods, zeros included, up to 10,000 rows. Covers LIVE unless `mode` is TEST.';

function payments(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/reports/payments',
    operationId: 'getPaymentReport',
    tag: TAG,
    summary: 'Retrieve volume, success rate, fees, refunds and time to pay by hour or day',
    description: REPORT_DESCRIPTION,
    permission: 'report:read',
    query: PaymentReportQuery,
    response: { status: 200, schema: PaymentReport },
    errors: [],
    handler: async ({ caller, query }) => {
      const { from, to, rows } = await reportFor(deps, caller, query);
      const { mode = 'LIVE', by = 'day' } = query;
      const { timeZone } = deps.calendar;
      return { status: 200, data: { mode, by, timeZone, from, to, rows: rows.map(rowView) } };
    },
  });
}

function exportPayments(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/reports/payments/export',
    operationId: 'exportPaymentReport',
    tag: TAG,
    summary: 'Export volume, success rate, fees, refunds and time to pay as CSV',
    description: `The rows of \`/admin/reports/payments\`. RFC 4180 in UTF-8, with decimal amounts. ${REPORT_DESCRIPTION}`,
    permission: 'report:read',
    query: PaymentReportQuery,
    response: { status: 200, schema: z.string(), contentType: 'text/csv; charset=utf-8' },
    errors: [],
    handler: async ({ caller, query }) => {
      const { rows } = await reportFor(deps, caller, query);
      return {
        status: 200,
        headers: { 'Content-Disposition': 'attachment; filename="payment-report.csv"' },
        stream: Readable.from([csvLine(COLUMNS), ...rows.map((row) => csvLine(cellsOf(row)))]),
      };
    },
  });
}

function reportFor(
  { database, calendar }: AdminDependencies,
  { view }: OperatorCaller,
  { by: span = 'day', mode = 'LIVE', group, ...filter }: PaymentReportFilter,
): Promise<Report> {
  const { from = null, to = null, applicationId = null, gateway = null, currency = null } = filter;
  const groups = group?.split(',') ?? [];
  const [byApplication, byGateway] = [groups.includes('application'), groups.includes('gateway')];
  return database.withOperator(view, (em) =>
    readReport(em, calendar, { span, from, to, mode, applicationId, gateway, currency, byApplication, byGateway }),
  );
}

interface Derived {
  readonly created: bigint;
  readonly successRate: string | null;
  readonly netMinor: bigint;
}

function derivedFrom({ open, succeeded, failed, cancelled, expired, ...money }: ReportRow): Derived {
  const ended = succeeded + failed + cancelled + expired;
  return {
    created: open + ended,
    successRate: successRate({ succeeded, ended }),
    netMinor: money.grossMinor - money.feeMinor - money.refundedMinor,
  };
}

function rowView(row: ReportRow) {
  const { created, successRate: rate, netMinor } = derivedFrom(row);
  return {
    date: row.date,
    from: row.from.toISOString(),
    to: row.to.toISOString(),
    currency: row.currency,
    applicationId: row.applicationId === null ? null : toJsonInteger(row.applicationId),
    gateway: row.gateway,
    created: toJsonInteger(created),
    open: toJsonInteger(row.open),
    succeeded: toJsonInteger(row.succeeded),
    failed: toJsonInteger(row.failed),
    cancelled: toJsonInteger(row.cancelled),
    expired: toJsonInteger(row.expired),
    successRate: rate,
    paid: toJsonInteger(row.paid),
    grossMinor: row.grossMinor.toString(),
    feeMinor: row.feeMinor.toString(),
    refunds: toJsonInteger(row.refunds),
    refundedMinor: row.refundedMinor.toString(),
    netMinor: netMinor.toString(),
    timeToPaySeconds: row.timeToPaySeconds,
  };
}

const COLUMNS = [
  'date',
  'from',
  'to',
  'currency',
  'applicationId',
  'gateway',
  'created',
  'open',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
  'successRate',
  'paid',
  'gross',
  'fee',
  'refunds',
  'refunded',
  'net',
  'secondsToPayP50',
  'secondsToPayP95',
] as const;

function cellsOf(row: ReportRow): CsvCell[] {
  const { created, successRate: rate, netMinor } = derivedFrom(row);
  const amount = (amountMinor: bigint): CsvCell => ({
    decimal: toDecimalText({ amountMinor, currency: row.currency }),
  });
  return [
    row.date,
    row.from.toISOString(),
    row.to.toISOString(),
    row.currency,
    row.applicationId,
    row.gateway,
    created,
    row.open,
    row.succeeded,
    row.failed,
    row.cancelled,
    row.expired,
    rate,
    row.paid,
    amount(row.grossMinor),
    amount(row.feeMinor),
    row.refunds,
    amount(row.refundedMinor),
    amount(netMinor),
    row.timeToPaySeconds?.p50 ?? null,
    row.timeToPaySeconds?.p95 ?? null,
  ];
}
