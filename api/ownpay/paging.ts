import type { ListSlice } from '../../database/lists.ts';
import type { Calendar } from '../../domain/calendar.ts';
import { addDays } from '../../domain/plain-date.ts';
import { PAGE_MAX, PER_PAGE_MAX, type ListQuery } from './schemas.ts';

const PER_PAGE = 25;
/** Counts up to the last row that pages can reach, so that a client that reads until `total_pages` misses none of them. */
const COUNT_TO = PAGE_MAX * PER_PAGE_MAX;
/** Days beyond these limit nothing: calendars and databases support only a finite range. */
const FIRST_DAY = '1970-01-01';
const LAST_DAY = '9999-12-30';

/** Newest first. */
export function sliceOf({ page = 1, per_page: limit = PER_PAGE }: ListQuery): ListSlice {
  return { order: 'DESC', limit, offset: (page - 1) * limit, cursor: null, countTo: COUNT_TO };
}

export function metaOf({ page = 1, per_page = PER_PAGE }: ListQuery, total: number) {
  return { page, per_page, total, total_pages: Math.ceil(total / per_page) };
}

/** Both days are inclusive. */
export function daysOf({ from, to }: ListQuery, calendar: Calendar): { from: Date | null; before: Date | null } {
  return {
    from: from === undefined || from < FIRST_DAY ? null : calendar.startOf(earlier(from, LAST_DAY)),
    before: to === undefined || to >= LAST_DAY ? null : calendar.startOf(addDays(later(to, FIRST_DAY), 1)),
  };
}

function earlier(one: string, other: string): string {
  return one < other ? one : other;
}

function later(one: string, other: string): string {
  return one < other ? other : one;
}
