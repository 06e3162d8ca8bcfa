import { amountText } from '../money-text.ts';
import type { PayableInvoice } from './view.ts';

/** Sums of more characters leave no room beside them on a small screen. */
const BESIDE_LENGTH_MAX = 13;

/** Of a table of sums: `stacked` where on a small screen each sum has to stand below what it is for. */
export function tableClass({ currency, subtotalMinor, totalMinor, payments }: PayableInvoice): string {
  const sums = [subtotalMinor, totalMinor, ...payments.map(({ amountMinor }) => amountMinor)];
  return sums.some((amountMinor) => amountText({ amountMinor, currency }, 'en').length > BESIDE_LENGTH_MAX)
    ? 'stacked'
    : '';
}
