import { PAGE_MAX, SIZE_MAX, sliceOf } from '../http/paging.ts';

/** A program that goes on until `totalPages` sees all that pages can reach, and misses nothing in silence. */
const COUNT_TO = PAGE_MAX * SIZE_MAX;

/** Newest first. */
export function pageSliceOf(query: { readonly page?: number | undefined; readonly size?: number | undefined }) {
  return { ...sliceOf(query, 'createdAt'), countTo: COUNT_TO };
}
