import { Button, Group, Table, Text } from '@mantine/core';
import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { bodyOf } from '../api/client.ts';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { Loaded } from './loaded.tsx';

const PAGE_SIZE = 25;
const EVERY_MS = 10_000;

interface Page<Row> {
  readonly data: readonly Row[];
  readonly pagination: {
    readonly page: number;
    readonly nextCursor: string | null;
    readonly totalPages: number;
    readonly totalElements: number;
  } | null;
}

/** Which part of a list is wanted. */
export interface PageQuery {
  readonly size: number;
  readonly cursor?: string;
  /** Of a list with numbered pages only. */
  readonly page?: number;
}

/** A column. On screens narrower than `from` it is not shown. */
export interface Column<Row> {
  readonly name: string;
  readonly cell: (row: Row) => ReactNode;
  readonly from?: 'sm' | 'md' | 'lg';
  readonly isNumber?: boolean;
}

/** A list of the API as a table that grows. While only its first page is shown, what is new appears by itself; a longer list stays as the person has it. */
export function List<Row>({
  label,
  queryKey,
  get,
  columns,
  keyOf,
  empty,
  isNumbered = false,
}: {
  readonly label: string;
  readonly queryKey: QueryKey;
  readonly get: (query: PageQuery) => Parameters<typeof bodyOf<Page<Row>>>[0];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string | number;
  readonly empty: string;
  /** Whether the API numbers the pages of this list and knows no cursor. */
  readonly isNumbered?: boolean;
}) {
  const { words, language } = useLanguage();
  const pages = useInfiniteQuery({
    queryKey,
    initialPageParam: '',
    queryFn: ({ pageParam }) => bodyOf(get({ size: PAGE_SIZE, ...placeOf(pageParam, isNumbered) })),
    getNextPageParam: ({ pagination }) => (isNumbered ? pageAfter(pagination) : pagination?.nextCursor),
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : EVERY_MS),
  });
  return (
    <Loaded asked={pages}>
      {(data) => {
        const rows = data.pages.flatMap((page) => page.data);
        const total = data.pages[0]?.pagination?.totalElements ?? rows.length;
        return rows.length === 0 ? (
          <Text c="dimmed">{empty}</Text>
        ) : (
          <>
            <DataTable label={label} columns={columns} rows={rows} keyOf={keyOf} />
            <Group justify="space-between">
              <Text size="sm" c="dimmed">
                {words.shown(countOf(rows.length, language), countOf(total, language))}
              </Text>
              {pages.hasNextPage && (
                <Button variant="default" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
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

function placeOf(pageParam: string, isNumbered: boolean): Omit<PageQuery, 'size'> {
  if (pageParam === '') {
    return {};
  }
  return isNumbered ? { page: Number(pageParam) } : { cursor: pageParam };
}

function pageAfter(pagination: Page<never>['pagination']): string | null {
  return pagination !== null && pagination.page + 1 < pagination.totalPages ? String(pagination.page + 1) : null;
}

/** Rows that are known already. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  keyOf,
}: {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
}) {
  return (
    // Narrower than its words, a table scrolls by itself; a person scrolls it by keyboard too.
    <div className="table-scroll" role="region" aria-label={label} tabIndex={0}>
      <Table highlightOnHover aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.name} {...styleOf(column)}>
                {column.name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={keyOf(row)}>
              {columns.map((column) => (
                <Table.Td
                  key={column.name}
                  className={column.isNumber === true ? 'tabular' : 'cell'}
                  {...styleOf(column)}
                >
                  {column.cell(row)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function styleOf({ from, isNumber }: Pick<Column<never>, 'from' | 'isNumber'>) {
  return {
    ...(from === undefined ? {} : { visibleFrom: from }),
    ...(isNumber === true ? ({ ta: 'right' } as const) : {}),
  };
}
