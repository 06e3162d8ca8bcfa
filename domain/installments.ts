import { shareOf, InvoiceAmountError, type InvoiceRounding } from './invoice-totals.ts';
import { addDays, addMonths, type PlainDate } from './plain-date.ts';

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
