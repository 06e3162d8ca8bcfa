import { sql } from 'kysely';
import { noticeKey, type Notice } from '../../../domain/invoice-notices.ts';
import type { Scope } from '../../../database/connection.ts';
import { now, plus, span } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

const DONE = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db.selectFrom('invoice_notices').select(['kind', 'dueDate', 'offsetDays']).where('invoiceId', '=', $('invoiceId')),
);

/** Returns the keys of all notices about an invoice that were sent or skipped for good. */
export async function noticesDone(statements: Statements, invoiceId: bigint): Promise<ReadonlySet<string>> {
  return new Set((await DONE.all(statements, { invoiceId })).map(noticeKey));
}

export interface NewNotice extends Notice {
  readonly skipped: boolean;
  /** Whether an email is sent as well. */
  readonly byEmail: boolean;
}

interface NoticeValues extends Scope, NewNotice {
  readonly invoiceId: bigint;
  readonly emailStatus: 'PENDING' | 'NONE';
}

const INSERT_NOTICE = statement((db, $: Given<NoticeValues>) =>
  db.insertInto('invoice_notices').values((eb) => ({
    applicationId: $('applicationId'),
    mode: $('mode'),
    invoiceId: $('invoiceId'),
    kind: $('kind'),
    dueDate: $('dueDate'),
    offsetDays: $('offsetDays'),
    skipped: $('skipped'),
    emailStatus: $('emailStatus'),
    emailDueAt: eb.case().when($('byEmail')).then(now).end(),
  })),
);

/** Records a notice, in the transaction that sends it. The caller has locked the invoice. */
export async function insertNotice(
  statements: Statements,
  { scope: { applicationId, mode }, invoiceId }: { readonly scope: Scope; readonly invoiceId: bigint },
  notice: NewNotice,
): Promise<void> {
  const emailStatus = notice.byEmail ? 'PENDING' : 'NONE';
  await INSERT_NOTICE.all(statements, { ...notice, applicationId, mode, invoiceId, emailStatus });
}

interface EmailsToTake {
  readonly limit: number;
  /** Until the next try, by number of tries so far; the last value repeats. */
  readonly pauseSeconds: readonly number[];
}

const TAKE_EMAILS = statement((db, $: Given<EmailsToTake & { invoiceId: bigint }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('invoice_notices')
        .select('id')
        .where('invoiceId', '=', $('invoiceId'))
        .where('emailStatus', '=', 'PENDING')
        .where('emailDueAt', '<=', now)
        .orderBy('id')
        .limit($('limit'))
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('invoice_notices as n')
    .from('due')
    .set((eb) => {
      const tries = eb('n.emailTries', '+', 1);
      const pauses = eb.cast<number[]>($('pauseSeconds'), sql`integer[]`);
      const pause = sql<number>`(${pauses})[least(${tries}, cardinality(${pauses}))]`;
      return { emailTries: tries, updatedAt: now, emailDueAt: plus(now, span(pause, 'second')) };
    })
    .whereRef('n.id', '=', 'due.id')
    .returning(['n.id as noticeId', 'n.kind', 'n.dueDate', 'n.offsetDays', 'n.emailTries as tries']),
);

/** An email that is about to be sent. `tries` is this try's number, from 1. */
export type WaitingEmail = RowOf<typeof TAKE_EMAILS>;

/**
 * Takes the due emails of an invoice and postpones their next try before anything is sent. If a worker dies while sending one, it is sent again later
 * with the same message id.
 */
export function takeDueEmails(
  statements: Statements,
  invoiceId: bigint,
  { limit, pauseSeconds }: EmailsToTake,
): Promise<WaitingEmail[]> {
  return TAKE_EMAILS.all(statements, { invoiceId, limit, pauseSeconds });
}

export interface EndedEmail {
  /** The invoice's public reference. A notice's id may belong to another invoice if an older database was restored. */
  readonly invoice: string;
  readonly noticeId: bigint;
  readonly status: 'SENT' | 'REFUSED' | 'GIVEN_UP' | 'NONE';
  readonly error: string | null;
}

const END_EMAIL = statement((db, $: Given<EndedEmail>) =>
  db
    .updateTable('invoice_notices')
    .set({ emailStatus: $('status'), emailDueAt: null, emailError: $('error'), updatedAt: now })
    .where('id', '=', $('noticeId'))
    .where('invoiceId', '=', (eb) => eb.selectFrom('invoices').select('id').where('reference', '=', $('invoice')))
    .where('emailStatus', '=', 'PENDING'),
);

export async function endEmail(statements: Statements, ended: EndedEmail): Promise<void> {
  await END_EMAIL.all(statements, ended);
}

const CANCEL_EMAILS = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db
    .updateTable('invoice_notices')
    .set({ emailStatus: 'NONE', emailDueAt: null, updatedAt: now })
    .where('invoiceId', '=', $('invoiceId'))
    .where('emailStatus', '=', 'PENDING'),
);

/** Cancels waiting emails of an invoice that no longer needs them. If the invoice becomes due again after a refund, they would be far too late. */
export async function cancelEmails(statements: Statements, invoiceId: bigint): Promise<void> {
  await CANCEL_EMAILS.all(statements, { invoiceId });
}

const NEXT_EMAIL = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('invoice_notices')
    .select((eb) =>
      eb
        .case()
        .when(eb.fn.countAll(), '>', 0)
        .then(sql<number>`greatest(0, ceil(extract(epoch from ${eb.fn.min('emailDueAt')} - ${now}) * 1000))::float8`)
        .end()
        .as('ms'),
    )
    .where('invoiceId', '=', (eb) => eb.selectFrom('invoices').select('id').where('reference', '=', $('reference')))
    .where('emailStatus', '=', 'PENDING'),
);

/** Returns the milliseconds until the next email of an invoice is due, or null if none is waiting. */
export async function nextEmailInMs(statements: Statements, reference: string): Promise<number | null> {
  return (await NEXT_EMAIL.first(statements, { reference }))?.ms ?? null;
}
