import { setDueDates, setPaused } from '../../../core/invoices/store/invoice-changes.ts';
import { deleteDraft, replaceDraft, replaceInstallments } from '../../../core/invoices/store/drafts.ts';
import { readInvoice, type InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { DomainError, notFound } from '../../../domain/errors.ts';
import type { InvoiceView } from '../../../domain/invoice-view.ts';
import { isFinalInvoice } from '../../../domain/invoice.ts';
import { describeError } from '../../../runtime/logger.ts';
import { invoiceHandleOf } from '../../../core/dispatch.ts';
import type { NativeCaller } from '../authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import {
  changeInvoice,
  issueKnown,
  lockOrMiss,
  voidKnown,
  type InvoiceToChange,
} from '../../../core/invoices/change-invoice.ts';
import { contentOf, dueDatesOf } from './content.ts';
import type { DueDates, EditInvoice } from './schemas.ts';
import { viewOf } from './view.ts';

/** How long a caller waits for the workflow to apply new due dates; the sweeper takes over afterwards. */
const RESCHEDULE_WAIT_MS = 3_000;

export interface InvoiceOfCaller {
  readonly caller: NativeCaller;
  readonly invoiceId: bigint;
}

/** Replaces the whole content of a draft. */
export async function editDraft(
  deps: ApiDependencies,
  { caller: { scope, application }, invoiceId, body }: InvoiceOfCaller & { readonly body: EditInvoice },
): Promise<InvoiceView> {
  const content = contentOf(deps, { body, rules: application });
  const edited = await deps.database.inTransaction(scope, async (statements) => {
    requireDraft(await lockOrMiss(statements, { scope, invoiceId }));
    await replaceDraft(statements, { scope, invoiceId, content });
    return readInvoice(statements, scope, invoiceId);
  });
  if (edited === null) {
    throw notFound('invoice');
  }
  return viewOf(deps, edited);
}

export async function removeDraft(
  deps: ApiDependencies,
  { caller: { scope }, invoiceId }: InvoiceOfCaller,
): Promise<void> {
  await deps.database.inTransaction(scope, async (statements) => {
    requireDraft(await lockOrMiss(statements, { scope, invoiceId }));
    await deleteDraft(statements, scope, invoiceId);
  });
}

/** Issues a draft. Returns an invoice that is already issued unchanged, because its number is assigned only once. */
export async function issueInvoice(deps: ApiDependencies, of: InvoiceOfCaller): Promise<InvoiceView> {
  return viewOf(deps, await issueKnown(deps, toChange(of)));
}

/** Voids an invoice if nothing is paid and no payment is in progress, because money must not arrive for a void invoice. */
export async function voidIssued(deps: ApiDependencies, of: InvoiceOfCaller): Promise<InvoiceView> {
  return viewOf(deps, await voidKnown(deps, toChange(of)));
}

/** Pauses or resumes notices. */
export async function pauseInvoice(deps: ApiDependencies, of: InvoiceOfCaller, paused: boolean): Promise<InvoiceView> {
  const invoice = await changeInvoice(deps, toChange(of), async (statements, locked) => {
    requireOpen(locked);
    if ((locked.pausedAt !== null) === paused) {
      return null;
    }
    const changed = await setPaused(statements, locked, paused);
    return { invoice: changed, change: paused ? 'paused' : 'resumed', event: null };
  });
  return viewOf(deps, invoice);
}

/** Changes the due dates of what is unpaid. If the workflow could be reached, it has applied them before this returns. */
export async function changeDueDates(
  deps: ApiDependencies,
  { caller, invoiceId, body }: InvoiceOfCaller & { readonly body: DueDates },
): Promise<InvoiceView> {
  const { scope, application } = caller;
  const changed = await deps.database.inTransaction(scope, async (statements) => {
    const invoice = await lockOrMiss(statements, { scope, invoiceId });
    requireOpen(invoice);
    const { dueDate, installments } = dueDatesOf(invoice, body);
    await replaceInstallments(statements, { scope, invoiceId, installments });
    return setDueDates(statements, invoice, { dueDate, installments, today: deps.calendar.today(invoice.readAt) });
  });
  await deps.dispatch
    .rescheduleInvoice(invoiceHandleOf(changed, application.name), { timeoutMs: RESCHEDULE_WAIT_MS })
    .catch((error: unknown) => {
      deps.log.warn(
        { invoice: changed.reference, error: describeError(error) },
        'changed due dates not signalled; the sweeper retries',
      );
    });
  return viewOf(deps, changed);
}

function toChange({ caller: { scope, application }, invoiceId }: InvoiceOfCaller): InvoiceToChange {
  return { scope, applicationName: application.name, invoiceId };
}

function requireDraft({ status }: InvoiceRecord): void {
  if (status !== 'DRAFT') {
    throw new DomainError('INVALID_OPERATION_STATE', 'the invoice has been issued and can no longer be changed');
  }
}

function requireOpen({ status }: InvoiceRecord): void {
  if (status === 'DRAFT' || isFinalInvoice(status)) {
    throw new DomainError('INVALID_OPERATION_STATE', `the invoice is ${status}; nothing is due`);
  }
}
