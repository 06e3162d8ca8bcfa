import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPaymentWorld, type Form, type PaymentWorld, type Row } from '../../core/payments/payment-world.ts';
import { until } from '../../support/until.ts';

let world: PaymentWorld;
beforeAll(async () => {
  world = await createPaymentWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  for (const key of Object.keys(world.temporal)) {
    Reflect.deleteProperty(world.temporal, key);
  }
  for (const list of Object.values(world.sent)) {
    list.length = 0;
  }
});

/** Returns a well-formed, signed IPN. The gateway has no charge for it. */
function notice(attempt: Row, changes: Form = {}): Form {
  return world.signed({
    tran_id: String(attempt['reference']),
    val_id: 'claimed1',
    bank_tran_id: 'bank1',
    amount: '100.00',
    currency: 'BDT',
    currency_type: 'BDT',
    currency_amount: '100.00',
    status: 'VALID',
    store_id: 'lenden_test',
    ...changes,
  });
}

const unmatched = (like: string): Promise<Row[]> =>
  world.rows('select * from gateway_callbacks where payment_id is null and raw_payload like ?', [`%${like}%`]);

describe('a notification', () => {
  test('is stored word for word before it is answered, then signalled by its id', async () => {
    // An acknowledged callback must not be lost.
    const { input, attempt } = await world.opened();
    const body = new URLSearchParams(notice(attempt)).toString();
    const answer = await world.post('ipn', body);
    expect([answer.status, await answer.text()]).toEqual([200, 'OK']);
    const [callback, ...more] = await world.callbacksOf(input);
    expect(more).toEqual([]);
    expect(callback).toMatchObject({
      raw_payload: body,
      signature_valid: true,
      outcome: 'RECEIVED',
      kind: 'ipn',
      repeats: 0,
    });
    expect(world.sent.callbacks).toEqual([
      { reference: input.reference, callbackId: BigInt(String(callback?.['id'])) },
    ]);
  });

  test.each([
    ['CANCELLED', true],
    ['FAILED', true],
    ['VALID', false],
  ])('that claims %s is kept with what it claims of money', async (status, claimsNoMoney) => {
    // A payer who cancelled must not read that Lenden is looking for their money.
    const { input, attempt } = await world.opened();
    await world.post('ipn', notice(attempt, { status }));
    expect(await world.callbacksOf(input)).toMatchObject([{ claims_no_money: claimsNoMoney }]);
  });

  test('is not acknowledged when it cannot be stored', async () => {
    // The gateway sends an IPN again only if it gets an error.
    const { input, attempt } = await world.opened();
    const { database } = world;
    const { withScope } = database;
    Reflect.set(database, 'withScope', () => Promise.reject(new Error('the connection is lost')));
    const answer = await world.post('ipn', notice(attempt));
    Reflect.set(database, 'withScope', withScope);
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(await world.callbacksOf(input)).toEqual([]);
  });

  test('is acknowledged although Temporal is away; the sweeper finds it', async () => {
    // Storing the callback is enough. The signal only makes the query happen sooner.
    const { input, attempt } = await world.opened();
    world.temporal.signalCallback = () => Promise.reject(new Error('Temporal is away'));
    expect((await world.post('ipn', notice(attempt))).status).toBe(200);
    expect(await world.callbacksOf(input)).toMatchObject([{ consumed_at: null }]);
  });

  test('that is repeated raises a counter and makes no second signal', async () => {
    // Gateways send the same IPN several times.
    const { input, attempt } = await world.opened();
    const body = notice(attempt);
    await Promise.all(Array.from({ length: 10 }, () => world.post('ipn', body)));
    expect(await world.callbacksOf(input)).toMatchObject([{ repeats: 9 }]);
    expect(world.sent.callbacks).toHaveLength(1);
  });

  test('starts the workflow of a payment that has none', async () => {
    // The IPN may arrive before the creator has started the workflow, or the workflow may have been terminated.
    const { input, attempt } = await world.opened();
    world.temporal.signalCallback = () => Promise.resolve(false);
    await world.post('ipn', notice(attempt));
    expect(world.sent.payments).toEqual([input.reference]);
  });

  test('that comes before the session was answered is matched by its reference', async () => {
    // Hostile case 43: the attempt's row is stored before the gateway learns of the attempt.
    const input = await world.payment({ amountMinor: 131_341n });
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'unavailable' });
    const attempt = await world.attemptRow(input);
    expect((await world.post('ipn', notice(attempt))).status).toBe(200);
    expect(world.sent.callbacks).toMatchObject([{ reference: input.reference }]);
  });

  test('without a valid signature is kept, and makes one signal a minute at most', async () => {
    // A wrong signature may be a mistake of the gateway, so it still causes a query, but rarely.
    const { input, attempt } = await world.opened();
    const forged = notice(attempt, { amount: '100.00' });
    for (let n = 0; n < 5; n += 1) {
      await world.post('ipn', { ...forged, amount: `${n}.00` });
    }
    await world.rows(`update payments set callback_signalled_at = null where id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    await world.post('ipn', { ...forged, amount: '6.00' });
    expect(await world.callbacksOf(input)).toHaveLength(6);
    expect(world.sent.callbacks).toHaveLength(1);
  });

  test('with a valid signature is not held up by forged ones', async () => {
    // A flood of forged callbacks must not delay the confirmation of a payment.
    const { input, attempt } = await world.opened();
    await world.post('ipn', { tran_id: String(attempt['reference']), status: 'VALID' });
    await world.rows(`update payments set callback_signalled_at = null where id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    await world.post('ipn', notice(attempt));
    expect(world.sent.callbacks).toHaveLength(2);
  });

  test('of another store is kept as evidence and not believed', async () => {
    // Hostile case 41: the hash is valid, but for the wrong store.
    const { input, attempt } = await world.opened();
    const foreign = world.signed({ ...notice(attempt), store_id: 'lenden_live' }, 'LIVE');
    expect((await world.post('ipn', foreign)).status).toBe(200);
    expect(await world.callbacksOf(input)).toMatchObject([{ signature_valid: false, note: 'FOREIGN_STORE' }]);
  });

  test('at the other mode’s address belongs to nobody', async () => {
    // A TEST charge says nothing about a LIVE payment, and a LIVE charge nothing about a TEST payment.
    const { input, attempt } = await world.opened();
    expect((await world.post('ipn', notice(attempt), { mode: 'live' })).status).toBe(200);
    expect(await world.callbacksOf(input)).toEqual([]);
    expect(await unmatched(String(attempt['reference']))).toMatchObject([{ mode: 'LIVE', outcome: 'UNMATCHED' }]);
    expect(world.sent.callbacks).toEqual([]);
  });

  test('with a field that appears twice is not read at all', async () => {
    // The signer and the reader could each take a different one of the two values.
    const { input, attempt } = await world.opened();
    const body = `${new URLSearchParams(notice(attempt)).toString()}&amount=1.00&mark=twice`;
    expect((await world.post('ipn', body)).status).toBe(200);
    expect(await world.callbacksOf(input)).toEqual([]);
    expect(await unmatched('mark=twice')).toMatchObject([{ note: 'REPEATED_FIELD', signature_valid: false }]);
  });

  test.each([
    ['no body', '', 200],
    ['1 MiB and a byte', `a=${'x'.repeat(1024 * 1024 - 1)}`, 413],
    ['a NUL', 'a=\0', 400],
    ['an escaped NUL', 'tran_id=a%00b', 200],
    ['bytes that are no form', '\u{1F4A5}{"a":', 200],
  ])('with %s is answered in a word', async (_name, body, status) => {
    // Malformed input must not cause a 500 response.
    const answer = await world.post('ipn', body);
    expect(answer.status).toBe(status);
    expect((await answer.text()).length).toBeLessThan(200);
  });

  test('in bytes that are no UTF-8 is refused', async () => {
    // Evidence is stored as text without changes, so it must be valid UTF-8.
    const answer = await fetch(`${world.apiUrl}/gateway/sslcommerz/test/ipn`, {
      method: 'POST',
      body: new Uint8Array([0x61, 0x3d, 0xff, 0xfe]),
    });
    expect(answer.status).toBe(400);
  });

  test.each([
    ['a GET', 'GET', '/gateway/sslcommerz/test/ipn', 405],
    ['an unknown gateway', 'POST', '/gateway/paypal/test/ipn', 404],
    ['an unknown kind', 'POST', '/gateway/sslcommerz/test/refund', 404],
    ['an unknown mode', 'POST', '/gateway/sslcommerz/prod/ipn', 404],
  ])('by %s is refused', async (_name, method, path, status) => {
    // Only the addresses that were given to the gateway exist.
    const answer = await fetch(`${world.apiUrl}${path}`, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'POST' : null);
  });

  test('that names no payment is kept, and limited by the minute for one address', async () => {
    // An operator may match an unmatched callback later. An outsider must not be able to fill the table.
    const from = (address: string, n: number) =>
      fetch(`${world.apiUrl}/gateway/sslcommerz/test/ipn`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': address },
        body: `tran_id=orphan${n}`,
      });
    const answers = await Promise.all(Array.from({ length: 80 }, (_value, n) => from('203.0.113.9', n)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(60);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(15);
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await from('203.0.113.10', 99)).status).toBe(200);
    expect((await unmatched('tran_id=orphan')).length).toBe(statuses.filter((status) => status === 200).length + 1);
    expect(world.log).toContainEqual(expect.objectContaining({ alert: 'unmatched-callback' }));
  });
});

describe('a browser that comes back', () => {
  test.each(['success', 'fail', 'cancel'])('by %s is led to its payment’s page, whatever it brought', async (kind) => {
    // The page shows the stored status. The browser return only says which payment to show.
    const { input, attempt } = await world.opened();
    const answer = await world.post(kind, { tran_id: String(attempt['reference']), status: 'VALID' });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`http://pages.example/checkout/${input.reference}`);
    expect(await world.callbacksOf(input)).toMatchObject([{ kind, signature_valid: false }]);
    expect((await world.paymentRow(input))['status']).toBe('PENDING');
  });

  test('with nothing in hand is led to a page that knows no payment', async () => {
    // A payer whose redirect lost its body must not see a gateway's error page.
    const answer = await world.post('success', '');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('http://pages.example/checkout/unknown');
  });

  test('in the same millisecond as the IPN is answered, and the two make one signal', async () => {
    // Hostile case 17: both requests are answered, and the gateway is queried once.
    const { input, attempt } = await world.opened();
    const body = notice(attempt);
    const [browser, ipn] = await Promise.all([world.post('success', body), world.post('ipn', body)]);
    expect([browser.status, ipn.status]).toEqual([303, 200]);
    expect(await world.callbacksOf(input)).toHaveLength(2);
    expect(world.sent.callbacks).toHaveLength(1);
  });
});

describe('a callback for a payment that has ended', () => {
  async function succeeded(): Promise<{ attempt: Row; input: Awaited<ReturnType<PaymentWorld['opened']>>['input'] }> {
    const { input, attempt } = await world.opened();
    await world.finish(attempt);
    await until(async () => (await world.callbacksOf(input)).length === 1);
    await world.activities.verifyPayment({ ...input, final: false });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    await world.rows('update payments set last_signalled_at = null where id = ?::bigint returning 1', [
      input.paymentId,
    ]);
    world.sent.callbacks.length = 0;
    return { input, attempt };
  }

  test('with the charge that settled it is a duplicate and asks nothing', async () => {
    // The browser usually returns after the IPN has been processed.
    const { input, attempt } = await succeeded();
    const answer = await world.post('success', await world.notice(attempt));
    expect(answer.status).toBe(303);
    expect((await world.callbacksOf(input)).at(-1)).toMatchObject({ outcome: 'DUPLICATE', kind: 'success' });
    expect([world.sent.callbacks, world.sent.late]).toEqual([[], []]);
  });

  test('with another charge asks for unapplied money', async () => {
    // A second charge under one reference is the payer's money and must be found.
    const { attempt } = await succeeded();
    await world.post('ipn', notice(attempt, { val_id: 'another' }));
    expect(world.sent.late).toMatchObject([{ attemptReference: attempt['reference'] }]);
  });

  test('that failed after success changes nothing', async () => {
    // Hostile case 44: the payment stays SUCCEEDED.
    const { input, attempt } = await succeeded();
    await world.post('ipn', notice(attempt, { status: 'FAILED', val_id: 'x' }));
    expect((await world.paymentRow(input))['status']).toBe('SUCCEEDED');
    expect((await world.callbacksOf(input)).at(-1)).toMatchObject({ outcome: 'IGNORED' });
  });

  test('that says no money was taken is ignored when it is signed', async () => {
    // An EXPIRED notice for an expired payment contains nothing new.
    const { input, attempt } = await world.opened();
    await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
    await world.post('ipn', notice(attempt, { status: 'EXPIRED' }));
    expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'IGNORED' }]);
    expect(world.sent.late).toEqual([]);
  });

  test('that claims success three hours later starts the search for unapplied money', async () => {
    // Hostile case 44: the claim is neither dropped nor trusted without a query.
    const { input, attempt } = await world.opened();
    await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
    await world.rows(`update payments set ended_at = now() - interval '3 hours' where id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    await world.post('ipn', notice(attempt));
    expect(world.sent.late).toHaveLength(1);
    expect((await world.paymentRow(input))['status']).toBe('EXPIRED');
  });

  test('in a flood of unsigned ones asks once a minute', async () => {
    // Outsiders must not be able to keep the gateway busy through a payment that has ended.
    const { input, attempt } = await world.opened();
    await world.activities.finalizePayment({ ...input, status: 'CANCELLED' });
    for (let n = 0; n < 20; n += 1) {
      await world.post('ipn', { tran_id: String(attempt['reference']), n: String(n) });
    }
    expect(await world.callbacksOf(input)).toHaveLength(20);
    expect(world.sent.late).toHaveLength(1);
  });
});
