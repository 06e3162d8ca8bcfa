import { DELIVERY_STATUSES, EVENT_TYPES } from '../../../../domain/webhook.ts';
import { filterReader, oneOf, wholeNumber } from '../parts/filter.ts';

export const filterOf = filterReader({
  deliveryStatus: oneOf(DELIVERY_STATUSES),
  type: oneOf(EVENT_TYPES),
  applicationId: wholeNumber,
});
