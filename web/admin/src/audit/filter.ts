import { anyText, filterReader, oneOf } from '../parts/filter.ts';

export const filterOf = filterReader({
  action: anyText,
  actorType: oneOf(['USER', 'APP', 'SYSTEM'] as const),
  targetType: anyText,
  targetId: anyText,
});
