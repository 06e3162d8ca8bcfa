import { summarize, type CurrencySummary } from '../../core/payments/store/report.ts';
import { toJsonInteger } from '../../domain/money.ts';
import type { AdminDependencies } from './dependencies.ts';
import { momentRange } from './filters.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { ReportQuery, ReportSummary } from './webhook-schemas.ts';

/** Returns the route for sums of payments and refunds. */
export function reportRoutes(deps: AdminDependencies): AdminRoute[] {
  return [summary(deps)];
}

function summary(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/reports/summary',
    operationId: 'getReportSummary',
    tag: 'Reports',
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
    grossMinor: toJsonInteger(grossMinor),
    feeMinor: toJsonInteger(feeMinor),
    refundedMinor: toJsonInteger(refundedMinor),
    netMinor: toJsonInteger(grossMinor - feeMinor - refundedMinor),
    lateHeldMinor: toJsonInteger(lateHeldMinor),
  };
}
