import { Button, Group, NativeSelect, Stack, Table, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { api, bodyOf, type Schemas } from '../api/client.ts';
import { REFUND_STATUSES } from '../../../../domain/refund.ts';
import { Loaded } from '../parts/loaded.tsx';
import { RefundStatusBadge } from '../parts/status-badge.tsx';
import { OperatorName } from '../session/operator-name.tsx';
import { useMode } from '../shell/mode.ts';
import { moneyOf, shortInstantOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { filterOf } from './filter.ts';

const PAGE_SIZE = 25;
const EVERY_MS = 10_000;

export function RefundsPage() {
  const { words } = useLanguage();
  const { mode, path } = useMode();
  const navigate = useNavigate();
  const filter = useSearch({ from: '/$mode/refunds' });
  const refunds = useInfiniteQuery({
    queryKey: ['refunds', mode, filter],
    initialPageParam: '',
    queryFn: ({ pageParam: cursor }) =>
      bodyOf(
        api.GET('/admin/refunds', {
          params: { query: { mode, ...filter, size: PAGE_SIZE, ...(cursor === '' ? {} : { cursor }) } },
        }),
      ),
    getNextPageParam: ({ pagination }) => pagination?.nextCursor,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : EVERY_MS),
  });
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <Title order={1} size="h3">
          {words.refunds.title}
        </Title>
        <NativeSelect
          label={words.refunds.status}
          value={filter.status ?? ''}
          onChange={({ currentTarget }) =>
            void navigate({
              to: '/$mode/refunds',
              params: { mode: path },
              search: filterOf({ status: currentTarget.value }),
            })
          }
          data={[
            { value: '', label: words.all },
            ...REFUND_STATUSES.map((status) => ({ value: status, label: words.refundStatuses[status] })),
          ]}
        />
      </Group>
      <Loaded asked={refunds}>
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data);
          return rows.length === 0 ? <Text c="dimmed">{words.refunds.empty}</Text> : <Rows rows={rows} />;
        }}
      </Loaded>
      {refunds.hasNextPage && (
        <Button variant="default" loading={refunds.isFetchingNextPage} onClick={() => void refunds.fetchNextPage()}>
          {words.more}
        </Button>
      )}
    </Stack>
  );
}

function Rows({ rows }: { readonly rows: readonly Schemas['Refund'][] }) {
  const { words, language } = useLanguage();
  const { path } = useMode();
  return (
    <Table highlightOnHover aria-label={words.refunds.title}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{words.refunds.amount}</Table.Th>
          <Table.Th>{words.refunds.status}</Table.Th>
          <Table.Th>{words.refunds.askedBy}</Table.Th>
          <Table.Th visibleFrom="sm">{words.refunds.asked}</Table.Th>
          <Table.Th visibleFrom="md">{words.refunds.reason}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((refund) => (
          <Table.Tr key={refund.id}>
            <Table.Td className="tabular">
              <Link to="/$mode/refunds/$id" params={{ mode: path, id: refund.id.toString() }}>
                {moneyOf(refund, language)}
              </Link>
            </Table.Td>
            <Table.Td>
              <RefundStatusBadge status={refund.status} />
            </Table.Td>
            <Table.Td className="breaks">
              <OperatorName by={refund.createdBy} />
            </Table.Td>
            <Table.Td visibleFrom="sm" className="tabular">
              {shortInstantOf(refund.createdAt, language)}
            </Table.Td>
            <Table.Td visibleFrom="md" className="breaks">
              {refund.reason ?? '–'}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
