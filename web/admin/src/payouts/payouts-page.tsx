import { Stack, Text, Title } from '@mantine/core';
import { Link, useSearch } from '@tanstack/react-router';
import { api } from '../api/client.ts';
import { GATEWAY_OPTIONS } from '../api/names.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf, dayOf, moneyOf, sumOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { PAYOUT_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';

export function PayoutsPage() {
  const words = useWords(PAYOUT_WORDS);
  const { language } = useLanguage();
  const { mode, path } = useMode();
  const filter = useSearch({ from: '/$mode/payouts' });
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={filter}
        fields={[
          {
            name: 'gateway',
            label: words.gateway,
            options: GATEWAY_OPTIONS,
          },
          {
            name: 'status',
            label: words.status,
            options: words.statuses,
          },
          { name: 'from', type: 'date', label: words.from },
          { name: 'to', type: 'date', label: words.to },
        ]}
      />
      <List
        label={words.title}
        queryKey={['payouts', mode, filter]}
        get={(page) => api.GET('/admin/payouts', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          {
            name: words.reference,
            cell: ({ reference, gatewayReference }) => (
              <Link to="/$mode/payouts/$reference" params={{ mode: path, reference }}>
                {gatewayReference}
              </Link>
            ),
          },
          { name: words.gateway, from: 'sm', cell: ({ gateway, storeId }) => `${gateway} ${storeId}` },
          { name: words.status, from: 'md', cell: ({ status }) => words.statuses[status] },
          {
            name: words.arrives,
            from: 'sm',
            cell: ({ arrivesOn }) => (arrivesOn === null ? '–' : dayOf(arrivesOn, language)),
          },
          { name: words.lines, from: 'lg', isNumber: true, cell: ({ lines }) => countOf(lines, language) },
          {
            name: words.bank,
            isNumber: true,
            cell: ({ bankMinor, currency }) => (bankMinor === null ? '–' : sumOf(bankMinor, currency, language)),
          },
          {
            name: words.residual,
            isNumber: true,
            cell: ({ residualMinor, currency }) =>
              residualMinor === null ? '–' : sumOf(residualMinor, currency, language),
          },
        ]}
        keyOf={({ reference }) => reference}
        empty={words.empty}
      />
      <UnmatchedEntries />
    </Page>
  );
}

/** What the bank received and no payout is known for. A person states the amount at the payout that it is. */
function UnmatchedEntries() {
  const words = useWords(PAYOUT_WORDS);
  const { language } = useLanguage();
  const { mode, path } = useMode();
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.entries}
      </Title>
      <Text c="dimmed">{words.entriesNote}</Text>
      <List
        label={words.entries}
        queryKey={['bank entries', mode]}
        get={(page) => api.GET('/admin/bank-entries', { params: { query: { mode, matched: 'false', ...page } } })}
        columns={[
          { name: words.amountOf, isNumber: true, cell: (entry) => moneyOf(entry, language) },
          { name: words.booked, cell: ({ bookedOn }) => dayOf(bookedOn, language) },
          { name: words.text, from: 'sm', cell: ({ remittance, bankReference }) => remittance ?? bankReference ?? '–' },
          {
            name: words.candidates,
            cell: ({ candidates }) =>
              candidates.length === 0
                ? '–'
                : candidates.map((reference, index) => (
                    <Link key={reference} to="/$mode/payouts/$reference" params={{ mode: path, reference }}>
                      {index === 0 ? words.candidate : `, ${words.candidate}`}
                    </Link>
                  )),
          },
        ]}
        keyOf={({ id }) => id}
        empty={words.noEntries}
      />
    </Stack>
  );
}
