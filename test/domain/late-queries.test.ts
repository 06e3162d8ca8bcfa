import { expect, test } from '@jest/globals';
import { nextLateQuery } from '../../domain/late-queries.ts';

const NOW = new Date('2026-03-01T10:00:00Z');
const minutesFromNow = (date: Date | null): number | null =>
  date === null ? null : (date.getTime() - NOW.getTime()) / 60_000;
const next = (queries: number, sessionLifeMinutes: number | null, openMinutes = 30): number | null => {
  const openedAt = new Date(NOW.getTime() - openMinutes * 60_000);
  return minutesFromNow(nextLateQuery({ notifies: false, sessionLifeMinutes }, { openedAt, queries, now: NOW }));
};

test('a gateway that notifies nobody is queried 5 minutes, an hour and a day after the closing, then no more', () => {
  // The number of queries is limited, whatever the gateway answers.
  expect([0, 1, 2, 3, 4].map((queries) => next(queries, null))).toEqual([5, 55, 1_380, null, null]);
});

test('no question comes later than the session can be paid, but one just after its end', () => {
  // The payer can pay until the session ends, and not after it.
  expect(next(0, 40)).toBe(5);
  expect(next(1, 40)).toBe(11);
  expect(next(0, 31)).toBe(2);
  expect([next(0, 29), next(1, 29)]).toEqual([null, null]);
});

test('a gateway that notifies of every charge is not queried', () => {
  // The gateway's notification causes the query.
  const silence = { notifies: true, sessionLifeMinutes: null };
  expect(nextLateQuery(silence, { openedAt: NOW, queries: 0, now: NOW })).toBeNull();
});
