import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let shop: Registration;
let payment: string;
const CONTACT = { name: 'Rahima Khatun', email: 'rahima@example.com', phone: '+8801711111111' };

beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  const { applicationId } = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'viewer@example.com', role: 'Viewer', applicationId: shop.applicationId });
  await world.addOperator({ email: 'elsewhere@example.com', role: 'Viewer', applicationId });
  payment = (await world.api.paidPayment(shop)).id;
  await world.api.sql(
    `update payments set customer_name = ?, customer_email = ?, customer_phone = ?, merchant_reference = 'A-17' where id = ?`,
    [CONTACT.name, CONTACT.email, CONTACT.phone, payment],
  );
});
afterAll(() => world.close());

async function read(as: string, path: string): Promise<Answer> {
  return world.send({ path, headers: bearer(await world.logIn(`${as}@example.com`)) });
}

const shown = (): Promise<object[]> =>
  world.api.sql(
    `select actor, action, target_id, application_id::text, details from audit_logs where action = 'payment.customer-shown' order by id`,
  );

test('the contact of a payment’s customer is in no other answer', async () => {
  // Whoever may look at payments all day has no reason to read the contact of each payer.
  for (const path of [`/admin/payments/${payment}`, '/admin/payments', `/admin/search?q=${CONTACT.email}`]) {
    const answer = await read('viewer', path);
    expect(answer.status).toBe(200);
    const text = JSON.stringify(answer.data);
    expect(Object.values(CONTACT).filter((secret) => text.includes(secret))).toEqual([]);
  }
});

test('the contact is shown to whoever may see the payment, and each time is written down', async () => {
  expect(await read('viewer', `/admin/payments/${payment}/customer`)).toMatchObject({ status: 200, data: CONTACT });
  await read('viewer', `/admin/payments/${payment}/customer`);
  const entry = {
    actor: 'viewer@example.com',
    action: 'payment.customer-shown',
    target_id: payment,
    application_id: String(shop.applicationId),
    // The log must not become the list of contacts.
    details: {},
  };
  expect(await shown()).toEqual([entry, entry]);
});

test('a payment of another application has no contact to show, and nothing is written down', async () => {
  const before = await shown();
  expect(await read('elsewhere', `/admin/payments/${payment}/customer`)).toMatchObject({ status: 404 });
  expect(await shown()).toEqual(before);
});

test('the database refuses an operator the columns, and the function what is outside their view', async () => {
  // A mistake in a statement must not show what the route alone may.
  await expect(
    world.database.withOperator('every-app', (em) => em.execute(`select customer_email from payments limit 1`)),
  ).rejects.toThrow(/permission denied/);
  const ask = (view: 'every-app' | bigint[]) =>
    world.database.withOperator(view, (em) =>
      em.execute(`select lenden_customer_contact(?::bigint) as contact`, [payment]),
    );
  expect(await ask('every-app')).toEqual([{ contact: CONTACT }]);
  expect(await ask([])).toEqual([{ contact: null }]);
});

test('a payment names its customer’s reference, the shop’s order and its lines of payouts', async () => {
  expect((await read('viewer', `/admin/payments/${payment}`)).data).toMatchObject({
    customerReference: expect.any(String),
    merchantReference: 'A-17',
    invoice: null,
    payoutLines: [],
  });
});
