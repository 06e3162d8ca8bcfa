import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AttemptHandle, Gateway, SessionOrder } from '../../gateways/port.ts';
import {
  AGREED,
  COMPLETED,
  HANDLE,
  json,
  payment,
  PAYMENT_ID,
  REFERENCE,
  refusal,
  START_MS,
  startScriptedBkash,
  text,
  type Reply,
  type ScriptedBkash,
} from './bkash-world.ts';
import { withProcessClock } from '../support/process-clock.ts';
import { bkashRows, type BkashRows } from './bkash-rows.ts';

let bkash: ScriptedBkash;
let gateway: Gateway;
beforeAll(async () => {
  bkash = await startScriptedBkash();
});
afterAll(() => bkash.close());
beforeEach(() => {
  bkash.state.nowMs = START_MS;
  gateway = bkash.process();
});

const ask = (changes: Partial<AttemptHandle> = {}) => gateway.queryAttempt({ ...HANDLE, ...changes });
const executions = (): number => bkash.calls().filter((name) => name === 'execute').length;
const HANG: Reply = () => undefined;

describe('a query that says', () => {
  test.each([
    ['Initiated, not finished', {}, { kind: 'not-started' }],
    ['Cancelled', { transactionStatus: 'Cancelled' }, { kind: 'cancelled' }],
    ['Failed', { transactionStatus: 'Failed' }, { kind: 'failed' }],
    ['Declined', { transactionStatus: 'Declined' }, { kind: 'failed' }],
    ['Expired', { transactionStatus: 'Expired' }, { kind: 'expired' }],
    ['Authorized', { transactionStatus: 'Authorized' }, { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
    ['nothing', { transactionStatus: null }, { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
    [
      'Initiated a day and more ago',
      { paymentCreateTime: '2026-11-21T05:59:59:999 GMT+0600', verificationStatus: 'Complete' },
      { kind: 'expired' },
    ],
    ['Initiated at a time that cannot be read', { paymentCreateTime: 'yesterday' }, { kind: 'not-started' }],
  ])('%s is read for that and no more, and nothing is executed', async (_name, changes, answer) => {
    // Only a payer who agreed may be charged, and an unknown status must decide nothing.
    bkash.answer({ status: payment(changes) });
    expect(await ask()).toEqual(answer);
    expect(executions()).toBe(0);
  });

  test.each([
    ['503', refusal('503')],
    ['a code that nobody knows', refusal('9999')],
    ['an error in the other form', json({ errorCode: '2024', errorMessage: 'their words' })],
    ['only a message', json({ message: 'Endpoint request timed out' })],
    ['HTML', text('<html></html>')],
    ['an empty object', json({})],
    ['another payment', payment({ paymentID: 'TR0011SOMEBODYELSE' })],
    ['completed without a transaction', payment({ transactionStatus: 'Completed' })],
    ['HTTP 500', text('{}', 500)],
    ['a redirect', text('', 302)],
  ])('%s has not answered', async (_name, status) => {
    // The query is repeated. A missing answer must not mean that the payer did not pay.
    bkash.answer({ status });
    await expect(ask()).rejects.toMatchObject({ name: 'GatewayFailure', kind: 'ambiguous' });
  });

  test('that it does not know the payment decides nothing', async () => {
    // bKash itself assigned this id.
    bkash.answer({ status: refusal('2002') });
    expect(await ask()).toEqual({ kind: 'unknown', note: 'PAYMENT_NOT_FOUND' });
  });

  test('nothing of the payer’s part is believed only together with his return', async () => {
    // Without `verificationStatus`, only the payer's return says that they agreed. bKash itself rejects an execution that comes too early.
    bkash.answer({ status: payment({ verificationStatus: undefined }), execute: refusal('2060') });
    expect(await ask()).toEqual({ kind: 'not-started' });
    expect(await ask({ claimedValidationId: 'TR0011SOMEBODYELSE' })).toEqual({ kind: 'not-started' });
    expect(executions()).toBe(0);
    expect(await ask({ claimedValidationId: PAYMENT_ID })).toEqual({ kind: 'in-progress' });
    expect(executions()).toBe(1);
  });

  test('the opposite of the payer’s return is believed', async () => {
    // The browser's success does not even prove that the payer finished.
    bkash.answer({ status: payment() });
    expect(await ask({ claimedValidationId: PAYMENT_ID })).toEqual({ kind: 'not-started' });
    expect(executions()).toBe(0);
  });
});

describe('an execution', () => {
  test('is followed by a query, whose words are the evidence', async () => {
    // The execution's own answer contains the payer's number and is not final, so the query's answer is the evidence.
    bkash.answer({ status: [AGREED, COMPLETED], execute: json({ statusCode: '0000', customerMsisdn: '01700000000' }) });
    const answer = await ask();
    expect(answer).toMatchObject({
      kind: 'charged',
      charge: {
        validationId: PAYMENT_ID,
        gatewayTxnId: '6H7801QFYM',
        attemptReference: REFERENCE,
        storeId: null,
        orderAmountMinor: 10_000n,
        grossMinor: 10_000n,
        currency: 'BDT',
        feeMinor: 0n,
      },
    });
    expect(bkash.calls()).toEqual(['grant', 'status', 'execute', 'status']);
    expect(answer.kind === 'charged' && answer.charge.evidence).not.toContain('01700000000');
  });

  test.each([
    ['2062', refusal('2062')],
    ['2117', refusal('2117')],
    ['2068', refusal('2068')],
    ['2056', refusal('2056')],
    ['503', refusal('503')],
    ['silence', HANG],
    ['a cut connection', ((response) => response.destroy()) satisfies Reply],
    ['only a message', json({ message: 'Endpoint request timed out' })],
  ])('that answers %s is judged by the query: completed is charged', async (_name, execute) => {
    // Whatever the answer was, the money has moved.
    bkash.answer({ status: [AGREED, AGREED, COMPLETED], execute });
    expect((await bkash.expectSilence(ask)).kind).toBe('charged');
    expect(executions()).toBe(1);
  });

  test.each([
    ['0000', json({ statusCode: '0000' }), { kind: 'in-progress' }],
    ['2060', refusal('2060'), { kind: 'in-progress' }],
    ['2062', refusal('2062'), { kind: 'unknown', note: 'EXECUTED_BUT_NOT_SHOWN' }],
    ['2056', refusal('2056'), { kind: 'unknown', note: 'WRONG_STATE' }],
    ['2029', refusal('2029'), { kind: 'unknown', note: 'DUPLICATE_TRANSACTION' }],
    ['2069', refusal('2069'), { kind: 'cancelled' }],
    ['2023', refusal('2023'), { kind: 'failed' }],
    ['2014', refusal('2014'), { kind: 'failed' }],
    ['9999', refusal('9999'), { kind: 'in-progress' }],
    ['silence', HANG, { kind: 'in-progress' }],
  ])('that answers %s while the query still shows none', async (_name, execute, answer) => {
    // Only a clear refusal ends an attempt. Everything else is queried again.
    bkash.answer({ status: AGREED, execute });
    expect(await bkash.expectSilence(ask)).toEqual(answer);
  });

  test('without an answer is not repeated while the gateway may be at work on it, and then once', async () => {
    // bKash's documentation: after an execution without an answer, query instead of executing again.
    bkash.answer({ status: AGREED, execute: HANG });
    await bkash.expectSilence(ask);
    bkash.later(59_000);
    expect(await ask()).toEqual({ kind: 'in-progress' });
    expect(executions()).toBe(1);
    bkash.later(2_000);
    await bkash.expectSilence(ask);
    expect(executions()).toBe(2);
  });

  test('without an answer is under way, also for whoever may not execute, while the gateway may be at work on it, and in doubt after', async () => {
    // A payer who cancels now, or has paid elsewhere, must first learn what happened to this money.
    bkash.answer({ status: AGREED, execute: HANG });
    await bkash.expectSilence(ask);
    bkash.later(59_000);
    expect(await ask({ mayExecute: false })).toEqual({ kind: 'in-progress' });
    bkash.later(2_000);
    // The execution is in doubt until bKash shows its result or the payment id has expired.
    const doubt = { kind: 'unknown', note: 'EXECUTION_IN_DOUBT' };
    expect(await ask({ mayExecute: false })).toEqual(doubt);
    bkash.answer({ status: payment() });
    expect(await ask({ mayExecute: false })).toEqual(doubt);
    bkash.later(24 * 60 * 60_000);
    expect(await ask({ mayExecute: false })).toEqual({ kind: 'expired' });
    expect(executions()).toBe(0);
  });

  test.each([
    ['a day ahead', 25],
    ['a day behind', -25],
  ])('in a payment that grows old is judged by the rows’ clock in a process whose own is %s', async (_name, hours) => {
    // With the wrong clock, the doubt and the payment could end while the money moves, or never end.
    const off = () => withProcessClock(hours * 3_600_000, () => ask({ mayExecute: false }));
    bkash.answer({ status: AGREED, execute: HANG });
    await bkash.expectSilence(ask);
    bkash.later(61_000);
    expect(await off()).toEqual({ kind: 'unknown', note: 'EXECUTION_IN_DOUBT' });
    bkash.later(24 * 60 * 60_000);
    expect(await off()).toEqual({ kind: 'expired' });
  });

  test('that is not answered yet is under way, for whoever asks beside it', async () => {
    // The payer cancels while their money is moving.
    let answerIt = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      const execute: Reply = (response, asked) => {
        answerIt = () => json({ statusCode: '0000' })(response, asked);
        resolve();
      };
      bkash.answer({ status: [AGREED, AGREED, AGREED, COMPLETED], execute });
    });
    const first = ask();
    await arrived;
    expect(await ask({ mayExecute: false })).toEqual({ kind: 'in-progress' });
    expect(await ask()).toEqual({ kind: 'in-progress' });
    answerIt();
    expect((await first).kind).toBe('charged');
    expect(executions()).toBe(1);
  });

  test('that never left us leaves nothing under way', async () => {
    // No money can move if bKash has not received the request.
    bkash.answer({ status: AGREED, execute: json({ message: 'Unauthorized' }, 401) });
    await expect(ask()).rejects.toMatchObject({ kind: 'unauthorized' });
    expect(await ask({ mayExecute: false })).toEqual({ kind: 'not-started' });
  });

  test.each([
    ['went unanswered', HANG],
    ['was carried out', json({ statusCode: '0000' })],
    ['came after another one', refusal('2062')],
  ])('that was refused after one that %s has not failed', async (_name, earlier) => {
    // The first execution may have emptied the wallet, even if the query does not show it yet.
    bkash.answer({ status: AGREED, execute: [earlier, refusal('2023')] });
    await bkash.expectSilence(ask);
    bkash.later(61_000);
    expect(await ask()).toEqual({ kind: 'unknown', note: 'DECLINED_AFTER_DOUBT' });
    expect(executions()).toBe(2);
  });

  test.each([
    ['0000', json({ statusCode: '0000' })],
    ['2062', refusal('2062')],
  ])('that was answered by %s is not forgotten while the query lags', async (_code, execute) => {
    // bKash itself said that money moved. No later silence may undo that, and in the end a person looks.
    bkash.answer({ status: AGREED, execute });
    await ask();
    expect(await ask({ mayExecute: false })).toEqual({ kind: 'in-progress' });
    bkash.later(61_000);
    expect(await ask({ mayExecute: false })).toEqual({ kind: 'unknown', note: 'EXECUTED_BUT_NOT_SHOWN' });
    bkash.later(24 * 60 * 60_000);
    expect(await ask({ mayExecute: false })).toEqual({ kind: 'unknown', note: 'EXECUTED_BUT_NOT_SHOWN' });
    expect(executions()).toBe(1);
  });

  test('that went unanswered after one that was carried out takes nothing back of it', async () => {
    // The stronger statement is kept.
    bkash.answer({ status: AGREED, execute: [json({ statusCode: '0000' }), text('{}', 500)] });
    await ask();
    bkash.later(61_000);
    await ask();
    bkash.later(61_000);
    expect(await ask({ mayExecute: false })).toEqual({ kind: 'unknown', note: 'EXECUTED_BUT_NOT_SHOWN' });
    expect(executions()).toBe(2);
  });

  test('that the gateway takes for a duplicate is not repeated by a machine', async () => {
    // Otherwise the payer could pay twice.
    bkash.answer({ status: AGREED, execute: refusal('2029') });
    await ask();
    bkash.later(24 * 60 * 60_000 - 120_000);
    expect(await ask()).toEqual({ kind: 'in-progress' });
    // A payment that has another charge by now, or was cancelled, does not wait for this attempt.
    expect(await ask({ mayExecute: false })).toEqual({ kind: 'not-started' });
    expect(executions()).toBe(1);
  });

  test('is not begun with a token that is not taken, and is after a new one', async () => {
    // A 401 means that nothing was executed.
    bkash.answer({
      status: [AGREED, COMPLETED],
      execute: [json({ message: 'Unauthorized' }, 401), json({ statusCode: '0000' })],
    });
    expect((await ask()).kind).toBe('charged');
    expect(executions()).toBe(2);
  });
});

describe('of two processes', () => {
  const two = (): { one: Gateway; other: Gateway; rows: BkashRows } => {
    const rows = bkashRows(() => bkash.state.nowMs);
    return { one: bkash.process(rows), other: bkash.process(rows), rows };
  };

  test('the second knows that the first has executed, and does not execute beside it', async () => {
    // The worker that sent the execution may have died.
    const { one, other } = two();
    // Gets its token, which takes longer than a short time limit on a stalled machine.
    bkash.answer({ status: payment() });
    await one.queryAttempt(HANDLE);
    bkash.answer({ status: AGREED, execute: HANG });
    await bkash.expectSilence(() => one.queryAttempt(HANDLE));
    expect(await other.queryAttempt(HANDLE)).toEqual({ kind: 'in-progress' });
    expect(executions()).toBe(1);
    bkash.later(61_000);
    bkash.answer({ status: AGREED, execute: refusal('2023') });
    // The refusal can be caused by the first execution, which emptied the wallet.
    expect(await other.queryAttempt(HANDLE)).toEqual({ kind: 'unknown', note: 'DECLINED_AFTER_DOUBT' });
  });

  test('one that died while it executed leaves a doubt to the other', async () => {
    // The row was written before the execution was sent, and no worker has closed it.
    const { other, rows } = two();
    const atWorkMs = 60_000;
    await rows.executions.begin({ attemptReference: REFERENCE, paymentId: PAYMENT_ID, atWorkMs });
    bkash.answer({ status: payment() });
    const claimedEnd = { kind: 'cancelled', validationId: PAYMENT_ID } as const;
    expect(await other.queryAttempt({ ...HANDLE, claimedEnd })).toEqual({ kind: 'in-progress' });
    bkash.later(61_000);
    expect(await other.queryAttempt({ ...HANDLE, claimedEnd })).toEqual({
      kind: 'unknown',
      note: 'EXECUTION_IN_DOUBT',
    });
  });

  test('none executes what has ended meanwhile', async () => {
    // One row guards both the end of the attempt and the permission to execute it.
    const { one, rows } = two();
    rows.executions.close(REFERENCE);
    bkash.answer({ status: AGREED });
    expect(await one.queryAttempt(HANDLE)).toEqual({ kind: 'in-progress' });
    expect(executions()).toBe(0);
  });

  test('none executes or judges what it cannot look up', async () => {
    // Without the rows, it is unknown what was executed before.
    const away = () => Promise.reject(new Error('the database is away'));
    const lost = bkash.process({ executions: { stateOf: away, begin: away } });
    bkash.answer({ status: AGREED });
    await expect(lost.queryAttempt(HANDLE)).rejects.toMatchObject({ kind: 'unavailable' });
    const claimedEnd = { kind: 'cancelled', validationId: PAYMENT_ID } as const;
    await expect(lost.queryAttempt({ ...HANDLE, claimedEnd })).rejects.toMatchObject({ kind: 'unavailable' });
    expect(executions()).toBe(0);
  });
});

describe('a payer who came back without paying', () => {
  const cancelled = { claimedEnd: { kind: 'cancelled', validationId: PAYMENT_ID } } as const;

  test.each(['cancelled', 'failed'] as const)('has given up: %s, by one query and no execution', async (kind) => {
    // bKash still answers Initiated, and no money moves unless Lenden executes the payment.
    bkash.answer({ status: payment() });
    expect(await ask({ claimedEnd: { kind, validationId: PAYMENT_ID } })).toEqual({ kind: 'given-up', as: kind });
    expect(bkash.calls()).toEqual(['grant', 'status']);
  });

  test('of another payment has said nothing of this one', async () => {
    // The page belongs to a creation whose answer was lost.
    bkash.answer({ status: payment() });
    for (const validationId of ['TR0011SOMEBODYELSE', null]) {
      expect(await ask({ claimedEnd: { kind: 'cancelled', validationId } })).toEqual({ kind: 'not-started' });
    }
  });

  test('and had agreed is not charged for it; who agreed and says so is', async () => {
    // The payer's last action in one tab must not undo an agreement in another.
    bkash.answer({ status: AGREED });
    expect(await ask(cancelled)).toEqual({ kind: 'given-up', as: 'cancelled' });
    expect(executions()).toBe(0);
    bkash.answer({ status: [AGREED, COMPLETED], execute: json({ statusCode: '0000' }) });
    expect((await ask({ ...cancelled, claimedValidationId: PAYMENT_ID })).kind).toBe('charged');
  });

  test('is not believed against a charge, nor once an execution was sent', async () => {
    // Anybody who has the address can visit it again.
    bkash.answer({ status: COMPLETED });
    expect((await ask(cancelled)).kind).toBe('charged');
    bkash.answer({ status: AGREED, execute: HANG });
    await bkash.expectSilence(ask);
    bkash.answer({ status: payment() });
    expect(await ask(cancelled)).toEqual({ kind: 'in-progress' });
    bkash.later(61_000);
    expect(await ask(cancelled)).toEqual({ kind: 'unknown', note: 'EXECUTION_IN_DOUBT' });
  });

  test('is believed after an execution that plainly moved nothing', async () => {
    // bKash itself said that the execution came too early.
    bkash.answer({ status: AGREED, execute: refusal('2060') });
    await ask();
    bkash.answer({ status: payment() });
    expect(await ask(cancelled)).toEqual({ kind: 'given-up', as: 'cancelled' });
  });
});

describe('a charge', () => {
  test.each([
    ['unpadded', { amount: '100' }, { grossMinor: 10_000n }],
    ['as a number', { amount: 100 }, { grossMinor: 10_000n }],
    ['finer than the minor unit', { amount: '100.001' }, { grossMinor: null }],
    ['that is no decimal', { amount: '1e2' }, { grossMinor: null }],
    ['of a currency that nobody knows', { currency: 'XXX1' }, { grossMinor: null, currency: 'XXX1' }],
    [
      'under the other name of its invoice',
      { merchantInvoice: null, merchantInvoiceNumber: 'OTHER' },
      { attemptReference: 'OTHER' },
    ],
    ['without an invoice', { merchantInvoice: null }, { attemptReference: '' }],
  ])('%s is read exactly or not at all', async (_name, changes, charge) => {
    // Amounts must be exact: no floats, no tolerance, no guesses.
    bkash.answer({ status: payment({ transactionStatus: 'Completed', trxID: 'TRX', ...changes }) });
    expect(await ask()).toMatchObject({ kind: 'charged', charge });
  });
});

describe('a session', () => {
  const order: SessionOrder = {
    attemptReference: REFERENCE,
    amount: { amountMinor: 10_050n, currency: 'BDT' },
    productName: 'A book',
    customer: {
      name: 'C',
      email: 'c@example.com',
      phone: '01711111111',
      address: 'A',
      city: 'D',
      postcode: '1',
      country: 'B',
    },
    callbacks: {
      success: 'http://a/s',
      fail: 'http://a/f',
      cancel: 'http://a/c',
      ipn: 'http://a/i',
      back: 'http://a/b',
    },
    expiresAt: new Date('2026-11-22T01:00:00Z'),
    readAt: new Date('2026-11-22T00:30:00Z'),
  };
  const created = (bkashURL: string, paymentID = PAYMENT_ID): Reply =>
    json({ statusCode: '0000', paymentID, bkashURL });

  test('is asked for with the amount as text, our reference, and one address for the way back', async () => {
    // Payer data is sent only if the application provided it.
    bkash.answer({ create: created(`${bkash.origin}/page`) });
    expect(await gateway.openSession(order)).toEqual({
      kind: 'opened',
      sessionKey: PAYMENT_ID,
      gatewayUrl: `${bkash.origin}/page`,
    });
    expect(bkash.state.asked.at(-1)?.body).toEqual({
      mode: '0011',
      intent: 'sale',
      payerReference: REFERENCE,
      callbackURL: expect.stringMatching(/^http:\/\/a\/b\/AbCdEfGhIjKlMnOpQrSt\.[0-9A-Za-z_-]{22}$/),
      amount: '100.50',
      currency: 'BDT',
      merchantInvoiceNumber: REFERENCE,
    });
  });

  test.each([
    ['01770618575', '01770618575'],
    ['8801770618575', '01770618575'],
    ['+880 1770-618575', '01770618575'],
    ['+44 20 7946 0000', REFERENCE],
    ['', REFERENCE],
    [null, REFERENCE],
  ])('of a payer with the phone %p names the payer %p', async (payerPhone, payerReference) => {
    // bKash prefills its page with a wallet's number. Any other text would confuse the payer.
    bkash.answer({ create: created(`${bkash.origin}/page`) });
    await gateway.openSession({ ...order, payerPhone });
    expect(bkash.state.asked.at(-1)?.body).toMatchObject({ payerReference, merchantInvoiceNumber: REFERENCE });
  });

  test.each([
    'https://evil.example/page',
    'javascript:alert(1)',
    '',
    'http://127.0.0.1.evil.example/',
    'http://evilbkash.com/',
  ])('with the page %p is not taken', async (page) => {
    // A payer must never be sent anywhere but to the gateway.
    bkash.answer({ create: created(page) });
    await expect(gateway.openSession(order)).rejects.toMatchObject({ kind: 'ambiguous' });
  });

  test.each(['2006', '2029', '2049', '2064', '2065'])('that is refused by %s is refused for good', async (code) => {
    // The gateway's text is stored next to Lenden's own code.
    bkash.answer({ create: refusal(code) });
    expect(await gateway.openSession(order)).toEqual({
      kind: 'refused',
      code: 'GATEWAY_REFUSED_SESSION',
      gatewayText: `code ${code}`,
    });
  });

  test.each(['503', '2003', '9999'])('that is answered by %s may be asked for again', async (code) => {
    // The answer is neither a refusal nor a session.
    bkash.answer({ create: refusal(code) });
    await expect(gateway.openSession(order)).rejects.toMatchObject({ kind: 'ambiguous' });
  });
});
