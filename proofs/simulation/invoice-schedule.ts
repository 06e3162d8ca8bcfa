import { dayAt, daysLater, startOfDayMs } from './dhaka-days.ts';
import type { InvoiceState, Part } from './invoice-evidence.ts';

/** What an invoice asks for and tells, worked out once more from the documentation: the product's own rules are what is judged. */
const OPEN: ReadonlySet<string> = new Set(['ISSUED', 'PARTIALLY_PAID']);
const NINE_HOURS_MS = 9 * 3_600_000;

export function isOpenState({ status }: Pick<InvoiceState, 'status'>): boolean {
  return OPEN.has(status);
}

export function dueOf(stand: InvoiceState): bigint {
  return isOpenState(stand) ? stand.totalMinor - stand.paidMinor : 0n;
}

interface Unpaid extends Part {
  readonly leftMinor: bigint;
}

/** Money pays the parts in the order of their days. */
function unpaidParts({ parts, paidMinor }: InvoiceState): Unpaid[] {
  let moneyMinor = paidMinor;
  const unpaid: Unpaid[] = [];
  for (const part of parts) {
    const paysMinor = moneyMinor > part.amountMinor ? part.amountMinor : moneyMinor;
    moneyMinor -= paysMinor;
    if (paysMinor < part.amountMinor) {
      unpaid.push({ ...part, leftMinor: part.amountMinor - paysMinor });
    }
  }
  return unpaid;
}

/** Every unpaid part up to today; where there is none the next one; without parts all that is due. */
export function askedOf(stand: InvoiceState, today: string): bigint {
  if (!isOpenState(stand) || stand.parts.length === 0) {
    return dueOf(stand);
  }
  const unpaid = unpaidParts(stand);
  const past = unpaid.filter(({ dueDate }) => dueDate <= today);
  return (past.length > 0 ? past : unpaid.slice(0, 1)).reduce((sum, { leftMinor }) => sum + leftMinor, 0n);
}

/** Days on which something is due that is not paid. */
export function unpaidDays(stand: InvoiceState): string[] {
  if (!isOpenState(stand)) {
    return [];
  }
  return stand.parts.length === 0
    ? stand.dueDate === null
      ? []
      : [stand.dueDate]
    : unpaidParts(stand).map(({ dueDate }) => dueDate);
}

export interface DueNotice {
  readonly kind: string;
  readonly dueDate: string;
  readonly offsetDays: number;
  readonly atMs: number;
}

/** When a notice goes out: reminders at nine in the morning, that it is overdue as the day after begins. */
export function noticeAtMs({ kind, dueDate, offsetDays }: Omit<DueNotice, 'atMs'>): number {
  return startOfDayMs(daysLater(dueDate, offsetDays)) + (kind === 'overdue' ? 0 : NINE_HOURS_MS);
}

/** All that an invoice tells while it stands so. */
export function noticesOf(stand: InvoiceState): DueNotice[] {
  return unpaidDays(stand).flatMap((dueDate) =>
    [
      { kind: 'overdue', dueDate, offsetDays: 1 },
      ...stand.reminderDays.map((offsetDays) => ({ kind: 'reminder', dueDate, offsetDays })),
    ].map((notice) => ({ ...notice, atMs: noticeAtMs(notice) })),
  );
}

/** As a look may have come before or after midnight. */
export function todays(fromMs: number, untilMs: number): string[] {
  return [...new Set([dayAt(fromMs), dayAt(untilMs)])];
}
