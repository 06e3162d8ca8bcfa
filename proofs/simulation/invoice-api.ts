import {
  changeDueDates,
  editDraft,
  issueInvoice,
  pauseInvoice,
  removeDraft,
  voidIssued,
} from '../../api/native/invoices/change-invoice.ts';
import { createInvoice, type InvoiceCreation } from '../../api/native/invoices/create-invoice.ts';
import { findPayable, payableView } from '../../api/native/invoices/payable.ts';
import type { DueDates, EditInvoice } from '../../api/native/invoices/schemas.ts';
import type { NativeCaller } from '../../api/native/authenticate.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import { renderNative } from '../../api/native/envelope.ts';
import type { InvoiceShown } from './invoice-evidence.ts';

/** What an app does with an existing invoice. */
export type InvoiceOperation =
  | { readonly kind: 'issue' | 'void' | 'pause' | 'resume' | 'delete' }
  | { readonly kind: 'edit'; readonly body: EditInvoice }
  | { readonly kind: 'new due dates'; readonly body: DueDates };

export interface Payable {
  readonly requestedMinor: number;
  readonly amountDueMinor: number;
  readonly amountPaidMinor: number;
  readonly totalMinor: number;
}

export interface InvoiceApi {
  create(creation: InvoiceCreation): Promise<InvoiceShown>;
  /** Returns null after deletion. */
  change(caller: NativeCaller, invoiceId: bigint, operation: InvoiceOperation): Promise<InvoiceShown | null>;
  payable(reference: string): Promise<Payable>;
}

/** Returns the product's own functions behind the invoice routes. */
export function invoiceApiOf(deps: ApiDependencies): InvoiceApi {
  return {
    async create(creation) {
      const reply = await createInvoice(deps, creation);
      const text = 'text' in reply ? reply.text : renderNative(reply);
      if (!('text' in reply)) {
        await reply.onSerialized?.(text).catch(() => undefined);
      }
      return (JSON.parse(text) as { data: InvoiceShown }).data;
    },
    change(caller, invoiceId, operation) {
      const of = { caller, invoiceId };
      switch (operation.kind) {
        case 'issue':
          return issueInvoice(deps, of);
        case 'void':
          return voidIssued(deps, of);
        case 'pause':
        case 'resume':
          return pauseInvoice(deps, of, operation.kind === 'pause');
        case 'edit':
          return editDraft(deps, { ...of, body: operation.body });
        case 'new due dates':
          return changeDueDates(deps, { ...of, body: operation.body });
        case 'delete':
          return removeDraft(deps, of).then(() => null);
      }
    },
    payable: async (reference) => payableView(deps, await findPayable(deps, reference)),
  };
}
