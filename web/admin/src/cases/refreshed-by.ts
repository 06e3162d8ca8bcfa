import type { QueryKey } from '@tanstack/react-query';

/** What an action on a case changes. */
export function refreshedBy(reference: string): readonly QueryKey[] {
  return [['case', reference], ['cases'], ['inbox'], ['refunds']];
}
