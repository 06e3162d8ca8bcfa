import { REFUND_STATUSES } from '../../../../domain/refund.ts';
import { filterReader, oneOf } from '../parts/filter.ts';

export const filterOf = filterReader({
  status: oneOf(REFUND_STATUSES),
  underReview: oneOf(['true', 'false'] as const),
});
