import { Badge, Box, Group } from '@mantine/core';
import { Link, useSearch } from '@tanstack/react-router';
import { api, type Schemas } from '../api/client.ts';
import { GATEWAY_OPTIONS } from '../api/names.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { ColumnChoice, shownColumns, type ChoosableColumn } from '../parts/column-choice.tsx';
import { List, type Column } from '../parts/list.tsx';
import { PaymentStatusBadge } from '../parts/status-badge.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { ExportLink } from './export-link.tsx';
import { queryOf } from './filter.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

type Row = Schemas['PaymentSummary'];

export function PaymentsPage() {
  const { words } = useLanguage();
  const { mode } = useMode();
  const may = useMay();
  const filter = useSearch({ from: '/$mode/payments' });
  const [reference, ...columns] = useColumns();
  return (
    <Page
      title={words.payments.title}
      action={
        <Group gap="xs">
          <ColumnChoice columns={columns} filter={filter} />
          {may('payment:export') && <ExportLink filter={filter} />}
        </Group>
      }
    >
      <FilterForm
        filter={filter}
        kept={['columns']}
        fields={[
          { name: 'find', type: 'search', label: words.payments.find, placeholder: words.payments.findHint },
          {
            name: 'status',
            label: words.payments.status,
            options: words.statuses,
          },
          {
            name: 'underReview',
            label: words.payments.review,
            options: { true: words.payments.underReview, false: words.payments.notUnderReview },
          },
          {
            name: 'gateway',
            label: words.payments.gateway,
            options: GATEWAY_OPTIONS,
          },
          { name: 'from', type: 'date', label: words.payments.from },
          { name: 'to', type: 'date', label: words.payments.to },
        ]}
      />
      <List
        label={words.payments.title}
        queryKey={['payments', mode, filter]}
        get={(page) => api.GET('/admin/payments', { params: { query: { ...queryOf(mode, filter), ...page } } })}
        columns={[reference, ...shownColumns(columns, filter.columns)]}
        keyOf={({ id }) => id}
        empty={words.payments.empty}
      />
    </Page>
  );
}

/** The first one leads to the payment, so it is always there. */
function useColumns(): readonly [Column<Row>, ...ChoosableColumn<Row>[]] {
  const { words, language } = useLanguage();
  return [
    { name: words.payments.reference, cell: (row) => <Reference row={row} /> },
    {
      key: 'application',
      name: words.payments.application,
      isUsual: true,
      from: 'lg',
      cell: ({ applicationName }) => applicationName,
    },
    { key: 'status', name: words.payments.status, isUsual: true, from: 'sm', cell: (row) => <States row={row} /> },
    {
      key: 'amount',
      name: words.payments.amount,
      isUsual: true,
      isNumber: true,
      cell: (row) => moneyOf(row, language),
    },
    {
      key: 'refunded',
      name: words.payments.refunded,
      isUsual: false,
      isNumber: true,
      cell: ({ refundedMinor, currency }) =>
        refundedMinor === 0 ? '–' : moneyOf({ amountMinor: refundedMinor, currency }, language),
    },
    {
      key: 'customer',
      name: words.payments.customer,
      isUsual: true,
      from: 'md',
      cell: ({ customerReference }) => customerReference,
    },
    { key: 'gateway', name: words.payments.gateway, isUsual: true, from: 'lg', cell: ({ gateway }) => gateway ?? '–' },
    {
      key: 'gatewayTxnId',
      name: words.payments.gatewayTxnId,
      isUsual: false,
      cell: ({ gatewayTxnId }) => gatewayTxnId ?? '–',
    },
    {
      key: 'created',
      name: words.payments.created,
      isUsual: true,
      from: 'sm',
      cell: ({ createdAt }) => <Instant at={createdAt} />,
    },
    {
      key: 'ended',
      name: words.payments.ended,
      isUsual: false,
      cell: ({ endedAt }) => (endedAt === null ? '–' : <Instant at={endedAt} />),
    },
  ];
}

function Reference({ row }: { readonly row: Row }) {
  const { path } = useMode();
  return (
    <>
      <Link to="/$mode/payments/$id" params={{ mode: path, id: row.id.toString() }}>
        {row.reference}
      </Link>
      <Box hiddenFrom="sm">
        <States row={row} />
      </Box>
    </>
  );
}

function States({ row }: { readonly row: Row }) {
  const { words } = useLanguage();
  return (
    <Group gap={4}>
      <PaymentStatusBadge status={row.status} />
      {row.review !== null && (
        <Badge color="orange" variant="dot" tt="none" miw="max-content" title={words.reviews[row.review]}>
          {words.payments.underReview}
        </Badge>
      )}
    </Group>
  );
}
