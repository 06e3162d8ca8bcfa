import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { scriptTable } from '../../simulators/sslcommerz/scripts.ts';
import { open, pay, press, readForm } from './payer.ts';
import type { Page } from './payer.ts';
import { sessionRequest, startBoth } from './merchant.ts';
import type { Received } from './merchant.ts';
import { until } from '../support/until.ts';

let both: Awaited<ReturnType<typeof startBoth>>;
beforeAll(async () => {
  both = await startBoth();
});
afterAll(() => both.close());

type Paid = { tranId: string; key: string; back: Page; ipns: () => Received[]; valId: string; bankTranId: string };

/** Pays under the script `number`, which the payer's phone selects. */
async function payUnder(number: string): Promise<Paid> {
  const tranId = `ROW${number}`;
  const session = await both.api.create({ tran_id: tranId, cus_phone: `017000000${number}` });
  const back = await pay(session);
  const line = (await both.api.charges()).find((one) => one['tranId'] === tranId);
  return {
    tranId,
    key: String(session['sessionkey']),
    back,
    ipns: () => both.merchant.at('/ipn').filter((one) => one.form['tran_id'] === tranId),
    valId: line?.['valId'] ?? '',
    bankTranId: line?.['bankTranId'] ?? '',
  };
}

async function settle(answer: Promise<Response>): Promise<{ status: number; text: string } | 'cut'> {
  try {
    const got = await answer;
    return { status: got.status, text: await got.text() };
  } catch {
    return 'cut';
  }
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
const refundOf = (paid: Paid) => ({
  bank_tran_id: paid.bankTranId,
  refund_trans_id: `R${paid.tranId}`,
  refund_amount: '40.00',
  refund_remarks: 'x',
});
const refundLines = async (paid: Paid) =>
  (await both.api.charges()).filter((line) => line['tranId'] === paid.tranId && line['kind'] === 'refund');

type Spoilt = Awaited<ReturnType<typeof settle>>;
/** Recognises each faulty answer from the client's side. */
const looks: Record<string, (got: Spoilt) => boolean> = {
  cut: (got) => got === 'cut',
  http_500: (got) => got !== 'cut' && got.status === 500 && !isJson(got.text),
  html: (got) => got !== 'cut' && got.status === 200 && got.text.startsWith('<!DOCTYPE html>'),
  empty: (got) => got !== 'cut' && got.status === 200 && got.text === '',
  truncated: (got) => got !== 'cut' && got.text.startsWith('{"') && !isJson(got.text),
  huge: (got) => got !== 'cut' && got.text.length > 10_000_000,
  good: (got) => got !== 'cut' && got.status === 200 && isJson(got.text),
};

/** Each row of the script table must be used by a test below. */
const proven = new Set<string>();
function row(numbers: string | readonly string[], what: string, work: () => Promise<void>): void {
  for (const number of [numbers].flat()) {
    proven.add(number);
  }
  test(`${[numbers].flat().join(', ')}: ${what}`, work);
}

describe('by its number the payer’s phone scripts', () => {
  row('01', 'approval', async () => {
    expect(readForm((await payUnder('01')).back).fields['status']).toBe('VALID');
  });

  for (const [number, ended] of Object.entries({
    '02': 'FAILED',
    '03': 'CANCELLED',
    '04': 'UNATTEMPTED',
    '05': 'EXPIRED',
  })) {
    row(number, `pay ends as ${ended}`, async () => {
      // Pressing pay can end without a charge.
      const paid = await payUnder(number);
      expect(readForm(paid.back).fields['status']).toBe(ended);
      await until(() => paid.ipns().length === 1);
      expect(paid.ipns()[0]?.form['status']).toBe(ended);
      expect(paid.valId).toBe('');
      expect(await both.api.transaction({ tran_id: paid.tranId })).toMatchObject({ element: [{ status: ended }] });
    });
  }

  row('06', 'a session that ends soon', async () => {
    const session = await both.api.create({ tran_id: 'ROW06', cus_phone: '01700000006' });
    const query = { sessionkey: String(session['sessionkey']) };
    expect(await both.api.transaction(query)).toMatchObject({ status: 'PENDING' });
    await until(async () => (await both.api.transaction(query))['status'] === 'EXPIRED');
  });

  row('10', 'silence: charged, no IPN, no return, found by query', async () => {
    // The worst case for a payer: the money is taken and nobody is notified.
    const paid = await payUnder('10');
    expect(paid.back.html).not.toContain('<form');
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    expect(paid.ipns()).toHaveLength(0);
    expect(await both.api.transaction({ tran_id: paid.tranId })).toMatchObject({
      element: [{ status: 'VALID', val_id: paid.valId }],
    });
  });

  row(['11', '12'], 'return without IPN, and IPN without return', async () => {
    // A merchant must handle either message alone.
    const returned = await payUnder('11');
    const told = await payUnder('12');
    expect(returned.back.html).toContain('id="return"');
    expect(told.back.html).not.toContain('<form');
    await until(() => told.ipns().length === 1);
    expect(returned.ipns()).toHaveLength(0);
  });

  row(['13', '14'], 'IPN before the return, and after it', async () => {
    // A merchant must handle both orders.
    expect((await payUnder('13')).ipns()).toHaveLength(1);
    const after = await payUnder('14');
    expect(after.ipns()).toHaveLength(0);
    await press(after.back, '');
    await until(() => after.ipns().length === 1);
    const returned = both.merchant.at('/success').find((one) => one.form['tran_id'] === after.tranId);
    expect((after.ipns()[0]?.at ?? 0) >= (returned?.at ?? Infinity)).toBe(true);
  });

  row(['15', '16'], 'a late IPN, and one held until it is delivered by hand', async () => {
    // An IPN can arrive after the merchant has given up.
    const late = await payUnder('15');
    const held = await payUnder('16');
    expect([late.back.html, held.back.html].some((html) => html.includes('<form'))).toBe(false);
    expect(late.ipns()).toHaveLength(0);
    await until(() => late.ipns().length === 1);
    expect(held.ipns()).toHaveLength(0);
    expect((await both.api.control('POST', `sessions/${held.tranId}/deliver`, {})).body).toEqual({ deliveries: 1 });
    await until(() => held.ipns().length === 1);
    await both.api.control('POST', `sessions/${held.key}/deliver`, {});
    await until(() => held.ipns().length === 2);
  });

  row('17', 'three equal IPNs', async () => {
    const paid = await payUnder('17');
    await until(() => paid.ipns().length === 3);
    expect(new Set(paid.ipns().map((one) => one.body)).size).toBe(1);
  });

  for (const [number, look] of Object.entries({
    '18': 'cut',
    '30': 'http_500',
    '32': 'html',
    '33': 'empty',
    '34': 'truncated',
    '35': 'huge',
    '37': 'cut',
  })) {
    row(number, `validation and query ${look} twice each, then right`, async () => {
      // The answer is ambiguous: the charge is real, and a repeated query finds it.
      const paid = await payUnder(number);
      for (const expected of [look, look, 'good']) {
        expect(looks[expected]?.(await settle(both.api.transactionRaw({ tran_id: paid.tranId })))).toBe(true);
      }
      for (const expected of [look, look]) {
        expect(looks[expected]?.(await settle(both.api.validateRaw(paid.valId)))).toBe(true);
      }
      // A truncated or oversized answer was the real one: the gateway counts the order as validated, but the merchant cannot know that.
      const executed = look === 'truncated' || look === 'huge';
      expect(await both.api.validate(paid.valId)).toMatchObject({ status: executed ? 'VALIDATED' : 'VALID' });
    });
  }

  row(['19', '31'], 'validation and query never answer rightly', async () => {
    for (const [number, look] of [
      ['19', 'cut'],
      ['31', 'http_500'],
    ] as const) {
      const paid = await payUnder(number);
      for (let call = 0; call < 4; call += 1) {
        expect(looks[look]?.(await settle(both.api.validateRaw(paid.valId)))).toBe(true);
      }
      expect(looks[look]?.(await settle(both.api.transactionRaw({ sessionkey: paid.key })))).toBe(true);
    }
  });

  row('20', 'a wrong amount everywhere, also in the charge log', async () => {
    // A merchant must never accept this as paid in full.
    const paid = await payUnder('20');
    expect(paid.ipns()[0]?.form).toMatchObject({ amount: '99.00', currency_amount: '99.00', store_amount: '96.53' });
    expect(await both.api.validate(paid.valId)).toMatchObject({ status: 'VALID', amount: '99.00' });
    expect(await both.api.charges()).toContainEqual(
      expect.objectContaining({ tranId: paid.tranId, amount: '99.00', requestedAmount: '100.00' }),
    );
  });

  row(['21', '39'], 'an IPN that lies while validation is right', async () => {
    // An IPN is only a hint, even if it is correctly signed.
    const amount = await payUnder('21');
    const unknown = await payUnder('39');
    expect(amount.ipns()[0]?.form).toMatchObject({ amount: '1.00', status: 'VALID' });
    expect(unknown.ipns()[0]?.form['status']).toBe('HELD');
    expect(await both.api.validate(amount.valId)).toMatchObject({ amount: '100.00' });
    expect(await both.api.validate(unknown.valId)).toMatchObject({ status: 'VALID' });
  });

  for (const [number, expected] of Object.entries({
    '22': { currency: 'USD', currency_type: 'USD' },
    '23': { tran_id: 'SOMEBODY-ELSE' },
    '28': { status: 'HELD' },
  })) {
    row(number, `validation and query show ${JSON.stringify(expected)}`, async () => {
      // The answer belongs to another order or contains an unknown status.
      const paid = await payUnder(number);
      expect(await both.api.validate(paid.valId)).toMatchObject(expected);
      expect(await both.api.transaction({ tran_id: paid.tranId })).toMatchObject({
        APIConnect: 'DONE',
        element: [expected],
      });
      expect(await both.api.transaction({ sessionkey: paid.key })).toMatchObject(expected);
    });
  }

  for (const [number, expected] of Object.entries({ '29': { status: 'PENDING' }, '38': { APIConnect: 'INACTIVE' } })) {
    row(number, `validation says ${JSON.stringify(expected)} twice, then the truth`, async () => {
      // "Not yet" has to be queried again. It is not a failure.
      const paid = await payUnder(number);
      expect(await both.api.validate(paid.valId)).toMatchObject(expected);
      expect(await both.api.validate(paid.valId)).toMatchObject(expected);
      expect(await both.api.validate(paid.valId)).toMatchObject({
        APIConnect: 'DONE',
        status: expect.stringMatching(/^VALID/),
      });
    });
  }

  row(['24', '25', '26'], 'wrong, absent and md5-only signatures in IPN and return', async () => {
    const bad = await payUnder('24');
    const absent = await payUnder('25');
    const md5 = await payUnder('26');
    expect(bad.ipns()[0]?.form['verify_sign']).toMatch(/^[0-9a-f]{32}$/);
    for (const form of [absent.ipns()[0]?.form ?? {}, readForm(absent.back).fields]) {
      expect(Object.keys(form).filter((name) => name.startsWith('verify_'))).toEqual([]);
      expect(form['status']).toBe('VALID');
    }
    for (const form of [md5.ipns()[0]?.form ?? {}, readForm(md5.back).fields]) {
      expect(form).toHaveProperty('verify_sign');
      expect(form).not.toHaveProperty('verify_sign_sha2');
    }
  });

  row('27', 'a risky payment', async () => {
    // A payment with risk_level 1 must be held for review.
    const paid = await payUnder('27');
    expect(paid.ipns()[0]?.form).toMatchObject({ risk_level: '1', status: 'VALID' });
    expect(await both.api.validate(paid.valId)).toMatchObject({ risk_level: '1', status: 'VALID' });
  });

  row(['36', '48'], 'slow answers that are right', async () => {
    const paid = await payUnder('36');
    const begin = Date.now();
    expect(await both.api.validate(paid.valId)).toMatchObject({ status: 'VALID' });
    expect(await both.api.create({ cus_phone: '01700000048' })).toMatchObject({ status: 'SUCCESS' });
    expect(Date.now() - begin).toBeGreaterThanOrEqual(480);
  });

  row('40', 'a refused session', async () => {
    // The credentials are right, but the session is refused.
    expect(await both.api.create({ cus_phone: '01700000040' })).toMatchObject({
      status: 'FAILED',
      failedreason: expect.stringMatching(/./),
    });
  });

  for (const [number, look, made] of [
    ['41', 'cut', 2],
    ['43', 'http_500', 1],
    ['44', 'html', 1],
    ['45', 'empty', 1],
    ['46', 'truncated', 2],
    ['47', 'huge', 2],
    ['53', 'cut', 1],
  ] as const) {
    row(number, `the first session call is ${look}; repeated under its tran_id it works`, async () => {
      // A retry must work, whether or not the lost call had created a session.
      const form = sessionRequest(both.merchant, { tran_id: `ROW${number}`, cus_phone: `017000000${number}` });
      expect(looks[look]?.(await settle(both.api.post(form)))).toBe(true);
      expect(await (await both.api.post(form)).json()).toMatchObject({ status: 'SUCCESS' });
      expect((await both.api.control('GET', `sessions/ROW${number}`)).body).toHaveLength(made);
    });
  }

  row(['42', '49'], 'session calls that never work', async () => {
    for (const [number, look] of [
      ['42', 'cut'],
      ['49', 'http_500'],
    ] as const) {
      const form = sessionRequest(both.merchant, { cus_phone: `017000000${number}` });
      for (let call = 0; call < 3; call += 1) {
        expect(looks[look]?.(await settle(both.api.post(form)))).toBe(true);
      }
    }
  });

  row(['50', '51'], 'unpadded amounts, and a subscription_id outside the signature', async () => {
    // Real notices do both.
    const unpadded = await payUnder('50');
    expect(unpadded.ipns()[0]?.form).toMatchObject({ amount: '100', store_amount: '97.5', currency_amount: '100' });
    expect(await both.api.validate(unpadded.valId)).toMatchObject({ amount: '100' });
    const form = (await payUnder('51')).ipns()[0]?.form ?? {};
    expect(form['subscription_id']).toBe('');
    expect((form['verify_key'] ?? '').split(',')).not.toContain('subscription_id');
  });

  row('52', 'queries that fail even before an outcome', async () => {
    // A payment can expire while the gateway cannot be queried.
    const session = await both.api.create({ cus_phone: '01700000052' });
    const got = await settle(both.api.transactionRaw({ sessionkey: String(session['sessionkey']) }));
    expect(looks['http_500']?.(got)).toBe(true);
  });

  row(['60', '63'], 'refunds that stay processing', async () => {
    for (const number of ['60', '63']) {
      const accepted = await both.api.transaction(refundOf(await payUnder(number)));
      expect(accepted).toMatchObject({ status: 'success' });
      const query = { refund_ref_id: String(accepted['refund_ref_id']) };
      expect(await both.api.transaction(query)).toMatchObject({ status: 'processing', refunded_on: '' });
    }
  });

  for (const [number, look] of Object.entries({ '61': 'cut', '66': 'html' })) {
    row(number, `the first refund call is ${look} after it was accepted`, async () => {
      // The most dangerous answer: a repeated request with the same id must refund the money only once.
      const paid = await payUnder(number);
      expect(looks[look]?.(await settle(both.api.transactionRaw(refundOf(paid))))).toBe(true);
      expect(await refundLines(paid)).toHaveLength(1);
      expect(await both.api.transaction(refundOf(paid))).toMatchObject({ status: 'processing' });
      expect(await refundLines(paid)).toHaveLength(1);
    });
  }

  row(['62', '68'], 'refused refunds', async () => {
    for (const number of ['62', '68']) {
      const paid = await payUnder(number);
      expect(await both.api.transaction(refundOf(paid))).toMatchObject({
        status: 'failed',
        errorReason: expect.stringMatching(/./),
      });
      expect(await refundLines(paid)).toHaveLength(0);
    }
  });

  row(['64', '70'], 'refunds that are cancelled or fail afterwards and free their amount', async () => {
    // An accepted refund can still fail.
    for (const [number, status] of [
      ['64', 'cancelled'],
      ['70', 'failed'],
    ] as const) {
      const paid = await payUnder(number);
      const accepted = await both.api.transaction({ ...refundOf(paid), refund_amount: '100.00' });
      const query = { refund_ref_id: String(accepted['refund_ref_id']) };
      expect(await both.api.transaction(query)).toMatchObject({ status });
      expect(await both.api.transaction({ ...refundOf(paid), refund_trans_id: `SECOND${number}` })).toMatchObject({
        status: 'success',
      });
    }
  });

  row(['65', '69'], 'refund calls that fail before doing anything', async () => {
    // Unlike row 61, the repeated request makes the refund.
    for (const [number, failures] of [
      ['65', ['http_500', 'http_500']],
      ['69', ['cut']],
    ] as const) {
      const paid = await payUnder(number);
      for (const look of failures) {
        expect(looks[look]?.(await settle(both.api.transactionRaw(refundOf(paid))))).toBe(true);
      }
      expect(await refundLines(paid)).toHaveLength(0);
      expect(await both.api.transaction(refundOf(paid))).toMatchObject({ status: 'success' });
    }
  });

  row('67', 'refund queries that fail twice', async () => {
    const paid = await payUnder('67');
    const query = { refund_ref_id: String((await both.api.transaction(refundOf(paid)))['refund_ref_id']) };
    for (const look of ['http_500', 'http_500']) {
      expect(looks[look]?.(await settle(both.api.transactionRaw(query)))).toBe(true);
    }
    expect(await both.api.transaction(query)).toMatchObject({ status: 'refunded' });
  });
});

test('every row of the table is proven above', () => {
  // A row without a test might not work.
  expect([...proven].toSorted()).toEqual(Object.keys(scriptTable).toSorted());
});

test('an amount picks the same rows, in any currency, and wins over the phone', async () => {
  // The amount is the table's other key. Ordinary amounts and phones select nothing.
  const declined = await pay(
    await both.api.create({ total_amount: '1313.02', currency: 'INR', cus_phone: '01700000003' }),
  );
  expect(readForm(declined).fields['status']).toBe('FAILED');
  const byPrefix = await pay(await both.api.create({ cus_phone: '+8801700000002' }));
  expect(readForm(byPrefix).fields['status']).toBe('FAILED');
  const session = await both.api.create({ total_amount: '1314.02' });
  expect((await both.api.control('GET', `sessions/${String(session['sessionkey'])}`)).body).toMatchObject([
    { script: {} },
  ]);
});

test('an IPN is retried until it is taken, a bounded number of times, with the same bytes', async () => {
  // A receiver that refuses or is down gets retries, but not for ever.
  both.merchant.answers.status = 503;
  const tranId = 'RETRIED';
  const mine = (): Received[] => both.merchant.at('/ipn').filter((one) => one.form['tran_id'] === tranId);
  await pay(await both.api.create({ tran_id: tranId }));
  await until(() => mine().length >= 2);
  both.merchant.answers.status = 200;
  await until(async () =>
    JSON.stringify((await both.api.control('GET', `sessions/${tranId}`)).body).includes('"answer":"200"'),
  );
  expect(new Set(mine().map((one) => one.body)).size).toBe(1);

  both.merchant.answers.status = 503;
  await pay(await both.api.create({ tran_id: 'REFUSED' }));
  await until(async () =>
    JSON.stringify((await both.api.control('GET', 'sessions/REFUSED')).body).includes('"over":true'),
  );
  expect(both.merchant.at('/ipn').filter((one) => one.form['tran_id'] === 'REFUSED')).toHaveLength(4);
  both.merchant.answers.status = 200;
});

test('a redirect of the IPN is not followed and does not count as taken', async () => {
  // A notice that was answered with a redirect has not reached the merchant.
  both.merchant.answers.status = 302;
  await pay(await both.api.create({ tran_id: 'MOVED' }));
  await until(async () =>
    JSON.stringify((await both.api.control('GET', 'sessions/MOVED')).body).includes('"answer":"302"'),
  );
  both.merchant.answers.status = 200;
});

test('the page of a scripted payment still lets the payer fail or cancel', async () => {
  // Scripts affect only the pay button.
  const session = await both.api.create({ cus_phone: '01700000010' });
  expect((await press(await open(String(session['GatewayPageURL'])), 'cancel')).status).toBe(200);
  expect(await both.api.transaction({ sessionkey: String(session['sessionkey']) })).toMatchObject({
    status: 'CANCELLED',
  });
});
