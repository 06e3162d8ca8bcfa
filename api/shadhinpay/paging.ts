import { PAGE_MAX, SIZE_MAX, sliceOf } from '../http/paging.ts';

/** Counts up to the last row that pages can reach, so that a client that reads until `totalPages` misses none of them. */
const COUNT_TO = PAGE_MAX * SIZE_MAX;

/** Newest first. */
export function pageSliceOf(query: { readonly page?: number | undefined; readonly size?: number | undefined }) {
  return { ...sliceOf(query, 'createdAt'), countTo: COUNT_TO };
}
