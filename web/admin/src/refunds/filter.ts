import { REFUND_STATUSES } from '../../../../domain/refund.ts';
import type { RefundStatus } from '../api/names.ts';

/** The filter of the list of refunds as its address has it. */
export interface RefundFilter {
  readonly status?: RefundStatus;
}

export function filterOf(search: Record<string, unknown>): RefundFilter {
  const status = REFUND_STATUSES.find((one) => one === search['status']);
  return status === undefined ? {} : { status };
}
