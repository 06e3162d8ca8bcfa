import type { ResultStatus } from '../../../../domain/payouts/matching.ts';
import { GATEWAYS } from '../api/names.ts';
import { day, filterReader, oneOf } from '../parts/filter.ts';

/** A rejected row is no result; the page of its file lists it. */
export const SHOWN_STATUSES = ['FLAGGED', 'DEFERRED', 'MATCHED'] as const satisfies readonly ResultStatus[];

export const filterOf = filterReader({ period: day, gateway: oneOf(GATEWAYS), status: oneOf(SHOWN_STATUSES) });
