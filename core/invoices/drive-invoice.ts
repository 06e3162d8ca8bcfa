import { cancelEmails, insertNotice, nextEmailInMs, noticesDone } from './store/invoice-notices.ts';
import { setDriven } from './store/invoice-changes.ts';
import { lockInvoiceByReference, type InvoiceRecord } from './store/invoices.ts';
import { paymentsOf } from './store/payments-of-invoice.ts';
import { MissingRow } from '../../database/missing-row.ts';
import type { Statements } from '../../database/statements.ts';
import { stateOf } from '../../domain/installments.ts';
import { isFinalInvoice } from '../../domain/invoice.ts';
import { dueMinorOf, shownStatus, unpaidOn } from '../../domain/invoice-due.ts';
import { noticesOf, planNotices, type NoticePlan, type ScheduledNotice } from '../../domain/invoice-notices.ts';
import { invoiceView, noticeView, type InvoiceView } from '../../domain/invoice-view.ts';
import { toDecimalText } from '../../domain/money.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { EventType } from '../../domain/webhook.ts';
import type { DriveInvoiceInput, InvoiceState } from '../../workflows/messages/invoice.ts';
import type { MailingDependencies } from '../dependencies.ts';
import { followUp, type FollowUp } from '../follow-up.ts';
import { scopeOf } from '../scope.ts';
import { expireInvoice } from './expire.ts';
import { recordAndDeliver } from './record-event.ts';

/** A difference up to this is normal, since a step may wait before it runs. */
const CLOCKS_APART_MS = 300_000;
const NEVER = Number.POSITIVE_INFINITY;
const NOTHING: NoticePlan = { send: [], skip: [], nextAt: null };

/**
 * Sends each notice about an invoice that is due, exactly once, and ends an invoice that has expired. Event, email and the record of the notice are
 * written in one transaction. The invoice's time in the database decides what is due; the workflow's timers only wake it.
 */
export async function driveInvoice(deps: MailingDependencies, input: DriveInvoiceInput): Promise<InvoiceState> {
  const { state, followUps } = await deps.database.withScope(scopeOf(input), async (statements) => {
    const locked = await lockInvoiceByReference(statements, scopeOf(input), input.reference);
    if (locked === null || locked.status === 'DRAFT') {
      throw new MissingRow('invoice', input.reference);
    }
    const now = locked.readAt;
    if (now <= locked.realReadAt) {
      warnOfClocks(deps, input, now);
    }
    const today = deps.calendar.today(now);
    const expiry = await expireInvoice(deps, statements, { invoice: locked, now, today });
    const { invoice, nextAtMs: expiryAtMs } = expiry;
    const plan = await planOf(deps, statements, { invoice, now });
    const notices = await recordDueNotices(deps, statements, { invoice, today, plan });
    const nextAtMs = plan.nextAt?.getTime() ?? null;
    const ended = isFinalInvoice(invoice.status);
    await setDriven(statements, {
      invoiceId: invoice.id,
      eventSequence: invoice.eventSequence + plan.send.length,
      againInMs: ended ? null : Math.min(nextAtMs ?? NEVER, expiryAtMs ?? NEVER) - now.getTime(),
    });
    if (ended) {
      await cancelEmails(statements, invoice.id);
    }
    const emailWaits =
      !ended && invoice.pausedAt === null && (await nextEmailInMs(statements, invoice.reference)) !== null;
    const state = invoiceStateOf(invoice, { now, today, nextAtMs, expiryAtMs, emailWaits });
    return { state, followUps: [...expiry.followUps, ...notices] };
  });
  await followUp(deps, input, followUps);
  return state;
}

/** The workflow's clock decides nothing, but operators should know if the clocks of Temporal's server and the database differ. */
function warnOfClocks({ log }: MailingDependencies, { reference, nowMs }: DriveInvoiceInput, now: Date): void {
  const apartMs = nowMs - now.getTime();
  if (Math.abs(apartMs) > CLOCKS_APART_MS) {
    log.warn(
      { invoice: reference, apartMs },
      "the workflow's clock differs from the database's; the database's is used",
    );
  }
}

interface Driven {
  readonly invoice: InvoiceRecord;
  readonly now: Date;
}

async function planOf(
  { calendar }: MailingDependencies,
  statements: Statements,
  { invoice, now }: Driven,
): Promise<NoticePlan> {
  if (invoice.pausedAt !== null || dueMinorOf(invoice) === 0n) {
    return NOTHING;
  }
  const done = await noticesDone(statements, invoice.id);
  return planNotices(noticesOf(invoice, { reminders: invoice.reminders, calendar }), { now, done });
}

interface DueNotices {
  readonly invoice: InvoiceRecord;
  readonly today: PlainDate;
  readonly plan: NoticePlan;
}

async function recordDueNotices(
  deps: MailingDependencies,
  statements: Statements,
  { invoice, today, plan }: DueNotices,
): Promise<FollowUp[]> {
  const { id: invoiceId, applicationId, mode } = invoice;
  const of = { scope: { applicationId, mode }, invoiceId };
  for (const notice of plan.skip) {
    await insertNotice(statements, of, { ...notice, skipped: true, byEmail: false });
  }
  if (plan.send.length === 0) {
    return [];
  }
  const reachable = deps.mailer !== null && invoice.customerEmail !== null;
  const payments = await paymentsOf(statements, invoiceId);
  const view = invoiceView(invoice, { webUrl: deps.webUrl, today, payments });
  const followUps: FollowUp[] = [];
  for (const [index, notice] of plan.send.entries()) {
    // The invoice's reminders determine the emails. Only the application is notified that an invoice is overdue.
    const byEmail = reachable && notice.kind === 'reminder';
    await insertNotice(statements, of, { ...notice, skipped: false, byEmail });
    followUps.push(
      ...(await recordNotice(deps, statements, { invoice, view, notice, sequence: invoice.eventSequence + index + 1 })),
    );
  }
  return followUps;
}

interface NoticeEvent {
  readonly invoice: InvoiceRecord;
  readonly view: InvoiceView;
  readonly notice: ScheduledNotice;
  readonly sequence: number;
}

function recordNotice(
  deps: MailingDependencies,
  statements: Statements,
  { invoice, view, notice, sequence }: NoticeEvent,
): Promise<FollowUp[]> {
  const type: EventType = notice.kind === 'overdue' ? 'invoice.overdue' : 'invoice.reminder';
  const data = noticeView(view, notice, unpaidOn(invoice, notice.dueDate));
  return recordAndDeliver(deps, statements, invoice, { type, sequence, data });
}

function invoiceStateOf(
  invoice: InvoiceRecord,
  {
    now,
    today,
    nextAtMs,
    expiryAtMs,
    emailWaits,
  }: { now: Date; today: PlainDate; nextAtMs: number | null; expiryAtMs: number | null; emailWaits: boolean },
): InvoiceState {
  const { currency, totalMinor, paidMinor, installments } = invoice;
  const text = (amountMinor: bigint): string => `${toDecimalText({ amountMinor, currency })} ${currency}`;
  return {
    ended: isFinalInvoice(invoice.status),
    status: shownStatus(invoice, today),
    paused: invoice.pausedAt !== null,
    nowMs: now.getTime(),
    nextNoticeAtMs: nextAtMs,
    ...(expiryAtMs === null ? {} : { expiryAtMs }),
    emailWaits,
    paidInstallments: stateOf(installments, paidMinor, today).filter(({ status }) => status === 'PAID').length,
    installments: installments.length,
    due: text(dueMinorOf(invoice)),
    total: text(totalMinor),
    nextDueDate: invoice.nextDueDate,
  };
}
