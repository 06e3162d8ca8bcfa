import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { summarizeEnded } from '../../../core/reports/sweep.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let shop: Registration;
let other: Registration;
const tokens: Record<string, string> = {};
const calendar = calendarIn(BUSINESS_TIME_ZONE);
/** Noon of the business time zone. */
const AT = '2026-06-15T06:00:00Z';

beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  other = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'scoped@example.com', role: 'Admin', applicationId: shop.applicationId });
  await world.addOperator({ email: 'viewer@example.com', role: 'Viewer' });
  for (const name of ['owner', 'scoped', 'viewer']) {
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
  const { id } = await world.api.paidPayment(shop);
  await world.api.paidPayment(shop);
  await world.api.paidPayment(other);
  await world.api.sql(
    `update payments set created_at = ?::timestamptz, paid_at = ?::timestamptz + interval '61.5 seconds', ended_at = ?::timestamptz + interval '61.5 seconds'`,
    [AT, AT, AT],
  );
  await world.api.sql(
    `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id,
       created_by_type, ended_at, succeeded_at)
     values (?, 'TEST', ?, 'ref_' || repeat('a', 22), 'SUCCEEDED', 2500, 'BDT', 'sslcommerz', 's', 't', 'APP', ?, ?)`,
    [shop.applicationId, id, AT, AT],
  );
  await world.api.sql(
    `insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at,
       created_at, ended_at)
     values (?, 'TEST', 'pay_declined', 'FAILED', 999, 'BDT', 'c', 'bkash', now(), now(), ?, ?)`,
    [shop.applicationId, AT, AT],
  );
});
afterAll(() => world.close());

const PATH = '/admin/reports/payments';
const JUNE = 'from=2026-06-15&to=2026-06-15&mode=TEST';
const get = (query: string, as = 'owner', path = PATH): Promise<Answer> =>
  world.send({ method: 'GET', path: `${path}?${query}`, headers: bearer(tokens[as] ?? '') });
const Rows = z.object({ rows: z.array(z.record(z.string(), z.unknown())) });
const rowsOf = (answer: Answer): Record<string, unknown>[] => Rows.parse(answer.data).rows;

const OF_SHOP = {
  date: '2026-06-15',
  from: '2026-06-14T18:00:00.000Z',
  to: '2026-06-15T18:00:00.000Z',
  currency: 'BDT',
  applicationId: null,
  gateway: null,
  created: 3,
  open: 0,
  succeeded: 2,
  failed: 1,
  cancelled: 0,
  expired: 0,
  successRate: '0.6667',
  paid: 2,
  grossMinor: '20000',
  feeMinor: '500',
  refunds: 1,
  refundedMinor: '2500',
  netMinor: '17000',
  // 61.5 seconds, rounded up to a step.
  timeToPaySeconds: { p50: 75, p95: 75 },
};

describe.each(['before', 'after'])('%s the summaries are made', (when) => {
  beforeAll(async () => {
    if (when === 'after') {
      // What ended long ago is complete once the running transactions were listed and have ended.
      for (let pass = 0; pass < 50; pass += 1) {
        await summarizeEnded({ database: world.database, calendar });
        await world.api.sql(`update report_progress set fence_at = fence_at + interval '2 minutes'`);
      }
      const [row] = await world.api.sql<{ sums: number }>('select count(*)::integer as sums from report_sums');
      expect(row?.sums).toBeGreaterThan(0);
    }
  });

  test('operators see the figures of the applications of their grants alone', async () => {
    // An application's turnover is nobody else's business.
    expect(rowsOf(await get(JUNE, 'scoped'))).toEqual([OF_SHOP]);
    expect(rowsOf(await get(JUNE))).toMatchObject([
      { created: 4, paid: 3, grossMinor: '30000', successRate: '0.7500' },
    ]);
    expect(rowsOf(await get(`${JUNE}&applicationId=${other.applicationId}`, 'scoped'))).toEqual([]);
    expect(rowsOf(await get(`${JUNE}&group=application`, 'scoped'))).toMatchObject([
      { applicationId: Number(shop.applicationId), paid: 2 },
    ]);
  });

  test('LIVE and TEST are never added up, and LIVE is meant unless asked', async () => {
    // Test payments in a turnover would be believed.
    expect((await get('from=2026-06-15&to=2026-06-15')).data).toEqual({
      mode: 'LIVE',
      by: 'day',
      timeZone: 'Asia/Dhaka',
      from: '2026-06-15',
      to: '2026-06-15',
      rows: [],
    });
  });

  test('rows are by hour, application and gateway where asked', async () => {
    // The dashboard adds no series of its own.
    const rows = rowsOf(await get(`${JUNE}&by=hour&group=gateway,application&applicationId=${shop.applicationId}`));
    expect(rows).toHaveLength(2 * 24);
    const filled = rows.filter(({ created }) => created !== 0);
    expect(
      filled.map(({ from, gateway, paid, failed, successRate }) => [from, gateway, paid, failed, successRate]),
    ).toEqual([
      ['2026-06-15T06:00:00.000Z', 'bkash', 0, 1, '0.0000'],
      ['2026-06-15T06:00:00.000Z', 'sslcommerz', 2, 0, '1.0000'],
    ]);
    expect(rowsOf(await get(`${JUNE}&gateway=bkash&currency=BDT`))).toMatchObject([{ created: 1, grossMinor: '0' }]);
    expect(rowsOf(await get(`${JUNE}&currency=USD`))).toEqual([]);
  });

  test('the sums of a window are those of the summary', async () => {
    // Two totals that differ would both be doubted.
    const query = `mode=TEST&applicationId=${shop.applicationId}&from=2026-06-14T18:00:00Z&to=2026-06-15T17:59:59.999Z`;
    const { data } = await get(query, 'owner', '/admin/reports/summary');
    expect(data).toMatchObject({
      currencies: [
        {
          payments: { SUCCEEDED: 2, FAILED: 1 },
          grossMinor: 20_000,
          feeMinor: 500,
          refundedMinor: 2_500,
          netMinor: 17_000,
        },
      ],
    });
  });

  test('the export has the same rows, with decimal amounts', async () => {
    // Accountants open it in a spreadsheet, where a negative amount must be a number.
    const answer = await fetch(`${world.origin}/api/v1${PATH}/export?${JUNE}&applicationId=${shop.applicationId}`, {
      headers: bearer(tokens['viewer'] ?? ''),
    });
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-disposition')]).toEqual([
      200,
      'text/csv; charset=utf-8',
      'attachment; filename="payment-report.csv"',
    ]);
    expect(await answer.text()).toBe(
      'date,from,to,currency,applicationId,gateway,created,open,succeeded,failed,cancelled,expired,successRate,paid,gross,fee,refunds,refunded,net,secondsToPayP50,secondsToPayP95\r\n' +
        '2026-06-15,2026-06-14T18:00:00.000Z,2026-06-15T18:00:00.000Z,BDT,,,3,0,2,1,0,0,0.6667,2,200.00,5.00,1,25.00,170.00,75,75\r\n',
    );
  });
});

test.each([
  ['from=2026-06-15&to=2026-06-14', { to: 'must not be before `from`' }],
  ['from=2026-06-01&to=2026-07-02&by=hour', { to: 'a report by hour covers at most 31 days' }],
  ['from=2025-01-01&to=2026-12-31', { to: 'a report by day covers at most 400 days' }],
  ['from=2026-02-30', { from: 'must be a date up to 2999-12-31, such as 2026-07-01' }],
  ['to=9999-12-31', { to: 'must be a date up to 2999-12-31, such as 2026-07-01' }],
  ['by=week', { by: 'must be hour or day' }],
  ['group=currency', { group: 'must be application, gateway, or both with a comma in between' }],
  ['currency=bdt', { currency: 'must be a currency code, such as BDT' }],
])('%s is refused with its reason', async (query, fields) => {
  // A filter that is misread would return figures of something else.
  expect(await get(query)).toMatchObject({ status: 400, code: 'VALIDATION_ERROR', data: fields });
});
