import { z } from 'zod';
import { readNow } from '../../../database/clock.ts';
import { listInvoices } from '../../../core/invoices/store/invoice-list.ts';
import { paymentsOfAll } from '../../../core/invoices/store/payments-of-invoice.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { invoiceView, type InvoiceView } from '../../../domain/invoice-view.ts';
import { invoiceNumber } from '../../../domain/invoice.ts';
import { renderInvoice } from '../../../web/documents/render.ts';
import { brandingOf } from '../../documents/branding.ts';
import { invoiceDocument } from '../../documents/invoice-document.ts';
import { PDF_TYPE, pdfReply } from '../../documents/pdf-reply.ts';
import { IdParams } from '../../http/fields.ts';
import { paginationOf, sliceOf } from '../../http/paging.ts';
import { route, type Route } from '../../http/route.ts';
import type { NativeCaller } from '../authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { findInvoice } from '../../../core/invoices/find-invoice.ts';
import { CREDENTIAL_ERRORS } from '../errors.ts';
import {
  changeDueDates,
  editDraft,
  issueInvoice,
  pauseInvoice,
  removeDraft,
  voidIssued,
  type InvoiceOfCaller,
} from './change-invoice.ts';
import { createInvoice } from './create-invoice.ts';
import { CreateInvoice, DueDates, EditInvoice, Invoice, ListInvoicesQuery } from './schemas.ts';
import { viewOf } from './view.ts';
import { payable, payableLink } from './payable-routes.ts';
import { CHANGING, OF_ONE, TAG, WITH_BODY, type OfOne } from './route-terms.ts';
import { readTemplate, writeTemplate } from './template-routes.ts';

export function invoiceRoutes(deps: ApiDependencies): Route<NativeCaller>[] {
  return [
    create(deps),
    list(deps),
    // These come before the routes with an id, which would take `template` for an id.
    readTemplate(deps),
    writeTemplate(deps),
    read(deps),
    edit(deps),
    remove(deps),
    ...actionsOf(deps),
    payableLink(deps),
    dueDates(deps),
    pdf(deps),
    payable(deps),
  ];
}

function create(deps: ApiDependencies): Route<NativeCaller> {
  const ofIt = { id: '$response.body#/data/id' };
  return route({
    method: 'POST',
    path: '/invoices',
    operationId: 'createInvoice',
    tag: TAG,
    summary: 'Create an invoice',
    auth: 'credential',
    body: CreateInvoice,
    idempotent: true,
    response: { status: 201, schema: Invoice },
    errors: [
      'VALIDATION_ERROR',
      'RESOURCE_NOT_FOUND',
      'IDEMPOTENCY_KEY_CONFLICT',
      'IDEMPOTENCY_IN_PROGRESS',
      ...WITH_BODY,
      ...CREDENTIAL_ERRORS,
    ],
    links: {
      readInvoice: { operationId: 'getInvoice', parameters: ofIt },
      editInvoice: { operationId: 'editInvoice', parameters: ofIt },
      deleteInvoice: { operationId: 'deleteInvoice', parameters: ofIt },
      issueInvoice: { operationId: 'issueInvoice', parameters: ofIt },
      voidInvoice: { operationId: 'voidInvoice', parameters: ofIt },
      payableLink: { operationId: 'createPayableLink', parameters: ofIt },
      pauseInvoice: { operationId: 'pauseInvoice', parameters: ofIt },
      resumeInvoice: { operationId: 'resumeInvoice', parameters: ofIt },
      changeDueDates: { operationId: 'changeDueDates', parameters: ofIt },
      invoicePdf: { operationId: 'getInvoicePdf', parameters: ofIt },
      invoicesOfTheCustomer: {
        operationId: 'listInvoices',
        parameters: { customerReference: '$request.body#/customerReference' },
      },
    },
    handler: ({ caller, body, rawBody, headers }) =>
      createInvoice(deps, { caller, body, rawBody, idempotencyKey: headers['idempotency-key'] }),
  });
}

function list(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/invoices',
    operationId: 'listInvoices',
    tag: TAG,
    summary: 'List invoices',
    auth: 'credential',
    query: ListInvoicesQuery,
    response: { status: 200, schema: z.array(Invoice), list: true },
    errors: ['VALIDATION_ERROR', ...CREDENTIAL_ERRORS],
    handler: async ({ caller, query }: { caller: NativeCaller; query: z.infer<typeof ListInvoicesQuery> }) => {
      const slice = sliceOf(query, 'createdAt');
      const { today, page, payments } = await deps.database.inTransaction(caller.scope, async (statements) => {
        const today = deps.calendar.today(await readNow(statements));
        const filter = { customerReference: query.customerReference, shown: { status: query.status, today } };
        const found = await listInvoices(statements, caller.scope, { filter, slice });
        return { today, page: found, payments: await paymentsOfAll(statements, found.invoices) };
      });
      return {
        status: 200,
        data: page.invoices.map((invoice) =>
          invoiceView(invoice, { webUrl: deps.webUrl, today, payments: payments.get(invoice.id) ?? [] }),
        ),
        pagination: paginationOf(slice, page),
      };
    },
  });
}

function read(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/invoices/{id}',
    operationId: 'getInvoice',
    tag: TAG,
    summary: 'Retrieve an invoice',
    auth: 'credential',
    params: IdParams,
    response: { status: 200, schema: Invoice },
    errors: OF_ONE,
    handler: async ({ caller, params }: OfOne) => ({
      status: 200,
      data: await viewOf(deps, await findInvoice(deps, caller.scope, params.id)),
    }),
  });
}

function edit(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'PUT',
    path: '/invoices/{id}',
    operationId: 'editInvoice',
    tag: TAG,
    summary: 'Replace a draft invoice',
    auth: 'credential',
    params: IdParams,
    body: EditInvoice,
    response: { status: 200, schema: Invoice },
    errors: [...CHANGING, ...WITH_BODY],
    handler: async ({ caller, params, body }: OfOne & { body: EditInvoice }) => ({
      status: 200,
      data: await editDraft(deps, { caller, invoiceId: params.id, body }),
    }),
  });
}

function remove(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'DELETE',
    path: '/invoices/{id}',
    operationId: 'deleteInvoice',
    tag: TAG,
    summary: 'Delete a draft invoice',
    description: 'An issued invoice cannot be deleted; void it instead.',
    auth: 'credential',
    params: IdParams,
    response: { status: 200, schema: z.null() },
    errors: CHANGING,
    handler: async ({ caller, params }: OfOne) => {
      await removeDraft(deps, { caller, invoiceId: params.id });
      return { status: 200, data: null, message: 'Resource deleted' };
    },
  });
}

/** An action on an invoice without a request body. Repeated, it returns the invoice unchanged. */
interface Action {
  readonly path: 'issue' | 'void' | 'pause' | 'resume';
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly act: (of: InvoiceOfCaller) => Promise<InvoiceView>;
}

function actionsOf(deps: ApiDependencies): Route<NativeCaller>[] {
  const actions: readonly Action[] = [
    {
      path: 'issue',
      operationId: 'issueInvoice',
      summary: 'Issue a draft invoice',
      description:
        'Assigns the number and makes the invoice payable. An invoice that is already issued is returned unchanged.',
      act: (of) => issueInvoice(deps, of),
    },
    {
      path: 'void',
      operationId: 'voidInvoice',
      summary: 'Void an unpaid invoice',
      description: 'The invoice keeps its number. Returns 409 while a payment of it is in progress.',
      act: (of) => voidIssued(deps, of),
    },
    {
      path: 'pause',
      operationId: 'pauseInvoice',
      summary: 'Pause an invoice’s notices',
      act: (of) => pauseInvoice(deps, of, true),
    },
    {
      path: 'resume',
      operationId: 'resumeInvoice',
      summary: 'Resume an invoice’s notices',
      act: (of) => pauseInvoice(deps, of, false),
    },
  ];
  return actions.map(({ path, act, ...words }) =>
    route({
      method: 'POST',
      path: `/invoices/{id}/${path}`,
      ...words,
      tag: TAG,
      auth: 'credential',
      params: IdParams,
      response: { status: 200, schema: Invoice },
      errors: CHANGING,
      handler: async ({ caller, params }: OfOne) => ({
        status: 200,
        data: await act({ caller, invoiceId: params.id }),
      }),
    }),
  );
}

function dueDates(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'PUT',
    path: '/invoices/{id}/due-dates',
    operationId: 'changeDueDates',
    tag: TAG,
    summary: 'Replace the due date or the installments of an open invoice',
    auth: 'credential',
    params: IdParams,
    body: DueDates,
    response: { status: 200, schema: Invoice },
    errors: [...CHANGING, ...WITH_BODY],
    handler: async ({ caller, params, body }: OfOne & { body: DueDates }) => ({
      status: 200,
      data: await changeDueDates(deps, { caller, invoiceId: params.id, body }),
    }),
  });
}

function pdf(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/invoices/{id}/pdf',
    operationId: 'getInvoicePdf',
    tag: TAG,
    summary: 'Retrieve an invoice as a PDF',
    auth: 'credential',
    params: IdParams,
    response: { status: 200, schema: z.string().meta({ format: 'binary' }), contentType: PDF_TYPE },
    errors: OF_ONE,
    handler: async ({ caller, params }: OfOne) => {
      const invoice = await findInvoice(deps, caller.scope, params.id);
      const branding = await brandingOf(deps.database, caller.scope, caller.application.name);
      return pdfReply(fileNameOf(invoice), () => renderInvoice(invoiceDocument(invoice, { ...deps, branding })));
    },
  });
}

export function fileNameOf(invoice: InvoiceRecord): string {
  return invoiceNumber(invoice) ?? `draft-${invoice.id}`;
}
