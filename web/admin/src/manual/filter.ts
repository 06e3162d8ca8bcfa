import { SUBMISSION_STATUSES } from '../../../../domain/manual-payment.ts';
import { filterReader, oneOf } from '../parts/filter.ts';

export const filterOf = filterReader({ status: oneOf(SUBMISSION_STATUSES) });
