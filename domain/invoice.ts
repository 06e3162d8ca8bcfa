import { statusesBefore, type Transitions } from './transitions.ts';

/** The stored status of an invoice. OVERDUE is derived from it and the calendar, and never stored. */
export const INVOICE_STATUSES = ['DRAFT', 'ISSUED', 'PARTIALLY_PAID', 'PAID', 'VOID'] as const;
export type InvoiceStatus = (typeof INVOICE_STATUSES)[number];
const TRANSITIONS = {
  DRAFT: ['ISSUED'],
  ISSUED: ['PARTIALLY_PAID', 'PAID', 'VOID'],
  PARTIALLY_PAID: ['PAID', 'ISSUED'],
  PAID: ['PARTIALLY_PAID', 'ISSUED'],
  VOID: [],
} as const satisfies Transitions<InvoiceStatus>;

/** Returns the statuses from which `to` can be reached: the guard of the status update. */
export function invoiceStatusesBefore(to: InvoiceStatus): InvoiceStatus[] {
  return statusesBefore(TRANSITIONS, { statuses: INVOICE_STATUSES, to });
}

/** Statuses in which something is due. */
export const DUE_INVOICE_STATUSES = ['ISSUED', 'PARTIALLY_PAID'] as const satisfies readonly InvoiceStatus[];
/** Statuses in which payments and refunds change what is due. */
export const LIVE_INVOICE_STATUSES = ['ISSUED', 'PARTIALLY_PAID', 'PAID'] as const satisfies readonly InvoiceStatus[];

export const SHOWN_INVOICE_STATUSES = [...INVOICE_STATUSES, 'OVERDUE'] as const;
export type ShownInvoiceStatus = (typeof SHOWN_INVOICE_STATUSES)[number];

/** The parts of an invoice's displayed number. */
export interface Numbered {
  /** Without gaps within an application and mode; null for a draft. */
  readonly number: bigint | null;
  /** Set by a contract that shows the business in the number. */
  readonly numberLabel: string | null;
}

/** Returns the displayed number, `INV-000042` or `INV-HB_71c4-00042`, or null for a draft. */
export function invoiceNumber({ number, numberLabel }: Numbered): string | null {
  if (number === null) {
    return null;
  }
  return numberLabel === null
    ? `INV-${number.toString().padStart(6, '0')}`
    : `INV-${numberLabel}-${number.toString().padStart(5, '0')}`;
}

/** Reports whether the invoice can no longer be paid, unless money is refunded. */
export function isFinalInvoice(status: InvoiceStatus): status is 'PAID' | 'VOID' {
  return status === 'PAID' || status === 'VOID';
}
