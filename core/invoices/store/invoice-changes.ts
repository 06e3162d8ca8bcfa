import { invoiceStatusesBefore, LIVE_INVOICE_STATUSES, type InvoiceStatus } from '../../../domain/invoice.ts';
import { nextDueDateOf, statusPaid } from '../../../domain/invoice-due.ts';
import type { PlainDate } from '../../../domain/plain-date.ts';
import { later, now, plus, span } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { InvoiceRecord } from './invoices.ts';

/** When the sweeper checks whether an invoice's workflow has been notified of a change. */
export const CHECKED_SOON = later('30 seconds');

interface Paid extends Pick<
  InvoiceRecord,
  'id' | 'status' | 'paidMinor' | 'nextDueDate' | 'paidAt' | 'eventSequence' | 'updatedAt'
> {}

const CHANGE_PAID = statement((db, $: Given<Paid>) =>
  db
    .updateTable('invoices')
    .set({
      status: $('status'),
      paidMinor: $('paidMinor'),
      nextDueDate: $('nextDueDate'),
      paidAt: $('paidAt'),
      eventSequence: $('eventSequence'),
      nextSweepAt: CHECKED_SOON,
      updatedAt: $('updatedAt'),
    })
    .where('id', '=', $('id'))
    .where('status', 'in', LIVE_INVOICE_STATUSES),
);

export interface PaidChange {
  readonly invoice: InvoiceRecord;
  readonly paidMinor: bigint;
  readonly today: PlainDate;
  /** The number of events that the caller records about it in this transaction. */
  readonly events: number;
}

/** Sets the paid amount of an issued invoice that the caller has locked, and everything derived from it. */
export async function changePaid(
  statements: Statements,
  { invoice, paidMinor, today, events }: PaidChange,
): Promise<InvoiceRecord> {
  const status = statusPaid(invoice.totalMinor, paidMinor);
  const unscheduled: InvoiceRecord = {
    ...invoice,
    status,
    paidMinor,
    paidAt: status === 'PAID' ? invoice.readAt : null,
    eventSequence: invoice.eventSequence + events,
    updatedAt: invoice.readAt,
  };
  const changed = { ...unscheduled, nextDueDate: nextDueDateOf(unscheduled, today) };
  await CHANGE_PAID.all(statements, changed);
  return changed;
}

const VOID = statement((db, $: Given<{ id: bigint; now: Date; expiredAt: Date | null; eventSequence: number }>) =>
  db
    .updateTable('invoices')
    .set({
      status: 'VOID',
      voidedAt: $('now'),
      expiredAt: $('expiredAt'),
      updatedAt: $('now'),
      nextDueDate: null,
      eventSequence: $('eventSequence'),
      nextSweepAt: CHECKED_SOON,
    })
    .where('id', '=', $('id'))
    .where('status', 'in', invoiceStatusesBefore('VOID')),
);

/** Voids an unpaid invoice that the caller has locked. It keeps its number. */
export async function voidInvoice(
  statements: Statements,
  invoice: InvoiceRecord,
  { expired }: { readonly expired: boolean },
): Promise<InvoiceRecord> {
  const { id, readAt } = invoice;
  const expiredAt = expired ? readAt : null;
  const voided = {
    status: 'VOID' as const satisfies InvoiceStatus,
    voidedAt: readAt,
    updatedAt: readAt,
    nextDueDate: null,
  };
  const eventSequence = invoice.eventSequence + 1;
  await VOID.all(statements, { id, now: readAt, expiredAt, eventSequence });
  return { ...invoice, ...voided, expiredAt, eventSequence };
}

const NOTE_VIEWED = statement((db, $: Given<{ id: bigint }>) =>
  db.updateTable('invoices').set({ viewedAt: now }).where('id', '=', $('id')).where('viewedAt', 'is', null),
);

/** Records the first time that an invoice's page was opened. */
export async function noteViewed(statements: Statements, invoiceId: bigint): Promise<void> {
  await NOTE_VIEWED.all(statements, { id: invoiceId });
}

const FORGET_VIEWED = statement((db, $: Given<{ id: bigint }>) =>
  db.updateTable('invoices').set({ viewedAt: null }).where('id', '=', $('id')).where('viewedAt', 'is not', null),
);

/** Marks an invoice as not viewed again after an unsuccessful attempt to pay. The caller has locked it. */
export async function forgetViewed(statements: Statements, invoiceId: bigint): Promise<void> {
  await FORGET_VIEWED.all(statements, { id: invoiceId });
}

const SET_PAUSED = statement((db, $: Given<Pick<InvoiceRecord, 'id' | 'pausedAt' | 'updatedAt'>>) =>
  db
    .updateTable('invoices')
    .set({ pausedAt: $('pausedAt'), nextSweepAt: CHECKED_SOON, updatedAt: $('updatedAt') })
    .where('id', '=', $('id')),
);

/** Pauses or resumes an open invoice's notices. The caller has locked it. */
export async function setPaused(
  statements: Statements,
  invoice: InvoiceRecord,
  paused: boolean,
): Promise<InvoiceRecord> {
  const changed = { ...invoice, pausedAt: paused ? invoice.readAt : null, updatedAt: invoice.readAt };
  await SET_PAUSED.all(statements, changed);
  return changed;
}

const SET_DUE_DATES = statement((db, $: Given<Pick<InvoiceRecord, 'id' | 'dueDate' | 'nextDueDate' | 'updatedAt'>>) =>
  db
    .updateTable('invoices')
    .set({
      dueDate: $('dueDate'),
      nextDueDate: $('nextDueDate'),
      nextSweepAt: CHECKED_SOON,
      updatedAt: $('updatedAt'),
    })
    .where('id', '=', $('id')),
);

/** Sets new due dates of an open invoice that the caller has locked. The caller replaces its installments. */
export async function setDueDates(
  statements: Statements,
  invoice: InvoiceRecord,
  { dueDate, installments, today }: Pick<InvoiceRecord, 'dueDate' | 'installments'> & { readonly today: PlainDate },
): Promise<InvoiceRecord> {
  const dated = { ...invoice, dueDate, installments, updatedAt: invoice.readAt };
  const changed = { ...dated, nextDueDate: nextDueDateOf(dated, today) };
  await SET_DUE_DATES.all(statements, changed);
  return changed;
}

/** The sweeper checks an invoice this long after a notice that its workflow should have sent, and at least once in this many days. */
const MISSED_AFTER_SECONDS = 300;
const LOOK_AGAIN_DAYS = 7;

const SET_DRIVEN = statement((db, $: Given<{ id: bigint; eventSequence: number; againInSeconds: number | null }>) =>
  db
    .updateTable('invoices')
    .set({
      eventSequence: $('eventSequence'),
      // Null stays null.
      nextSweepAt: plus(now, span($('againInSeconds'), 'second')),
    })
    .where('id', '=', $('id')),
);

/** Records that the workflow has handled the invoice's state. `againInMs` is when it will run again by itself; null if it has ended. */
export async function setDriven(
  statements: Statements,
  {
    invoiceId,
    eventSequence,
    againInMs,
  }: { readonly invoiceId: bigint; readonly eventSequence: number; readonly againInMs: number | null },
): Promise<void> {
  const againInSeconds =
    againInMs === null ? null : Math.min(Math.ceil(againInMs / 1_000) + MISSED_AFTER_SECONDS, LOOK_AGAIN_DAYS * 86_400);
  await SET_DRIVEN.all(statements, { id: invoiceId, eventSequence, againInSeconds });
}
