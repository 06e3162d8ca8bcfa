import { useQuery } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';

export type SavedView = Schemas['SavedView'];

export const SAVED_VIEWS = ['views'] as const;

/** Returns the person's own views of all lists; none until they are known. */
export function useSavedViews(): readonly SavedView[] {
  const { data = [] } = useQuery({
    queryKey: SAVED_VIEWS,
    staleTime: 60_000,
    queryFn: () => dataOf(api.GET('/admin/views')),
  });
  return data;
}

/** Returns the filter of a view, as the page's address has it. */
export function searchOf({ query }: SavedView): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(query));
}

/** Returns whether two queries of an address say the same, in whatever order. */
export function isSameQuery(one: string, other: string): boolean {
  const sorted = (query: string): string => {
    const members = new URLSearchParams(query);
    members.sort();
    return members.toString();
  };
  return sorted(one) === sorted(other);
}
