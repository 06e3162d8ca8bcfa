import { Readable } from 'node:stream';
import { z } from 'zod';
import { Payment as PaymentEntity } from '../../database/entities/payment.ts';
import { explainPayment } from '../../core/payments/store/explanation.ts';
import { EXPLANATION_WORDS } from '../../web/explanation/words.ts';
import { recordAudit, type AuditFacts } from '../../core/operators/store/audit.ts';
import type { ListPage, ListSlice } from '../../database/lists.ts';
import { showCustomer } from '../../core/payments/show-customer.ts';
import { reviewPayment } from '../../core/payments/review-payment.ts';
import {
  listAllPayments,
  type OperatorsFilter,
  type PaymentSummary as PaymentRow,
} from '../../core/payments/store/payment-list.ts';
import { paymentDetail } from '../../core/payments/store/payment-detail.ts';
import { csvLine } from '../../domain/csv.ts';
import { notFound } from '../../domain/errors.ts';
import { toDecimalText, toJsonInteger } from '../../domain/money.ts';
import { paymentView } from '../../domain/payment-view.ts';
import { workflowIds } from '../../workflows/messages/names.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import { explanationView } from '../native/explanation-view.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { detailView, PaymentDetail } from './payment-detail-view.ts';
import {
  CustomerContact,
  PaymentQuery,
  PaymentReviewBody,
  PaymentSummary,
  PaymentsExportQuery,
  PaymentsQuery,
  ReviewedPayment,
} from './money-schemas.ts';
import { momentRange, reviewFilter } from './filters.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const CONTACT = ['customerName', 'customerEmail', 'customerPhone'] as const;
const TAG = 'Payments by operators';
const EXPORT_BATCH = 500;

/** Returns the routes by which operators find, read, export and decide on payments. */
export function paymentAdminRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), exportAll(deps), read(deps), customer(deps), review(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payments',
    operationId: 'listAllPayments',
    tag: TAG,
    summary: 'List payments',
    permission: 'payment:read',
    query: PaymentsQuery,
    response: { status: 200, schema: z.array(PaymentSummary), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listAllPayments(em, { filter: filterOf(query), sortBy: slice.sortBy, slice }),
      );
      return { status: 200, data: rows.map(summaryView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

const COLUMNS = [
  'id',
  'reference',
  'applicationId',
  'applicationName',
  'mode',
  'status',
  'amount',
  'refunded',
  'currency',
  'customerReference',
  'gateway',
  'gatewayTxnId',
  'review',
  'createdAt',
  'endedAt',
] as const;

function exportAll(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payments/export',
    operationId: 'exportPayments',
    tag: TAG,
    summary: 'Export payments as CSV, oldest first',
    description:
      'RFC 4180 in UTF-8, with decimal amounts. A cell that a spreadsheet would read as a formula is prefixed with an apostrophe.',
    permission: 'payment:export',
    query: PaymentsExportQuery,
    response: { status: 200, schema: z.string(), contentType: 'text/csv; charset=utf-8' },
    errors: [],
    handler: async ({ caller, query }) => {
      const filter = filterOf(query);
      await deps.database.withOperator(caller.view, (em) =>
        recordAudit(em, {
          actor: caller.actor,
          action: 'payment.exported',
          target: { type: 'payments', id: 'export' },
          after: factsOf(filter),
        }),
      );
      return {
        status: 200,
        headers: { 'Content-Disposition': 'attachment; filename="payments.csv"' },
        stream: Readable.from(linesOf(deps, caller, filter)),
      };
    },
  });
}

/** Reads each batch in a transaction of its own, so that a long export blocks nothing. The cursor prevents duplicates between batches. */
async function* linesOf(
  deps: AdminDependencies,
  { view }: OperatorCaller,
  filter: OperatorsFilter,
): AsyncGenerator<string> {
  yield csvLine(COLUMNS);
  let cursor: string | null = null;
  for (;;) {
    const slice: ListSlice = { order: 'ASC', limit: EXPORT_BATCH, offset: 0, cursor };
    const page: ListPage<PaymentRow> = await deps.database.withOperator(view, (em) =>
      listAllPayments(em, { filter, sortBy: 'createdAt', slice }),
    );
    yield page.rows.map((row) => csvLine(cellsOf(row))).join('');
    if (page.nextCursor === null) {
      return;
    }
    cursor = page.nextCursor;
  }
}

function cellsOf(row: PaymentRow): (string | null)[] {
  const amount = (amountMinor: bigint): string => toDecimalText({ amountMinor, currency: row.currency });
  return [
    row.id.toString(),
    row.reference,
    row.applicationId.toString(),
    row.applicationName,
    row.mode,
    row.status,
    amount(row.amountMinor),
    amount(row.refundedMinor),
    row.currency,
    row.customerReference,
    row.gateway,
    row.gatewayTxnId,
    row.reviewReason,
    row.createdAt.toISOString(),
    row.endedAt?.toISOString() ?? null,
  ];
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payments/{id}',
    operationId: 'getAnyPayment',
    tag: TAG,
    summary: 'Retrieve a payment with its details',
    description:
      'Includes refunds, attempts, ledger postings, callbacks, deliveries, unapplied payments, disputes and an explanation of the current state.',
    permission: 'payment:read',
    params: IdParams,
    query: PaymentQuery,
    response: { status: 200, schema: PaymentDetail },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params, query }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        // The database refuses an operator these columns.
        const payment = await em.findOne(PaymentEntity, { id: params.id }, { exclude: CONTACT });
        if (payment === null) {
          throw notFound('payment');
        }
        const detail = await paymentDetail(em, payment);
        return {
          payment: paymentView(payment, deps.webUrl),
          ...detailView(detail),
          customerReference: payment.customerReference,
          merchantReference: payment.merchantReference ?? null,
          explanation: explanationView(
            payment.status,
            await explainPayment(em, payment, EXPLANATION_WORDS[query.language ?? 'en']),
          ),
          workflow: { id: workflowIds.payment(payment.reference), url: workflowUrl(deps, payment.reference) },
        };
      }),
    }),
  });
}

function customer(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payments/{id}/customer',
    operationId: 'getPaymentCustomer',
    tag: TAG,
    summary: 'Show the contact of a payment’s customer',
    description:
      'Each time writes `payment.customer-shown` to the audit log. No list and no other response contains the contact.',
    permission: 'payment:read',
    params: IdParams,
    response: { status: 200, schema: CustomerContact },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({ status: 200, data: await showCustomer(deps, caller, params.id) }),
  });
}

/** Returns null if no Temporal UI is configured. */
function workflowUrl({ temporalUi }: AdminDependencies, reference: string): string | null {
  return temporalUi === null
    ? null
    : `${temporalUi.url}/namespaces/${temporalUi.namespace}/workflows/${encodeURIComponent(workflowIds.payment(reference))}`;
}

function review(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/payments/{id}/review',
    operationId: 'reviewPayment',
    tag: TAG,
    summary: 'Accept or reject a payment under review; above the application’s threshold two operators must agree',
    permission: 'payment:review',
    sensitive: true,
    params: IdParams,
    body: PaymentReviewBody,
    response: { status: 200, schema: ReviewedPayment },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      const { payment, decision } = await reviewPayment(deps, caller, { paymentId: params.id, ...body });
      return { status: 200, data: { payment: paymentView(payment, deps.webUrl), decision } };
    },
  });
}

/** Returns the filter for the audit log. References are left out, because the log must not show whose payments an operator searched for. */
function factsOf({ reference: _reference, customerReference: _customer, ...filter }: OperatorsFilter): AuditFacts {
  return Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, value ?? null]));
}

function filterOf(query: z.infer<typeof PaymentsExportQuery>): OperatorsFilter {
  const { applicationId, mode, status, reference, gateway, underReview } = query;
  return {
    applicationId,
    mode,
    status,
    reference,
    gateway,
    customerReference: query.customerRefId,
    leastMinor: query.minAmountMinor,
    mostMinor: query.maxAmountMinor,
    ...reviewFilter(underReview),
    ...momentRange(query),
  };
}

function summaryView(row: PaymentRow) {
  return {
    id: toJsonInteger(row.id),
    reference: row.reference,
    applicationId: toJsonInteger(row.applicationId),
    applicationName: row.applicationName,
    mode: row.mode,
    status: row.status,
    amountMinor: toJsonInteger(row.amountMinor),
    refundedMinor: toJsonInteger(row.refundedMinor),
    currency: row.currency,
    customerReference: row.customerReference,
    gateway: row.gateway,
    gatewayTxnId: row.gatewayTxnId,
    review: row.reviewReason,
    createdAt: row.createdAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}
