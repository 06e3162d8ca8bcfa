import { Link, useSearch } from '@tanstack/react-router';
import { api } from '../api/client.ts';
import { GATEWAY_OPTIONS } from '../api/names.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { CASE_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';

export function CasesPage() {
  const words = useWords(CASE_WORDS);
  const { language } = useLanguage();
  const { mode, path } = useMode();
  const filter = useSearch({ from: '/$mode/cases' });
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={filter}
        fields={[
          {
            name: 'state',
            label: words.state,
            options: words.states,
          },
          {
            name: 'kind',
            label: words.kind,
            options: words.kinds,
          },
          {
            name: 'gateway',
            label: words.gateway,
            options: GATEWAY_OPTIONS,
          },
        ]}
      />
      <List
        label={words.title}
        queryKey={['cases', mode, filter]}
        get={(page) => api.GET('/admin/reconciliation/cases', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          {
            name: words.reason,
            cell: ({ reference, reason }) => (
              <Link to="/$mode/cases/$reference" params={{ mode: path, reference }}>
                {words.reasons[reason] ?? reason}
              </Link>
            ),
          },
          { name: words.amount, isNumber: true, cell: (one) => moneyOf(one, language) },
          { name: words.gateway, from: 'md', cell: ({ gateway }) => gateway },
          { name: words.state, from: 'sm', cell: ({ state }) => words.states[state] },
          { name: words.owner, from: 'md', cell: ({ owner }) => owner?.name ?? words.nobody },
          { name: words.age, from: 'sm', cell: ({ ageDays }) => words.days(countOf(ageDays, language)) },
        ]}
        keyOf={({ reference }) => reference}
        empty={words.empty}
      />
    </Page>
  );
}
