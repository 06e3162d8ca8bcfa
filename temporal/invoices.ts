import { WithStartWorkflowOperation, type Client, type WorkflowStartOptions } from '@temporalio/client';
import { TypedSearchAttributes, type Workflow } from '@temporalio/common';
import type { Dispatch, InvoiceHandle } from '../core/dispatch.ts';
import { toDecimalText, toJsonInteger } from '../domain/money.ts';
import {
  dueDatesChangedUpdate,
  invoiceChangedSignal,
  type InvoiceProgress,
  type InvoiceWorkflowInput,
} from '../workflows/messages/invoice.ts';
import {
  INVOICE_NUMBER_MEMO,
  SEARCH_ATTRIBUTES,
  TASK_QUEUES,
  WORKFLOW_TYPES,
  workflowIds,
} from '../workflows/messages/names.ts';

export function invoiceDispatch(client: Client): Pick<Dispatch, 'notifyInvoice' | 'rescheduleInvoice'> {
  return {
    async notifyInvoice(invoice, change) {
      await client.workflow.signalWithStart(WORKFLOW_TYPES.invoice, {
        ...invoiceStart(invoice),
        signal: invoiceChangedSignal,
        signalArgs: [change],
      });
    },
    rescheduleInvoice: (invoice, { timeoutMs }) => {
      const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOW_TYPES.invoice, {
        ...invoiceStart(invoice),
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      startWorkflowOperation.workflowHandle().catch(() => undefined);
      return client.withDeadline(Date.now() + timeoutMs, () =>
        client.workflow.executeUpdateWithStart<Workflow, InvoiceProgress, []>(dueDatesChangedUpdate, {
          startWorkflowOperation,
        }),
      );
    },
  };
}

function invoiceStart(invoice: InvoiceHandle): WorkflowStartOptions & { args: [InvoiceWorkflowInput] } {
  const { reference, applicationId, applicationName, mode, number, amount } = invoice;
  return {
    workflowId: workflowIds.invoice(reference),
    taskQueue: TASK_QUEUES.payments,
    workflowIdConflictPolicy: 'USE_EXISTING',
    // A paid invoice can become due again after a refund.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ reference, applicationId: applicationId.toString(), mode }],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.app, value: applicationId.toString() },
      { key: SEARCH_ATTRIBUTES.mode, value: mode },
      { key: SEARCH_ATTRIBUTES.reference, value: reference },
      { key: SEARCH_ATTRIBUTES.amountMinor, value: toJsonInteger(amount.amountMinor) },
      { key: SEARCH_ATTRIBUTES.status, value: 'ISSUED' },
    ]),
    // `npm run restore` moves the counter past this number if the invoice's row is lost, because a customer has seen the number.
    ...(number === null ? {} : { memo: { [INVOICE_NUMBER_MEMO]: number } }),
    staticSummary: `Invoice ${number ?? ''}: ${toDecimalText(amount)} ${amount.currency} for ${applicationName} (${mode})`,
  };
}
