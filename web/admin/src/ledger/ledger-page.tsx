import { Alert, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { api, dataOf } from '../api/client.ts';
import { useApplicationNames } from '../applications/application-names.ts';
import { dayEnd } from '../parts/days.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { DataTable, List } from '../parts/list.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMode } from '../shell/mode.ts';
import { sumOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { ProofPart } from './proof-part.tsx';
import { LEDGER_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';

export function LedgerPage() {
  const words = useWords(LEDGER_WORDS);
  const { language } = useLanguage();
  const { mode, path } = useMode();
  const filter = useSearch({ from: '/$mode/ledger' });
  const applications = useApplicationNames();
  const query = queryOf(filter);
  return (
    <Page title={words.title}>
      <ProofPart />
      <FilterForm
        filter={filter}
        fields={[
          { name: 'account', label: words.account, type: 'search', placeholder: 'gateway:sslcommerz:clearing' },
          { name: 'applicationId', label: words.application, options: applications },
          { name: 'at', label: words.at, type: 'date' },
        ]}
      />
      <TrialBalance query={query} />
      <Title order={2} size="h4">
        {words.accounts}
      </Title>
      <List
        label={words.accounts}
        queryKey={['accounts', mode, filter]}
        get={(page) => api.GET('/admin/ledger/accounts', { params: { query: { mode, ...query, ...page } } })}
        columns={[
          {
            name: words.account,
            cell: ({ id, account }) => (
              <Link to="/$mode/ledger/$id" params={{ mode: path, id: id.toString() }}>
                {account}
              </Link>
            ),
          },
          { name: words.application, from: 'md', cell: ({ applicationName }) => applicationName },
          {
            name: words.debit,
            from: 'lg',
            isNumber: true,
            cell: ({ debitMinor, currency }) => sumOf(debitMinor, currency, language),
          },
          {
            name: words.credit,
            from: 'lg',
            isNumber: true,
            cell: ({ creditMinor, currency }) => sumOf(creditMinor, currency, language),
          },
          {
            name: words.balance,
            isNumber: true,
            cell: ({ balanceMinor, currency }) => sumOf(balanceMinor, currency, language),
          },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Page>
  );
}

interface Query {
  readonly applicationId?: number;
  readonly account?: string;
  readonly at?: string;
}

function queryOf({ applicationId, account, at }: { applicationId?: string; account?: string; at?: string }): Query {
  return {
    ...(applicationId === undefined ? {} : { applicationId: Number(applicationId) }),
    ...(account === undefined ? {} : { account }),
    ...(at === undefined ? {} : { at: dayEnd(at) }),
  };
}

function TrialBalance({ query }: { readonly query: Query }) {
  const words = useWords(LEDGER_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  const balance = useQuery({
    queryKey: ['trial balance', mode, query],
    queryFn: () => dataOf(api.GET('/admin/ledger/trial-balance', { params: { query: { mode, ...query } } })),
  });
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.trialBalance}
      </Title>
      <Loaded asked={balance}>
        {({ currencies }) =>
          currencies.length === 0 ? (
            <Text c="dimmed">{words.empty}</Text>
          ) : (
            currencies.map(({ currency, balanced, accounts }) => (
              <Stack key={currency} gap="xs">
                {/* A part of the accounts need not balance. */}
                {query.account === undefined && (
                  <Alert color={balanced ? 'teal' : 'red'}>
                    {currency}: {balanced ? words.balanced : words.unbalanced}
                  </Alert>
                )}
                <DataTable
                  label={`${words.trialBalance} ${currency}`}
                  rows={accounts}
                  keyOf={({ account }) => account}
                  columns={[
                    { name: words.account, cell: ({ account }) => account },
                    {
                      name: words.debit,
                      isNumber: true,
                      from: 'sm',
                      cell: ({ debitMinor }) => sumOf(debitMinor, currency, language),
                    },
                    {
                      name: words.credit,
                      isNumber: true,
                      from: 'sm',
                      cell: ({ creditMinor }) => sumOf(creditMinor, currency, language),
                    },
                    {
                      name: words.balance,
                      isNumber: true,
                      cell: ({ balanceMinor }) => sumOf(balanceMinor, currency, language),
                    },
                  ]}
                />
              </Stack>
            ))
          )
        }
      </Loaded>
    </Stack>
  );
}
