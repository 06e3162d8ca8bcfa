import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { call } from '../contract-client.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let shop: Registration;
let other: Registration;
let token: string;
beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  other = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'scoped@example.com', role: 'Admin', applicationId: shop.applicationId });
  token = await world.logIn('scoped@example.com');
});
afterAll(() => world.close());

const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
  world.send({ method, path, headers: bearer(token), ...(body === undefined ? {} : { body }) });
const move = (id: unknown, forward: unknown = 3_600) =>
  send('POST', '/admin/test-clock', { object: 'payment', id, forward });
const audited = () =>
  world.api.sql<{ actor: string; target_id: string; details: unknown }>(
    `select actor, target_id, details from audit_logs where action = 'test-clock.moved' order by id`,
  );

describe('an operator', () => {
  test('moves the clock of a payment in their view, which is noted, and sees it on its page', async () => {
    // A colleague has to see why a payment expired at noon that was made at noon.
    const { id } = await world.api.paidPayment(shop);
    expect(await move(Number(id))).toMatchObject({ status: 200, data: { movedSeconds: 3_600, aheadSeconds: 3_600 } });
    expect(await audited()).toMatchObject([
      { actor: 'scoped@example.com', target_id: String(id), details: { after: { forward: 3_600 } } },
    ]);
    expect(await send('GET', `/admin/payments/${id}`)).toMatchObject({ data: { clockAheadSeconds: 3_600 } });
  });

  test('moves nothing beyond their view', async () => {
    // Another application's payment looks as if it did not exist.
    const { id } = await world.api.paidPayment(other);
    const before = (await audited()).length;
    expect(await move(Number(id))).toMatchObject({ status: 404 });
    expect(await audited()).toHaveLength(before);
  });

  test('moves nothing in LIVE', async () => {
    // Not even an operator changes the time of real money.
    const { data } = await call({
      origin: world.origin,
      method: 'POST',
      path: '/payments',
      credentials: shop.live,
      body: { amountMinor: 10_000, customerReference: 'c' },
    });
    expect(await move(data['id'])).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
  });

  test('learns where the server cannot skip time before they press a button, and again when they do', async () => {
    // A button that does nothing would be pressed again and again.
    const { id } = await world.api.paidPayment(shop);
    expect(await send('GET', '/admin/test-clock')).toMatchObject({ data: { skipsTime: true } });
    world.api.dispatch.canSkipTime = false;
    expect(await send('GET', '/admin/test-clock')).toMatchObject({ data: { skipsTime: false } });
    expect(await move(Number(id))).toMatchObject({ status: 501, code: 'NOT_SUPPORTED' });
    world.api.dispatch.canSkipTime = true;
    expect(await send('GET', `/admin/payments/${id}`)).toMatchObject({ data: { clockAheadSeconds: 0 } });
  });
});
