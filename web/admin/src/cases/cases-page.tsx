import { Stack, Text, Title } from '@mantine/core';
import { Link, useSearch } from '@tanstack/react-router';
import { CASE_KINDS, CASE_STATES } from '../../../../domain/payouts/reconciliation.ts';
import { api } from '../api/client.ts';
import { GATEWAYS } from '../api/names.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { CASE_WORDS } from './words.ts';

export function CasesPage() {
  const words = useWords(CASE_WORDS);
  const { language } = useLanguage();
  const { mode, path } = useMode();
  const filter = useSearch({ from: '/$mode/cases' });
  return (
    <Stack>
      <Title order={1} size="h3">
        {words.title}
      </Title>
      <Text c="dimmed">{words.why}</Text>
      <FilterForm
        filter={filter}
        fields={[
          {
            name: 'state',
            label: words.state,
            options: Object.fromEntries(CASE_STATES.map((state) => [state, words.states[state]])),
          },
          {
            name: 'kind',
            label: words.kind,
            options: Object.fromEntries(CASE_KINDS.map((kind) => [kind, words.kinds[kind]])),
          },
          {
            name: 'gateway',
            label: words.gateway,
            options: Object.fromEntries(GATEWAYS.map((gateway) => [gateway, gateway])),
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
    </Stack>
  );
}
