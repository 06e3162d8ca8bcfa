import { REPORT_SPANS } from '../../../../domain/report.ts';
import { GATEWAYS } from '../api/names.ts';
import { day, filterReader, oneOf, wholeNumber } from '../parts/filter.ts';

export const filterOf = filterReader({
  from: day,
  to: day,
  by: oneOf(REPORT_SPANS),
  group: oneOf(['application', 'gateway', 'application,gateway'] as const),
  gateway: oneOf(GATEWAYS),
  applicationId: wholeNumber,
});
