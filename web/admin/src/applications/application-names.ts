import { useQuery } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';
import { useMay } from '../session/session.tsx';

/** Returns the names of the applications that the operator may see, by id; none until they are known. */
export function useApplicationNames(): Readonly<Record<string, string>> {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ['applications', 'names'],
    staleTime: 60_000,
    enabled: may('app:read'),
    queryFn: () => dataOf(api.GET('/admin/apps', { params: { query: { paginate: 'false' } } })),
  });
  return Object.fromEntries((data ?? []).map(({ id, name }) => [id.toString(), name]));
}
