import { TypedSearchAttributes } from '@temporalio/common';
import type { PaymentHandle } from '../core/dispatch.ts';
import { toDecimalText, toJsonInteger } from '../domain/money.ts';
import { SEARCH_ATTRIBUTES, type WaitsFor } from '../workflows/messages/names.ts';

/** Until the payer has chosen. */
const UNDECIDED_GATEWAY = 'undecided';

/** The fields of payments and refunds that operators search by. */
export type MoneyHandle = Omit<PaymentHandle, 'invoiceId'>;

export function moneyAttributes(
  money: MoneyHandle,
  { status, waitsFor }: { readonly status: 'PENDING' | 'AWAITING_APPROVAL'; readonly waitsFor: WaitsFor },
): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: SEARCH_ATTRIBUTES.app, value: money.applicationId.toString() },
    { key: SEARCH_ATTRIBUTES.mode, value: money.mode },
    { key: SEARCH_ATTRIBUTES.reference, value: money.reference },
    { key: SEARCH_ATTRIBUTES.gateway, value: money.gateway ?? UNDECIDED_GATEWAY },
    { key: SEARCH_ATTRIBUTES.amountMinor, value: toJsonInteger(money.amount.amountMinor) },
    { key: SEARCH_ATTRIBUTES.status, value: status },
    { key: SEARCH_ATTRIBUTES.waitsFor, value: waitsFor },
  ]);
}

export function moneySummary({ amount, applicationName, gateway, mode }: MoneyHandle): string {
  return `${toDecimalText(amount)} ${amount.currency} for ${applicationName} through ${gateway ?? 'a gateway chosen by the payer'} (${mode})`;
}
