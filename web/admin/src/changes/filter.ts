import { CHANGE_STATUSES } from '../../../../domain/pending-change.ts';
import { filterReader, oneOf } from '../parts/filter.ts';

export const AREAS = ['applications', 'operators', 'reconciliation'] as const;

export const filterOf = filterReader({ area: oneOf(AREAS), status: oneOf(CHANGE_STATUSES) });
