import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CredentialPair, Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, documentedOperations, type Answer, type DocumentedOperation } from './contract-client.ts';

let world: ApiWorld;
let shop: Registration;
let other: Registration;
/** Payments of another application in the same mode, and of the same application in the other mode. */
let foreign: Answer;
let ofOtherMode: Answer;
let foreignRefund: Answer;
let refundOfOtherMode: Answer;
let foreignInvoice: Answer;
let invoiceOfOtherMode: Answer;

beforeAll(async () => {
  world = await openApiWorld();
  shop = await world.register({ name: 'Ours', receiptsEnabled: true });
  other = await world.register({ name: 'Theirs', receiptsEnabled: true });
  foreign = await createPayment(other.test);
  ofOtherMode = await createPayment(shop.live);
  foreignRefund = await refund(foreign, other.test);
  refundOfOtherMode = await refund(ofOtherMode, shop.live);
  foreignInvoice = await createInvoice(other.test);
  invoiceOfOtherMode = await createInvoice(shop.live);
});
afterAll(() => world.close());

const CUSTOMER = 'one customer of both';

async function createPayment(credentials: CredentialPair): Promise<Answer> {
  const origin = await world.listen();
  const body = { amountMinor: 10_000, customerReference: CUSTOMER };
  return call({ origin, method: 'POST', path: '/payments', credentials, body });
}

const INVOICE = {
  customerReference: CUSTOMER,
  lineItems: [{ description: 'Setup fee', qty: 1, unitAmountMinor: 10_000 }],
};

async function createInvoice(credentials: CredentialPair): Promise<Answer> {
  return call({ origin: await world.listen(), method: 'POST', path: '/invoices', credentials, body: INVOICE });
}

async function refund(payment: Answer, credentials: CredentialPair): Promise<Answer> {
  const id = String(payment.data['id']);
  await world.pay(id);
  const path = `/payments/${id}/refunds`;
  return call({ origin: await world.listen(), method: 'POST', path, credentials, body: { amountMinor: 100 } });
}

const tested = { credentials: new Set<string>(), scope: new Set<string>() };
const secured = documentedOperations.filter((operation) => operation.secured);
const byId = secured.filter(({ path }) => path.includes('{id}'));
const publicOnes = documentedOperations.filter((operation) => !operation.secured);

/** How each operation without an id is shown to stay in its scope. An operation that is in no list fails below. */
const SCOPED_OTHERWISE: Readonly<Record<string, (operation: DocumentedOperation) => Promise<void>>> = {
  async getAppMe() {
    const answer = await send({ path: '/app/me', credentials: shop.test });
    expect(answer.data).toMatchObject({ name: 'Ours', mode: 'TEST' });
  },
  async createPayment() {
    const body = { amountMinor: 10_000, customerReference: 'mine', applicationId: Number(other.applicationId) };
    const answer = await send({ method: 'POST', path: '/payments', credentials: shop.test, body });
    expect(answer.data).toMatchObject({ applicationId: Number(shop.applicationId), mode: 'TEST' });
  },
  async listPayments() {
    const answer = await send({
      path: `/payments?customerReference=${encodeURIComponent(CUSTOMER)}`,
      credentials: shop.test,
    });
    expect(answer.payload).toEqual([]);
  },
  async moveTestClock() {
    const move = (object: string, { data }: Answer, credentials = shop.test) =>
      send({ method: 'POST', path: '/test-clock', credentials, body: { object, id: data['id'], forward: 60 } });
    for (const [object, answers] of [
      ['payment', [foreign, ofOtherMode]],
      ['refund', [foreignRefund, refundOfOtherMode]],
      ['invoice', [foreignInvoice, invoiceOfOtherMode]],
    ] as const) {
      for (const answer of answers) {
        expect((await move(object, answer)).status).toBe(404);
      }
    }
    expect((await move('payment', foreign, other.test)).status).toBe(200);
  },
  async createInvoice() {
    const body = { ...INVOICE, customerReference: 'mine', applicationId: Number(other.applicationId), mode: 'LIVE' };
    const made = await send({ method: 'POST', path: '/invoices', credentials: shop.test, body });
    expect(made.data).toMatchObject({ number: 'INV-000001', mode: 'TEST' });
    const path = `/invoices/${String(made.data['id'])}`;
    expect((await send({ path, credentials: other.test })).status).toBe(404);
    expect((await send({ path, credentials: shop.live })).status).toBe(404);
    expect((await send({ path, credentials: shop.test })).status).toBe(200);
  },
  async listInvoices() {
    const path = `/invoices?customerReference=${encodeURIComponent(CUSTOMER)}`;
    expect((await send({ path, credentials: shop.test })).payload).toEqual([]);
    expect((await send({ path, credentials: other.test })).payload).toHaveLength(1);
  },
  getInvoiceTemplate: templateIsOurs,
  setInvoiceTemplate: templateIsOurs,
};

/** An application has one template for both modes, which no other application can read or change. */
async function templateIsOurs(): Promise<void> {
  const path = '/invoices/template';
  const write = (companyName: string, credentials: CredentialPair): Promise<Answer> =>
    send({ method: 'PUT', path, credentials, body: { companyName, applicationId: Number(other.applicationId) } });
  const read = async (credentials: CredentialPair): Promise<unknown> =>
    (await send({ path, credentials })).data['companyName'];
  await write('Theirs alone', other.live);
  await write('Ours alone', shop.test);
  expect([await read(shop.test), await read(shop.live)]).toEqual(['Ours alone', 'Ours alone']);
  expect([await read(other.test), await read(other.live)]).toEqual(['Theirs alone', 'Theirs alone']);
}

interface Sending {
  readonly method?: string;
  readonly path: string;
  readonly credentials?: CredentialPair;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** Uses a new listener, so that no per-address limit answers instead of the operation. */
async function send(sending: Sending): Promise<Answer> {
  return call({ origin: await world.listen(), ...sending });
}

function requestOf({ method, path, hasBody }: DocumentedOperation, id: string): Sending {
  return {
    method,
    path: path.replace('{id}', id),
    ...(hasBody
      ? { body: path.startsWith('/invoices') ? INVOICE : { amountMinor: 10_000, customerReference: 'c' } }
      : {}),
  };
}

/** Returns objects of the kind that an operation's id refers to. */
function objectsOf({ path }: DocumentedOperation): { theirs: Answer; otherMode: Answer } {
  if (path.startsWith('/invoices/')) {
    return { theirs: foreignInvoice, otherMode: invoiceOfOtherMode };
  }
  return path.startsWith('/refunds/')
    ? { theirs: foreignRefund, otherMode: refundOfOtherMode }
    : { theirs: foreign, otherMode: ofOtherMode };
}

describe.each(secured.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  '%s',
  (_name, operation) => {
    test('is 401 without credentials, with half of them, with garbage, and with mixed ones', async () => {
      // Otherwise strangers could read data, or find out which half of a credential was wrong.
      const request = requestOf(operation, '1');
      const one = shop.test.apiSecret.startsWith('a') ? 'b' : 'a';
      const wrong: Record<string, string>[] = [
        {},
        { 'x-api-key': shop.test.apiKey },
        { 'x-api-secret': shop.test.apiSecret },
        { 'x-api-key': 'garbage', 'x-api-secret': 'garbage' },
        { 'x-api-key': shop.test.apiKey, 'x-api-secret': one + shop.test.apiSecret.slice(1) },
        { 'x-api-key': shop.live.apiKey, 'x-api-secret': shop.test.apiSecret },
        { 'x-api-key': other.test.apiKey, 'x-api-secret': shop.test.apiSecret },
        { 'x-api-key': "oi_test_' or 1=1 --aaaaaaa", 'x-api-secret': 'x' },
        { 'x-api-key': shop.test.apiKey, 'x-api-secret': 's'.repeat(4_000) },
        { authorization: `Bearer ${shop.test.apiKey}` },
      ];
      const origin = await world.listen();
      const answers = await Promise.all(wrong.map((headers) => call({ origin, ...request, headers })));
      expect(answers.map(({ status }) => status)).toEqual(wrong.map(() => 401));
      expect(new Set(answers.map(({ text }) => text.replace(/"timestamp":"[^"]+"/, ''))).size).toBe(1);
      tested.credentials.add(operation.operationId);
    });
  },
);

describe.each(byId.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  '%s',
  (_name, operation) => {
    test("answers another app's id and the other mode's exactly as an absent one", async () => {
      // Otherwise the status, the length or the text would reveal that the id exists.
      const answers = [];
      const { theirs, otherMode } = objectsOf(operation);
      for (const id of [theirs.data['id'], otherMode.data['id'], Number.MAX_SAFE_INTEGER]) {
        answers.push(await send({ ...requestOf(operation, String(id)), credentials: shop.test }));
      }
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
      const told = answers.map(({ text, headers }) => ({
        text: text.replace(/"timestamp":"[^"]+"/, ''),
        length: headers['content-length'],
        headers: Object.keys(headers).sort(),
      }));
      expect(told[0]).toEqual(told[2]);
      expect(told[1]).toEqual(told[2]);
      const own = await send({ ...requestOf(operation, String(theirs.data['id'])), credentials: other.test });
      expect(own.status).not.toBe(404);
      tested.scope.add(operation.operationId);
    });
  },
);

describe.each(secured.filter((operation) => !byId.includes(operation)).map((operation) => [operation] as const))(
  '$method $path',
  (operation) => {
    test('keeps to the app and mode of its credential', async () => {
      // An operation without an id can leak another application's objects in its own way, so it has its own check.
      const prove = SCOPED_OTHERWISE[operation.operationId];
      expect(prove).toBeDefined();
      await prove?.(operation);
      tested.scope.add(operation.operationId);
    });
  },
);

describe.each(publicOnes.map((operation) => [operation] as const))('$method $path', (operation) => {
  test('is public by an unguessable reference only, and takes no id', async () => {
    // Otherwise anybody could read payments by counting ids.
    expect(operation.parameters.map(({ name }) => name)).toEqual(['reference']);
    const references = ['1', String(foreign.data['id']), String(foreignInvoice.data['id']), `pay_${'0'.repeat(22)}`];
    for (const reference of references) {
      expect((await send({ path: operation.path.replace('{reference}', reference) })).status).toBe(404);
    }
    tested.scope.add(operation.operationId);
  });
});

test('no operation of the document was left out', () => {
  // A new route without these checks fails here.
  expect([...tested.credentials].sort()).toEqual(secured.map(({ operationId }) => operationId).sort());
  expect([...tested.scope].sort()).toEqual(documentedOperations.map(({ operationId }) => operationId).sort());
  expect(documentedOperations.length).toBeGreaterThanOrEqual(7);
});
