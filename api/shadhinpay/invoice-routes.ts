import type { z } from 'zod';
import type { ApiDependencies } from '../dependencies.ts';
import { route, type Route } from '../http/route.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { createShadhinpayInvoice, INVALID_INVOICE } from './create-invoice.ts';
import { ALWAYS, OF_BODIES } from './errors.ts';
import { findInvoice, showInvoice } from './find-invoice.ts';
import { CreateInvoice, InvoiceParams, Invoices, InvoicesQuery, OneInvoice } from './invoice-schemas.ts';
import { cancelInvoice, listInvoices, sendInvoice } from './invoices.ts';
import { answered } from './views.ts';

const TAG = 'Invoices';
const CHANGING = ['RESOURCE_NOT_FOUND', 'RESOURCE_ALREADY_EXISTS', 'INVALID_OPERATION_STATE', ...ALWAYS] as const;

export function invoiceRoutes(deps: ApiDependencies): Route<ShadhinpayCaller>[] {
  return [create(deps), list(deps), read(deps), send(deps), cancel(deps)];
}

type OfInvoice = { caller: ShadhinpayCaller; params: z.infer<typeof InvoiceParams> };

function create(deps: ApiDependencies): Route<ShadhinpayCaller> {
  const ofIt = { invoiceId: '$response.body#/data/invoiceId' };
  return route({
    method: 'POST',
    path: '/invoices',
    operationId: 'createInvoice',
    tag: TAG,
    summary: 'Create an invoice',
    description:
      'Sends the invoice unless it is created as a draft. Give the customer the returned `publicUrl`: its page shows the invoice and accepts the payment.',
    auth: 'credential',
    body: CreateInvoice,
    idempotent: true,
    refusal: INVALID_INVOICE,
    response: { status: 201, schema: OneInvoice },
    errors: [...OF_BODIES, ...ALWAYS],
    links: {
      readInvoice: { operationId: 'getInvoice', parameters: ofIt },
      sendInvoice: { operationId: 'sendInvoice', parameters: ofIt },
      cancelInvoice: { operationId: 'cancelInvoice', parameters: ofIt },
    },
    handler: (request) => createShadhinpayInvoice(deps, request),
  });
}

function list(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'GET',
    path: '/invoices',
    operationId: 'listInvoices',
    tag: TAG,
    summary: 'List invoices, newest first',
    auth: 'credential',
    query: InvoicesQuery,
    refusal: 'Invalid request parameters',
    response: { status: 200, schema: Invoices },
    errors: ['VALIDATION_ERROR', ...ALWAYS],
    handler: async ({ caller, query }: { caller: ShadhinpayCaller; query: z.infer<typeof InvoicesQuery> }) => ({
      status: 200,
      data: await listInvoices(deps, caller, query),
    }),
  });
}

function read(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'GET',
    path: '/invoices/{invoiceId}',
    operationId: 'getInvoice',
    tag: TAG,
    summary: 'Retrieve an invoice',
    auth: 'credential',
    params: InvoiceParams,
    response: { status: 200, schema: OneInvoice },
    errors: ['RESOURCE_NOT_FOUND', ...ALWAYS],
    handler: async ({ caller, params }: OfInvoice) => {
      const invoice = await findInvoice(deps, caller, params.invoiceId);
      return { status: 200, data: answered(await showInvoice(deps, invoice), 'Invoice retrieved successfully') };
    },
  });
}

function send(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'POST',
    path: '/invoices/{invoiceId}/send',
    operationId: 'sendInvoice',
    tag: TAG,
    summary: 'Issue a draft invoice',
    description:
      'Assigns the number and makes the invoice payable. An invoice that is already payable is returned unchanged. Lenden sends no email; share the link yourself.',
    auth: 'credential',
    params: InvoiceParams,
    response: { status: 200, schema: OneInvoice },
    errors: CHANGING,
    handler: async ({ caller, params: { invoiceId } }: OfInvoice) => ({
      status: 200,
      data: await sendInvoice(deps, { caller, invoiceId }),
    }),
  });
}

function cancel(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'POST',
    path: '/invoices/{invoiceId}/cancel',
    operationId: 'cancelInvoice',
    tag: TAG,
    summary: 'Cancel an unpaid invoice',
    description: 'The invoice keeps its number. Returns 422 while a payment of it is in progress.',
    auth: 'credential',
    params: InvoiceParams,
    response: { status: 200, schema: OneInvoice },
    errors: CHANGING,
    handler: async ({ caller, params: { invoiceId } }: OfInvoice) => ({
      status: 200,
      data: await cancelInvoice(deps, { caller, invoiceId }),
    }),
  });
}
