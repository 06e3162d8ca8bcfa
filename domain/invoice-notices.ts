import type { Calendar } from './calendar.ts';
import type { Installment } from './installments.ts';
import { dueMinorOf, type Billed } from './invoice-due.ts';
import { addDays, type PlainDate } from './plain-date.ts';

/** When the payer and the application are notified about a due date, in days before and after it. Nothing is sent by default. */
export interface Reminders {
  readonly beforeDays: readonly number[];
  readonly overdueDays: readonly number[];
}

export const NO_REMINDERS: Reminders = { beforeDays: [], overdueDays: [] };

export const NOTICE_KINDS = ['reminder', 'overdue'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** A notice that is sent once about one due date. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly dueDate: PlainDate;
  /** For a reminder: days after the due date, negative before it. For an overdue notice: 1, the day after. */
  readonly offsetDays: number;
}

export interface ScheduledNotice extends Notice {
  readonly at: Date;
}

/**
 * Returns every notice about unpaid parts in the order of their times. Reminders are sent in the morning, overdue notices when the day after the due
 * date begins.
 */
export function noticesOf(
  billed: Billed,
  { reminders, calendar }: { readonly reminders: Reminders; readonly calendar: Calendar },
): ScheduledNotice[] {
  if (dueMinorOf(billed) === 0n) {
    return [];
  }
  const dueDates = unpaidDueDates(billed);
  const offsets = [...reminders.beforeDays.map((days) => -days), ...reminders.overdueDays];
  return dueDates
    .flatMap((dueDate) => [
      { kind: 'overdue' as const, dueDate, offsetDays: 1, at: calendar.startOf(addDays(dueDate, 1)) },
      ...offsets.map((offsetDays) => ({
        kind: 'reminder' as const,
        dueDate,
        offsetDays,
        at: calendar.morningOf(addDays(dueDate, offsetDays)),
      })),
    ])
    .sort((a, b) => a.at.getTime() - b.at.getTime() || (a.dueDate < b.dueDate ? -1 : 1));
}

function unpaidDueDates({ installments, paidMinor, dueDate }: Billed): PlainDate[] {
  if (installments.length === 0) {
    return dueDate === null ? [] : [dueDate];
  }
  return unpaidOf(installments, paidMinor).map((installment) => installment.dueDate);
}

function unpaidOf(installments: readonly Installment[], paidMinor: bigint): Installment[] {
  let covered = 0n;
  return installments.filter(({ amountMinor }) => (covered += amountMinor) > paidMinor);
}

export interface NoticePlan {
  readonly send: readonly ScheduledNotice[];
  /** Missed during an outage or a pause, and superseded by a later notice about the same due date: a customer should not get three emails at once. */
  readonly skip: readonly ScheduledNotice[];
  readonly nextAt: Date | null;
}

/** Decides which notices to send and to skip at `now`. `done` contains the keys ({@link noticeKey}) of those already handled. */
export function planNotices(
  notices: readonly ScheduledNotice[],
  { now, done }: { readonly now: Date; readonly done: ReadonlySet<string> },
): NoticePlan {
  const open = notices.filter((notice) => !done.has(noticeKey(notice)));
  const due = open.filter(({ at }) => at <= now);
  const send = due.filter(
    (notice, index) =>
      notice.kind === 'overdue' ||
      !due.slice(index + 1).some((later) => later.dueDate === notice.dueDate && later.at > notice.at),
  );
  return {
    send,
    skip: due.filter((notice) => !send.includes(notice)),
    nextAt: open.find(({ at }) => at > now)?.at ?? null,
  };
}

export function noticeKey({ kind, dueDate, offsetDays }: Notice): string {
  return `${kind} ${dueDate} ${offsetDays}`;
}
