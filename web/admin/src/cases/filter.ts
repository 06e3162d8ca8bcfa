import { CASE_KINDS, CASE_STATES } from '../../../../domain/payouts/reconciliation.ts';
import { GATEWAYS } from '../api/names.ts';
import { filterReader, oneOf } from '../parts/filter.ts';

export const filterOf = filterReader({
  state: oneOf(CASE_STATES),
  kind: oneOf(CASE_KINDS),
  gateway: oneOf(GATEWAYS),
});
