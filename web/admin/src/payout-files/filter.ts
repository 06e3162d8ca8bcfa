import { PAYOUT_SOURCE_KINDS } from '../../../../domain/payouts/payout.ts';
import { GATEWAYS } from '../api/names.ts';
import { filterReader, oneOf } from '../parts/filter.ts';

export const FILE_STATES = ['UPLOADED', 'IMPORTING', 'IMPORTED', 'REFUSED', 'CANCELLED'] as const;

export const filterOf = filterReader({
  gateway: oneOf(GATEWAYS),
  kind: oneOf(PAYOUT_SOURCE_KINDS),
  state: oneOf(FILE_STATES),
});
