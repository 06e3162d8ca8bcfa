import { addDays, type PlainDate } from '../plain-date.ts';

/** Days on which a gateway pays nothing out. */
export interface BusinessDays {
  /** Days of the week from 0, Sunday, to 6, Saturday. */
  readonly weeklyHolidays: readonly number[];
  readonly holidays: readonly PlainDate[];
}

/** No feast is longer. Behind so many days without a business day, each day counts. */
const HOLIDAYS_IN_A_ROW_MAX = 60;
const BUSINESS_DAYS_MAX = 366;

/** Returns the last of so many business days after a date; at most 366 are counted. */
export function addBusinessDays(date: PlainDate, days: number, { weeklyHolidays, holidays }: BusinessDays): PlainDate {
  const closed = new Set(holidays);
  const count = Math.min(days, BUSINESS_DAYS_MAX);
  let last = date;
  let holidaysInARow = 0;
  for (let counted = 0; counted < count;) {
    last = addDays(last, 1);
    const isHoliday = closed.has(last) || weeklyHolidays.includes(new Date(`${last}T00:00:00Z`).getUTCDay());
    holidaysInARow = isHoliday ? holidaysInARow + 1 : 0;
    if (!isHoliday || holidaysInARow > HOLIDAYS_IN_A_ROW_MAX) {
      counted += 1;
    }
  }
  return last;
}
