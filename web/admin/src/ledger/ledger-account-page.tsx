import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { dayEnd, dayStart } from '../parts/days.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { LoadedPage } from '../parts/loaded.tsx';
import { useMode } from '../shell/mode.ts';
import { NotFound } from '../shell/not-found.tsx';
import { sumOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { LEDGER_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

type Account = Schemas['LedgerAccount'];

export function LedgerAccountPage() {
  const { id } = useParams({ from: '/$mode/ledger/$id' });
  const { mode } = useMode();
  const account = useQuery({
    queryKey: ['account', id],
    queryFn: () => dataOf(api.GET('/admin/ledger/accounts/{id}', { params: { path: { id: Number(id) } } })),
  });
  return (
    <LoadedPage asked={account}>
      {(data) => (data.mode === mode ? <Statement account={data} /> : <NotFound />)}
    </LoadedPage>
  );
}

function Statement({ account }: { readonly account: Account }) {
  const words = useWords(LEDGER_WORDS);
  const { language } = useLanguage();
  const filter = useSearch({ from: '/$mode/ledger/$id' });
  const { id, currency } = account;
  const period = {
    ...(filter.from === undefined ? {} : { from: dayStart(filter.from) }),
    ...(filter.to === undefined ? {} : { to: dayEnd(filter.to) }),
  };
  const amount = (minor: string): string => (minor === '0' ? '' : sumOf(minor, currency, language));
  return (
    <Stack>
      <Group justify="space-between" align="flex-start">
        <Stack gap={0}>
          <Title order={1} size="h3" className="breaks">
            {account.account}
          </Title>
          <Text c="dimmed">{account.applicationName}</Text>
          <Text size="xl" fw={700} className="tabular">
            {sumOf(account.balanceMinor, currency, language)} ({words.side[account.normalSide]})
          </Text>
        </Stack>
        <Button
          component="a"
          variant="default"
          href={`/api/v1/admin/ledger/accounts/${id}/entries/export?${new URLSearchParams(period)}`}
          download
        >
          {words.export}
        </Button>
      </Group>
      <FilterForm
        filter={filter}
        fields={[
          { name: 'from', type: 'date', label: words.from },
          { name: 'to', type: 'date', label: words.to },
        ]}
      />
      <List
        label={account.account}
        queryKey={['account', id.toString(), 'entries', filter]}
        get={(page) =>
          api.GET('/admin/ledger/accounts/{id}/entries', { params: { path: { id }, query: { ...period, ...page } } })
        }
        columns={[
          { name: words.when, cell: ({ createdAt }) => <Instant at={createdAt} isExact /> },
          {
            name: words.kind,
            cell: ({ kind, reversesId }) => (reversesId === null ? kind : `${kind} (${words.reversal})`),
          },
          { name: words.cause, from: 'lg', cell: ({ cause }) => `${cause.type} ${cause.id}` },
          { name: words.other, from: 'md', cell: ({ otherAccount }) => otherAccount },
          { name: words.debit, isNumber: true, cell: ({ debitMinor }) => amount(debitMinor) },
          { name: words.credit, isNumber: true, cell: ({ creditMinor }) => amount(creditMinor) },
        ]}
        keyOf={({ id: entry }) => entry}
        empty={words.noEntries}
      />
    </Stack>
  );
}
