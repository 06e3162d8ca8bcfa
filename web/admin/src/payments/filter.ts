import { PAYMENT_STATUSES } from '../../../../domain/payment.ts';
import { GATEWAYS, type Mode } from '../api/names.ts';
import { dayEnd, dayStart } from '../parts/days.ts';
import { anyText, day, filterReader, oneOf, type FilterOf } from '../parts/filter.ts';

const FILTERS = {
  status: oneOf(PAYMENT_STATUSES),
  underReview: oneOf(['true', 'false'] as const),
  gateway: oneOf(GATEWAYS),
  /** What the person has at hand: a reference, or the application's reference of its customer. */
  find: anyText,
  /** Days in the business time zone. */
  from: day,
  to: day,
};

/** Of the list, with commas between them; the API knows nothing of them. */
const SHOWN = { columns: anyText };

/** The filter of the list of payments as its address has it. */
export type PaymentFilter = FilterOf<typeof FILTERS & typeof SHOWN>;
export const filterOf = filterReader({ ...FILTERS, ...SHOWN });

const REFERENCE = /^pay_[0-9A-Za-z]{1,60}$/;

/** Returns the filter as the API takes it. */
export function queryOf(mode: Mode, { find, from, to, columns: _shown, ...filter }: PaymentFilter) {
  const found = find === undefined ? {} : REFERENCE.test(find) ? { reference: find } : { customerRefId: find };
  return {
    mode,
    ...filter,
    ...found,
    ...(from === undefined ? {} : { from: dayStart(from) }),
    ...(to === undefined ? {} : { to: dayEnd(to) }),
  };
}
