import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../core/applications/store/applications.ts';
import { withProcessClock } from '../support/process-clock.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call } from './contract-client.ts';

const HOUR_MS = 3_600_000;
const OFF_BY = [-HOUR_MS, HOUR_MS] as const;

let world: ApiWorld;
let shop: Registration;
let origin: string;
let pages: string;
beforeAll(async () => {
  world = await openApiWorld();
  shop = await world.register({ name: 'Shop' });
  origin = await world.listen();
  pages = await world.listen({ pages: true });
});
afterAll(() => world.close());

const create = async (path: string, body: object): Promise<Record<string, unknown>> =>
  (await call({ origin, method: 'POST', path, credentials: shop.test, body })).data;
const payment = (): Promise<Record<string, unknown>> =>
  create('/payments', { amountMinor: 10_000, customerReference: 'cust_1' });

/** Returns how many minutes a payment has left by the database's clock, the only one that counts. */
async function minutesLeft(reference: unknown): Promise<number> {
  const [row] = await world.sql<{ minutes: number }>(
    `select extract(epoch from expires_at - now())::float8 / 60 as minutes from payments where reference = ?`,
    [reference],
  );
  return row?.minutes ?? Number.NaN;
}

describe.each(OFF_BY)('with the clock of the api process %d ms off', (offByMs) => {
  test('a payment has its half hour', async () => {
    // Otherwise a payer would get four seconds or an hour and a half instead of the time that the application has set.
    const { reference } = await withProcessClock(offByMs, payment);
    const minutes = await minutesLeft(reference);
    expect(minutes).toBeGreaterThan(28);
    expect(minutes).toBeLessThanOrEqual(30);
  });

  test('its page offers to pay as long as the database says, and no longer', async () => {
    // Otherwise a payer would be turned away too early, or sent to a gateway after the expiry.
    const { reference } = await payment();
    const shown = (): Promise<string> =>
      withProcessClock(offByMs, async () => (await fetch(`${pages}/checkout/${String(reference)}`)).text());
    expect(await shown()).toContain(`/checkout/${String(reference)}/cancel`);
    await world.sql(`update payments set expires_at = now() - interval '1 second' where reference = ?`, [reference]);
    expect(await shown()).not.toContain(`/checkout/${String(reference)}/cancel`);
  });

  test('an invoice is overdue on the day on which it is', async () => {
    // Otherwise a shop and its customer could see different statuses, depending on the machine that answers.
    const [row] = await world.sql<{ yesterday: string }>(
      `select to_char((now() at time zone 'Asia/Dhaka') - interval '1 day', 'YYYY-MM-DD') as yesterday`,
    );
    const body = {
      customerReference: 'cust_1',
      dueDate: row?.yesterday,
      lineItems: [{ description: 'Book', qty: 1, unitAmountMinor: 10_000 }],
    };
    const invoice = await withProcessClock(offByMs * 48, () => create('/invoices', body));
    expect(invoice).toMatchObject({ status: 'OVERDUE' });
    const [issued] = await world.sql<{ seconds: number }>(
      'select extract(epoch from now() - issued_at)::float8 as seconds from invoices where id = ?',
      [invoice['id']],
    );
    expect(Math.abs(issued?.seconds ?? Number.NaN)).toBeLessThan(120);
  });
});
