import type { Values } from './postgres/values.ts';

export interface Part {
  readonly dueDate: string;
  readonly amountMinor: bigint;
}

/** An invoice's public state from a moment on. */
export interface InvoiceState {
  readonly fromMs: number;
  readonly status: string;
  readonly totalMinor: bigint;
  readonly paidMinor: bigint;
  readonly paused: boolean;
  readonly dueDate: string | null;
  readonly parts: readonly Part[];
  readonly reminderDays: readonly number[];
}

/** An answer about an invoice, with the times of request and answer. */
export interface InvoiceAnswer {
  readonly key: string;
  readonly app: number;
  readonly what: 'created' | 'issued' | 'voided' | 'deleted' | 'changed';
  /** Null after deletion. */
  readonly view: InvoiceShown | null;
}

export interface InvoiceShown {
  readonly id: number;
  readonly number: string | null;
  readonly status: string;
  readonly totalMinor: number;
  readonly amountPaidMinor: number;
  readonly amountDueMinor: number;
}

/** What a payable link showed. */
export interface InvoiceLook {
  readonly invoiceId: bigint;
  readonly queriedAtMs: number;
  readonly answeredAtMs: number;
  readonly requestedMinor: number;
  readonly amountDueMinor: number;
  readonly amountPaidMinor: number;
  readonly totalMinor: number;
}

/** An email as the mail server saw it. */
export interface SentEmail {
  readonly messageId: string;
  readonly outcome: 'sent' | 'refused' | 'unavailable';
}

/** What happened to the invoices of a story, in addition to their rows. */
export interface InvoiceEvidence {
  /** By invoice, oldest first. */
  readonly stands: ReadonlyMap<bigint, readonly InvoiceState[]>;
  /** Moments at which the paid amount differed from the sum of payments, decisions and refunds. */
  readonly miscounted: readonly string[];
  /** Moments at which an app's invoice numbers were not consecutive from one. */
  readonly misnumbered: readonly string[];
  /** Illegal transitions of an invoice. */
  readonly missteps: readonly string[];
  /** Payments whose overpayment was not held as such in the transaction that finalized them. */
  readonly overpaymentLost: readonly string[];
  /** Payments in progress for a void invoice. */
  readonly payingForVoid: readonly string[];
  /** Notices that were sent, or omitted, when they should not have been. */
  readonly toldAmiss: readonly string[];
  readonly answers: readonly InvoiceAnswer[];
  readonly looks: readonly InvoiceLook[];
  readonly emails: readonly SentEmail[];
}

export const NO_INVOICES: InvoiceEvidence = {
  stands: new Map(),
  miscounted: [],
  misnumbered: [],
  missteps: [],
  overpaymentLost: [],
  payingForVoid: [],
  toldAmiss: [],
  answers: [],
  looks: [],
  emails: [],
};

export function stateOf(
  row: Values,
  { installments, atMs }: { installments: readonly Values[]; atMs: number },
): InvoiceState {
  const reminders = row['reminders'] as { beforeDays: number[]; overdueDays: number[] };
  return {
    fromMs: atMs,
    status: String(row['status']),
    totalMinor: row['total_minor'] as bigint,
    paidMinor: row['paid_minor'] as bigint,
    paused: row['paused_at'] !== null,
    dueDate: row['due_date'] as string | null,
    parts: installments
      .filter(({ invoice_id: id }) => id === row['id'])
      .sort((a, b) => Number(a['position']) - Number(b['position']))
      .map((part) => ({ dueDate: String(part['due_date']), amountMinor: part['amount_minor'] as bigint })),
    reminderDays: [...reminders.beforeDays.map((days) => -days), ...reminders.overdueDays],
  };
}
