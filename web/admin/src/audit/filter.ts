import { dayEnd, dayStart } from '../parts/days.ts';
import { anyText, day, filterReader, oneOf, type FilterOf } from '../parts/filter.ts';

const FILTERS = {
  /** An action, or the word before its dot for all of them. */
  action: anyText,
  actorType: oneOf(['USER', 'APP', 'SYSTEM'] as const),
  targetType: anyText,
  targetId: anyText,
  /** Days in the business time zone. */
  from: day,
  to: day,
};

export const filterOf = filterReader(FILTERS);

/** Returns the filter as the API takes it. */
export function queryOf({ from, to, ...filter }: FilterOf<typeof FILTERS>) {
  return {
    ...filter,
    ...(from === undefined ? {} : { from: dayStart(from) }),
    ...(to === undefined ? {} : { to: dayEnd(to) }),
  };
}
