import type { InvoiceContent } from '../../../core/invoices/store/drafts.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { isCurrency } from '../../../domain/currency.ts';
import { DomainError } from '../../../domain/errors.ts';
import { checkInstallments, planned, shared, type Installment } from '../../../domain/installments.ts';
import {
  BASIS_POINTS,
  InvoiceAmountError,
  totalsOf,
  type Reduction,
  type TaxRate,
} from '../../../domain/invoice-totals.ts';
import type { PlainDate } from '../../../domain/plain-date.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { checkoutGatewaysOf, paymentBounds, type PaymentRules } from '../../../core/payments/bounds.ts';
import type { DueDates, EditInvoice } from './schemas.ts';

/**
 * Returns the content of a requested invoice with its totals.
 * @throws DomainError VALIDATION_ERROR when the request does not make a valid invoice
 */
export function contentOf(
  deps: Pick<ApiDependencies, 'gateways'>,
  { body, rules }: { readonly body: EditInvoice; readonly rules: PaymentRules },
): InvoiceContent {
  const { currency, rounding } = body;
  const isTakenAt = (gateway: string): boolean => paymentBounds(deps, rules, { gateway, currency }) !== null;
  if (!isCurrency(currency) || !checkoutGatewaysOf(rules).some(isTakenAt)) {
    throw invalid('currency', 'is not enabled for any of the application’s gateways');
  }
  const lines = body.lineItems.map(({ description, qty, unitAmountMinor, discount, taxes = [] }) => ({
    description,
    qty: BigInt(qty),
    unitAmountMinor: BigInt(unitAmountMinor),
    discount: reductionOf(discount),
    taxes: taxes.map(taxOf),
  }));
  const terms = { discount: reductionOf(body.discount), taxes: (body.taxes ?? []).map(taxOf), rounding };
  return refusing(() => {
    const totals = totalsOf({ lines, ...terms });
    const schedule = scheduleOf({ totalMinor: totals.totalMinor, rounding }, body);
    return {
      currency,
      customerReference: body.customerReference,
      customerEmail: body.customerEmail ?? null,
      customerName: body.customerName ?? null,
      customerAddress: body.customerAddress ?? null,
      language: body.language,
      notes: body.notes ?? null,
      ...terms,
      lines,
      totals,
      ...schedule,
      partialPayments: body.partialPayments,
      reminders: {
        beforeDays: body.reminders?.beforeDays ?? [],
        overdueDays: body.reminders?.overdueDays ?? [],
      },
    };
  });
}

export interface Schedule {
  /** The day on which everything is due: that of the last installment. */
  readonly dueDate: PlainDate | null;
  readonly installments: readonly Installment[];
}

/** The fields of an invoice that determine its installments. */
type Scheduled = Pick<InvoiceRecord, 'totalMinor' | 'rounding'>;

/** @throws DomainError VALIDATION_ERROR */
export function dueDatesOf(invoice: Scheduled, body: DueDates): Schedule {
  return refusing(() => scheduleOf(invoice, body));
}

function scheduleOf(invoice: Scheduled, { dueDate, installments, plan }: DueDates): Schedule {
  const given = Object.entries({ dueDate, installments, plan }).filter(([, value]) => value !== undefined);
  const second = given[1];
  if (second !== undefined) {
    throw invalid(second[0], `cannot be combined with ${given[0]?.[0] ?? ''}`);
  }
  const parts = partsOf(invoice, { installments, plan });
  checkParts(parts, invoice.totalMinor);
  return { dueDate: parts.at(-1)?.dueDate ?? dueDate ?? null, installments: parts };
}

function checkParts(parts: readonly Installment[], totalMinor: bigint): void {
  if (parts.length > 0) {
    checkInstallments(parts, totalMinor);
  }
}

function partsOf(
  { totalMinor, rounding }: Scheduled,
  { installments, plan }: Pick<DueDates, 'installments' | 'plan'>,
): Installment[] {
  if (plan !== undefined) {
    return planned(totalMinor, plan);
  }
  const amounts: Installment[] = [];
  const shares: { dueDate: PlainDate; basisPoints: bigint }[] = [];
  for (const part of installments ?? []) {
    if ('amountMinor' in part) {
      amounts.push({ dueDate: part.dueDate, amountMinor: BigInt(part.amountMinor) });
    } else {
      shares.push({ dueDate: part.dueDate, basisPoints: BigInt(part.basisPoints) });
    }
  }
  if (shares.length === 0) {
    return amounts;
  }
  const sum = shares.reduce((total, { basisPoints }) => total + basisPoints, 0n);
  if (sum !== BASIS_POINTS) {
    throw new InvoiceAmountError('installments', `must add up to ${BASIS_POINTS} basisPoints, not ${sum}`);
  }
  return shared(totalMinor, shares, rounding);
}

function reductionOf(given: EditInvoice['discount']): Reduction | null {
  if (given === undefined) {
    return null;
  }
  return 'amountMinor' in given
    ? { amountMinor: BigInt(given.amountMinor) }
    : { basisPoints: BigInt(given.basisPoints) };
}

function taxOf({ name, basisPoints }: { readonly name: string; readonly basisPoints: number }): TaxRate {
  return { name, basisPoints: BigInt(basisPoints) };
}

function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof InvoiceAmountError ? invalid(error.field, error.message) : error;
  }
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { [field]: message } });
}
