import { dayAt, daysLater, startOfDayMs } from './dhaka-days.ts';
import type { InvoiceState, Part } from './invoice-evidence.ts';

/** Computes the amounts and notices of an invoice independently, from the documentation, because the product's own rules are under test. */
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

/** Money pays the parts in the order of their due dates. */
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

/** Returns the sum of all unpaid parts due up to today, else the next unpaid part. Without parts, returns the whole amount due. */
export function askedOf(stand: InvoiceState, today: string): bigint {
  if (!isOpenState(stand) || stand.parts.length === 0) {
    return dueOf(stand);
  }
  const unpaid = unpaidParts(stand);
  const past = unpaid.filter(({ dueDate }) => dueDate <= today);
  return (past.length > 0 ? past : unpaid.slice(0, 1)).reduce((sum, { leftMinor }) => sum + leftMinor, 0n);
}

/** Returns the due dates of everything that is unpaid. */
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

/** Returns when a notice is sent: a reminder at nine in the morning, an overdue notice at the start of the day after the due date. */
export function noticeAtMs({ kind, dueDate, offsetDays }: Omit<DueNotice, 'atMs'>): number {
  return startOfDayMs(daysLater(dueDate, offsetDays)) + (kind === 'overdue' ? 0 : NINE_HOURS_MS);
}

/** Returns all notices that an invoice sends in this state. */
export function noticesOf(stand: InvoiceState): DueNotice[] {
  return unpaidDays(stand).flatMap((dueDate) =>
    [
      { kind: 'overdue', dueDate, offsetDays: 1 },
      ...stand.reminderDays.map((offsetDays) => ({ kind: 'reminder', dueDate, offsetDays })),
    ].map((notice) => ({ ...notice, atMs: noticeAtMs(notice) })),
  );
}

/** Returns both days if midnight may have passed during the read. */
export function todays(fromMs: number, untilMs: number): string[] {
  return [...new Set([dayAt(fromMs), dayAt(untilMs)])];
}
