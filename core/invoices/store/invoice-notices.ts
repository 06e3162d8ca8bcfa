import { noticeKey, type Notice } from '../../../domain/invoice.ts';
import type { Scope } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';

/** Returns the keys of all notices about an invoice that were sent or skipped for good. */
export async function noticesDone(statements: Statements, invoiceId: bigint): Promise<ReadonlySet<string>> {
  const rows = await statements.execute<{ kind: Notice['kind']; due_date: string; offset_days: number }[]>(
    'select kind, due_date::text, offset_days from invoice_notices where invoice_id = ?',
    [invoiceId],
  );
  return new Set(
    rows.map(({ kind, due_date: dueDate, offset_days: offsetDays }) => noticeKey({ kind, dueDate, offsetDays })),
  );
}

export interface NewNotice extends Notice {
  readonly skipped: boolean;
  /** Whether an email is sent as well. */
  readonly byEmail: boolean;
}

/** Records a notice, in the transaction that sends it. The caller has locked the invoice. */
export async function insertNotice(
  statements: Statements,
  { scope, invoiceId }: { readonly scope: Scope; readonly invoiceId: bigint },
  { kind, dueDate, offsetDays, skipped, byEmail }: NewNotice,
): Promise<void> {
  await statements.execute(
    `insert into invoice_notices (application_id, mode, invoice_id, kind, due_date, offset_days, skipped, email_status, email_due_at)
     values (?, ?, ?, ?, ?::date, ?, ?, ?, case when ?::boolean then now() end)`,
    [
      scope.applicationId,
      scope.mode,
      invoiceId,
      kind,
      dueDate,
      offsetDays,
      skipped,
      byEmail ? 'PENDING' : 'NONE',
      byEmail,
    ],
  );
}

/** An email that is about to be sent. */
export interface WaitingEmail extends Notice {
  readonly noticeId: bigint;
  /** This try's number, from 1. */
  readonly tries: number;
}

/**
 * Takes the due emails of an invoice and postpones their next try before anything is sent. If a worker dies while sending one, it is sent again later
 * with the same message id.
 *
 * @param pauseSeconds - until the next try, by number of tries so far; the last value repeats
 */
export async function takeMails(
  statements: Statements,
  invoiceId: bigint,
  { limit, pauseSeconds }: { readonly limit: number; readonly pauseSeconds: readonly number[] },
): Promise<WaitingEmail[]> {
  const rows = await statements.execute<
    { id: string; kind: Notice['kind']; due_date: string; offset_days: number; email_tries: number }[]
  >(
    `with due as (
       select id from invoice_notices where invoice_id = ? and email_status = 'PENDING' and email_due_at <= now()
       order by id limit ? for update skip locked)
     update invoice_notices n set email_tries = email_tries + 1, updated_at = now(),
       email_due_at = now() + interval '1 second' * (string_to_array(?, ',')::integer[])[least(email_tries + 1, ?::integer)]
     from due where n.id = due.id returning n.id, n.kind, n.due_date::text, n.offset_days, n.email_tries`,
    [invoiceId, limit, pauseSeconds.join(','), pauseSeconds.length],
  );
  return rows.map(({ id, kind, due_date: dueDate, offset_days: offsetDays, email_tries: tries }) => ({
    noticeId: BigInt(id),
    kind,
    dueDate,
    offsetDays,
    tries,
  }));
}

export type MailEnd = 'SENT' | 'REFUSED' | 'GIVEN_UP' | 'NONE';

export interface EndedMail {
  /** The invoice's public reference. A notice's id may belong to another invoice if an older database was restored. */
  readonly invoice: string;
  readonly noticeId: bigint;
  readonly status: MailEnd;
  readonly error: string | null;
}

export async function endMail(statements: Statements, { invoice, noticeId, status, error }: EndedMail): Promise<void> {
  await statements.execute(
    `update invoice_notices set email_status = ?, email_due_at = null, email_error = ?, updated_at = now()
     where id = ? and invoice_id = (select id from invoices where reference = ?) and email_status = 'PENDING'`,
    [status, error, noticeId, invoice],
  );
}

/** Cancels waiting emails of an invoice that no longer needs them. If the invoice becomes due again after a refund, they would be far too late. */
export async function dropMails(statements: Statements, invoiceId: bigint): Promise<void> {
  await statements.execute(
    `update invoice_notices set email_status = 'NONE', email_due_at = null, updated_at = now()
     where invoice_id = ? and email_status = 'PENDING'`,
    [invoiceId],
  );
}

/** Returns the milliseconds until the next email of an invoice is due, or null if none is waiting. */
export async function nextEmailInMs(statements: Statements, reference: string): Promise<number | null> {
  const [row] = await statements.execute<{ ms: number | null }[]>(
    `select case when count(*) > 0 then greatest(0, ceil(extract(epoch from min(email_due_at) - now()) * 1000)) end::float8 as ms from invoice_notices
     where invoice_id = (select id from invoices where reference = ?) and email_status = 'PENDING'`,
    [reference],
  );
  return row?.ms ?? null;
}
