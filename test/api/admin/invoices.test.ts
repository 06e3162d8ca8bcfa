import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { call } from '../contract-client.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

const Listed = z.array(z.looseObject({ id: z.int(), status: z.string(), number: z.string().nullable() }));

let world: OperatorWorld;
let shop: Registration;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  const other = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'root@example.com' });
  const people = {
    support: { role: 'Support' },
    own: { role: 'Support', applicationId: shop.applicationId },
    foreign: { role: 'Support', applicationId: other.applicationId },
  };
  for (const [name, sketch] of Object.entries(people)) {
    await world.addOperator({ email: `${name}@example.com`, ...sketch });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());

const get = (who: string, path: string): Promise<Answer> => world.send({ path, headers: bearer(tokens[who] ?? '') });

async function invoice(body: object): Promise<number> {
  const { data } = await call({
    origin: await world.api.listen(),
    method: 'POST',
    path: '/invoices',
    headers: { 'X-Api-Key': shop.test.apiKey, 'X-Api-Secret': shop.test.apiSecret },
    body: {
      customerReference: 'cust_9',
      customerEmail: 'jane@example.com',
      customerName: 'Jane',
      lineItems: [{ description: 'Plan', qty: 1, unitAmountMinor: 10_000 }],
      ...body,
    },
  });
  return z.object({ id: z.int() }).parse(data).id;
}

test('invoices are listed by status, customer and mode, those past due as overdue only', async () => {
  const draft = await invoice({ issue: false });
  const issued = await invoice({ issue: true, dueDate: '2999-01-01' });
  const overdue = await invoice({ issue: true, dueDate: '2999-01-01' });
  await world.api.sql(
    `update invoices set due_date = '2020-01-01', next_due_date = '2020-01-01' where id = ?::bigint`,
    [overdue],
  );
  const listed = async (query: string): Promise<number[]> =>
    Listed.parse((await get('support', `/admin/invoices?${query}`)).data).map(({ id }) => id);
  expect(await listed('mode=TEST')).toEqual([overdue, issued, draft]);
  expect(await listed('status=ISSUED')).toEqual([issued]);
  expect(await listed('status=OVERDUE')).toEqual([overdue]);
  expect(await listed('status=DRAFT&customerReference=cust_9')).toEqual([draft]);
  expect(await listed('customerReference=cust_8')).toEqual([]);
  expect(await listed('mode=LIVE')).toEqual([]);
  expect(await get('support', '/admin/invoices?status=LATE')).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
});

test('an invoice is shown without its customer’s contact, with the way to its PDF', async () => {
  // Contact data is nobody's who only has to find an invoice.
  const id = await invoice({ issue: true });
  const { data } = await get('own', `/admin/invoices/${id}`);
  expect(data).toMatchObject({
    applicationId: Number(shop.applicationId),
    applicationName: 'Shop',
    pdfUrl: expect.stringMatching(/\/pay\/\w+\/pdf$/),
    invoice: { id, status: 'ISSUED', totalMinor: 10_000, lineItems: [{ description: 'Plan' }] },
  });
  expect(JSON.stringify(data)).not.toMatch(/jane/i);
});

test('an operator of another application sees none of them', async () => {
  const id = await invoice({ issue: true });
  expect((await get('foreign', '/admin/invoices')).data).toEqual([]);
  expect(await get('foreign', `/admin/invoices/${id}`)).toMatchObject({ status: 404, code: 'RESOURCE_NOT_FOUND' });
});
