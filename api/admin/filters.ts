import { z } from 'zod';
import { MODES } from '../../domain/mode.ts';
import { isComparable, storableInstant } from '../http/fields.ts';

export const ModeFilter = z.enum(MODES, 'must be TEST or LIVE');

export const UnderReview = z.enum(['true', 'false'], 'must be true or false');

/** Returns the filter of a list for what is under review, or for what is not. */
export function reviewFilter(underReview: z.infer<typeof UnderReview> | undefined) {
  return {
    underReview: underReview === 'true' ? (true as const) : undefined,
    notUnderReview: underReview === 'false' ? (true as const) : undefined,
  };
}

/** A day or an instant. `from` starts with it and `to` ends with it, both inclusive. */
export const Moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], 'must be a date or an RFC 3339 instant')
  .refine((moment) => isComparable(Date.parse(moment)), 'is not a date');

export function instantOf(moment: string): Date {
  return storableInstant(Date.parse(moment));
}

/** Returns `from` and `to` as SQL compares them: a day ends where the next one begins. */
export function momentRange({ from, to }: { from?: string | undefined; to?: string | undefined }): {
  from: Date | null;
  /** Exclusive. */
  before: Date | null;
} {
  const isDay = (moment: string): boolean => moment.length === 10;
  const end = to === undefined ? null : storableInstant(Date.parse(to) + (isDay(to) ? 86_400_000 : 1));
  return { from: from === undefined ? null : instantOf(from), before: end };
}
