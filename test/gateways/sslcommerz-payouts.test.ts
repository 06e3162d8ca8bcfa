import { describe, expect, test } from '@jest/globals';
import { createSslcommerzGateway, SSLCOMMERZ_CAPABILITIES } from '../../gateways/sslcommerz/gateway.ts';
import { GatewayFailure, type PayoutPage } from '../../gateways/port.ts';
import type { HttpClient, HttpRequest } from '../../runtime/http-client.ts';

/* Answers that no simulator gives. */

interface Answer {
  readonly status?: number;
  readonly body: unknown;
}

const record = (changes: object = {}) => ({
  transactionID: 'AbCdEfGhIjKlMnOpQrSt',
  sett_date: '2026-11-24',
  tran_date: '2026-11-22 10:15:00',
  cr_amount: '97.50',
  ...changes,
});
const page = (sett: readonly unknown[], changes: object = {}): Answer => ({
  body: { no_of_trans: sett.length, total_pages: 1, time_zone: 'Asia/Dhaka', sett, ...changes },
});

/** Returns the adapter with a gateway that gives these answers in turn, and what it was asked. */
function scripted(...answers: Answer[]) {
  const asked: HttpRequest[] = [];
  const send: HttpClient['send'] = (request) => {
    asked.push(request);
    const { status = 200, body } = answers[asked.length - 1] ?? { body: '' };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return Promise.resolve({ status, headers: {}, body: Buffer.from(text), truncated: false });
  };
  const gateway = createSslcommerzGateway({
    baseUrl: 'https://sandbox.sslcommerz.com',
    storeId: 'store',
    storePassword: 'secret',
    http: { send, close: () => Promise.resolve() },
  });
  const read = (after: string | null = null): Promise<PayoutPage> =>
    gateway.readPayouts?.({ from: '2026-11-20', to: '2026-11-24', after }) ?? Promise.reject(new Error('reads none'));
  return { asked, read };
}

test('reading stays off until an operator switches it on', () => {
  // SSLCOMMERZ does not document the call.
  expect(SSLCOMMERZ_CAPABILITIES.payouts).toBe('unconfirmed-api');
});

describe('a settlement record', () => {
  test('is what was credited, at the hour of its zone, for our attempt', async () => {
    const { read, asked } = scripted(page([record()]));
    expect(await read()).toEqual({
      payouts: [],
      lines: [
        {
          kind: 'CHARGE',
          payoutReference: null,
          lineReference: null,
          gatewayTxnId: null,
          attemptReference: 'AbCdEfGhIjKlMnOpQrSt',
          currency: 'BDT',
          grossMinor: 9_750n,
          feeMinor: 0n,
          taxMinor: 0n,
          netMinor: 9_750n,
          originalCurrency: null,
          exchangeRate: null,
          occurredAt: new Date('2026-11-22T04:15:00Z'),
          paidOutOn: '2026-11-24',
          description: null,
        },
      ],
      rejected: [],
      next: null,
    });
    expect(
      asked.map(({ method, url, body }) => [method, url, Object.fromEntries(new URLSearchParams(String(body)))]),
    ).toEqual([
      [
        'POST',
        'https://sandbox.sslcommerz.com/validator/api/v4/',
        {
          store_id: 'store',
          store_passwd: 'secret',
          action: 'settlementRecord',
          start_date: '2026-11-20',
          end_date: '2026-11-24',
          page: '1',
          limit: '100',
        },
      ],
    ]);
  });

  test.each([
    ['Asia/Kolkata', '2026-11-22T04:45:00.000Z'],
    ['UTC', '2026-11-22T10:15:00.000Z'],
    ['', '2026-11-22T04:15:00.000Z'],
  ])('in the zone %p is of %s', async (timeZone, at) => {
    const { lines } = await scripted(page([record()], { time_zone: timeZone })).read();
    expect(lines[0]?.occurredAt?.toISOString()).toBe(at);
  });

  test.each<[unknown, bigint]>([
    ['1,00,000.00', 10_000_000n],
    [97.5, 9_750n],
    ['-20.00', -2_000n],
    [0, 0n],
  ])('of %p is %p', async (amount, minor) => {
    // A number of JSON is read by its digits.
    const { lines } = await scripted(page([record({ cr_amount: amount })])).read();
    expect(lines).toMatchObject([{ netMinor: minor, grossMinor: minor }]);
  });

  test.each<[string, object, string]>([
    ['no amount', { cr_amount: null }, 'MISSING_COLUMN'],
    ['an amount in words', { cr_amount: 'ninety' }, 'BAD_AMOUNT'],
    ['an amount with three decimals', { cr_amount: '97.505' }, 'BAD_AMOUNT'],
    ['an amount beyond any number', { cr_amount: 1e21 }, 'BAD_AMOUNT'],
    ['no date', { tran_date: 'yesterday' }, 'BAD_DATE'],
    ['a day that does not exist', { sett_date: '2026-02-30' }, 'BAD_DATE'],
    ['an id that became a number', { transactionID: 123_456_789_012_345_680_000 }, 'MANGLED_ID'],
    ['an object for an id', { transactionID: {} }, 'MISSING_COLUMN'],
  ])('with %s is rejected, and the others are read', async (_name, changes, code) => {
    // A record that nobody understands must not disappear, nor stop the rest.
    const { lines, rejected } = await scripted(page([record(changes), record()])).read();
    expect(rejected).toMatchObject([{ rejection: { code } }]);
    expect(lines).toHaveLength(1);
  });
});

describe('pages', () => {
  const full = Array.from({ length: 100 }, () => record());

  test.each([
    ['of all pages', 150],
    ['of the page', null],
  ])('are read to the last, whether the count is %s', async (_name, count) => {
    // No page says which it is.
    const counted = count === null ? {} : { no_of_trans: count };
    const { read, asked } = scripted(
      page(full, { total_pages: '2', ...counted }),
      page(full.slice(0, 50), { total_pages: '2', ...counted }),
    );
    const first = await read();
    expect(first.lines).toHaveLength(100);
    const second = await read(first.next);
    expect([second.lines.length, second.next]).toEqual([50, null]);
    expect(asked.map(({ body }) => new URLSearchParams(String(body)).get('page'))).toEqual(['1', '2']);
  });

  test('of nothing are none', async () => {
    expect(await scripted(page([], { total_pages: 0 })).read()).toMatchObject({ lines: [], next: null });
    expect(await scripted({ body: { no_of_trans: '0', total_pages: '0' } }).read()).toMatchObject({ next: null });
  });

  test('that change while they are read are a failure', async () => {
    // Records would have moved to a page that was read already.
    const { read } = scripted(page(full, { total_pages: 2 }), page(full, { total_pages: 3 }));
    await expect(read((await read()).next)).rejects.toMatchObject({ kind: 'ambiguous' });
  });
});

test.each<[string, Answer, string]>([
  ['of HTML', { body: '<html></html>' }, 'ambiguous'],
  ['of an error', { body: '', status: 500 }, 'ambiguous'],
  ['of nothing', { body: '' }, 'ambiguous'],
  ['of half a JSON', { body: '{"no_of_trans":1,"sett":[{' }, 'ambiguous'],
  ['without totals', { body: { sett: [] } }, 'ambiguous'],
  ['with a total in words', page([record()], { no_of_trans: 'one' }), 'ambiguous'],
  ['that counts more than it lists', page([record()], { no_of_trans: 2 }), 'ambiguous'],
  ['that counts and lists nothing', { body: { no_of_trans: 3, total_pages: 1 } }, 'ambiguous'],
  ['with an empty page before the last', page([], { total_pages: 2 }), 'ambiguous'],
  ['of more records than were asked for', page(Array.from({ length: 101 }, () => record())), 'ambiguous'],
  ['whose records are no objects', page(['x']), 'ambiguous'],
  ['in a zone that nobody knows', page([record()], { time_zone: 'Dhaka time' }), 'ambiguous'],
  ['to a wrong password', { body: { APIConnect: 'FAILED' } }, 'unauthorized'],
  ['of an inactive store', { body: { APIConnect: 'INACTIVE' } }, 'unauthorized'],
  ['to too many requests', { body: '', status: 429 }, 'rate-limited'],
])('an answer %s is a failure', async (_name, answer, kind) => {
  // A page that is only half read must not look like a day without settlement.
  const failure: unknown = await scripted(answer)
    .read()
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(GatewayFailure);
  expect(failure).toMatchObject({ kind });
});

test.each(['{}', '{"page":1,"pages":2,"read":1}', 'x'])(
  'a place to go on that is none is refused: %p',
  async (after) => {
    const { read, asked } = scripted(page([record()]));
    await expect(read(after)).rejects.toMatchObject({ kind: 'invalid' });
    expect(asked).toEqual([]);
  },
);
