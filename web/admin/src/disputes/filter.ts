import { DISPUTE_STATUSES } from '../../../../domain/dispute.ts';
import { filterReader, oneOf } from '../parts/filter.ts';

export const filterOf = filterReader({ status: oneOf(DISPUTE_STATUSES) });
