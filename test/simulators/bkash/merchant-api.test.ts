import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { creation, json, startBkash, walk, type Answer, type Bkash } from './merchant.ts';

let bkash: Bkash;
beforeAll(async () => {
  bkash = await startBkash();
});
afterAll(() => bkash.close());

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d:\d{3} GMT\+0600$/;
const names = (answer: Answer): string[] => Object.keys(answer).toSorted();

async function paid(changes: Answer = {}): Promise<{ session: Answer; executed: Answer }> {
  const session = await bkash.create(changes);
  await walk(session);
  return { session, executed: await bkash.execute(session['paymentID']) };
}

describe('the documented fields', () => {
  test('of a creation are there, with the page and the three returns', async () => {
    // Clients read these members. At this point no money has moved.
    const session = await bkash.create({ merchantInvoiceNumber: 'FIELDS', amount: 69.5 });
    expect(names(session)).toEqual(
      `amount bkashURL callbackURL cancelledCallbackURL currency failureCallbackURL intent merchantInvoiceNumber paymentCreateTime
       paymentID statusCode statusMessage successCallbackURL transactionStatus`.split(/\s+/),
    );
    expect(session).toMatchObject({
      statusCode: '0000',
      statusMessage: 'Successful',
      paymentID: expect.stringMatching(/^TR0011[0-9A-Z]{8}\d{13}$/),
      bkashURL: expect.stringMatching(/\?paymentId=TR0011[0-9A-Z]+&hash=[^&]+&mode=0011&apiVersion=v1\.2\.0-beta$/),
      amount: '69.50',
      transactionStatus: 'Initiated',
      merchantInvoiceNumber: 'FIELDS',
      paymentCreateTime: expect.stringMatching(TIME),
    });
    expect(session['successCallbackURL']).toBe(
      `http://shop.example/back?paymentID=${String(session['paymentID'])}&status=success`,
    );
  });

  test('of an execution, a query and a search are there, the invoice under two names', async () => {
    // The three answers differ, and a client that confuses them would accept the wrong payment.
    const { session, executed } = await paid({ merchantInvoiceNumber: 'THREE' });
    expect(executed).toMatchObject({
      statusCode: '0000',
      paymentID: session['paymentID'],
      payerReference: 'payer',
      customerMsisdn: '01770618575',
      trxID: expect.stringMatching(/^[0-9A-Z]{10}$/),
      amount: '100.00',
      transactionStatus: 'Completed',
      paymentExecuteTime: expect.stringMatching(TIME),
      currency: 'BDT',
      intent: 'sale',
      merchantInvoiceNumber: 'THREE',
      maxRefundableAmount: '100.00',
    });
    const { trxID } = executed;
    const queried = await bkash.query(session['paymentID']);
    expect(queried).toMatchObject({
      statusCode: '0000',
      mode: '0011',
      merchantInvoice: 'THREE',
      transactionStatus: 'Completed',
      verificationStatus: 'Complete',
      userVerificationStatus: 'Complete',
      trxID,
    });
    expect(queried).not.toHaveProperty('merchantInvoiceNumber');
    expect(queried).not.toHaveProperty('customerMsisdn');
    expect(await bkash.search(trxID)).toMatchObject({
      trxID,
      transactionType: 'bKash Tokenized Checkout via API',
      initiationTime: expect.stringMatching(TIME),
      completedTime: expect.stringMatching(TIME),
      organizationShortCode: expect.any(String),
      customerMsisdn: '01770618575',
    });
  });

  test('of a refund are there, and none of it before there is one', async () => {
    // Clients take a refundTrxID as proof that money was refunded, so it must be absent before.
    const { session, executed } = await paid();
    const of = { paymentID: session['paymentID'], trxID: executed['trxID'] };
    const before = await bkash.refund(of);
    expect(before).toMatchObject({ statusCode: '0000' });
    expect(before).not.toHaveProperty('refundTrxID');
    const refund = await bkash.refund({ ...of, amount: '40', sku: 'sku', reason: 'reason' });
    expect(names(refund)).toEqual(
      'amount charge completedTime currency originalTrxID refundTrxID statusCode statusMessage transactionStatus'.split(
        ' ',
      ),
    );
    expect(refund).toMatchObject({ amount: '40.00', charge: '0.00', transactionStatus: 'Completed' });
    expect(await bkash.refund(of)).toEqual(refund);
  });
});

describe('tokens', () => {
  test('are granted twice an hour, then the merchant is blocked; refreshing counts too', async () => {
    // A client that does not share its token breaks this rule first.
    const strict = await startBkash({ tokenCallsPerHour: 2 });
    const { refresh_token: refresh } = await json(await strict.grant());
    expect(await json(await strict.refresh({ refresh_token: String(refresh) }))).toMatchObject({ statusCode: '0000' });
    expect((await strict.grant()).status).toBe(429);
    expect((await strict.refresh({ refresh_token: String(refresh) })).status).toBe(429);
    await strict.close();
  });

  test('die after their time', async () => {
    // Otherwise a client that never renews its token would pass the tests.
    const short = await startBkash({ tokenTtlMs: 0 });
    const answer = await short.raw('/create', creation());
    expect(answer.status).toBe(401);
    await short.close();
  });

  test.each([
    ['a wrong password', { headers: { password: 'wrong' } }, 401, { message: 'Unauthorized' }],
    ['a wrong app secret', { body: { app_secret: 'wrong' } }, 200, { statusCode: '2001' }],
  ])('are not granted for %s', async (_name, changes, status, body) => {
    // The real gateway rejects credentials in these two ways.
    const answer = await bkash.grant(changes);
    expect([answer.status, await json(answer)]).toMatchObject([status, body]);
  });

  test('are taken with and without Bearer, with the app’s own key only', async () => {
    // Clients use both spellings.
    const { id_token: token } = await json(await bkash.grant());
    const query = { paymentID: 'none' };
    const known = { statusCode: '2002' };
    expect(
      await json(await bkash.raw('/payment/status', query, { authorization: `Bearer ${String(token)}` })),
    ).toMatchObject(known);
    expect(await json(await bkash.raw('/payment/status', query, { 'x-app-key': 'lenden_live_app' }))).toMatchObject({
      statusCode: '2001',
    });
    expect((await bkash.raw('/payment/status', query, { authorization: 'none' })).status).toBe(401);
  });
});

describe('a refused call names its code', () => {
  test.each([
    [{ amount: '0.50' }, '2006'],
    [{ amount: '10.001' }, '2006'],
    [{ amount: 'ten' }, '2006'],
    [{ currency: 'USD' }, '2007'],
    [{ intent: 'gift' }, '2008'],
    [{ merchantInvoiceNumber: 'a<b' }, '2031'],
    [{ merchantInvoiceNumber: 'x'.repeat(256) }, '2031'],
    [{ payerReference: 'a&b' }, '2048'],
    [{ callbackURL: 'shop.example' }, '2049'],
    [{ mode: '0009' }, '2063'],
    [{ mode: '0001' }, '2064'],
    [{ payerReference: undefined }, '2065'],
    [{ merchantInvoiceNumber: '' }, '2065'],
  ])('for the creation %j', async (changes, code) => {
    // Clients handle these documented error codes.
    expect(await bkash.create(changes)).toMatchObject({ statusCode: code, statusMessage: expect.any(String) });
  });

  test('for executions out of turn', async () => {
    // A payment is executed once, after the payer has agreed and before it has ended.
    const session = await bkash.create();
    const id = session['paymentID'];
    expect(await bkash.execute(id)).toMatchObject({ statusCode: '2060' });
    await walk(session);
    expect(await bkash.execute(id)).toMatchObject({ statusCode: '0000' });
    expect(await bkash.execute(id)).toMatchObject({ statusCode: '2062' });
    const cancelled = await bkash.create();
    await walk(cancelled, { outcome: 'cancel' });
    expect(await bkash.execute(cancelled['paymentID'])).toMatchObject({ statusCode: '2056' });
    expect(await bkash.execute('TR0011NOBODY')).toMatchObject({ statusCode: '2002' });
    expect(await bkash.query('TR0011NOBODY')).toMatchObject({ statusCode: '2002' });
    expect(await bkash.search('NOBODY')).toMatchObject({ statusCode: '2033' });
  });

  test('for an invoice that is paid already', async () => {
    // An unpaid invoice number can be used again, a paid one cannot.
    const merchantInvoiceNumber = 'TWICE';
    await bkash.create({ merchantInvoiceNumber });
    await paid({ merchantInvoiceNumber });
    expect(await bkash.create({ merchantInvoiceNumber })).toMatchObject({ statusCode: '2029' });
  });

  test.each([
    [{ sku: '' }, '2073'],
    [{ reason: '' }, '2078'],
    [{ sku: 'x'.repeat(256) }, '2075'],
    [{ reason: 'x'.repeat(256) }, '2076'],
    [{ amount: '100.01' }, '2072'],
    [{ amount: '0' }, '2072'],
    [{ trxID: 'WRONG' }, '2077'],
    [{ paymentID: 'WRONG' }, '2002'],
  ])('for the refund %j', async (changes, code) => {
    // Otherwise a client with a wrong refund request would pass the tests.
    const { session, executed } = await paid();
    const refund = { paymentID: session['paymentID'], trxID: executed['trxID'], amount: '1', sku: 's', reason: 'r' };
    expect(await bkash.refund({ ...refund, ...changes })).toMatchObject({ statusCode: code });
  });

  test('for a second refund of a payment', async () => {
    // bKash allows one refund for each payment.
    const { session, executed } = await paid();
    const refund = { paymentID: session['paymentID'], trxID: executed['trxID'], amount: '1', sku: 's', reason: 'r' };
    await bkash.refund(refund);
    expect(await bkash.refund(refund)).toMatchObject({ statusCode: '2034' });
  });
});

test('the charge log has each charge and refund once, whatever was told', async () => {
  // Proofs compare Lenden with this log, so it must record each movement of money exactly once.
  const session = await bkash.create({ merchantInvoiceNumber: 'LOGGED', amount: '1313.24' });
  await walk(session);
  await expect(bkash.execute(session['paymentID'])).rejects.toThrow();
  const { trxID } = await bkash.query(session['paymentID']);
  await bkash.refund({ paymentID: session['paymentID'], trxID, amount: '1313.24', sku: 's', reason: 'r' });
  const lines = (await bkash.charges()).filter(({ tranId }) => tranId === 'LOGGED');
  expect(lines).toMatchObject([
    { kind: 'charge', gateway: 'bkash', valId: session['paymentID'], bankTranId: trxID, amount: '1313.24' },
    { kind: 'refund', amount: '1313.24' },
    { kind: 'refund_outcome', status: 'refunded' },
  ]);
});
