import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stateOf } from '../../domain/installments.ts';
import {
  requestedMinorOf,
  dueMinorOf,
  nextDueDateOf,
  shownStatus,
  statusPaid,
  type Billed,
} from '../../domain/invoice-due.ts';
import { addDays } from '../../domain/plain-date.ts';

describe('how an invoice stands', () => {
  const schedule = [
    { dueDate: '2027-01-10', amountMinor: 300n },
    { dueDate: '2027-02-10', amountMinor: 300n },
    { dueDate: '2027-03-10', amountMinor: 400n },
  ];
  const billed = (more: Partial<Billed> = {}): Billed => ({
    status: 'ISSUED',
    totalMinor: 1_000n,
    paidMinor: 0n,
    dueDate: null,
    installments: schedule,
    ...more,
  });

  test('is told part by part: money pays the oldest first', () => {
    expect(stateOf(schedule, 450n, '2027-02-11').map(({ paidMinor, status }) => [paidMinor, status])).toEqual([
      [300n, 'PAID'],
      [150n, 'OVERDUE'],
      [0n, 'OPEN'],
    ]);
    expect(stateOf(schedule, 450n, '2027-02-10')[1]?.status).toBe('PARTIALLY_PAID');
  });

  test.each<[string, Partial<Billed>, string, bigint]>([
    ['the first part before its day', {}, '2027-01-01', 300n],
    ['everything up to today', {}, '2027-02-10', 600n],
    ['the rest of a part', { status: 'PARTIALLY_PAID', paidMinor: 100n }, '2027-01-10', 200n],
    ['the next part once the last is paid', { status: 'PARTIALLY_PAID', paidMinor: 300n }, '2027-01-20', 300n],
    ['everything without a schedule', { installments: [] }, '2027-01-01', 1_000n],
    ['nothing of a draft', { status: 'DRAFT' }, '2027-01-01', 0n],
    ['nothing when it is void', { status: 'VOID' }, '2027-01-01', 0n],
    ['nothing when it is paid', { status: 'PAID', paidMinor: 1_000n }, '2027-01-01', 0n],
  ])('asks for %s', (_name, more, today, asked) => {
    expect(requestedMinorOf(billed(more), today)).toBe(asked);
  });

  test('is overdue from the day after, and only while something is due', () => {
    // OVERDUE is derived from the calendar and is not stored.
    expect(shownStatus(billed(), '2027-01-10')).toBe('ISSUED');
    expect(shownStatus(billed(), '2027-01-11')).toBe('OVERDUE');
    expect(shownStatus(billed({ paidMinor: 300n, status: 'PARTIALLY_PAID' }), '2027-01-11')).toBe('PARTIALLY_PAID');
    expect(shownStatus(billed({ paidMinor: 1_000n, status: 'PAID' }), '2030-01-01')).toBe('PAID');
    expect(shownStatus(billed({ status: 'VOID' }), '2030-01-01')).toBe('VOID');
    expect(shownStatus(billed({ installments: [], dueDate: '2027-01-01' }), '2027-01-02')).toBe('OVERDUE');
    expect(shownStatus(billed({ installments: [] }), '2030-01-02')).toBe('ISSUED');
    expect(nextDueDateOf(billed({ paidMinor: 300n, status: 'PARTIALLY_PAID' }), '2027-01-01')).toBe('2027-02-10');
  });

  test('is the same sum from every side, whatever is paid and when', () => {
    // Paid + due = total, and the installments account for every minor unit that was paid.
    const day = fc.integer({ min: 0, max: 120 }).map((days) => addDays('2027-01-01', days));
    fc.assert(
      fc.property(fc.bigInt(0n, 1_000n), day, (paidMinor, today) => {
        const now = billed({ paidMinor, status: statusPaid(1_000n, paidMinor) });
        expect(paidMinor + dueMinorOf(now)).toBe(1_000n);
        const stands = stateOf(schedule, paidMinor, today);
        expect(stands.reduce((sum, { paidMinor: paid }) => sum + paid, 0n)).toBe(paidMinor);
        const asked = requestedMinorOf(now, today);
        expect(asked <= dueMinorOf(now) && asked > 0n === dueMinorOf(now) > 0n).toBe(true);
      }),
    );
  });
});
