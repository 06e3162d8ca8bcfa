import { z } from 'zod';
import type { Pagination } from './route.ts';

const SIZE_DEFAULT = 20;
export const SIZE_MAX = 100;
/** The most rows that `paginate=false` returns. */
export const UNPAGED_MAX = 1_000;
/** Numbered pages read and discard all rows before them; a cursor does not. */
export const PAGE_MAX = 10_000;

function whole(greatest: number) {
  return z
    .string()
    .regex(/^(0|[1-9]\d{0,6})$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value <= greatest, `must be at most ${greatest}`)
    .meta({ type: 'integer', minimum: 0, maximum: greatest });
}

export const PAGE_QUERY = {
  page: whole(PAGE_MAX).optional().describe('Starts at 0.'),
  size: whole(SIZE_MAX)
    .refine((size) => size > 0, 'must be at least 1')
    .meta({ type: 'integer', minimum: 1, maximum: SIZE_MAX })
    .optional()
    .describe(`Rows per page. Defaults to ${SIZE_DEFAULT}.`),
};

/**
 * Returns the query parameters of a list with numbered pages only. The first of `sortable` is the default order.
 *
 * @param sortable - published names of what the list can be ordered by
 */
export function numberedListQuery<Name extends string>(sortable: readonly [Name, ...Name[]]) {
  return {
    ...PAGE_QUERY,
    sortBy: z.enum(sortable, 'is not a field that this list can be sorted by').optional(),
    order: z.enum(['ASC', 'DESC'], 'must be ASC or DESC').optional().describe('Defaults to DESC.'),
    paginate: z
      .enum(['true', 'false'], 'must be true or false')
      .optional()
      .describe(`If \`false\`, returns all rows, at most ${UNPAGED_MAX}, and \`pagination\` is null.`),
  };
}

/** Returns the query parameters of a list that also supports a cursor. */
export function listQuery<Name extends string>(sortable: readonly [Name, ...Name[]]) {
  return {
    ...numberedListQuery(sortable),
    cursor: z
      .string()
      .regex(/^[0-9A-Za-z_-]{1,200}$/, 'is not a cursor of this list')
      .optional()
      .describe(
        'The `nextCursor` of the previous response. Returns the next rows even if rows were added in the meantime.',
      ),
  };
}

interface ListQuery<Name extends string> {
  readonly page?: number | undefined;
  readonly size?: number | undefined;
  readonly sortBy?: Name | undefined;
  readonly order?: 'ASC' | 'DESC' | undefined;
  readonly paginate?: 'true' | 'false' | undefined;
  readonly cursor?: string | undefined;
}

/** The requested rows of a list. */
export interface Slice<Name extends string> {
  readonly page: number;
  readonly sortBy: Name;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  readonly offset: number;
  /** Set when the client continues from a cursor; the offset is then 0. */
  readonly cursor: string | null;
  readonly paginate: boolean;
}

export function sliceOf<Name extends string>(query: ListQuery<Name>, defaultSort: Name): Slice<Name> {
  const { page = 0, size = SIZE_DEFAULT, sortBy = defaultSort, order = 'DESC', cursor = null } = query;
  const paginate = query.paginate !== 'false';
  return {
    page,
    sortBy,
    order,
    limit: paginate ? size : UNPAGED_MAX,
    offset: paginate && cursor === null ? page * size : 0,
    cursor,
    paginate,
  };
}

/** Returns the envelope's `pagination` of a list. */
export function paginationOf(
  { page, limit, paginate }: Slice<string>,
  { total, nextCursor = null }: { readonly total: number; readonly nextCursor?: string | null },
): Pagination | null {
  return paginate
    ? { page, size: limit, totalElements: total, totalPages: Math.ceil(total / limit), nextCursor }
    : null;
}
