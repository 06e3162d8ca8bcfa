import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CredentialPair, Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, type Answer } from './contract-client.ts';

let world: ApiWorld;
let origin: string;
let shop: Registration;
let payment: Answer;
beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
  shop = await world.register();
  payment = await call({
    origin,
    method: 'POST',
    path: '/payments',
    credentials: shop.test,
    body: { amountMinor: 10_000, customerReference: 'c' },
  });
});
afterAll(() => world.close());

const move = (body: unknown, credentials: CredentialPair = shop.test): Promise<Answer> =>
  call({ origin, method: 'POST', path: '/test-clock', credentials, body });
const ofPayment = (forward: unknown) => ({ object: 'payment', id: payment.data['id'], forward });

describe('the test clock', () => {
  test('moves a payment, and says how far', async () => {
    // An integrator sees by the answer that something happened, and what time it is there.
    const answer = await move(ofPayment(3_600));
    expect(answer).toMatchObject({
      status: 200,
      data: { movedSeconds: 3_600, aheadSeconds: 3_600, workflowsBehind: 0 },
    });
    expect(Math.abs(Date.parse(String(answer.data['time'])) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    const { reference } = payment.data;
    expect(world.dispatch.skipped).toContain(`payment:${String(reference)} by 3600 s`);
  });

  test('refuses a LIVE key', async () => {
    // Time passes for real money as it passes.
    expect(await move(ofPayment(3_600), shop.live)).toMatchObject({
      status: 409,
      meta: {
        errorCode: 'INVALID_OPERATION_STATE',
        message: 'only TEST objects have a clock that moves; this is LIVE',
      },
    });
  });

  test('says where the server cannot skip time, and moves nothing', async () => {
    // Otherwise an integrator waits for an expiry that does not come.
    const before = await world.sql('select clock_offset from payments');
    world.dispatch.canSkipTime = false;
    const answer = await move(ofPayment(3_600));
    world.dispatch.canSkipTime = true;
    expect(answer).toMatchObject({
      status: 501,
      meta: {
        errorCode: 'NOT_SUPPORTED',
        message: 'the Temporal server of this installation cannot skip time',
      },
    });
    expect(await world.sql('select clock_offset from payments')).toEqual(before);
  });

  test.each([
    ['a payment', { object: 'payment', id: 999_999 }],
    ['an invoice', { object: 'invoice', id: 999_999 }],
    ['a refund', { object: 'refund', id: 999_999 }],
    ['a delivery', { object: 'delivery', id: 'evt_nobody' }],
  ])('does not know %s that does not exist', async (_name, object) => {
    // The answer for another application's object is the same.
    expect(await move({ ...object, forward: 1 })).toMatchObject({ status: 404 });
  });

  test.each([
    ['backwards', -1],
    ['not at all', 0],
    ['by a part of a second', 1.5],
    ['by more than a year', 366 * 86_400 + 1],
    ['by a huge number', 2 ** 53 - 1],
    ['by a number as text', '3600'],
    ['to an unknown target', 'yesterday'],
    ['to NUL', 'expiry\0'],
    ['to nothing', null],
    ['to a list', ['expiry']],
  ])('does not go %s', async (_name, forward) => {
    // Nothing that is not understood may move a clock that never goes back.
    const answer = await move(ofPayment(forward));
    expect(answer).toMatchObject({ status: 400, meta: { errorCode: 'VALIDATION_ERROR' } });
  });

  test.each([
    ['a number for an event', { object: 'delivery', id: 7 }],
    ['text for a payment', { object: 'payment', id: 'pay_3f9KZtQ0aXw7LrVb2mNs8D' }],
    ['NUL', { object: 'delivery', id: 'evt_\0' }],
    ['a negative number', { object: 'payment', id: -1 }],
    ['a number that no database holds', { object: 'payment', id: 1e300 }],
    ['a very long text', { object: 'delivery', id: 'e'.repeat(65) }],
    ['no id', { object: 'payment' }],
    ['an unknown object', { object: 'application', id: 1 }],
  ])('does not take %s for an object', async (_name, object) => {
    // A bad id never causes a server error.
    const answer = await move({ ...object, forward: 1 });
    expect(answer).toMatchObject({ status: 400, meta: { errorCode: 'VALIDATION_ERROR' } });
  });

  test('ignores members that it does not know', async () => {
    // As every operation of the contract does.
    expect((await move({ ...ofPayment(1), mode: 'LIVE', clockOffset: -5 })).data).toMatchObject({ movedSeconds: 1 });
  });
});
