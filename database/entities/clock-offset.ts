import { p } from '@mikro-orm/core';

/** Shifts the row's time for a test clock; nothing sets it yet. Only `lenden_now(clock_offset)` reads it. */
export const clockOffset = () => p.string().columnType('interval').defaultRaw("interval '0 seconds'").lazy();
