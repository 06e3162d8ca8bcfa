import { MAX_AMOUNT_MINOR } from './money.ts';

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
