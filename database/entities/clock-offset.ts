import { p } from '@mikro-orm/core';

/** How far the row's test clock is ahead. Only `lenden_now(clock_offset)` reads it, and only core/test-clock raises it. */
export const clockOffset = () => p.string().columnType('interval').defaultRaw("interval '0 seconds'").lazy();
