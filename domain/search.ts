import type { Permission } from './permissions.ts';
import { numberShown } from './shadhinpay-invoice.ts';

/** What a search finds. */
export const SEARCH_KINDS = ['PAYMENT', 'REFUND', 'INVOICE', 'EVENT', 'PAYOUT'] as const;
export type SearchKind = (typeof SEARCH_KINDS)[number];

/** The permission to read what is found: the one of its own list. */
export const SEARCH_PERMISSIONS = {
  PAYMENT: 'payment:read',
  REFUND: 'refund:read',
  INVOICE: 'payment:read',
  EVENT: 'audit:read',
  PAYOUT: 'report:read',
} as const satisfies Record<SearchKind, Permission>;

/** By what something was found, the surest first. */
export const FOUND_BY = [
  'reference',
  'attempt-reference',
  'gateway-transaction-id',
  'gateway-refund-id',
  'bank-reference',
  'number',
  'merchant-reference',
  'customer-reference',
  'amount',
] as const;
export type FoundBy = (typeof FOUND_BY)[number];

/** What a person has typed or pasted, as the ways of searching take it. */
export interface SearchTerms {
  readonly text: string;
  /** Minor units, if the text is an amount with two decimals or none: `120.50`, `1,20,500`. */
  readonly amountMinor: bigint | null;
  /** The number of an invoice, if the text shows one: 42 of `INV-000042` and of `INV-HB_71c4-00042`. */
  readonly number: bigint | null;
  /** `HB_71c4` of `INV-HB_71c4-00042`; otherwise empty. */
  readonly numberLabel: string;
}

const AMOUNT = /^(\d{1,13}|\d{1,3}(?:,\d{2,3}){0,4},\d{3})(?:\.(\d{2}))?$/;
const BANGLA_ZERO = '০'.charCodeAt(0);

/** Reads a search in Latin or Bangla digits. */
export function searchTermsOf(typed: string): SearchTerms {
  const text = typed.trim().replace(/[০-৯]/g, (digit) => String(digit.charCodeAt(0) - BANGLA_ZERO));
  const [, whole, fraction = '00'] = AMOUNT.exec(text) ?? [];
  const shown = numberShown(text);
  return {
    text,
    amountMinor: whole === undefined ? null : BigInt(`${whole.replaceAll(',', '')}${fraction}`),
    number: shown?.number ?? null,
    numberLabel: shown?.numberLabel ?? '',
  };
}
