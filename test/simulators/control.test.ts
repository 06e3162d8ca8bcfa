import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseStores } from '../../simulators/sslcommerz/stores.ts';
import { pay, readForm } from './payer.ts';
import { sessionRequest, startBoth } from './merchant.ts';
import { until } from '../support/until.ts';

let both: Awaited<ReturnType<typeof startBoth>>;
beforeAll(async () => {
  both = await startBoth();
});
afterAll(() => both.close());

test('a queued script meets the next sessions of its store only, and stays with a repeated tran_id', async () => {
  const queued = await both.api.control('POST', 'scripts', { script: 'decline', sessions: 1, storeId: 'lenden_test' });
  expect(queued.status).toBe(201);
  const live = { store_id: 'lenden_live', store_passwd: 'lenden_live@ssl' };
  expect(readForm(await pay(await both.api.create(live))).fields['status']).toBe('VALID');
  expect(readForm(await pay(await both.api.create({ tran_id: 'QUEUED' }))).fields['status']).toBe('FAILED');
  expect(readForm(await pay(await both.api.create({ tran_id: 'QUEUED' }))).fields['status']).toBe('FAILED');
  expect(readForm(await pay(await both.api.create())).fields['status']).toBe('VALID');
});

test('faults may follow one another on one operation', async () => {
  // A test can script the first calls one way, the next another way, and then correct answers.
  const faults = {
    validation: [
      { kind: 'http_500', times: 1 },
      { kind: 'empty', times: 1 },
    ],
  };
  await both.api.control('POST', 'scripts', { script: { faults } });
  const { val_id: valId = '' } = readForm(await pay(await both.api.create())).fields;
  expect((await both.api.validateRaw(valId)).status).toBe(500);
  expect(await (await both.api.validateRaw(valId)).text()).toBe('');
  expect(await both.api.validate(valId)).toMatchObject({ status: 'VALID' });
});

test('a validation that was carried out before its answer was lost is VALIDATED afterwards', async () => {
  // After a lost first answer, VALIDATED must count as paid.
  const faults = { validation: [{ kind: 'reset', times: 1, executed: true }] };
  await both.api.control('POST', 'scripts', { script: { faults } });
  const { val_id: valId = '' } = readForm(await pay(await both.api.create())).fields;
  await expect(both.api.validateRaw(valId)).rejects.toThrow();
  expect(await both.api.validate(valId)).toMatchObject({ status: 'VALIDATED' });
});

test('a running session can be scripted, finished and expired', async () => {
  // A test can act as a payer who acts hours later.
  const scripted = String((await both.api.create({ tran_id: 'BYHAND' }))['sessionkey']);
  await both.api.control('POST', `sessions/${scripted}/script`, { script: { risk: '1' } });
  await both.api.control('POST', 'sessions/BYHAND/finish', { status: 'VALID', instrument: 'bkash' });
  expect(await both.api.transaction({ sessionkey: scripted })).toMatchObject({
    risk_level: '1',
    card_type: 'BKASH-BKash',
  });
  const expired = String((await both.api.create({ tran_id: 'OLD' }))['sessionkey']);
  await both.api.control('POST', `sessions/${expired}/expire`, {});
  await until(() => both.merchant.at('/ipn').some((one) => one.form['tran_id'] === 'OLD'));
  expect(await both.api.transaction({ tran_id: 'OLD' })).toMatchObject({ element: [{ status: 'EXPIRED' }] });
});

test('the default script and num_of_item follow the settings', async () => {
  await both.api.control('PUT', 'config', { script: { pay: 'CANCELLED' }, numOfItem: 'always' });
  expect(readForm(await pay(await both.api.create())).fields['status']).toBe('CANCELLED');
  expect(await both.api.create({ num_of_item: '' })).toMatchObject({ status: 'FAILED' });
  await both.api.control('PUT', 'config', { script: {}, numOfItem: 'shipped' });
});

test.each([
  ['PUT', 'config', { sessionTtl: 1 }],
  ['PUT', 'config', { hangMs: -1 }],
  ['PUT', 'config', { otpStep: 'yes' }],
  ['POST', 'scripts', { script: 'no-such-row' }],
  ['POST', 'scripts', { script: 'constructor' }],
  ['POST', 'scripts', { script: { faults: { validation: [{ kind: 'explode' }] } } }],
  ['POST', 'scripts', { script: { faults: { validation: [{ times: 1 }] } } }],
  ['POST', 'scripts', { script: {}, sessions: 0 }],
  ['POST', 'scripts', { script: {}, storeId: 'nobody' }],
  ['POST', 'scripts', {}],
])('%s %s refuses %j', async (method, path, body) => {
  // Otherwise a typing error in a test would silently run it without a script.
  expect((await both.api.control(method, path, body)).status).toBe(400);
});

test('the control plane takes JSON only, and knows no strange session or action', async () => {
  // A form on another site must not be able to change the simulator.
  const form = await fetch(`${both.url}/__sim/config`, {
    method: 'PUT',
    body: new URLSearchParams({ otpStep: 'true' }),
  });
  expect(form.status).toBe(415);
  expect((await both.api.control('POST', 'sessions/NOBODY/expire', {})).status).toBe(404);
  const session = await both.api.create({ tran_id: 'KNOWN' });
  expect((await both.api.control('POST', `sessions/${String(session['sessionkey'])}/explode`, {})).status).toBe(404);
});

test('reset forgets everything and puts the files aside', async () => {
  // The charge log is append-only, so a reset keeps it under another name.
  const paid = readForm(await pay(await both.api.create())).fields;
  expect((await both.api.control('POST', 'reset')).status).toBe(200);
  expect(await both.api.charges()).toEqual([]);
  expect(await both.api.validate(paid['val_id'] ?? '')).toMatchObject({ status: 'INVALID_TRANSACTION' });
  expect((await readdir(both.dataDir)).filter((name) => name.startsWith('charges.jsonl'))).toHaveLength(2);
  expect(await (await both.api.post(sessionRequest(both.merchant))).json()).toMatchObject({ status: 'SUCCESS' });
});

test('stores are read from text, and bad text is refused', () => {
  expect(parseStores('a:b:c,d:e')).toEqual([
    { id: 'a', password: 'b:c' },
    { id: 'd', password: 'e' },
  ]);
  for (const text of ['', 'a', 'a:', ':b', 'a:b,a:c', 'a:b,']) {
    expect(() => parseStores(text)).toThrow();
  }
});
