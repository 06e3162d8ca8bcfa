import { PAYMENT_STATUSES } from '../../../../domain/payment.ts';
import type { Mode, PaymentStatus } from '../api/names.ts';

/** The filter of the list of payments as its address has it. */
export interface PaymentFilter {
  readonly status?: PaymentStatus;
  /** What the person has at hand: a reference, or the application's reference of its customer. */
  readonly find?: string;
  /** Days. */
  readonly from?: string;
  readonly to?: string;
}

const REFERENCE = /^pay_[0-9A-Za-z]{1,60}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Reads the filter from an address. What cannot be one is left out. */
export function filterOf(search: Record<string, unknown>): PaymentFilter {
  const status = PAYMENT_STATUSES.find((one) => one === search['status']);
  const { find, from, to } = search;
  return {
    ...(status === undefined ? {} : { status }),
    ...(typeof find === 'string' && find.trim() !== '' ? { find: find.trim().slice(0, 255) } : {}),
    ...(typeof from === 'string' && DAY.test(from) ? { from } : {}),
    ...(typeof to === 'string' && DAY.test(to) ? { to } : {}),
  };
}

/** Returns the filter as the API takes it. */
export function queryOf(mode: Mode, { find, ...filter }: PaymentFilter) {
  const found = find === undefined ? {} : REFERENCE.test(find) ? { reference: find } : { customerRefId: find };
  return { mode, ...filter, ...found };
}
