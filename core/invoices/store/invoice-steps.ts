import { nextDueDateOf, statusPaid, type InvoiceStatus } from '../../../domain/invoice.ts';
import type { InvoiceEventView } from '../../../domain/invoice-view.ts';
import { NUMBER_TO_COME } from '../../../domain/invoice-view.ts';
import type { PlainDate } from '../../../domain/plain-date.ts';
import { EVENT_SCHEMA_VERSION } from '../../../domain/webhook.ts';
import type { Scope } from '../../../database/connection.ts';
import type { InvoiceRecord } from './invoices.ts';
import type { Statements } from '../../../database/statements.ts';
import { BY_ENDPOINT, payloadOf, type RecordedEvent } from '../../webhooks/store/events.ts';
import { sqlList } from '../../../database/sql-list.ts';
import { invoiceStatusesBefore, LIVE_INVOICE_STATUSES } from '../../../domain/invoice.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';

/** When the sweeper checks whether an invoice's workflow has been notified of a change. */
const UNHEARD = `now() + interval '30 seconds'`;

export interface Issuing {
  readonly scope: Scope;
  readonly invoiceId: bigint;
  readonly reference: string;
  /** The draft's own time when it was read. */
  readonly issuedAt: Date;
  readonly nextDueDate: PlainDate | null;
  /** The invoice after issuing, with `NUMBER_TO_COME` as its number. */
  readonly data: InvoiceEventView;
  /** Whether the invoice's contract has an event for it. */
  readonly publishes: boolean;
}

/**
 * Issues a draft that the caller has locked: number, status, payable link and event in one statement. It must be the last statement before the
 * commit, since all other invoices wait for their numbers from then on.
 */
export async function issueDraft(
  statements: Statements,
  { scope, invoiceId, reference, issuedAt, nextDueDate, data, publishes }: Issuing,
): Promise<{ readonly number: bigint; readonly event: RecordedEvent | null }> {
  const { eventId, createdAt, payload } = payloadOf({
    type: 'invoice.issued',
    mode: scope.mode,
    sequence: 1,
    data,
  });
  // Quotes inside a text are escaped, so this occurs exactly once.
  const [before = '', after = ''] = payload.split(JSON.stringify({ number: NUMBER_TO_COME }).slice(1, -1));
  const [row] = await statements.execute<{ number: string; parked: boolean | null }[]>(
    `with taken as (
       insert into invoice_counters as c (application_id, mode, last_number) values (?::bigint, ?, 1)
       on conflict (application_id, mode) do update set last_number = c.last_number + 1 returning c.last_number
     ), issued as (
       update invoices i set status = 'ISSUED', number = taken.last_number, issued_at = ?::timestamptz, next_due_date = ?::date,
         event_sequence = 1, next_sweep_at = ${UNHEARD}, updated_at = ?::timestamptz
       from taken where i.id = ?::bigint and i.status = 'DRAFT' returning i.id, i.application_id, i.mode, i.number
     ), named as (
       insert into public_references (reference, kind, target_id, application_id, mode)
       select ?, 'invoice', id, application_id, mode from issued
     ), event as (
       insert into webhook_events (event_id, application_id, mode, invoice_id, type, schema_version, sequence, payload, created_at,
         delivery_status, last_error, next_sweep_at)
       select ?, issued.application_id, issued.mode, issued.id, 'invoice.issued', ?::integer, 1,
         ?::text || '"number":"INV-' || lpad(issued.number::text, greatest(6, length(issued.number::text)), '0') || '"' || ?::text,
         ?::timestamptz, ${BY_ENDPOINT}, issued where ?::boolean
       returning delivery_status
     )
     select issued.number, event.delivery_status = 'PARKED' as parked from issued left join event on true`,
    [
      scope.applicationId,
      scope.mode,
      issuedAt,
      nextDueDate,
      issuedAt,
      invoiceId,
      reference,
      eventId,
      EVENT_SCHEMA_VERSION,
      before,
      after,
      createdAt,
      scope.applicationId,
      scope.mode,
      publishes,
    ],
  );
  if (row === undefined) {
    // The counter is rolled back with the transaction, so the number is not lost.
    throw new Error('the invoice is no longer a draft');
  }
  return { number: BigInt(row.number), event: row.parked === null ? null : { eventId, parked: row.parked } };
}

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
  const now = invoice.readAt;
  const changed: InvoiceRecord = {
    ...invoice,
    status,
    paidMinor,
    paidAt: status === 'PAID' ? now : null,
    eventSequence: invoice.eventSequence + events,
    updatedAt: now,
  };
  const nextDueDate = nextDueDateOf(changed, today);
  await statements.execute(
    `update invoices set status = ?, paid_minor = ?, next_due_date = ?::date, paid_at = ?::timestamptz, event_sequence = ?,
       next_sweep_at = ${UNHEARD}, updated_at = ?::timestamptz where id = ? and status in (${sqlList(LIVE_INVOICE_STATUSES)})`,
    [status, paidMinor, nextDueDate, changed.paidAt, changed.eventSequence, now, invoice.id],
  );
  return { ...changed, nextDueDate };
}

/** Voids an unpaid invoice that the caller has locked. It keeps its number. */
export async function voidInvoice(
  statements: Statements,
  invoice: InvoiceRecord,
  { expired }: { readonly expired: boolean },
): Promise<InvoiceRecord> {
  const now = invoice.readAt;
  const expiredAt = expired ? now : null;
  const voided = { status: 'VOID' as const satisfies InvoiceStatus, voidedAt: now, updatedAt: now, nextDueDate: null };
  const eventSequence = invoice.eventSequence + 1;
  await statements.execute(
    `update invoices set status = 'VOID', voided_at = ?::timestamptz, expired_at = ?::timestamptz, updated_at = ?::timestamptz,
       next_due_date = null, event_sequence = ?, next_sweep_at = ${UNHEARD} where id = ? and status in (${sqlList(invoiceStatusesBefore('VOID'))})`,
    [now, expiredAt, now, eventSequence, invoice.id],
  );
  return { ...invoice, ...voided, expiredAt, eventSequence };
}

/** Records the first time that an invoice's page was opened. */
export async function noteViewed(statements: Statements, invoiceId: bigint): Promise<void> {
  await statements.execute('update invoices set viewed_at = now() where id = ? and viewed_at is null', [invoiceId]);
}

/** Marks an invoice as not viewed again after an unsuccessful attempt to pay. The caller has locked it. */
export async function forgetViewed(statements: Statements, invoiceId: bigint): Promise<void> {
  await statements.execute('update invoices set viewed_at = null where id = ? and viewed_at is not null', [invoiceId]);
}

/** Pauses or resumes an open invoice's notices. The caller has locked it. */
export async function setPaused(
  statements: Statements,
  invoice: InvoiceRecord,
  paused: boolean,
): Promise<InvoiceRecord> {
  const now = invoice.readAt;
  const pausedAt = paused ? now : null;
  await statements.execute(
    `update invoices set paused_at = ?::timestamptz, next_sweep_at = ${UNHEARD}, updated_at = ?::timestamptz where id = ?`,
    [pausedAt, now, invoice.id],
  );
  return { ...invoice, pausedAt, updatedAt: now };
}

/** Sets new due dates of an open invoice that the caller has locked. The caller replaces its installments. */
export async function setDueDates(
  statements: Statements,
  invoice: InvoiceRecord,
  { dueDate, installments, today }: Pick<InvoiceRecord, 'dueDate' | 'installments'> & { readonly today: PlainDate },
): Promise<InvoiceRecord> {
  const now = invoice.readAt;
  const changed = { ...invoice, dueDate, installments, updatedAt: now };
  const nextDueDate = nextDueDateOf(changed, today);
  await statements.execute(
    `update invoices set due_date = ?::date, next_due_date = ?::date, next_sweep_at = ${UNHEARD}, updated_at = ?::timestamptz where id = ?`,
    [dueDate, nextDueDate, now, invoice.id],
  );
  return { ...changed, nextDueDate };
}

/**
 * Requests the cancellation of open payments that would exceed the amount left. The gateways are queried whether their sessions can be ended. Returns
 * the payments' references.
 */
export async function callOffOpenPayments(
  statements: Statements,
  { invoiceId, dueMinor }: { readonly invoiceId: bigint; readonly dueMinor: bigint },
): Promise<string[]> {
  const rows = await statements.execute<{ reference: string }[]>(
    `update payments set cancel_requested_at = now(), next_sweep_at = now() + interval '30 seconds', updated_at = now()
     where invoice_id = ? and status in (${sqlList(OPEN_STATUSES)}) and amount_minor > ?::bigint and cancel_requested_at is null
       and review_reason is null
     returning reference`,
    [invoiceId, dueMinor],
  );
  return rows.map(({ reference }) => reference);
}

/** The sweeper checks an invoice this long after a notice that its workflow should have sent, and at least once in this many days. */
const MISSED_AFTER_SECONDS = 300;
const LOOK_AGAIN_DAYS = 7;

/** Records that the workflow has handled the invoice's state. `againInMs` is when it will run again by itself; null if it has ended. */
export async function setDriven(
  statements: Statements,
  {
    invoiceId,
    eventSequence,
    againInMs,
  }: { readonly invoiceId: bigint; readonly eventSequence: number; readonly againInMs: number | null },
): Promise<void> {
  const seconds =
    againInMs === null ? null : Math.min(Math.ceil(againInMs / 1_000) + MISSED_AFTER_SECONDS, LOOK_AGAIN_DAYS * 86_400);
  await statements.execute(
    `update invoices set event_sequence = ?, next_sweep_at = now() + ?::integer * interval '1 second' where id = ?`,
    [eventSequence, seconds, invoiceId],
  );
}
