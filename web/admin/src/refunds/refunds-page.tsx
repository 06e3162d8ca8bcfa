import { Link, useSearch } from '@tanstack/react-router';
import { api } from '../api/client.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { RefundStatusBadge } from '../parts/status-badge.tsx';
import { OperatorName } from '../session/operator-name.tsx';
import { useMode } from '../shell/mode.ts';
import { moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

export function RefundsPage() {
  const { words, language } = useLanguage();
  const { mode, path } = useMode();
  const filter = useSearch({ from: '/$mode/refunds' });
  return (
    <Page title={words.refunds.title}>
      <FilterForm
        filter={filter}
        fields={[
          {
            name: 'status',
            label: words.refunds.status,
            options: words.refundStatuses,
          },
          {
            name: 'underReview',
            label: words.payments.review,
            options: { true: words.payments.underReview, false: words.payments.notUnderReview },
          },
        ]}
      />
      <List
        label={words.refunds.title}
        queryKey={['refunds', mode, filter]}
        get={(page) => api.GET('/admin/refunds', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          {
            name: words.refunds.amount,
            cell: (refund) => (
              <Link to="/$mode/refunds/$id" params={{ mode: path, id: refund.id.toString() }} className="tabular">
                {moneyOf(refund, language)}
              </Link>
            ),
          },
          { name: words.refunds.status, cell: ({ status }) => <RefundStatusBadge status={status} /> },
          { name: words.refunds.askedBy, cell: ({ createdBy }) => <OperatorName by={createdBy} /> },
          { name: words.refunds.asked, from: 'sm', cell: ({ createdAt }) => <Instant at={createdAt} /> },
          { name: words.refunds.reason, from: 'md', cell: ({ reason }) => reason ?? '–' },
        ]}
        keyOf={({ id }) => id}
        empty={words.refunds.empty}
      />
    </Page>
  );
}
