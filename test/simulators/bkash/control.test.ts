import { createVerify, X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseMerchants } from '../../../simulators/bkash/merchants.ts';
import { scriptTable } from '../../../simulators/bkash/scripts.ts';
import { startBkashSimulator } from '../../../simulators/bkash/server.ts';
import { parseCallback } from '../../../gateways/bkash/callback.ts';
import { startBkash, walk, type Answer, type Bkash } from './merchant.ts';
import { until } from '../../support/until.ts';

let bkash: Bkash;
beforeAll(async () => {
  bkash = await startBkash();
});
afterAll(() => bkash.close());

async function underScript(number: string): Promise<Answer> {
  const session = await bkash.create({ amount: `1313.${number}` });
  await walk(session);
  return session;
}

test('an amount picks its row, and so does a payer’s reference', async () => {
  // A test of a running Lenden can select a script without the control API.
  expect(await bkash.create({ amount: '1313.40' })).toMatchObject({ statusCode: '2064' });
  expect(await bkash.create({ payerReference: '01700000040' })).toMatchObject({ statusCode: '2064' });
});

test('a charge whose answer is lost is a charge', async () => {
  // This is the most important script: the execution gets no answer, but the charge has happened.
  const { paymentID } = await underScript('18');
  await expect(bkash.execute(paymentID)).rejects.toThrow();
  expect(await bkash.query(paymentID)).toMatchObject({ transactionStatus: 'Completed' });
  expect(await bkash.execute(paymentID)).toMatchObject({ statusCode: '2062' });
});

test('a charge may come after its answer was given up', async () => {
  // A real gateway can still be working on the charge, and a query in between finds nothing.
  const { paymentID } = await underScript('19');
  const executing = expect(bkash.execute(paymentID)).rejects.toThrow();
  expect(await bkash.query(paymentID)).toMatchObject({ transactionStatus: 'Initiated' });
  await executing;
  await until(async () => (await bkash.query(paymentID))['transactionStatus'] === 'Completed');
});

test('rows spoil what they say, as often as they say', async () => {
  // Otherwise a test would not get the fault that the script table describes.
  const wrong = await underScript('20');
  expect(await bkash.execute(wrong['paymentID'])).toMatchObject({ amount: '1312.20' });
  const lagging = await underScript('29');
  await bkash.execute(lagging['paymentID']);
  const seen: unknown[] = [];
  for (let asked = 0; asked < 4; asked += 1) {
    seen.push((await bkash.query(lagging['paymentID']))['transactionStatus']);
  }
  expect(seen).toEqual(['Initiated', 'Initiated', 'Initiated', 'Completed']);
  const named = await underScript('07');
  expect(await bkash.query(named['paymentID'])).toMatchObject({ transactionStatus: 'Cancelled' });
  const refused = await underScript('38');
  expect((await bkash.raw('/payment/status', { paymentID: refused['paymentID'] })).status).toBe(401);
  expect(await bkash.query(refused['paymentID'])).toMatchObject({ statusCode: '0000' });
});

test('a payment can be agreed to, executed, ended and scripted by hand; a queued script meets the next one', async () => {
  // A test can act as a payer who acts hours later.
  await bkash.create({ merchantInvoiceNumber: 'HAND' });
  const act = (action: string, body: unknown = {}) => bkash.control('POST', `bkash/payments/HAND/${action}`, body);
  expect((await act('agree', { wallet: '01929918378' })).body).toMatchObject({
    verified: { wallet: '01929918378' },
    backUrl: expect.stringContaining('status=success'),
  });
  expect((await act('execute')).body).toMatchObject({ end: { status: 'Completed' } });
  await bkash.control('POST', 'bkash/scripts', { script: 'create-refused' });
  expect(await bkash.create()).toMatchObject({ statusCode: '2064' });
  const session = await bkash.create({ merchantInvoiceNumber: 'OLD' });
  await bkash.control('POST', 'bkash/payments/OLD/expire', {});
  await walk(session);
  expect(await bkash.execute(session['paymentID'])).toMatchObject({ statusCode: '2056' });
});

test.each([
  ['PUT', 'config', { tokenTtl: 1 }],
  ['PUT', 'config', { prematureCode: '9999' }],
  ['PUT', 'config', { noticeUrl: 'nowhere' }],
  ['POST', 'scripts', { script: 'constructor' }],
  ['POST', 'scripts', { script: { faults: { query: [{ kind: 'explode' }] } } }],
  ['POST', 'scripts', { script: {}, payments: 0 }],
  ['POST', 'scripts', { script: {}, username: 'nobody' }],
])('%s %s refuses %j', async (method, path, body) => {
  // Otherwise a typing error in a test would silently run it without a script.
  expect((await bkash.control(method, `bkash/${path}`, body)).status).toBe(400);
});

test('a restart knows payments, tokens and faults that were used; a charge that the log lacks is made up for', async () => {
  // After a restart, the simulator must know everything that it has told anyone.
  const dataDir = await mkdtemp(join(tmpdir(), 'bkash-'));
  const first = await startBkashSimulator({ dataDir });
  const call = async (url: string, path: string, headers: object, body: object): Promise<Answer> =>
    (await (
      await fetch(`${url}/v1.2.0-beta/tokenized/checkout${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    ).json()) as Answer;
  const app = { app_key: 'lenden_test_app', app_secret: 'lenden_test_app_secret' };
  const { id_token: token } = await call(
    first.url,
    '/token/grant',
    { username: 'lenden_test', password: 'lenden_test@bkash' },
    app,
  );
  const headers = { authorization: String(token), 'x-app-key': app.app_key };
  const session = await call(first.url, '/create', headers, {
    mode: '0011',
    payerReference: 'p',
    callbackURL: 'http://shop.example/',
    amount: '10',
    currency: 'BDT',
    intent: 'sale',
    merchantInvoiceNumber: 'KEPT',
  });
  await walk(session);
  const { paymentID } = session;
  await call(first.url, '/execute', headers, { paymentID });
  const log = join(dataDir, 'charges.jsonl');
  const before = await readFile(log, 'utf8');
  await first.close();
  await rm(log);
  const second = await startBkashSimulator({ dataDir });
  expect(await call(second.url, '/payment/status', headers, { paymentID })).toMatchObject({
    transactionStatus: 'Completed',
  });
  expect(await readFile(log, 'utf8')).toBe(before);
  await second.close();
  await rm(dataDir, { recursive: true });
});

test('a notice is posted for a completed payment, signed by the key that is published', async () => {
  // Checks the optional notice: its envelope, its inner message and the signed text.
  const posted: Answer[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(Buffer.from(chunk));
    }
    posted.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Answer);
    response.end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const noticeUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await bkash.control('PUT', 'bkash/config', { noticeUrl });
  const session = await bkash.create({ merchantInvoiceNumber: 'NOTICED' });
  await walk(session);
  await bkash.execute(session['paymentID']);
  await until(() => posted.length === 1);
  await bkash.control('PUT', 'bkash/config', { noticeUrl: '' });
  const [envelope = {}] = posted;
  expect(JSON.parse(String(envelope['Message']))).toMatchObject({
    dateTime: expect.stringMatching(/^\d{14}$/),
    transactionStatus: 'Completed',
    transactionType: '10002294',
    amount: '100.00',
    currency: 'BDT',
    merchantInvoiceNumber: 'NOTICED',
  });
  const text = ['Message', 'MessageId', 'Timestamp', 'TopicArn', 'Type']
    .map((name) => `${name}\n${String(envelope[name])}\n`)
    .join('');
  const pem = await (await fetch(String(envelope['SigningCertURL']))).text();
  const certificate = new X509Certificate(pem);
  const signature = String(envelope['Signature']);
  expect(createVerify('RSA-SHA1').update(text).verify(certificate.publicKey, signature, 'base64')).toBe(true);
  // The certificate is complete: self-signed, valid now, and accepted by the adapter.
  expect([certificate.verify(certificate.publicKey), certificate.checkIssued(certificate)]).toEqual([true, true]);
  expect(certificate.subject).toBe('CN=sns.simulator.example');
  expect(Date.parse(certificate.validFrom)).toBeLessThanOrEqual(Date.now());
  expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now() + 365 * 24 * 3_600_000);
  const credentials = { username: '', password: '', appKey: '', appSecret: '', noticeCertificate: pem };
  expect(parseCallback(JSON.stringify(envelope), credentials)).toMatchObject({ signatureValid: true, claims: 'paid' });
  const changed = JSON.stringify(envelope).replace('Completed', 'Completes');
  expect(parseCallback(changed, credentials)).toMatchObject({ signatureValid: false });
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

test('the README lists exactly the rows of the script table', async () => {
  // Test authors choose scripts from the README, so it must match the table.
  const readme = await readFile(join(import.meta.dirname, '../../../simulators/README.md'), 'utf8');
  const [, part = ''] = /^## bKash$(.*?)(?=^## |$(?![\s\S]))/ms.exec(readme) ?? [];
  const rows = [...part.matchAll(/^\| `([a-z0-9-]+)` +\| (\d\d) +\| (.+?) +\|$/gm)].map(([, name, number, about]) => [
    number,
    name,
    about,
  ]);
  const table = Object.keys(scriptTable)
    .toSorted()
    .map((number) => [number, scriptTable[number]?.name, scriptTable[number]?.about]);
  expect(rows).toEqual(table);
});

test('merchants are read from text, and bad text is refused', () => {
  expect(parseMerchants('u:p:k:s')).toEqual([{ username: 'u', password: 'p', appKey: 'k', appSecret: 's' }]);
  for (const text of ['', 'u', 'u:p:k', 'u:p:k:s:more', 'u:p:k:s,u:p:l:s', 'u:p:k:s,v:p:k:s']) {
    expect(() => parseMerchants(text)).toThrow();
  }
});
