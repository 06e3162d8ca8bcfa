import type { Branding, InvoiceDocument, ReceiptDocument } from './document.ts';
import { DocumentFailure, Press } from './press.ts';

const LINES_MAX = 10_000;
const CHARACTERS_MAX = 4_000_000;

/** With a second process, short documents do not wait for a long one. */
const press = new Press({ processes: 2, waiting: 32, timeMs: 60_000, residentBytes: 400_000_000 });

/**
 * Returns an invoice as PDF/A-2b. The same document gives the same bytes.
 * @throws DocumentFailure
 */
export function renderInvoice(document: InvoiceDocument): Promise<Uint8Array> {
  const { lines, installments, taxes, notes } = document;
  const texts = [notes, ...lines.map(({ description }) => description), ...taxes.map(({ name }) => name)];
  return lines.length + installments.length > LINES_MAX || isTooLong(document, texts)
    ? Promise.reject(new DocumentFailure('too_large'))
    : press.print({ kind: 'invoice', document });
}

/**
 * Returns a payment's receipt as PDF/A-2b. The same document gives the same bytes.
 * @throws DocumentFailure
 */
export function renderReceipt(document: ReceiptDocument): Promise<Uint8Array> {
  return isTooLong(document, [document.description])
    ? Promise.reject(new DocumentFailure('too_large'))
    : press.print({ kind: 'receipt', document });
}

/** Ends the processes that make documents. They also end when this process does. */
export function closePress(): void {
  press.close();
}

function isTooLong(
  { branding, customer }: { readonly branding: Branding; readonly customer: InvoiceDocument['customer'] },
  texts: readonly (string | null)[],
): boolean {
  const { companyName, companyAddress, contactDetails, footerNote } = branding;
  const all = [...texts, companyName, companyAddress, contactDetails, footerNote, ...Object.values(customer)];
  return all.reduce((sum, text) => sum + (text?.length ?? 0), 0) > CHARACTERS_MAX;
}
