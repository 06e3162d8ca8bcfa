import { PAYOUT_STATUSES } from '../../../../domain/payouts/payout.ts';
import { GATEWAYS } from '../api/names.ts';
import { day, filterReader, oneOf } from '../parts/filter.ts';

export const filterOf = filterReader({ gateway: oneOf(GATEWAYS), status: oneOf(PAYOUT_STATUSES), from: day, to: day });
