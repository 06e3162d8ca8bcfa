import { anyText, filterReader, oneOf } from '../parts/filter.ts';

export const filterOf = filterReader({ status: oneOf(['ACTIVE', 'DISABLED'] as const), name: anyText });
