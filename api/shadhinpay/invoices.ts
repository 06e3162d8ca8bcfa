import type { z } from 'zod';
import { listInvoices as pageOfInvoices } from '../../core/invoices/store/invoice-list.ts';
import { paymentsOfAll } from '../../core/invoices/store/payments-of-invoice.ts';
import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import { DomainError } from '../../domain/errors.ts';
import { afterShadhinpayInstant } from '../../domain/shadhinpay.ts';
import {
  invoicesWith,
  numberShown,
  shadhinpayInvoiceStatus,
  type ShadhinpayInvoiceStatus,
} from '../../domain/shadhinpay-invoice.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { issueKnown, voidKnown, type InvoiceToChange } from '../../core/invoices/change-invoice.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { ShadhinpayError } from './errors.ts';
import { findInvoice, showInvoice } from './find-invoice.ts';
import type { InvoicesQuery } from './invoice-schemas.ts';
import { invoiceView } from './invoice-view.ts';
import { pageSliceOf } from './paging.ts';
import { answered, pageOf } from './views.ts';

/** Returns invoices newest first, including those of other APIs. */
export async function listInvoices(
  { database, webUrl }: ApiDependencies,
  { scope }: ShadhinpayCaller,
  query: z.infer<typeof InvoicesQuery>,
) {
  const slice = pageSliceOf(query);
  const filter = filterOf(query);
  const { invoices, total, payments } = await database.inTransaction(scope, async (statements) => {
    const page =
      filter === null ? { invoices: [], total: 0 } : await pageOfInvoices(statements, scope, { filter, slice });
    return { ...page, payments: await paymentsOfAll(statements, page.invoices) };
  });
  const data = invoices.map((invoice) => invoiceView(invoice, { payments: payments.get(invoice.id) ?? [], webUrl }));
  return { ...answered(data, 'Invoices retrieved successfully'), pagination: pageOf(slice, total) };
}

/** Returns null if nothing can match, because `invoiceNumber` is not an invoice number. */
function filterOf({ status, from, to, amountMin, amountMax, invoiceNumber }: z.infer<typeof InvoicesQuery>) {
  const numbered = invoiceNumber === undefined ? undefined : numberShown(invoiceNumber);
  return numbered === null
    ? null
    : {
        ...(status === undefined ? {} : invoicesWith(status)),
        numbered,
        leastMinor: amountMin,
        mostMinor: amountMax,
        from,
        before: to === undefined ? undefined : afterShadhinpayInstant(to),
      };
}

export interface KnownInvoice {
  readonly caller: ShadhinpayCaller;
  readonly invoiceId: string;
}

/** Gives a draft its number and makes it payable. Returns an invoice that was sent before unchanged. */
export function sendInvoice(deps: ApiDependencies, of: KnownInvoice) {
  return change(deps, of, {
    by: issueKnown,
    from: ['DRAFT'],
    to: ['SENT', 'VIEWED'],
    message: 'Invoice sent successfully',
  });
}

/** Cancels an invoice. Returns one that was cancelled before unchanged. */
export function cancelInvoice(deps: ApiDependencies, of: KnownInvoice) {
  return change(deps, of, {
    by: voidKnown,
    from: ['SENT', 'VIEWED'],
    to: ['CANCELLED'],
    message: 'Invoice cancelled successfully',
  });
}

interface Change {
  readonly by: (deps: ApiDependencies, of: InvoiceToChange) => Promise<InvoiceRecord>;
  /** The statuses that can change. From these a refusal is a business rule; from any other the transition is invalid. */
  readonly from: readonly ShadhinpayInvoiceStatus[];
  /** The statuses that the invoice may have afterwards. */
  readonly to: readonly ShadhinpayInvoiceStatus[];
  readonly message: string;
}

async function change(deps: ApiDependencies, { caller, invoiceId }: KnownInvoice, { by, from, to, message }: Change) {
  const { scope, application } = caller;
  const { id } = await findInvoice(deps, caller, invoiceId);
  const toChange = { scope, applicationName: application.name, invoiceId: id };
  const changed = await by(deps, toChange).catch(async (error: unknown) => {
    if (error instanceof DomainError && error.code === 'INVALID_OPERATION_STATE') {
      requireOneOf(from, await findInvoice(deps, caller, invoiceId));
    }
    throw error;
  });
  requireOneOf(to, changed);
  return answered(await showInvoice(deps, changed), message);
}

function requireOneOf(statuses: readonly ShadhinpayInvoiceStatus[], invoice: InvoiceRecord): void {
  const status = shadhinpayInvoiceStatus(invoice);
  if (!statuses.includes(status)) {
    throw new ShadhinpayError('INVALID_STATUS_TRANSITION', `The invoice is ${status}`);
  }
}
