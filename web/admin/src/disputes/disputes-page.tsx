import { useSearch } from '@tanstack/react-router';
import { api } from '../api/client.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { PaymentLink } from '../payments/payment-link.tsx';
import { useMode } from '../shell/mode.ts';
import { moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { DISPUTE_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

export function DisputesPage() {
  const words = useWords(DISPUTE_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  const filter = useSearch({ from: '/$mode/disputes' });
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={filter}
        fields={[
          {
            name: 'status',
            label: words.status,
            options: words.statuses,
          },
        ]}
      />
      <List
        label={words.title}
        queryKey={['disputes', mode, filter]}
        get={(page) => api.GET('/admin/disputes', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          {
            name: words.amount,
            isNumber: true,
            cell: ({ amountMinor, currency }) =>
              amountMinor === null || currency === null ? '–' : moneyOf({ amountMinor, currency }, language),
          },
          { name: words.payment, cell: (one) => <PaymentLink id={one.paymentId} reference={one.paymentReference} /> },
          { name: words.status, cell: ({ status }) => words.statuses[status] },
          { name: words.reason, from: 'md', cell: ({ reason }) => reason ?? '–' },
          {
            name: words.respondBy,
            from: 'sm',
            cell: ({ respondBy }) => (respondBy === null ? '–' : <Instant at={respondBy} />),
          },
          { name: words.application, from: 'lg', cell: ({ applicationName }) => applicationName },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Page>
  );
}
