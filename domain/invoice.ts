import type { Calendar } from './calendar.ts';
import { MAX_AMOUNT_MINOR } from './money.ts';
import { addDays, addMonths, type PlainDate } from './plain-date.ts';
import { statusesBefore, type Transitions } from './transitions.ts';

/** The stored status of an invoice. OVERDUE is derived from it and the calendar, and never stored. */
export const INVOICE_STATUSES = ['DRAFT', 'ISSUED', 'PARTIALLY_PAID', 'PAID', 'VOID'] as const;
export type InvoiceStatus = (typeof INVOICE_STATUSES)[number];
const TRANSITIONS = {
  DRAFT: ['ISSUED'],
  ISSUED: ['PARTIALLY_PAID', 'PAID', 'VOID'],
  PARTIALLY_PAID: ['PAID', 'ISSUED'],
  PAID: ['PARTIALLY_PAID', 'ISSUED'],
  VOID: [],
} as const satisfies Transitions<InvoiceStatus>;

/** Returns the statuses from which `to` can be reached: the guard of the status update. */
export function invoiceStatusesBefore(to: InvoiceStatus): InvoiceStatus[] {
  return statusesBefore(TRANSITIONS, { statuses: INVOICE_STATUSES, to });
}

/** Statuses in which something is due. */
export const DUE_INVOICE_STATUSES = ['ISSUED', 'PARTIALLY_PAID'] as const satisfies readonly InvoiceStatus[];
/** Statuses in which payments and refunds change what is due. */
export const LIVE_INVOICE_STATUSES = ['ISSUED', 'PARTIALLY_PAID', 'PAID'] as const satisfies readonly InvoiceStatus[];

export type ShownInvoiceStatus = InvoiceStatus | 'OVERDUE';

/** How a fraction of an amount is rounded to whole minor units. */
export const INVOICE_ROUNDINGS = ['HALF_UP', 'HALF_EVEN', 'DOWN', 'UP'] as const;
export type InvoiceRounding = (typeof INVOICE_ROUNDINGS)[number];

/** One hundred percent. */
export const BASIS_POINTS = 10_000n;

/** Returns `basisPoints` of an amount that is not negative. 1500 basis points are 15 %. */
export function shareOf(amountMinor: bigint, basisPoints: bigint, rounding: InvoiceRounding): bigint {
  const product = amountMinor * basisPoints;
  const whole = product / BASIS_POINTS;
  const rest = product % BASIS_POINTS;
  return whole + (roundsUp({ whole, rest }, rounding) ? 1n : 0n);
}

function roundsUp({ whole, rest }: { whole: bigint; rest: bigint }, rounding: InvoiceRounding): boolean {
  const twice = rest * 2n;
  switch (rounding) {
    case 'DOWN':
      return false;
    case 'UP':
      return rest > 0n;
    case 'HALF_UP':
      return twice >= BASIS_POINTS;
    case 'HALF_EVEN':
      return twice > BASIS_POINTS || (twice === BASIS_POINTS && whole % 2n === 1n);
  }
}

/** A fixed amount, or a share of the amount that it applies to. */
export type Reduction = { readonly amountMinor: bigint } | { readonly basisPoints: bigint };

export interface TaxRate {
  readonly name: string;
  readonly basisPoints: bigint;
}

export interface FixedTax {
  readonly name: string;
  readonly amountMinor: bigint;
}

export type Tax = TaxRate | FixedTax;

export interface InvoiceLine {
  readonly qty: bigint;
  readonly unitAmountMinor: bigint;
  readonly discount: Reduction | null;
  readonly taxes: readonly TaxRate[];
}

export interface InvoiceAmounts {
  readonly lines: readonly InvoiceLine[];
  /** Applies to what remains after the lines' own discounts. */
  readonly discount: Reduction | null;
  /** Apply to what remains after all discounts, in addition to the taxes of single lines. */
  readonly taxes: readonly Tax[];
  readonly rounding: InvoiceRounding;
}

export interface LineTotals {
  /** Quantity × unit amount, as documented. */
  readonly lineTotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxMinor: bigint;
}

export interface TaxTotal {
  readonly name: string;
  /** Null for a fixed tax. */
  readonly basisPoints: bigint | null;
  readonly amountMinor: bigint;
}

export interface InvoiceTotals {
  readonly lines: readonly LineTotals[];
  /** Sum of the lines' totals. */
  readonly subtotalMinor: bigint;
  /** All discounts together. */
  readonly discountMinor: bigint;
  /** The taxes of the whole invoice, then those of lines, grouped by name and rate. */
  readonly taxes: readonly TaxTotal[];
  readonly taxMinor: bigint;
  readonly totalMinor: bigint;
}

/** Invalid amounts of an invoice: the field that is wrong and what it must be. */
export class InvoiceAmountError extends Error {
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.name = 'InvoiceAmountError';
    this.field = field;
  }
}

/**
 * Computes the totals of an invoice. Each share is rounded once, where it arises: a line's discount, a line's tax, the invoice's discount, each of
 * its taxes. The parts shown to a reader therefore add up to the total exactly.
 * @throws InvoiceAmountError if a discount exceeds what it applies to, the lines together exceed 2^53 − 1, or the total is not between 1 and 2^53 − 1
 */
export function totalsOf({ lines, discount, taxes, rounding }: InvoiceAmounts): InvoiceTotals {
  const shown = lines.map((line, index) => lineTotals(line, { rounding, field: `lineItems.${index}` }));
  const sum = (pick: (line: LineTotals) => bigint): bigint => shown.reduce((total, line) => total + pick(line), 0n);
  const subtotalMinor = sum(({ lineTotalMinor }) => lineTotalMinor);
  if (subtotalMinor > MAX_AMOUNT_MINOR) {
    // Even if a discount brings the total down, the subtotal is shown too and must fit a JSON integer.
    throw new InvoiceAmountError('lineItems', `must not exceed ${MAX_AMOUNT_MINOR} in total`);
  }
  const afterLines = subtotalMinor - sum(({ discountMinor }) => discountMinor);
  const invoiceDiscount = reductionOf(afterLines, discount, { rounding, field: 'discount' });
  const taxable = afterLines - invoiceDiscount;
  const taxTotals = [...taxes.map((tax) => taxTotal(taxable, tax, rounding)), ...lineTaxes(lines, rounding)];
  const taxMinor = taxTotals.reduce((total, { amountMinor }) => total + amountMinor, 0n);
  const totalMinor = taxable + taxMinor;
  if (totalMinor < 1n || totalMinor > MAX_AMOUNT_MINOR) {
    throw new InvoiceAmountError('lineItems', `must add up to a total between 1 and ${MAX_AMOUNT_MINOR}`);
  }
  return {
    lines: shown,
    subtotalMinor,
    discountMinor: subtotalMinor - taxable,
    taxes: byName(taxTotals),
    taxMinor,
    totalMinor,
  };
}

function taxTotal(taxable: bigint, tax: Tax, rounding: InvoiceRounding): TaxTotal {
  return 'amountMinor' in tax
    ? { ...tax, basisPoints: null }
    : { ...tax, amountMinor: shareOf(taxable, tax.basisPoints, rounding) };
}

interface At {
  readonly rounding: InvoiceRounding;
  readonly field: string;
}

function lineTotals(line: InvoiceLine, { rounding, field }: At): LineTotals {
  const lineTotalMinor = line.qty * line.unitAmountMinor;
  if (lineTotalMinor > MAX_AMOUNT_MINOR) {
    throw new InvoiceAmountError(field, `must not exceed ${MAX_AMOUNT_MINOR}`);
  }
  const discountMinor = reductionOf(lineTotalMinor, line.discount, { rounding, field: `${field}.discount` });
  const taxable = lineTotalMinor - discountMinor;
  const taxMinor = line.taxes.reduce((total, tax) => total + shareOf(taxable, tax.basisPoints, rounding), 0n);
  return { lineTotalMinor, discountMinor, taxMinor };
}

function lineTaxes(lines: readonly InvoiceLine[], rounding: InvoiceRounding): TaxTotal[] {
  return lines.flatMap((line) => {
    const total = line.qty * line.unitAmountMinor;
    const taxable = total - reductionOf(total, line.discount, { rounding, field: 'discount' });
    return line.taxes.map((tax) => ({ ...tax, amountMinor: shareOf(taxable, tax.basisPoints, rounding) }));
  });
}

function reductionOf(amountMinor: bigint, reduction: Reduction | null, { rounding, field }: At): bigint {
  if (reduction === null) {
    return 0n;
  }
  const taken =
    'amountMinor' in reduction ? reduction.amountMinor : shareOf(amountMinor, reduction.basisPoints, rounding);
  if (taken > amountMinor) {
    throw new InvoiceAmountError(field, `must not exceed ${amountMinor}`);
  }
  return taken;
}

function byName(taxes: readonly TaxTotal[]): TaxTotal[] {
  const sums = new Map<string, TaxTotal>();
  for (const tax of taxes) {
    const key = `${tax.basisPoints} ${tax.name}`;
    const before = sums.get(key)?.amountMinor ?? 0n;
    sums.set(key, { ...tax, amountMinor: before + tax.amountMinor });
  }
  return [...sums.values()];
}

/** A part of an invoice with its own due date. */
export interface Installment {
  readonly dueDate: PlainDate;
  readonly amountMinor: bigint;
}

export const PLAN_STEPS = ['WEEK', 'TWO_WEEKS', 'MONTH', 'QUARTER', 'YEAR'] as const;
export type PlanStep = (typeof PLAN_STEPS)[number];

export interface InstallmentPlan {
  readonly count: number;
  readonly every: PlanStep;
  readonly firstDueDate: PlainDate;
}

/** Splits an amount into equal installments on the dates of a plan. A remainder goes to the first ones, one minor unit each. */
export function planned(totalMinor: bigint, { count, every, firstDueDate }: InstallmentPlan): Installment[] {
  const parts = BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    dueDate: stepped(firstDueDate, every, index),
    amountMinor: totalMinor / parts + (BigInt(index) < totalMinor % parts ? 1n : 0n),
  }));
}

function stepped(first: PlainDate, every: PlanStep, steps: number): PlainDate {
  switch (every) {
    case 'WEEK':
      return addDays(first, 7 * steps);
    case 'TWO_WEEKS':
      return addDays(first, 14 * steps);
    case 'MONTH':
      return addMonths(first, steps);
    case 'QUARTER':
      return addMonths(first, 3 * steps);
    case 'YEAR':
      return addMonths(first, 12 * steps);
  }
}

/** Splits an amount into the given shares. Each is rounded like the invoice's amounts, and the last one takes what remains. */
export function shared(
  totalMinor: bigint,
  parts: readonly { readonly dueDate: PlainDate; readonly basisPoints: bigint }[],
  rounding: InvoiceRounding,
): Installment[] {
  const amounts = parts.map(({ basisPoints }) => shareOf(totalMinor, basisPoints, rounding));
  const given = amounts.slice(0, -1).reduce((sum, amount) => sum + amount, 0n);
  return parts.map(({ dueDate }, index) => ({
    dueDate,
    amountMinor: index === parts.length - 1 ? totalMinor - given : (amounts[index] ?? 0n),
  }));
}

/**
 * Checks that dates are ascending and that amounts are positive and add up to the total.
 * @throws InvoiceAmountError otherwise
 */
export function checkInstallments(installments: readonly Installment[], totalMinor: bigint): void {
  for (const [index, { dueDate, amountMinor }] of installments.entries()) {
    if (amountMinor < 1n) {
      throw new InvoiceAmountError(`installments.${index}`, 'must be at least 1');
    }
    const before = installments[index - 1];
    if (before !== undefined && before.dueDate >= dueDate) {
      throw new InvoiceAmountError(`installments.${index}`, 'must be due after the previous one');
    }
  }
  const sum = installments.reduce((total, { amountMinor }) => total + amountMinor, 0n);
  if (sum !== totalMinor) {
    throw new InvoiceAmountError('installments', `must add up to ${totalMinor}, not ${sum}`);
  }
}

export interface InstallmentState extends Installment {
  readonly paidMinor: bigint;
  readonly status: 'OPEN' | 'PARTIALLY_PAID' | 'PAID' | 'OVERDUE';
}

/** Returns the state of each installment. Money pays installments in the order of their due dates. An installment is overdue from the next day on. */
export function stateOf(installments: readonly Installment[], paidMinor: bigint, today: PlainDate): InstallmentState[] {
  let left = paidMinor;
  return installments.map((installment) => {
    const paid = left < installment.amountMinor ? left : installment.amountMinor;
    left -= paid;
    return { ...installment, paidMinor: paid, status: installmentStatus(installment, paid, today) };
  });
}

function installmentStatus(
  { amountMinor, dueDate }: Installment,
  paidMinor: bigint,
  today: PlainDate,
): InstallmentState['status'] {
  if (paidMinor === amountMinor) {
    return 'PAID';
  }
  if (dueDate < today) {
    return 'OVERDUE';
  }
  return paidMinor > 0n ? 'PARTIALLY_PAID' : 'OPEN';
}

export interface Billed {
  readonly status: InvoiceStatus;
  readonly totalMinor: bigint;
  readonly paidMinor: bigint;
  readonly dueDate: PlainDate | null;
  readonly installments: readonly Installment[];
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
  const stands = stateOf(billed.installments, billed.paidMinor, today).filter(({ status }) => status !== 'PAID');
  const late = stands.filter(({ dueDate }) => dueDate <= today);
  const asked = late.length > 0 ? late : stands.slice(0, 1);
  return asked.reduce((sum, { amountMinor, paidMinor }) => sum + amountMinor - paidMinor, 0n);
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

/** The parts of an invoice's displayed number. */
export interface Numbered {
  /** Without gaps within an application and mode; null for a draft. */
  readonly number: bigint | null;
  /** Set by a contract that shows the business in the number. */
  readonly numberLabel: string | null;
}

/** Returns the displayed number, `INV-000042` or `INV-HB_71c4-00042`, or null for a draft. */
export function invoiceNumber({ number, numberLabel }: Numbered): string | null {
  if (number === null) {
    return null;
  }
  return numberLabel === null
    ? `INV-${number.toString().padStart(6, '0')}`
    : `INV-${numberLabel}-${number.toString().padStart(5, '0')}`;
}

/** Reports whether no new payment may be started. A partly paid invoice does not expire. */
export function isPastExpiry({ expiresAt, paidMinor }: Expiring, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now && paidMinor === 0n;
}

export interface Expiring extends Pick<Billed, 'paidMinor'> {
  /** Null: never. */
  readonly expiresAt: Date | null;
}

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

/** Returns how much of a payment is applied to its invoice. The rest is overpayment. */
export function appliedOf(billed: Pick<Billed, 'status' | 'totalMinor' | 'paidMinor'>, grossMinor: bigint): bigint {
  const open = billed.status === 'ISSUED' || billed.status === 'PARTIALLY_PAID';
  const dueMinor = open ? billed.totalMinor - billed.paidMinor : 0n;
  return grossMinor < dueMinor ? grossMinor : dueMinor;
}

/** Reports whether the invoice can no longer be paid, unless money is refunded. */
export function isFinalInvoice(status: InvoiceStatus): status is 'PAID' | 'VOID' {
  return status === 'PAID' || status === 'VOID';
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
  const asked = requestedMinorOf(billed, today);
  const within = asked < minMinor ? minMinor : asked > maxMinor ? maxMinor : asked;
  return {
    requestedMinor: within <= ownMax ? within : wholeAtOnce ? dueMinor : greatestPart,
    wholeAtOnce,
    own: ownAllowed && ownMax >= minMinor ? { minMinor, maxMinor: ownMax } : null,
  };
}
