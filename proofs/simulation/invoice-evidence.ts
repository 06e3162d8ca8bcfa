import type { Values } from './postgres/values.ts';

export interface Part {
  readonly dueDate: string;
  readonly amountMinor: bigint;
}

/** An invoice as everybody could read it from a moment on. */
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

/** What somebody was told of an invoice, with when it was asked and answered. */
export interface InvoiceAnswer {
  readonly key: string;
  readonly app: number;
  readonly what: 'created' | 'issued' | 'voided' | 'deleted' | 'changed';
  /** Null for what is gone. */
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

/** What a payable link said. */
export interface InvoiceLook {
  readonly invoiceId: bigint;
  readonly queriedAtMs: number;
  readonly answeredAtMs: number;
  readonly requestedMinor: number;
  readonly amountDueMinor: number;
  readonly amountPaidMinor: number;
  readonly totalMinor: number;
}

/** A letter as the mail server saw it. */
export interface SentEmail {
  readonly messageId: string;
  readonly outcome: 'sent' | 'refused' | 'unavailable';
}

/** What happened to the invoices of a story, beside their rows. */
export interface InvoiceEvidence {
  /** By invoice, oldest first. */
  readonly stands: ReadonlyMap<bigint, readonly InvoiceState[]>;
  /** Moments at which what is paid was not what payments, decisions and refunds came to. */
  readonly miscounted: readonly string[];
  /** Moments at which the numbers of an app were not one to as many as there are. */
  readonly misnumbered: readonly string[];
  /** Steps that an invoice cannot take. */
  readonly missteps: readonly string[];
  /** Payments whose overpayment was not held as such in the very transaction that settled them. */
  readonly overpaymentLost: readonly string[];
  /** Payments that were under way for what was void. */
  readonly payingForVoid: readonly string[];
  /** Notices that went out, or were left out, when they should not have been. */
  readonly toldAmiss: readonly string[];
  readonly answers: readonly InvoiceAnswer[];
  readonly looks: readonly InvoiceLook[];
  readonly letters: readonly SentEmail[];
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
  letters: [],
};

/** What the rows say of an invoice at the moment. */
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
