import { z } from 'zod';
import {
  listInvoicesInView,
  readInvoiceInView,
  type InvoiceInView,
} from '../../core/invoices/store/invoices-in-view.ts';
import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import { readNow } from '../../database/clock.ts';
import { paymentsOfForOperator } from '../../core/invoices/store/payments-of-invoice.ts';
import { notFound } from '../../domain/errors.ts';
import { invoiceView, type InvoiceView, type InvoiceViewContext } from '../../domain/invoice-view.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { AdminDependencies } from './dependencies.ts';
import { InvoiceDetail, InvoicesQuery, InvoiceSummary } from './invoice-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Invoices by operators';

/** Returns the routes by which operators read invoices. Applications write them. */
export function invoiceAdminRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), read(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/invoices',
    operationId: 'listAllInvoices',
    tag: TAG,
    summary: 'List invoices',
    permission: 'payment:read',
    query: InvoicesQuery,
    response: { status: 200, schema: z.array(InvoiceSummary), list: true },
    errors: [],
    handler: async ({ caller, query: { status, ...query } }) => {
      const slice = sliceOf(query, 'id');
      const { applicationId, mode, customerReference } = query;
      const page = await deps.database.withOperator(caller.view, async (em) => {
        const today = deps.calendar.today(await readNow(em));
        const filter = { applicationId, mode, customerReference, shown: { status, today } };
        return listInvoicesInView(em, { filter, slice });
      });
      const data = page.rows.map((row) => summaryView(deps, row));
      return { status: 200, data, pagination: paginationOf(slice, page) };
    },
  });
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/invoices/{id}',
    operationId: 'getAnyInvoice',
    tag: TAG,
    summary: 'Retrieve an invoice with its payments',
    permission: 'payment:read',
    params: IdParams,
    response: { status: 200, schema: InvoiceDetail },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        const found = await readInvoiceInView(em, params.id);
        if (found === null) {
          throw notFound('invoice');
        }
        const { invoice, applicationName } = found;
        const payments = await paymentsOfForOperator(em, invoice.id);
        const {
          customerEmail: _email,
          customerName: _name,
          customerAddress: _address,
          ...view
        } = viewOf(deps, invoice, payments);
        return {
          applicationId: toJsonInteger(invoice.applicationId),
          applicationName,
          pdfUrl: view.payableUrl === null ? null : `${view.payableUrl}/pdf`,
          clockAheadSeconds: Math.round((invoice.readAt.getTime() - invoice.realReadAt.getTime()) / 1_000),
          invoice: view,
        };
      }),
    }),
  });
}

/** Returns the invoice's view as of the day on which it was read. */
function viewOf(
  { webUrl, calendar }: AdminDependencies,
  invoice: InvoiceRecord,
  payments: InvoiceViewContext['payments'],
): InvoiceView {
  return invoiceView(invoice, { webUrl, today: calendar.today(invoice.readAt), payments });
}

function summaryView(deps: AdminDependencies, { invoice, applicationName }: InvoiceInView) {
  const view = viewOf(deps, invoice, []);
  return {
    id: view.id,
    applicationId: toJsonInteger(invoice.applicationId),
    applicationName,
    mode: view.mode,
    number: view.number,
    status: view.status,
    customerReference: view.customerReference,
    totalMinor: view.totalMinor,
    amountPaidMinor: view.amountPaidMinor,
    currency: view.currency,
    nextDueDate: view.nextDueDate,
    issuedAt: view.issuedAt,
    createdAt: view.createdAt,
  };
}
