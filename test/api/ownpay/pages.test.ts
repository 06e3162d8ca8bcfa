import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { httpCall, type HttpAnswer } from '../http-call.ts';
import { ownpayCall } from './ownpay-client.ts';
import { INTENT, openOwnpayWorld, type OwnpayShop, type OwnpayWorld } from './ownpay-world.ts';

let world: OwnpayWorld;
let shop: OwnpayShop;
let pages: string;

beforeAll(async () => {
  world = await openOwnpayWorld();
  shop = await world.shop();
  pages = await world.listen({ pages: true });
});
afterAll(() => world.close());

async function created(): Promise<string> {
  const answer = await ownpayCall({
    origin: world.origin,
    method: 'POST',
    path: '/payment-intents',
    key: shop.key,
    body: INTENT,
  });
  return String(answer.json['transaction_id']);
}

const open = (id: string): Promise<HttpAnswer> => httpCall({ origin: pages, path: `/checkout/${id}` });
const set = (id: string, change: string) => world.sql(`update payments set ${change} where reference = ?`, [id]);

test('the outcome is shown for a moment, then the browser goes back with what the shop may know', async () => {
  // As documented, customers are redirected. They can read the outcome and need not press anything.
  const id = await created();
  expect((await open(id)).headers['refresh']).toBeUndefined();
  await set(id, `status = 'FAILED', ended_at = now()`);
  const page = await open(id);
  const back = `${INTENT.cancel_url}?payment_id=${id}&status=failed`;
  expect([page.status, page.headers['refresh']]).toEqual([200, `5; url=${back}`]);
  expect(page.text).toContain(back.replaceAll('&', '&#38;'));
  // A customer who opens the page later wants to read it.
  await set(id, `ended_at = now() - interval '1 hour'`);
  expect((await open(id)).headers['refresh']).toBeUndefined();
});

test('the page of a native payment stays', async () => {
  // The native contract promises a link, not a redirect.
  const id = await created();
  await set(id, `status = 'FAILED', ended_at = now(), contract = 'native'`);
  const page = await open(id);
  expect([page.headers['refresh'], page.text.includes(INTENT.return_url)]).toEqual([undefined, true]);
});
