import { Badge, Box, Button, Group, Stack, Table, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { api, bodyOf, type Schemas } from '../api/client.ts';
import { Loaded } from '../parts/loaded.tsx';
import { PaymentStatusBadge } from '../parts/status-badge.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf, moneyOf, shortInstantOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { ExportLink } from './export-link.tsx';
import { FilterForm } from './filter-form.tsx';
import { queryOf, type PaymentFilter } from './filter.ts';

const PAGE_SIZE = 25;
const EVERY_MS = 10_000;

export function PaymentsPage() {
  const { words } = useLanguage();
  const may = useMay();
  const filter = useSearch({ from: '/$mode/payments' });
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h3">
          {words.payments.title}
        </Title>
        {may('payment:export') && <ExportLink filter={filter} />}
      </Group>
      <FilterForm key={JSON.stringify(filter)} filter={filter} />
      <List filter={filter} />
    </Stack>
  );
}

function List({ filter }: { readonly filter: PaymentFilter }) {
  const { words, language } = useLanguage();
  const { mode } = useMode();
  const payments = useInfiniteQuery({
    queryKey: ['payments', mode, filter],
    initialPageParam: '',
    queryFn: ({ pageParam: cursor }) =>
      bodyOf(
        api.GET('/admin/payments', {
          params: { query: { ...queryOf(mode, filter), size: PAGE_SIZE, ...(cursor === '' ? {} : { cursor }) } },
        }),
      ),
    getNextPageParam: ({ pagination }) => pagination?.nextCursor,
    // New payments appear by themselves while the first page is shown; a longer list stays as the person has it.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : EVERY_MS),
  });
  return (
    <Loaded asked={payments}>
      {({ pages }) => {
        const rows = pages.flatMap(({ data }) => data);
        const total = pages[0]?.pagination?.totalElements ?? rows.length;
        return rows.length === 0 ? (
          <Text c="dimmed">{words.payments.empty}</Text>
        ) : (
          <>
            <Rows rows={rows} />
            <Group justify="space-between">
              <Text size="sm" c="dimmed">
                {words.payments.shown(countOf(rows.length, language), countOf(total, language))}
              </Text>
              {payments.hasNextPage && (
                <Button
                  variant="default"
                  loading={payments.isFetchingNextPage}
                  onClick={() => void payments.fetchNextPage()}
                >
                  {words.more}
                </Button>
              )}
            </Group>
          </>
        );
      }}
    </Loaded>
  );
}

function Rows({ rows }: { readonly rows: readonly Schemas['PaymentSummary'][] }) {
  const { words } = useLanguage();
  return (
    <Table highlightOnHover aria-label={words.payments.title}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{words.payments.reference}</Table.Th>
          <Table.Th visibleFrom="lg">{words.payments.application}</Table.Th>
          <Table.Th visibleFrom="sm">{words.payments.status}</Table.Th>
          <Table.Th ta="right">{words.payments.amount}</Table.Th>
          <Table.Th visibleFrom="md">{words.payments.customer}</Table.Th>
          <Table.Th visibleFrom="lg">{words.payments.gateway}</Table.Th>
          <Table.Th visibleFrom="sm">{words.payments.created}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Row key={row.id} row={row} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row({ row }: { readonly row: Schemas['PaymentSummary'] }) {
  const { language } = useLanguage();
  const { path } = useMode();
  return (
    <Table.Tr>
      <Table.Td className="breaks">
        <Link to="/$mode/payments/$id" params={{ mode: path, id: row.id.toString() }}>
          {row.reference}
        </Link>
        <Box hiddenFrom="sm">
          <States row={row} />
        </Box>
      </Table.Td>
      <Table.Td visibleFrom="lg">{row.applicationName}</Table.Td>
      <Table.Td visibleFrom="sm">
        <States row={row} />
      </Table.Td>
      <Table.Td ta="right" className="tabular">
        {moneyOf(row, language)}
      </Table.Td>
      <Table.Td visibleFrom="md" className="breaks">
        {row.customerReference}
      </Table.Td>
      <Table.Td visibleFrom="lg">{row.gateway ?? '–'}</Table.Td>
      <Table.Td visibleFrom="sm" className="tabular">
        {shortInstantOf(row.createdAt, language)}
      </Table.Td>
    </Table.Tr>
  );
}

function States({ row }: { readonly row: Schemas['PaymentSummary'] }) {
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
