import { useQuery } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';
import { useLanguage } from '../words/language.tsx';
import { countOf } from '../words/format.ts';

const OPERATOR = /^operator:(\d+)$/;

/** Shows who did something by name: the API says `operator:7`, `app` or `system`. */
export function OperatorName({ by }: { readonly by: string }) {
  const { words, language } = useLanguage();
  const id = OPERATOR.exec(by)?.[1];
  const { data: names = [] } = useQuery({
    queryKey: ['operator names'],
    staleTime: 5 * 60_000,
    enabled: id !== undefined,
    queryFn: () => dataOf(api.GET('/admin/operator-names')),
  });
  if (id === undefined) {
    return words.actors[by === 'app' ? 'app' : 'system'];
  }
  return names.find((known) => known.id === Number(id))?.name ?? words.actors.operator(countOf(Number(id), language));
}
