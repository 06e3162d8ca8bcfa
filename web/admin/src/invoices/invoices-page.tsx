import { Link, useSearch } from '@tanstack/react-router';
import { api } from '../api/client.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { useMode } from '../shell/mode.ts';
import { dayOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { INVOICE_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';

export function InvoicesPage() {
  const words = useWords(INVOICE_WORDS);
  const { language } = useLanguage();
  const { mode, path } = useMode();
  const filter = useSearch({ from: '/$mode/invoices' });
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={filter}
        fields={[
          { name: 'customerReference', type: 'search', label: words.customer },
          {
            name: 'status',
            label: words.status,
            options: words.statuses,
          },
        ]}
      />
      <List
        label={words.title}
        queryKey={['invoices', mode, filter]}
        get={(page) => api.GET('/admin/invoices', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          {
            name: words.number,
            cell: ({ id, number }) => (
              <Link to="/$mode/invoices/$id" params={{ mode: path, id: id.toString() }}>
                {number ?? words.draft}
              </Link>
            ),
          },
          { name: words.status, cell: ({ status }) => words.statuses[status] },
          { name: words.customer, from: 'sm', cell: ({ customerReference }) => customerReference },
          { name: words.application, from: 'lg', cell: ({ applicationName }) => applicationName },
          {
            name: words.total,
            isNumber: true,
            cell: ({ totalMinor, currency }) => moneyOf({ amountMinor: totalMinor, currency }, language),
          },
          {
            name: words.paid,
            from: 'md',
            isNumber: true,
            cell: ({ amountPaidMinor, currency }) => moneyOf({ amountMinor: amountPaidMinor, currency }, language),
          },
          {
            name: words.nextDue,
            from: 'sm',
            cell: ({ nextDueDate }) => (nextDueDate === null ? '–' : dayOf(nextDueDate, language)),
          },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Page>
  );
}
