import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pay, readForm } from './payer.ts';
import { password, startBoth, storeId } from './merchant.ts';
import type { Form } from './merchant.ts';

let both: Awaited<ReturnType<typeof startBoth>>;
beforeAll(async () => {
  both = await startBoth();
});
afterAll(() => both.close());

async function paid(changes: Form = {}): Promise<Form> {
  return readForm(await pay(await both.api.create(changes))).fields;
}

function fetchJson(path: string, query: Form, method = 'GET'): Promise<unknown> {
  return fetch(`${both.url}/validator/api/${path}?${new URLSearchParams(query)}`, { method }).then((answer) =>
    answer.json(),
  );
}

describe('order validation', () => {
  test('says VALID once, then VALIDATED; a query in between changes nothing', async () => {
    // VALID becomes VALIDATED after the first validation, and merchants must accept both as paid.
    const notice = await paid({ tran_id: 'FLIP', value_d: 'mine' });
    const valId = notice['val_id'] ?? '';
    expect(await both.api.transaction({ tran_id: 'FLIP' })).toMatchObject({
      element: [{ status: 'VALID', validated_on: '' }],
    });
    const first = await both.api.validate(valId);
    expect(first).toMatchObject({
      status: 'VALID',
      APIConnect: 'DONE',
      tran_id: 'FLIP',
      val_id: valId,
      amount: '100.00',
    });
    expect(first).toMatchObject({
      currency: 'BDT',
      risk_level: '0',
      value_d: 'mine',
      offer_avail: 1,
      isTokeizeSuccess: 0,
    });
    expect(first['validated_on']).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(await both.api.validate(valId)).toMatchObject({ status: 'VALIDATED', APIConnect: 'DONE' });
    expect(await both.api.transaction({ tran_id: 'FLIP' })).toMatchObject({ element: [{ status: 'VALIDATED' }] });
  });

  test('does not know ids of nobody or of another store', async () => {
    // A charge of one store must not prove an order of another store.
    const notice = await paid();
    const other = { store_id: 'lenden_live', store_passwd: 'lenden_live@ssl', val_id: notice['val_id'] ?? '' };
    expect(await fetchJson('validationserverAPI.php', other)).toMatchObject({
      status: 'INVALID_TRANSACTION',
      APIConnect: 'DONE',
    });
    expect(await both.api.validate('nothing')).toMatchObject({ status: 'INVALID_TRANSACTION' });
    const { val_id: _valId, ...credentials } = other;
    const query = { ...credentials, tran_id: notice['tran_id'] ?? '' };
    expect(await fetchJson('merchantTransIDvalidationAPI.php', query)).toMatchObject({ no_of_trans_found: 0 });
  });

  test.each([
    [{ store_id: storeId, store_passwd: 'wrong', val_id: 'x' }, 'FAILED'],
    [{ store_id: storeId, val_id: 'x' }, 'INVALID_REQUEST'],
    [{ store_id: storeId, store_passwd: password }, 'INVALID_REQUEST'],
  ])('answers %j by APIConnect %s', async (query, connect) => {
    // These answers mean that the result is unknown, never that the order is not paid.
    const form: Form = Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
    expect(await fetchJson('validationserverAPI.php', form)).toEqual({ APIConnect: connect });
  });

  test('takes POST with the parameters in the query, and names in any case', async () => {
    // Real clients do both.
    const notice = await paid();
    const query = { Store_Id: storeId, Store_Passwd: password, VAL_ID: notice['val_id'] ?? '' };
    expect(await fetchJson('validationserverAPI.php', query, 'POST')).toMatchObject({ status: 'VALID' });
  });

  test('says INACTIVE for a store that is switched off', async () => {
    // The switch affects validations and sessions.
    await both.api.control('PUT', 'config', { inactiveStores: [storeId] });
    expect(await both.api.validate('x')).toEqual({ APIConnect: 'INACTIVE' });
    expect(await both.api.create()).toMatchObject({
      status: 'FAILED',
      failedreason: 'Store Credential Error Or Store is De-active',
    });
    await both.api.control('PUT', 'config', { inactiveStores: [] });
  });
});

describe('a query', () => {
  test('by tran_id lists every attempt that reached an outcome, and only those', async () => {
    // Merchants rely on this answer after a lost callback.
    await pay(await both.api.create({ tran_id: 'MANY' }), 'fail');
    await pay(await both.api.create({ tran_id: 'MANY' }), 'cancel');
    await both.api.create({ tran_id: 'MANY' });
    await pay(await both.api.create({ tran_id: 'MANY' }));
    const answer = await both.api.transaction({ tran_id: 'MANY' });
    expect(answer).toMatchObject({ APIConnect: 'DONE', no_of_trans_found: 3 });
    expect((answer['element'] as Form[]).map((one) => one['status'])).toEqual(['FAILED', 'CANCELLED', 'VALID']);
  });

  test('by session key is flat and says PENDING until there is an outcome', async () => {
    const session = await both.api.create();
    const key = String(session['sessionkey']);
    expect(await both.api.transaction({ sessionkey: key })).toMatchObject({
      status: 'PENDING',
      val_id: '',
      APIConnect: 'DONE',
    });
    await pay(session);
    expect(await both.api.transaction({ sessionkey: key })).toMatchObject({
      status: 'VALID',
      sessionkey: key,
      amount: '100.00',
    });
    expect(await both.api.transaction({ sessionkey: 'F'.repeat(32) })).toMatchObject({ status: 'INVALID_TRANSACTION' });
    expect(await both.api.transaction({})).toEqual({ APIConnect: 'INVALID_REQUEST' });
  });
});

describe('a refund', () => {
  const refund = (notice: Form, changes: Form = {}) =>
    both.api.transaction({
      bank_tran_id: notice['bank_tran_id'] ?? '',
      refund_trans_id: `R-${notice['tran_id']}`,
      refund_amount: '40.00',
      refund_remarks: 'Out of stock',
      ...changes,
    });

  test('is accepted, then refunded, and the charge log has both', async () => {
    // An accepted refund has not moved money yet.
    const notice = await paid({ tran_id: 'REFUND' });
    const accepted = await refund(notice);
    expect(accepted).toMatchObject({ APIConnect: 'DONE', status: 'success', trans_id: 'REFUND', errorReason: '' });
    const refId = String(accepted['refund_ref_id']);
    expect(await both.api.transaction({ refund_ref_id: refId })).toMatchObject({
      status: 'refunded',
      tran_id: 'REFUND',
    });
    const lines = (await both.api.charges()).filter((line) => line['tranId'] === 'REFUND');
    expect(lines.map((line) => [line['kind'], line['amount'], line['status']])).toEqual([
      ['charge', '100.00', undefined],
      ['refund', '40.00', undefined],
      ['refund_outcome', '40.00', 'refunded'],
    ]);
  });

  test('repeated with its id is "processing" and moves no money', async () => {
    // Repeating a refund whose answer was lost must be safe.
    const notice = await paid({ tran_id: 'REPEAT' });
    const first = await refund(notice);
    const second = await refund(notice);
    const named = { trans_id: 'REPEAT' };
    expect(second).toMatchObject({ ...named, status: 'processing', refund_ref_id: first['refund_ref_id'] });
    expect(await refund(notice, { refund_amount: '41.00' })).toMatchObject({ ...named, status: 'failed' });
    expect(
      (await both.api.charges()).filter((line) => line['tranId'] === 'REPEAT' && line['kind'] === 'refund'),
    ).toHaveLength(1);
  });

  test('never exceeds what was charged, in sum', async () => {
    // Partial refunds must not add up to more than the charge.
    const notice = await paid({ tran_id: 'SUM' });
    const statuses: unknown[] = [];
    for (const amount of ['60.00', '40.01', '40.00', '0.01']) {
      statuses.push((await refund(notice, { refund_amount: amount, refund_trans_id: `S${amount}` }))['status']);
    }
    expect(statuses).toEqual(['success', 'failed', 'success', 'failed']);
  });

  test.each([
    [{ refund_amount: '0' }, 'DONE'],
    [{ refund_amount: '1.005' }, 'DONE'],
    [{ refund_amount: '' }, 'INVALID_REQUEST'],
    [{ refund_remarks: '' }, 'INVALID_REQUEST'],
    [{ refund_trans_id: 'x'.repeat(31) }, 'INVALID_REQUEST'],
    [{ refund_remarks: 'x'.repeat(256) }, 'INVALID_REQUEST'],
    [{ bank_tran_id: 'nothing' }, 'DONE'],
  ])('with %j fails', async (changes, connect) => {
    const form: Form = Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, String(value)]));
    expect(await refund(await paid(), form)).toMatchObject({
      status: 'failed',
      APIConnect: connect,
      refund_ref_id: '',
    });
  });

  test('without refund_trans_id is taken in legacy mode and refused in strict mode', async () => {
    // Older clients omit the id, and the documentation of 2025 requires it.
    const notice = await paid();
    await both.api.control('PUT', 'config', { refundTransId: 'required' });
    expect(await refund(notice, { refund_trans_id: '' })).toMatchObject({
      APIConnect: 'INVALID_REQUEST',
      status: 'failed',
    });
    await both.api.control('PUT', 'config', { refundTransId: 'optional', refundAfterMs: 60_000 });
    const first = await refund(notice, { refund_trans_id: '' });
    expect(first).toMatchObject({ status: 'success' });
    expect(await refund(notice, { refund_trans_id: '' })).toMatchObject({
      status: 'processing',
      refund_ref_id: first['refund_ref_id'],
    });
    await both.api.control('PUT', 'config', { refundAfterMs: 0 });
  });

  test('of an unknown reference or of another store is failed', async () => {
    // A store must not see another store's refunds.
    expect(await both.api.transaction({ refund_ref_id: 'nothing' })).toMatchObject({ status: 'failed' });
    const notice = await paid();
    const other = {
      store_id: 'lenden_live',
      store_passwd: 'lenden_live@ssl',
      bank_tran_id: notice['bank_tran_id'] ?? '',
      refund_amount: '1.00',
      refund_remarks: 'x',
    };
    expect(await fetchJson('merchantTransIDvalidationAPI.php', other)).toMatchObject({ status: 'failed' });
  });
});
