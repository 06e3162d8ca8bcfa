import type { ListSlice } from '../../database/lists.ts';
import type { Calendar } from '../../domain/calendar.ts';
import { addDays } from '../../domain/plain-date.ts';
import type { ListQuery } from './schemas.ts';

const PER_PAGE = 25;

/** Newest first. */
export function sliceOf({ page = 1, per_page: limit = PER_PAGE }: ListQuery): ListSlice {
  return { order: 'DESC', limit, offset: (page - 1) * limit, cursor: null };
}

export function metaOf({ page = 1, per_page = PER_PAGE }: ListQuery, total: number) {
  return { page, per_page, total, total_pages: Math.ceil(total / per_page) };
}

/** Both days belong to what is asked for. */
export function daysOf({ from, to }: ListQuery, calendar: Calendar): { from: Date | null; before: Date | null } {
  return {
    from: from === undefined ? null : calendar.startOf(from),
    before: to === undefined ? null : calendar.startOf(addDays(to, 1)),
  };
}
