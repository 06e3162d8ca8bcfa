import { SHOWN_INVOICE_STATUSES } from '../../../../domain/invoice.ts';
import { anyText, filterReader, oneOf } from '../parts/filter.ts';

export const filterOf = filterReader({ customerReference: anyText, status: oneOf(SHOWN_INVOICE_STATUSES) });
