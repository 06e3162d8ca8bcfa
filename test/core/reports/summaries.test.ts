import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../../support/until.ts';
import { AsyncResource } from 'node:async_hooks';
import { readReport, type ReportRequest } from '../../../core/reports/read-report.ts';
import type { CompiledText } from '../../../database/compiled-text.ts';
import { calendarIn } from '../../../domain/calendar.ts';
import { DomainError } from '../../../domain/errors.ts';
import { DHAKA, dyingAt, openReportWorld, type ReportWorld } from './report-world.ts';

let world: ReportWorld;
let applicationId: bigint;
beforeEach(async () => {
  world = await openReportWorld();
  applicationId = await world.application();
});
afterEach(() => world.close());

const DAY: ReportRequest = {
  span: 'day',
  from: null,
  to: null,
  mode: 'LIVE',
  applicationId: null,
  gateway: null,
  currency: null,
  byApplication: false,
  byGateway: false,
};

const at = (minutes: number): string => new Date(Date.parse('2026-06-01T05:00:00Z') + minutes * 60_000).toISOString();
const OF_JUNE = { ...DAY, from: '2026-06-01', to: '2026-06-01' };

/** Writes a payment that was created and paid within the given minutes of 1 June. */
async function paid(createdAt: string, paidAt: string): Promise<string> {
  const id = await world.payment({
    applicationId,
    mode: 'LIVE',
    currency: 'BDT',
    gateway: 'bkash',
    amountMinor: 10_000n,
    at: createdAt,
  });
  await world.endPayment(id, { status: 'SUCCEEDED', at: paidAt, gateway: 'bkash' });
  return id;
}

const paidPayments = async (request: ReportRequest = OF_JUNE): Promise<string> =>
  String((await world.report(DHAKA, request)).rows[0]?.paid ?? 0n);

const summarized = async (): Promise<string> => {
  const [row] = await world.rows(`select coalesce(sum(paid), 0)::text as paid from report_sums where span = 'day'`);
  return String(row?.['paid']);
};

describe('what is complete', () => {
  test('waits for a transaction that began earlier, and counts what it writes', async () => {
    // A transaction writes the time at which it began, however late it commits. A summary that had passed this time would miss it for ever.
    const id = await world.payment({
      applicationId,
      mode: 'LIVE',
      currency: 'BDT',
      gateway: 'bkash',
      amountMinor: 10_000n,
      at: new Date(Date.now() - 60_000).toISOString(),
    });
    await paid(at(0), at(1));
    const inTwoMinutes = () =>
      world.rows(`update report_progress set fence_at = now() + interval '2 minutes' returning 1`);
    const late = await world.begin();
    await world.release();
    await world.summarize(DHAKA);
    await inTwoMinutes();
    await world.summarize(DHAKA);
    expect(await summarized()).toBe('0');
    await late.execute(`update payments set status = 'FAILED', ended_at = now() where id = ?::bigint`, [id]);
    await late.commit();
    // Other transactions of this server, such as a vacuum, may run a little longer.
    await until(async () => {
      await world.summarize(DHAKA);
      return (await world.rows(`select 1 from report_sums where span = 'day'`)).length === 2;
    });
    expect(await world.rows(`select failed, paid from report_sums where span = 'day' order by starts_at`)).toEqual([
      { failed: 0, paid: 1 },
      { failed: 1, paid: 0 },
    ]);
    const { rows } = await world.report(DHAKA, DAY);
    expect(rows.map(({ failed, open }) => ({ failed, open })).at(-1)).toEqual({ failed: 1n, open: 0n });
  });

  test('leaves the last minute to the rows', async () => {
    // A transaction takes its time a moment before others can see that it runs.
    await world.release();
    await paid(at(0), new Date().toISOString());
    for (let pass = 0; pass < 3; pass += 1) {
      await world.summarize(DHAKA);
    }
    expect(await summarized()).toBe('0');
    expect(await paidPayments(DAY)).toBe('0');
    expect((await world.report(DHAKA, DAY)).rows.at(-1)?.paid).toBe(1n);
  });
});

describe('summaries', () => {
  test('answer instead of the rows', async () => {
    // Reports stay cheap only if they do not read the payments again.
    await paid(at(0), at(1));
    await world.completeUntil(at(2));
    await world.summarize(DHAKA);
    await world.rows('update report_sums set paid = 41');
    expect(await paidPayments()).toBe('41');
  });

  test('have nothing to do when nothing has ended since, and write nothing then', async () => {
    // The sweeper passes every half minute, in installations without payments too.
    await paid(at(0), at(1));
    await world.completeUntil(at(2));
    await world.summarize(DHAKA);
    const progress = () => world.rows('select xmin::text, through::text from report_progress');
    const before = await progress();
    expect(await world.summarize(DHAKA)).toBe(0);
    expect(await progress()).toEqual(before);
  });

  test('take up ends of one microsecond together, even more than fit into a batch', async () => {
    // An import writes thousands of ends at once. A batch that ended among them would take none of them, for ever.
    for (let n = 0; n < 5; n += 1) {
      await paid(at(0), at(1));
    }
    await world.completeUntil(at(2));
    expect(await world.summarize(DHAKA, { batchMax: 2 })).toBe(2);
    expect(await summarized()).toBe('5');
    expect(await paidPayments()).toBe('5');
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('survive a process that dies after statement %i', async (nth) => {
    // Half a batch would be counted again by the next run, or never.
    await paid(at(0), at(1));
    await world.completeUntil(at(2));
    const died = world.summarize(DHAKA, { database: dyingAt(world.database, nth) });
    await died.catch(() => undefined);
    expect(await paidPayments()).toBe('1');
    await world.summarize(DHAKA);
    expect([await paidPayments(), await summarized()]).toEqual(['1', '1']);
  });

  test('of another time zone are not used, and are made again', async () => {
    // A day of Dhaka is not a day of Berlin.
    await paid(at(0), at(1));
    await world.completeUntil(at(2));
    await world.summarize(DHAKA);
    await world.rows('update report_sums set paid = 41');
    const berlin = calendarIn('Europe/Berlin');
    const ofBerlin = async () => (await world.report(berlin, OF_JUNE)).rows[0];
    expect(await ofBerlin()).toMatchObject({ paid: 1n, from: new Date('2026-05-31T22:00:00Z') });
    await world.summarize(berlin);
    expect(await ofBerlin()).toMatchObject({ paid: 1n });
    expect(await world.rows(`select starts_at::text from report_sums where span = 'day'`)).toEqual([
      { starts_at: '2026-05-31 22:00:00+00' },
    ]);
    expect(await paidPayments()).toBe('1');
  });

  test('that move on while a report reads are read again', async () => {
    // Between its statements another process may summarize what the report is about to count from the rows.
    await paid(at(0), at(1));
    await world.completeUntil(at(2));
    let reads = 0;
    // Outside the report's transaction, as another process.
    const summarize = AsyncResource.bind(() => world.summarize(DHAKA));
    const { rows } = await world.database.withOperator('every-app', (em) =>
      readReport(
        {
          async execute<Rows extends object[]>(text: string | CompiledText, values: readonly unknown[] = []) {
            const result = await em.execute<Rows>(text, [...values]);
            reads += 1;
            if (reads === 1) {
              await summarize();
            }
            return result;
          },
        },
        DHAKA,
        OF_JUNE,
      ),
    );
    expect(await summarized()).toBe('1');
    expect(reads).toBe(6);
    expect(rows.map(({ paid: count }) => count)).toEqual([1n]);
  });
});

describe('a report', () => {
  test.each(['Asia/Dhaka', 'Europe/Berlin', 'Asia/Kathmandu', 'America/Havana', 'Australia/Lord_Howe'])(
    'has the hours of each day in %s, and a summarized payment is in the hour in which it was paid',
    async (zone) => {
      // A change to summer or winter time makes days of 23, 25 or 23.5 hours.
      const calendar = calendarIn(zone);
      for (const date of ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01']) {
        const start = calendar.startOf(date).getTime();
        for (const minutes of [0, 30, 59, 90, 150, 210, 1_379]) {
          const moment = new Date(start + minutes * 60_000).toISOString();
          await paid(moment, moment);
        }
      }
      await world.completeUntil('2026-11-03T00:00:00Z');
      const request = { ...DAY, span: 'hour' as const };
      for (const from of ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01']) {
        const ofDay = { ...request, from, to: from };
        const live = (await world.report(calendar, ofDay)).rows;
        await world.summarize(calendar);
        expect((await world.report(calendar, ofDay)).rows).toEqual(live);
        expect(live.reduce((sum, row) => sum + row.paid, 0n)).toBe(7n);
        expect(live.map(({ from: start }) => start)).toEqual(
          live.map((_row, n) => (n === 0 ? live[0]?.from : live[n - 1]?.to)),
        );
      }
    },
    60_000,
  );

  test('completes each series with zeros', async () => {
    // A chart needs a point for every day.
    await paid(at(0), at(1));
    const { rows } = await world.report(DHAKA, { ...OF_JUNE, to: '2026-06-03', byGateway: true });
    expect(rows.map(({ date, gateway, paid: count }) => [date, gateway, count])).toEqual([
      ['2026-06-01', 'bkash', 1n],
      ['2026-06-02', 'bkash', 0n],
      ['2026-06-03', 'bkash', 0n],
    ]);
  });

  test('covers the last 31 days, up to today, unless asked', async () => {
    // The days are those of the business time zone, by the clock of the database.
    await paid(at(0), new Date().toISOString());
    const { from, to, rows } = await world.report(DHAKA, DAY);
    expect({ days: rows.length, first: rows[0]?.date, last: rows.at(-1)?.date }).toEqual({
      days: 31,
      first: from,
      last: to,
    });
    expect(rows.at(-1)?.paid).toBe(1n);
  });

  test('keeps amounts beyond 2^63', async () => {
    // A single payment may have 2^53 − 1 minor units, and a sum that overflows would stop all summaries.
    await paid(at(0), at(1));
    await world.rows('update payments set amount_minor = 9007199254740991, fee_minor = 9007199254740991');
    await world.rows(
      `insert into payments (application_id, mode, reference, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at, status,
         created_at, ended_at, paid_at, fee_minor)
       select application_id, mode, 'pay_' || n, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at, status, created_at,
         ended_at, paid_at, fee_minor from payments, generate_series(1, 1199) n`,
    );
    const grossMinor = 1_200n * 9_007_199_254_740_991n;
    expect((await world.report(DHAKA, OF_JUNE)).rows).toMatchObject([{ grossMinor }]);
    await world.completeUntil(at(2));
    await world.summarize(DHAKA);
    expect((await world.report(DHAKA, OF_JUNE)).rows).toMatchObject([{ grossMinor, feeMinor: grossMinor }]);
  });

  test.each([
    ['hour', '2026-01-01', '2026-02-01', 'a report by hour covers at most 31 days'],
    ['day', '2025-01-01', '2026-02-05', 'a report by day covers at most 400 days'],
    ['day', '2026-01-02', '2026-01-01', 'must not be before `from`'],
  ] as const)('by %s from %s to %s is refused', async (span, from, to, message) => {
    // The cost of a report is bounded by its window.
    const refused = new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { to: message } });
    await expect(world.report(DHAKA, { ...DAY, span, from, to })).rejects.toEqual(refused);
  });

  test.each([
    ['hour', '2026-01-01', '2026-01-31'],
    ['day', '2025-01-01', '2026-02-04'],
  ] as const)('by %s from %s to %s is the longest', async (span, from, to) => {
    // Both days are inclusive.
    expect((await world.report(DHAKA, { ...DAY, span, from, to })).rows).toEqual([]);
  });

  test('with too many rows is refused', async () => {
    // 50 applications by hour would make an answer of many megabytes.
    for (let n = 0; n < 14; n += 1) {
      applicationId = await world.application();
      await paid(at(0), at(1));
    }
    const wide = { ...DAY, span: 'hour' as const, from: '2026-05-20', to: '2026-06-19', byApplication: true };
    await expect(world.report(DHAKA, wide)).rejects.toMatchObject({
      fields: { to: 'the report would have more than 10000 rows: ask for fewer days, or for fewer groups' },
    });
    expect((await world.report(DHAKA, { ...wide, from: '2026-06-01' })).rows).toHaveLength(14 * 19 * 24);
  });
});
