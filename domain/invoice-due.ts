import { stateOf, type Installment } from './installments.ts';
import type { InvoiceStatus, ShownInvoiceStatus } from './invoice.ts';
import type { PlainDate } from './plain-date.ts';

export interface Billed {
  readonly status: InvoiceStatus;
  readonly totalMinor: bigint;
  readonly paidMinor: bigint;
  readonly dueDate: PlainDate | null;
  readonly installments: readonly Installment[];
}

/** Reports whether no new payment may be started. A partly paid invoice does not expire. */
export function isPastExpiry({ expiresAt, paidMinor }: Expiring, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now && paidMinor === 0n;
}

export interface Expiring extends Pick<Billed, 'paidMinor'> {
  /** Null: never. */
  readonly expiresAt: Date | null;
}

/** Returns the amount that can still be paid: 0 for a draft or a void invoice. */
export function dueMinorOf({ status, totalMinor, paidMinor }: Billed): bigint {
  return status === 'ISSUED' || status === 'PARTIALLY_PAID' ? totalMinor - paidMinor : 0n;
}

/**
 * Returns the amount that the payer is asked for first: every unpaid installment due by today, or else the next one; everything if there are no
 * installments.
 */
export function requestedMinorOf(billed: Billed, today: PlainDate): bigint {
  const due = dueMinorOf(billed);
  if (due === 0n || billed.installments.length === 0) {
    return due;
  }
  const unpaid = stateOf(billed.installments, billed.paidMinor, today).filter(({ status }) => status !== 'PAID');
  const dueByToday = unpaid.filter(({ dueDate }) => dueDate <= today);
  const requested = dueByToday.length > 0 ? dueByToday : unpaid.slice(0, 1);
  return requested.reduce((sum, { amountMinor, paidMinor }) => sum + amountMinor - paidMinor, 0n);
}

/** Returns the next due date of an unpaid part, or null if nothing is due. */
export function nextDueDateOf(billed: Billed, today: PlainDate): PlainDate | null {
  if (dueMinorOf(billed) === 0n) {
    return null;
  }
  const open = stateOf(billed.installments, billed.paidMinor, today).find(({ status }) => status !== 'PAID');
  return open?.dueDate ?? billed.dueDate;
}

/** Returns the status to show: OVERDUE if something was due before today and is not paid. */
export function shownStatus(billed: Billed, today: PlainDate): ShownInvoiceStatus {
  const dueDate = nextDueDateOf(billed, today);
  return dueDate !== null && dueDate < today ? 'OVERDUE' : billed.status;
}

/** Returns the status of an issued invoice that follows from the amount paid. */
export function statusPaid(totalMinor: bigint, paidMinor: bigint): 'ISSUED' | 'PARTIALLY_PAID' | 'PAID' {
  if (paidMinor >= totalMinor) {
    return 'PAID';
  }
  return paidMinor > 0n ? 'PARTIALLY_PAID' : 'ISSUED';
}

/** Returns how much of a payment is applied to its invoice. The rest is overpayment. */
export function appliedOf(billed: Pick<Billed, 'status' | 'totalMinor' | 'paidMinor'>, grossMinor: bigint): bigint {
  const open = billed.status === 'ISSUED' || billed.status === 'PARTIALLY_PAID';
  const dueMinor = open ? billed.totalMinor - billed.paidMinor : 0n;
  return grossMinor < dueMinor ? grossMinor : dueMinor;
}

/** Returns the unpaid amount of the part that is due on a day. */
export function unpaidOn(billed: Billed, dueDate: PlainDate): bigint {
  if (billed.installments.length === 0) {
    return dueMinorOf(billed);
  }
  return stateOf(billed.installments, billed.paidMinor, dueDate)
    .filter((installment) => installment.dueDate === dueDate)
    .reduce((sum, { amountMinor, paidMinor }) => sum + amountMinor - paidMinor, 0n);
}

/** The bounds of one payment set by the gateway and the application's settings. */
export interface PaymentBounds {
  readonly minMinor: bigint;
  readonly maxMinor: bigint;
}

/** The amounts that a payer is offered. */
export interface PayableAmounts {
  readonly requestedMinor: bigint;
  /** Whether the whole amount due can be paid at once. */
  readonly wholeAtOnce: boolean;
  /** Bounds of an amount chosen by the payer; null if the payer may not choose one or no choice is possible. */
  readonly own: PaymentBounds | null;
}

/**
 * Returns null if nothing can be paid: nothing is due, or less than the minimum of a payment. Apart from paying the whole, no offer leaves a rest
 * that is too small to pay later.
 */
export function payableAmounts(
  billed: Billed,
  {
    today,
    bounds,
    ownAllowed,
  }: { readonly today: PlainDate; readonly bounds: PaymentBounds; readonly ownAllowed: boolean },
): PayableAmounts | null {
  const { minMinor, maxMinor } = bounds;
  const dueMinor = dueMinorOf(billed);
  if (dueMinor === 0n || dueMinor < minMinor || maxMinor < minMinor) {
    return null;
  }
  const wholeAtOnce = dueMinor <= maxMinor;
  const restMax = dueMinor - minMinor;
  const ownMax = restMax < maxMinor ? restMax : maxMinor;
  // If no part leaves enough for another payment, offer the greatest possible one.
  const greatestPart = ownMax >= minMinor ? ownMax : maxMinor;
  const requested = requestedMinorOf(billed, today);
  const within = requested < minMinor ? minMinor : requested > maxMinor ? maxMinor : requested;
  return {
    requestedMinor: within <= ownMax ? within : wholeAtOnce ? dueMinor : greatestPart,
    wholeAtOnce,
    own: ownAllowed && ownMax >= minMinor ? { minMinor, maxMinor: ownMax } : null,
  };
}
