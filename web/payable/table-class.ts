import { amountText } from '../money-text.ts';
import type { PayableInvoice } from './view.ts';

/** Longer amounts leave no room beside them on a small screen. */
const BESIDE_LENGTH_MAX = 13;

/** Returns the class of a table of amounts: `stacked` if on a small screen each amount must be below its label. */
export function tableClass({ currency, subtotalMinor, totalMinor, payments }: PayableInvoice): string {
  const sums = [subtotalMinor, totalMinor, ...payments.map(({ amountMinor }) => amountMinor)];
  return sums.some((amountMinor) => amountText({ amountMinor, currency }, 'en').length > BESIDE_LENGTH_MAX)
    ? 'stacked'
    : '';
}
