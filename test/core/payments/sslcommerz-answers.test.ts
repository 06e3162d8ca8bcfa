import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import type { AttemptHandle, Gateway, SessionOrder } from '../../../gateways/port.ts';
import { createSslcommerzGateway } from '../../../gateways/sslcommerz/gateway.ts';
import { sessionForm } from '../../../gateways/sslcommerz/session.ts';
import { createHttpClient, type HttpClient } from '../../../runtime/http-client.ts';

type Reply = (response: ServerResponse, url: URL) => void;

let reply: Reply;
let asked: URL[] = [];
let gateway: Gateway;
let origin: string;
let http: HttpClient;
const server = createServer((request: IncomingMessage, response) => {
  const url = new URL(request.url ?? '/', 'http://gateway');
  asked.push(url);
  request.resume().on('end', () => reply(response, url));
});

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  http = createHttpClient({ guard: 'none', allow: parseAllowList('') });
  const { port } = server.address() as AddressInfo;
  gateway = adapter(port);
  origin = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await http.close();
});
beforeEach(() => {
  asked = [];
});

function adapter(port: number): Gateway {
  return createSslcommerzGateway({
    baseUrl: `http://127.0.0.1:${port}`,
    storeId: 'store',
    storePassword: 'secret',
    http,
    totalTimeoutMs: 4_000,
  });
}

const json = (value: unknown): Reply => text(JSON.stringify(value));
const text =
  (body: string, status = 200): Reply =>
  (response) =>
    response.writeHead(status).end(body);

const ATTEMPT: AttemptHandle = {
  attemptReference: 'AbCdEfGhIjKlMnOpQrSt',
  sessionKey: null,
  claimedValidationId: null,
  knownValidationIds: [],
};
const PAID = {
  APIConnect: 'DONE',
  status: 'VALID',
  tran_id: ATTEMPT.attemptReference,
  val_id: 'val1',
  amount: '100.00',
  store_amount: '97.50',
  currency: 'BDT',
  currency_type: 'BDT',
  currency_amount: '100.00',
  bank_tran_id: 'bank1',
  risk_level: '0',
};
/** Answers queries with the list and validations with the charge. */
const charged =
  (changes: object, elements: readonly object[] = [{ ...PAID }]): Reply =>
  (response, url) =>
    (url.searchParams.has('val_id')
      ? json({ ...PAID, ...changes })
      : json({ APIConnect: 'DONE', no_of_trans_found: elements.length, element: elements }))(response, url);
const list = (...statuses: string[]): Reply =>
  json({ APIConnect: 'DONE', no_of_trans_found: statuses.length, element: statuses.map((status) => ({ status })) });
const ask = (attempt: Partial<AttemptHandle> = {}) => gateway.queryAttempt({ ...ATTEMPT, ...attempt });

describe('an answer about an attempt', () => {
  test.each([
    ['an empty list', [], { kind: 'not-started' }],
    ['PENDING', ['PENDING'], { kind: 'in-progress' }],
    ['FAILED', ['FAILED'], { kind: 'failed' }],
    ['CANCELLED', ['CANCELLED'], { kind: 'cancelled' }],
    ['EXPIRED', ['EXPIRED'], { kind: 'expired' }],
    ['UNATTEMPTED', ['UNATTEMPTED'], { kind: 'expired' }],
    ['a failure and a try that is under way', ['FAILED', 'PENDING'], { kind: 'in-progress' }],
    ['a failure and a word that nobody knows', ['FAILED', 'HELD'], { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
    ['no word', [''], { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
  ])('by %s is read for what it says and no more', async (_name, statuses, answer) => {
    // An unknown status must count neither as success nor as failure.
    reply = list(...statuses);
    expect(await ask()).toEqual(answer);
  });

  test.each([
    ['HTML', text('<html>Service unavailable</html>')],
    ['nothing', text('')],
    ['half a JSON', text('{"APIConnect":"DONE","element":[{"sta')],
    ['null', json(null)],
    ['an empty object', json({})],
    ['a list without its list', json({ APIConnect: 'DONE', no_of_trans_found: 1 })],
    ['a list that is no list', json({ APIConnect: 'DONE', element: 'none' })],
    ['ten megabytes', text('x'.repeat(10 * 1024 * 1024))],
    ['HTTP 500', text('{}', 500)],
    ['a redirect', ((response) => response.writeHead(302, { location: '/elsewhere' }).end()) satisfies Reply],
    ['a cut connection', ((response) => response.destroy()) satisfies Reply],
    ['silence', (() => undefined) satisfies Reply],
  ])('that is %s is no answer', async (_name, broken) => {
    // The query can be repeated. A missing answer must never mean that the payer did not pay.
    reply = broken;
    await expect(ask()).rejects.toMatchObject({ name: 'GatewayFailure', kind: 'ambiguous' });
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['FAILED', 'unauthorized'],
    ['INACTIVE', 'unauthorized'],
    ['INVALID_REQUEST', 'unavailable'],
  ])('that was not given because of %s is no answer', async (APIConnect, kind) => {
    // Wrong credentials do not mean that the payer did not pay.
    reply = json({ APIConnect, element: [] });
    await expect(ask()).rejects.toMatchObject({ kind });
  });

  test('that asks us to slow down says so', async () => {
    // The next try waits longer.
    reply = text('', 429);
    await expect(ask()).rejects.toMatchObject({ kind: 'rate-limited' });
  });

  test('that could not be asked for is told apart from one that was lost', async () => {
    // A request that was never sent can be repeated safely.
    const probe = createServer();
    await new Promise<void>((resolve) => {
      probe.listen(0, '127.0.0.1', resolve);
    });
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => {
      probe.close(resolve);
    });
    await expect(adapter(port).queryAttempt(ATTEMPT)).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('a charge', () => {
  test.each([
    ['three decimals of net', { store_amount: '97.505' }, { grossMinor: 10_000n, feeMinor: 250n, netText: '97.505' }],
    [
      'unpadded amounts',
      { amount: '100', currency_amount: '100', store_amount: '97.5' },
      { grossMinor: 10_000n, feeMinor: 250n },
    ],
    [
      'numbers in place of text',
      { amount: 100, currency_amount: 100, store_amount: 97.5, risk_level: 0 },
      { grossMinor: 10_000n, feeMinor: 250n, riskFlagged: false },
    ],
    ['a gross finer than the minor unit', { amount: '100.001' }, { grossMinor: null }],
    ['an amount that is no decimal', { amount: '1e2' }, { grossMinor: null }],
    ['Bengali digits', { amount: '১০০' }, { grossMinor: null }],
    ['a currency that nobody knows', { currency: 'XXX1' }, { grossMinor: null }],
    ['a risk', { risk_level: '1' }, { riskFlagged: true }],
    ['a risk as a number', { risk_level: 1 }, { riskFlagged: true }],
    ['a second validation', { status: 'VALIDATED' }, { grossMinor: 10_000n }],
  ])('with %s is read exactly or not at all', async (_name, changes, expected) => {
    // Amounts must be exact: no floats, no tolerance, no guesses.
    reply = charged(changes);
    expect(await ask()).toMatchObject({ kind: 'charged', charge: expected });
  });

  test('keeps the gateway’s answer word for word as evidence', async () => {
    // The raw text is the evidence of the gateway's answer.
    reply = charged({ extra: 'kept' });
    const answer = await ask();
    expect(answer.kind === 'charged' && JSON.parse(answer.charge.evidence)).toMatchObject({ ...PAID, extra: 'kept' });
  });

  test('is asked for by the claimed id first, then by our own reference', async () => {
    // The claimed id is only a hint. The charge that it refers to must belong to this attempt.
    reply = charged({ tran_id: 'SomebodyElses', val_id: 'claimed' }, []);
    expect(await ask({ claimedValidationId: 'claimed' })).toEqual({ kind: 'not-started' });
    expect(asked.map(({ searchParams }) => searchParams.get('val_id') ?? searchParams.get('tran_id'))).toEqual([
      'claimed',
      ATTEMPT.attemptReference,
    ]);
  });

  test('is not taken from a validation of another id than was asked', async () => {
    // A wrong answer of the gateway must not confirm a payment.
    reply = charged({ val_id: 'another' });
    await expect(ask()).rejects.toMatchObject({ kind: 'ambiguous' });
  });

  test('that is only listed, and not validated, is unknown', async () => {
    // Only the validation counts, not the list.
    reply = charged({ status: 'INVALID_TRANSACTION' });
    expect(await ask()).toEqual({ kind: 'unknown', note: 'LISTED_AS_PAID_BUT_NOT_VALIDATED' });
  });

  test('that is booked already is passed over for the next one', async () => {
    // Otherwise a second charge under one reference would be hidden by the first.
    reply = charged({ val_id: 'val2' }, [PAID, { ...PAID, val_id: 'val2' }]);
    expect(await ask({ knownValidationIds: ['val1'] })).toMatchObject({
      kind: 'charged',
      charge: { validationId: 'val2' },
    });
    expect(await ask({ knownValidationIds: ['val1', 'val2'] })).toEqual({ kind: 'not-started' });
  });
});

describe('a session', () => {
  const order: SessionOrder = {
    attemptReference: ATTEMPT.attemptReference,
    amount: { amountMinor: 10_000n, currency: 'BDT' },
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
  const opened = (page: string): Reply => json({ status: 'SUCCESS', sessionkey: 'KEY', GatewayPageURL: page });

  test('is taken when its page is the gateway’s own', async () => {
    // A payer must never be sent anywhere but to the gateway.
    reply = opened(`${origin}/page`);
    expect(await gateway.openSession(order)).toEqual({
      kind: 'opened',
      sessionKey: 'KEY',
      gatewayUrl: `${origin}/page`,
    });
  });

  test.each([
    'https://evil.example/page',
    'javascript:alert(1)',
    'http://user@127.0.0.1/',
    '',
    'http://127.0.0.1.evil.example/',
  ])('with the page %p is not', async (page) => {
    // A compromised gateway, or an answer that was tampered with, must not send payers elsewhere.
    reply = opened(page);
    await expect(gateway.openSession(order)).rejects.toMatchObject({ kind: 'ambiguous' });
  });

  test.each([
    ['cus_email', 'email', `${'a'.repeat(39)}@example.com`, 'customer@example.com'],
    ['cus_phone', 'phone', '+88017000000000000001', '01700000000'],
  ])('names no part of a payer’s %s, which may be somebody else’s', (field, member, tooLong, standIn) => {
    // Otherwise a stranger could get the payer's receipt.
    const sent = (value: string): string | null =>
      sessionForm(
        { ...order, customer: { ...order.customer, [member]: value } },
        { id: 'store', password: 'secret' },
      ).get(field);
    expect(sent(tooLong)).toBe(standIn);
    expect(sent(` ${tooLong.slice(1)}\n`)).toBe(tooLong.slice(1));
  });

  test.each([
    ['HTML', text('<html>Service unavailable</html>')],
    ['nothing', text('')],
    ['half a JSON', text('{"status":"SUCCESS","sessionk')],
    ['ten megabytes', text('x'.repeat(10 * 1024 * 1024))],
    ['a cut connection', ((response) => response.destroy()) satisfies Reply],
  ])('answered with %s may exist', async (_name, broken) => {
    // Only the same reference may be used again, because it is unknown whether the session was created.
    reply = broken;
    await expect(gateway.openSession(order)).rejects.toMatchObject({ name: 'GatewayFailure', kind: 'ambiguous' });
  });

  test('that is refused says so in our own word', async () => {
    // The gateway's text is stored next to the code, never in its place.
    reply = json({ status: 'FAILED', failedreason: 'Store Credential Error' });
    expect(await gateway.openSession(order)).toEqual({
      kind: 'refused',
      code: 'GATEWAY_REFUSED_SESSION',
      gatewayText: 'Store Credential Error',
    });
  });
});

const STOOD = {
  APIConnect: 'DONE',
  bank_tran_id: 'bank1',
  tran_id: ATTEMPT.attemptReference,
  refund_ref_id: 'ref1',
  initiated_on: '2026-11-22 06:00:00',
  refunded_on: '',
  errorReason: '',
};

describe('the question how a refund stands', () => {
  const queryRefund = () => gateway.queryRefund('ref1', { gatewayTxnId: 'bank1', validationId: 'val1' });

  test.each([
    ['refunded', {}, { kind: 'refunded' }],
    ['refunded', { bank_tran_id: null }, { kind: 'refunded' }],
    ['processing', {}, { kind: 'processing', gatewayRefundId: 'ref1' }],
    ['cancelled', {}, { kind: 'cancelled' }],
    ['failed', { errorReason: 'No' }, { kind: 'refused', gatewayText: 'No' }],
    ['held', {}, { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
  ])('is answered by %s %j', async (status, changes, outcome) => {
    // Only an answer that names this refund says how it ended.
    reply = json({ ...STOOD, status, ...changes });
    expect(await queryRefund()).toMatchObject(outcome);
    expect(asked[0]?.searchParams.get('refund_ref_id')).toBe('ref1');
  });

  test.each([
    ['is another one', { refund_ref_id: 'ref2' }],
    ['names none', { refund_ref_id: '' }],
    ['is another charge’s', { bank_tran_id: 'bank2' }],
  ])('is not answered by one that %s', async (_name, changes) => {
    // A wrong answer from a cache or proxy must neither complete nor fail a refund.
    for (const status of ['refunded', 'processing', 'cancelled', 'failed']) {
      reply = json({ ...STOOD, status, ...changes });
      expect(await queryRefund()).toEqual({ kind: 'unknown', note: 'ANOTHER_REFUND' });
    }
  });

  test('is not answered by a refund that is not found', async () => {
    // A refund that is not found has not failed.
    reply = json({ APIConnect: 'DONE', refund_ref_id: 'ref1', status: 'failed', errorReason: 'Invalid refund_ref_id' });
    expect(await queryRefund()).toEqual({ kind: 'unknown', note: 'REFUND_NOT_FOUND' });
  });
});

describe('a refund', () => {
  const refund = () =>
    gateway.refund({
      gatewayTxnId: 'bank1',
      validationId: 'val1',
      refundReference: 'REFUND1',
      amount: { amountMinor: 4_000n, currency: 'BDT' },
      remarks: 'Refund',
      queriedBefore: false,
      queriedAgoMs: null,
      otherRefunds: 0,
    });

  test('that is refused without a word about its charge is refused', async () => {
    // The gateway omits what it does not know.
    reply = json({ APIConnect: 'DONE', refund_ref_id: '', status: 'failed', errorReason: 'No' });
    expect(await refund()).toMatchObject({ kind: 'refused', gatewayText: 'No' });
  });

  test.each(['success', 'processing', 'failed'])(
    'of another charge that is answered by %s is no answer',
    async (status) => {
      // The right charge's refund may have been accepted, so the request is repeated with the same key.
      reply = json({ ...STOOD, bank_tran_id: 'bank2', status });
      await expect(refund()).rejects.toMatchObject({ kind: 'ambiguous' });
    },
  );
});
