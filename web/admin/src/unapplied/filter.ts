import { UNAPPLIED_STATUSES } from '../../../../domain/unapplied-payment.ts';
import { filterReader, oneOf } from '../parts/filter.ts';

export const filterOf = filterReader({ status: oneOf(UNAPPLIED_STATUSES) });
