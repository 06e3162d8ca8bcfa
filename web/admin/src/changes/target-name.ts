import { useQuery } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { useApplicationNames } from '../applications/application-names.ts';

type Target = Schemas['PendingChange']['target'];

/** Returns a function that names what a change is of, as a person knows it. */
export function useTargetName(): (target: Target) => string {
  const applications = useApplicationNames();
  const { data: operators = [] } = useQuery({
    queryKey: ['operator names'],
    staleTime: 5 * 60_000,
    queryFn: () => dataOf(api.GET('/admin/operator-names')),
  });
  return ({ type, id }) => {
    switch (type) {
      case 'application':
        return applications[id] ?? `${type} ${id}`;
      case 'operator':
        return operators.find((operator) => operator.id.toString() === id)?.name ?? `${type} ${id}`;
      default:
        return `${type} ${id}`;
    }
  };
}
