import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'node-html-parser';
import { httpCall, type HttpAnswer } from '../http-call.ts';
import { day, openBilling, referenceOf, type Billing } from './billing.ts';

let billing: Billing;
/** A new listener for each test, so that no test reaches another's per-address limits. */
let pages: string;
beforeAll(async () => {
  billing = await openBilling();
});
beforeEach(async () => {
  pages = await billing.world.listen({ pages: true });
});
afterAll(() => billing.close());

const PARTS = { plan: { count: 4, every: 'MONTH', firstDueDate: day(5) } };

async function payable(change: object = {}): Promise<{ id: unknown; path: string }> {
  const made = await billing.create(change);
  return { id: made.data['id'], path: `/pay/${referenceOf(made)}` };
}

function get(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return httpCall({ origin: pages, path, headers });
}

/** Sends a form of the page as a browser does. */
function post(path: string, fields: Record<string, string> | string): Promise<HttpAnswer> {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return httpCall({ origin: pages, method: 'POST', path: `${path}/pay`, headers, body });
}

interface Form {
  readonly choice: string;
  readonly expected: string;
}

function formsOf({ text }: HttpAnswer): Form[] {
  const forms = text.matchAll(/name="choice" value="(\w+)"[^<]*<input type="hidden" name="expected" value="(\d+)"/g);
  return [...forms].map(([, choice = '', expected = '']) => ({ choice, expected }));
}

interface Begun {
  readonly id: string;
  readonly reference: string;
  readonly amount_minor: string;
  readonly status: string;
}

async function paymentsOf(id: unknown): Promise<Begun[]> {
  return billing.world.sql<Begun>(
    'select id, reference, amount_minor, status from payments where invoice_id = ? order by id',
    [id],
  );
}

/** Starts a payment on the page and returns its reference. */
async function begin(path: string, fields: Record<string, string>): Promise<string> {
  const answer = await post(path, fields);
  expect(answer.status).toBe(303);
  return /^\/checkout\/(pay_[0-9A-Za-z]{22})\?lang=(?:en|bn)$/.exec(answer.headers['location'] ?? '')?.[1] ?? '';
}

describe('the page', () => {
  test('tells of money that was more than was due, from its rows, and of no other payment’s', async () => {
    // A payer who paid too much comes back to the link that they were sent.
    const { id, path } = await payable();
    const other = await payable();
    for (const one of [id, other.id]) {
      await billing.payUp(one, 100_000);
    }
    const hold = (invoice: unknown, minor: number, status: string): Promise<unknown> =>
      billing.world.sql(
        `insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
           fee_minor, currency, status, kind)
         select application_id, mode, payment_id, id, gateway, reference || ?::text, 'B1', '{}', ?, 0, 'BDT', ?, 'overpayment' from payment_attempts
         where payment_id in (select id from payments where invoice_id = ?) returning id`,
        [minor, minor, status, invoice],
      );
    await hold(id, 2_500, 'HELD');
    await hold(id, 1_000, 'REFUNDED');
    await hold(other.id, 7_700, 'HELD');
    const words = parse((await get(path)).text).textContent.replace(/\s+/g, ' ');
    expect(words).toMatch(/You paid BDT 25\.00 more than was asked for\. It is held safely until .+ decides/);
    expect(words).toContain('You paid BDT 10.00 more than was asked for. It has been refunded;');
    expect(words).not.toContain('77.00');
    expect((await get(`${path}?lang=bn`)).text).toContain('যত চাওয়া হয়েছিল তার চেয়ে');
  });

  test('tells of money that came for a payment of it which had ended, before it asks for money again', async () => {
    // A payer who paid too late must not be asked for the same amount again as if nothing had arrived.
    const { id, path } = await payable();
    await begin(path, { choice: 'asked', expected: '100000' });
    await billing.world.sql(
      `with ended as (update payments set status = 'EXPIRED', ended_at = now() where invoice_id = ? returning id)
       insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
         fee_minor, currency, status, kind)
       select application_id, mode, payment_id, id, gateway, reference, 'B1', '{}', 100000, 0, 'BDT', 'HELD', 'late' from payment_attempts
       where payment_id in (select id from ended) returning id`,
      [id],
    );
    const words = parse((await get(path)).text).textContent.replace(/\s+/g, ' ');
    expect(words).toMatch(
      /Your money has arrived: BDT 1,000\.00 It arrived after this payment had been closed.+Please do not pay again/,
    );
    const number = await billing.world.sql<{ label: string }>(
      `select coalesce(number_label, 'INV-' || lpad(number::text, 6, '0')) as label from invoices where id = ?`,
      [id],
    );
    expect(words).toContain(`If you ask about it, give this reference: ${number[0]?.label}.`);
    expect(words.indexOf('Please do not pay again')).toBeLessThan(words.indexOf('Pay BDT 1,000.00'));
    expect((await get(`${path}?lang=bn`)).text).toContain('আপনার টাকা পৌঁছেছে');
  });

  test('and that of a payment which was called off since another one has paid ask for no new payment', async () => {
    // With two tabs open, the second must not make the payer pay again.
    const { id, path } = await payable();
    const reference = await begin(path, { choice: 'asked', expected: '100000' });
    await billing.world.sql(
      `update payments set status = 'CANCELLED', ended_at = now() where invoice_id = ? returning id`,
      [id],
    );
    const words = async (): Promise<string> => parse((await get(`/checkout/${reference}`)).text).textContent;
    expect(await words()).toContain('start a new payment');
    await billing.payUp(id, 100_000);
    expect(await words()).toContain('The invoice has been paid in another way, so there is nothing left to pay.');
    expect(await words()).not.toContain('start a new payment');
    expect((await get(`/checkout/${reference}?lang=bn`)).text).toContain('ইনভয়েসটি অন্যভাবে পরিশোধিত হয়েছে');
  });

  test('has the headers of a page that nobody may frame, keep or send on', async () => {
    // Otherwise another site could frame the page, or a cache or referrer could leak it.
    const { path } = await payable();
    const { status, headers } = await get(path);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex, nofollow',
    });
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self'");
    expect(policy).not.toMatch(/unsafe|\*/);
  });

  test('shows lines, sums, schedule and a form for each way to pay', async () => {
    // The payer has to see what the application billed before they pay.
    const { path } = await payable({ ...PARTS, partialPayments: true });
    const page = await get(path);
    for (const part of ['Setup fee', 'Monthly plan', 'BDT 250.00', 'BDT 1,000.00']) {
      expect(page.text.replaceAll('\u00a0', ' ')).toContain(part);
    }
    expect(formsOf(page)).toEqual([
      { choice: 'asked', expected: '25000' },
      { choice: 'rest', expected: '100000' },
      { choice: 'amount', expected: '100000' },
    ]);
  });

  test('is in the language of the reader', async () => {
    const { path } = await payable();
    expect((await get(path, { 'accept-language': 'bn-BD,bn' })).text).toContain('<html lang="bn">');
    expect((await get(`${path}?lang=bn`)).text).toContain('<html lang="bn">');
    expect((await get(`${path}?lang=en`, { 'accept-language': 'bn' })).text).toContain('<html lang="en">');
  });

  test('has its accent colour in a stylesheet of its own and no logo where none was set', async () => {
    // The page's policy forbids inline styles.
    const { path } = await payable();
    const css = await get(`${path}/brand.css`);
    expect([css.status, css.headers['content-type']]).toEqual([200, 'text/css; charset=utf-8']);
    expect(css.headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
    expect((await get(`${path}/logo`)).status).toBe(404);
  });

  test('shows hostile words as words', async () => {
    // Lines and notes can come from anyone who filled in a form at the shop.
    const words = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;
    const { path } = await payable({
      lineItems: [{ description: words, qty: 1, unitAmountMinor: 50_000 }],
      notes: words,
    });
    const { text } = await get(path);
    expect(text).not.toMatch(/<img src=x|<script>alert/);
    expect(parse(text).textContent).toContain(words);
  });
});

describe('a form', () => {
  test('of what is asked begins that payment and leads to its checkout', async () => {
    // The payer must get the payment that the page offered.
    const { id, path } = await payable(PARTS);
    const reference = await begin(path, { choice: 'asked', expected: '25000' });
    expect(await paymentsOf(id)).toEqual([
      { id: expect.any(String), reference, amount_minor: '25000', status: 'PENDING' },
    ]);
    expect((await get(`/checkout/${reference}`)).status).toBe(200);
    const [payment] = await paymentsOf(id);
    const read = await billing.send(`/payments/${payment?.id}`);
    expect(read.data).toMatchObject({ invoiceId: id, returnUrl: expect.stringContaining(path) });
  });

  test('of the rest, and of an own amount as people write it, do the same', async () => {
    // Payers type Bangla or English digits, with separators and the currency sign.
    const { id, path } = await payable({ ...PARTS, partialPayments: true });
    await begin(path, { choice: 'rest', expected: '100000' });
    await begin(path, { choice: 'amount', expected: '100000', amount: '৳ ৩৩৩.৫০' });
    await begin(path, { choice: 'amount', expected: '100000', amount: '123' });
    expect((await paymentsOf(id)).map(({ amount_minor }) => amount_minor)).toEqual(['100000', '33350', '12300']);
  });

  test.each([
    ['in parts', PARTS],
    ['at once', {}],
  ])('of an own amount that is all that is due %s pays all of it', async (_what, terms) => {
    const { id, path } = await payable({ ...terms, partialPayments: true });
    await begin(path, { choice: 'amount', expected: '100000', amount: '1,000.00' });
    expect((await paymentsOf(id)).map(({ amount_minor }) => amount_minor)).toEqual(['100000']);
  });

  test('sent twice at once, by two tabs, leads to one and the same payment', async () => {
    // Otherwise a double click could charge the payer twice.
    const { id, path } = await payable();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post(path, { choice: 'asked', expected: '100000' })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]));
    expect(new Set(answers.map(({ headers }) => headers['location'])).size).toBe(1);
    expect(await paymentsOf(id)).toHaveLength(1);
    const later = await post(path, { choice: 'asked', expected: '100000' });
    expect(later.headers['location']).toBe(answers[0]?.headers['location']);
  });

  test('of another sum makes another payment, and the page shows that one is under way', async () => {
    // Two payers can each pay a part.
    const { id, path } = await payable(PARTS);
    const first = await begin(path, { choice: 'asked', expected: '25000' });
    const page = await get(path);
    expect(page.text).toContain(`/checkout/${first}`);
    expect(formsOf(page)).toEqual([{ choice: 'rest', expected: '100000' }]);
    await begin(path, { choice: 'rest', expected: '100000' });
    expect(await paymentsOf(id)).toHaveLength(2);
  });

  test('of the same sum begins anew once the former payment has ended, or is about to end', async () => {
    // Otherwise the payer would be sent to a checkout that closes before they can pay.
    const { id, path } = await payable();
    const first = await begin(path, { choice: 'asked', expected: '100000' });
    await billing.world.sql(`update payments set expires_at = now() + interval '30 seconds' where reference = ?`, [
      first,
    ]);
    const second = await begin(path, { choice: 'asked', expected: '100000' });
    await billing.world.sql(`update payments set status = 'FAILED', ended_at = now() where reference = ?`, [second]);
    const third = await begin(path, { choice: 'asked', expected: '100000' });
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await paymentsOf(id)).toHaveLength(3);
  });

  test('of a sum that is no longer asked is answered by the page, which says so, and begins nothing', async () => {
    // Otherwise the payer would pay an amount that the page did not show.
    const { id, path } = await payable({ ...PARTS, partialPayments: true });
    await billing.payUp(id, 10_000);
    const before = (await paymentsOf(id)).length;
    for (const fields of [
      { choice: 'asked', expected: '25000' },
      { choice: 'rest', expected: '100000' },
      { choice: 'amount', expected: '100000', amount: '50' },
      { choice: 'asked', expected: '1' },
    ]) {
      const answer = await post(path, fields);
      expect([answer.status, answer.headers['content-type']]).toEqual([422, 'text/html; charset=utf-8']);
      expect(answer.text).toContain('The amount has changed since you opened this page');
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    }
    expect(await paymentsOf(id)).toHaveLength(before);
    expect(formsOf(await get(path))[0]).toEqual({ choice: 'asked', expected: '15000' });
  });

  test.each([
    ['abc', 'could not be read as an amount'],
    ['1,5', 'could not be read as an amount'],
    ['10.001', 'could not be read as an amount'],
    ['-50', 'could not be read as an amount'],
    ['1e3', 'could not be read as an amount'],
    ['<script>', 'could not be read as an amount'],
    ['9.99', 'less than can be paid here'],
    ['0', 'less than can be paid here'],
    ['1000.01', 'more than is due'],
    ['995', 'more than is due'],
    ['99999999999999', 'more than is due'],
  ])('of the own amount %j is answered by the page and keeps what was typed', async (amount, words) => {
    // The payer has to be able to correct what they typed.
    const { id, path } = await payable({ partialPayments: true });
    const answer = await post(path, { choice: 'amount', expected: '100000', amount });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain(words);
    expect(answer.text).not.toContain('<script>');
    expect(await paymentsOf(id)).toEqual([]);
  });

  test('of an own amount where the application allows none begins nothing', async () => {
    // Partial payments are off unless the application allows them.
    const { id, path } = await payable();
    const answer = await post(path, { choice: 'amount', expected: '100000', amount: '50' });
    expect([answer.status, await paymentsOf(id)]).toEqual([422, []]);
  });

  test.each([
    ['nothing', ''],
    ['an unknown choice', 'choice=all&expected=100000'],
    ['no expectation', 'choice=asked'],
    ['an expectation of nothing', 'choice=asked&expected=0'],
    ['an expectation that is no number', 'choice=asked&expected=1e5'],
    ['a field twice', 'choice=asked&choice=rest&expected=100000'],
    ['an own amount without one', 'choice=amount&expected=100000'],
    ['bytes that are no text', 'choice=asked&expected=%ff'],
    ['more than a page sends', `choice=asked&expected=100000&x=${'y'.repeat(2_000)}`],
  ])('of junk (%s) is refused by a page and begins nothing', async (_name, body) => {
    // Bad input must cause neither a 500 nor a payment.
    const { id, path } = await payable({ partialPayments: true });
    const answer = await post(path, body);
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'text/html; charset=utf-8']);
    expect(answer.text).toContain(`href="${path}`);
    expect(await paymentsOf(id)).toEqual([]);
  });

  test.each([
    ['JSON', { 'content-type': 'application/json' }, '{"choice":"asked","expected":"100000"}', 415],
    ['no type', {}, 'choice=asked&expected=100000', 415],
    ['megabytes', { 'content-type': 'application/x-www-form-urlencoded' }, `choice=${'x'.repeat(100_000)}`, 413],
  ])('of %s is the client’s failure, not ours', async (_name, headers, body, status) => {
    // Otherwise operators would get an internal-error alarm for a client's mistake.
    const { id, path } = await payable();
    const answer = await httpCall({ origin: pages, method: 'POST', path: `${path}/pay`, headers, body });
    expect([answer.status, await paymentsOf(id)]).toEqual([status, []]);
  });

  test('leads to the checkout also when the gateway does not answer: that page waits', async () => {
    // The payment is stored, and the sweeper opens it later.
    const { id, path } = await payable();
    billing.world.dispatch.opening = 'times out';
    const reference = await begin(path, { choice: 'asked', expected: '100000' });
    billing.world.dispatch.opening = 'opens';
    expect(await paymentsOf(id)).toMatchObject([{ reference, status: 'CREATED' }]);
    expect((await get(`/checkout/${reference}`)).status).toBe(200);
  });
});

describe('when nothing can be paid', () => {
  test.each(['PAID', 'VOID'])('an invoice that is %s has no form, and an old one begins nothing', async (state) => {
    // A page that was left open must not take the money again.
    const { id, path } = await payable();
    if (state === 'PAID') {
      await billing.payUp(id, 100_000);
    } else {
      await billing.act(id, 'void');
    }
    const before = (await paymentsOf(id)).length;
    const page = await get(path);
    expect([page.status, formsOf(page), page.text.includes('<form')]).toEqual([200, [], false]);
    expect(page.text).toContain(state === 'PAID' ? 'this invoice is paid' : 'This invoice is void');
    const answer = await post(path, { choice: 'asked', expected: '100000' });
    expect([answer.status, (await paymentsOf(id)).length]).toEqual([422, before]);
    expect((await get(`${path}/pdf`)).status).toBe(200);
  });

  test('an application without its gateway shows the invoice and no form', async () => {
    // Operators decide which applications may take money.
    const closed = await billing.world.register({ gatewaysAllowed: [] });
    const made = await billing.create({}, { credentials: closed.test });
    const path = `/pay/${referenceOf(made)}`;
    const page = await get(path);
    expect([page.status, formsOf(page)]).toEqual([200, []]);
    expect((await post(path, { choice: 'asked', expected: '100000' })).status).toBe(422);
  });
});

describe('an application whose payers choose the gateway', () => {
  async function invoiceOf(checkoutGateways: string[], fields: object = {}) {
    const shop = await billing.world.register({ checkoutGateways });
    const made = await billing.create(fields, { credentials: shop.test });
    return { id: made.data['id'], path: `/pay/${referenceOf(made)}`, made };
  }

  test('lets them choose for an invoice, too', async () => {
    // The checkout asks for the gateway, so no gateway session is opened before.
    const { path } = await invoiceOf(['sslcommerz', 'bkash']);
    const { headers, status } = await post(path, { choice: 'asked', expected: '100000' });
    expect(status).toBe(303);
    const checkout = await get(String(headers['location']).split('?')[0] ?? '');
    expect([...checkout.text.matchAll(/name="gateway" value="([a-z]+)"/g)].map(([, name]) => name)).toEqual([
      'sslcommerz',
      'bkash',
    ]);
  });

  test('bills in every currency that one of them takes', async () => {
    // An invoice is refused at creation if no gateway takes its currency, but this one can be paid at Stripe.
    const lineItems = [{ description: 'Licence', qty: 1, unitAmountMinor: 5_000 }];
    const { path, made } = await invoiceOf(['bkash', 'stripe'], { currency: 'USD', lineItems });
    expect(made.status).toBe(201);
    const { headers } = await post(path, { choice: 'asked', expected: '5000' });
    const reference = String(headers['location']).match(/pay_[0-9A-Za-z]+/)?.[0];
    const attempts = await billing.world.sql(
      `select t.gateway from payment_attempts t join payments p on p.id = t.payment_id where p.reference = ?`,
      [reference],
    );
    expect(attempts).toEqual([{ gateway: 'stripe' }]);
    expect((await invoiceOf(['bkash'], { currency: 'USD', lineItems })).made.meta).toMatchObject({
      errorCode: 'VALIDATION_ERROR',
    });
  });

  test('asks for an own amount as wide as the widest of them takes', async () => {
    // An amount below one gateway's minimum can still be paid at another.
    const { path } = await invoiceOf(['stripe', 'bkash'], { partialPayments: true });
    const small = await post(path, { choice: 'amount', expected: '100000', amount: '1' });
    expect(small.status).toBe(303);
    expect((await post(path, { choice: 'amount', expected: '100000', amount: '0.50' })).status).toBe(422);
  });
});

describe('paths and methods', () => {
  test.each([
    ['', 'GET, HEAD'],
    ['/pay', 'POST'],
    ['/pdf', 'GET, HEAD'],
    ['/logo', 'GET, HEAD'],
    ['/brand.css', 'GET, HEAD'],
  ])('%s takes %s only', async (action, allowed) => {
    // A link preview or a crawler must not start a payment.
    const { id, path } = await payable();
    const taken = allowed.split(', ');
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].filter(
      (m) => !taken.includes(m),
    )) {
      const answer = await httpCall({ origin: pages, method, path: path + action });
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, allowed]);
    }
    expect(await paymentsOf(id)).toEqual([]);
  });

  test('drafts, payments, other spellings and nothing are one and the same page of 404', async () => {
    // Otherwise the answer would reveal which references exist.
    const { id, path } = await payable();
    const reference = await begin(path, { choice: 'asked', expected: '100000' });
    const draft = await billing.draft();
    const [row] = await billing.world.sql<{ reference: string }>('select reference from invoices where id = ?', [
      draft.data['id'],
    ]);
    const misses = [
      `/pay/${row?.reference}`,
      `/pay/${reference}`,
      `/pay/${String(id)}`,
      '/pay/pay_',
      `${path}x`,
      '/pay/%00',
    ];
    for (const miss of misses) {
      expect([miss, (await get(miss)).status]).toEqual([miss, 404]);
    }
    for (const below of [`${path}/`, `${path}/refund`, `${path}/pdf/x`, '/pay', '/pay/']) {
      expect([below, (await get(below)).status]).toEqual([below, 404]);
    }
    expect((await post('/pay/pay_0000000000000000000000', { choice: 'asked', expected: '1' })).status).toBe(404);
    expect((await get(path.replace('/pay/', '/checkout/'))).status).toBe(404);
  });

  test('misses are limited by address, hits are not', async () => {
    // A payer mistypes a few times; somebody who guesses needs many requests.
    const { path } = await payable();
    const misses = await Promise.all(
      Array.from({ length: 80 }, (_, i) => get(`/pay/pay_${String(i).padStart(22, '0')}`)),
    );
    expect(new Set(misses.map(({ status }) => status))).toEqual(new Set([404, 429]));
    expect(misses.filter(({ status }) => status === 404).length).toBeGreaterThanOrEqual(30);
    expect((await get(path)).status).toBe(200);
  });

  test('ways to pay are limited by address', async () => {
    // Testing stolen cards takes many payments; a payer needs few.
    const { id, path } = await payable();
    const form = { choice: 'asked', expected: '100000' };
    const answers = await Promise.all(Array.from({ length: 60 }, () => post(path, form)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303, 429]));
    expect(answers.filter(({ status }) => status === 303).length).toBeGreaterThanOrEqual(20);
    expect(await paymentsOf(id)).toHaveLength(1);
  });
});
