import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { merchantId, newOrderId, pay, privateKey, readKeys, returned, startNagad } from './merchant.ts';
import type { Json } from './merchant.ts';

/* Two published third-party clients, unmodified, against the simulator. Both take a base URL, so no request is rerouted. */

const run = promisify(execFile);
const folder = join(import.meta.dirname, 'clients');
const venvTimeoutMs = 240_000;

let both: Awaited<ReturnType<typeof startNagad>>;
let keys: Awaited<ReturnType<typeof readKeys>>;
beforeAll(async () => {
  both = await startNagad();
  keys = await readKeys(both.dataDir);
});
afterAll(() => both.close());

describe('npm nagad-payment-gateway, unmodified', () => {
  async function call(method: string, argument: unknown): Promise<unknown> {
    const settings = {
      apiVersion: 'v-0.2.0',
      baseURL: `${both.url}/remote-payment-gateway-1.0`,
      callbackURL: `${both.merchant.url}/back`,
      merchantID: merchantId,
      merchantNumber: '01500000000',
      privKey: keys.merchants[merchantId]?.privateKey,
      pubKey: keys.gateway.publicKey,
      isPath: false,
    };
    const input = JSON.stringify({ settings, method, argument });
    const { stdout } = await run(process.execPath, ['--no-warnings', join(folder, 'call.cjs'), input], {
      env: { PATH: process.env['PATH'] },
    });
    return JSON.parse(stdout);
  }
  const order = (orderId: string) => ({
    amount: '100',
    orderId,
    ip: '10.10.0.10',
    productDetails: { a: '1', b: '2' },
    clientType: 'PC_WEB',
  });

  test('pays and verifies', async () => {
    // If this client fails, the simulator differs from the real gateway, for which the client was written.
    const orderId = newOrderId();
    const page = await call('createPayment', order(orderId));
    const back = returned(await pay({ page: String(page) }));
    expect(back).toMatchObject({ order_id: orderId, status: 'Success' });
    expect(await call('verifyPayment', back['payment_ref_id'])).toMatchObject({
      orderId,
      amount: '100',
      status: 'Success',
      statusCode: '000',
      issuerPaymentRefNo: back['issuer_payment_ref'],
      additionalMerchantInfo: '{"a":"1","b":"2"}',
    });
  });

  test('reads a refusal as one', async () => {
    // This client recognises errors by `reason` and `devMessage`.
    await expect(call('createPayment', order('NOT-ALNUM'))).rejects.toThrow('InvalidOrderId');
    await expect(call('verifyPayment', 'nobody')).rejects.toThrow('InvalidReferenceId');
  });
});

describe('PyPI nagadpy, unmodified', () => {
  let venv: string;
  const python = (): string => join(venv, 'bin', 'python');

  beforeAll(async () => {
    venv = await mkdtemp(join(tmpdir(), 'nagadpy-'));
    await run('python3', ['-m', 'venv', venv]);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'];
    const pinned = ['--only-binary=:all:', '--require-hashes', '-r', join(folder, 'requirements.txt')];
    await run(python(), [...install, ...pinned]);
  }, venvTimeoutMs);
  afterAll(() => rm(venv, { recursive: true }));

  async function call(input: Json, changes: Json = {}): Promise<Json> {
    // This client puts "RSA PRIVATE KEY" around the key, the PEM header of the older PKCS#1 format.
    const pkcs1 = privateKey(keys.merchants[merchantId]?.privateKey ?? '').export({ format: 'der', type: 'pkcs1' });
    const settings = {
      base_url: both.api.base,
      merchant_id: merchantId,
      callback_url: `${both.merchant.url}/back`,
      private_key: pkcs1.toString('base64'),
      public_key: keys.gateway.publicKey,
      client_ip_address: '10.10.0.10',
      ...changes,
    };
    const { stdout } = await run(python(), [join(folder, 'call.py'), JSON.stringify({ settings, ...input })], {
      env: { PATH: process.env['PATH'] },
    });
    return JSON.parse(stdout) as Json;
  }

  test('pays and verifies', async () => {
    // Like the Node client, but in another language with another crypto library.
    const invoice = newOrderId();
    const answer = await call({ method: 'pay', amount: '100.50', invoice });
    expect(answer).toMatchObject({ status: 'Success' });
    const back = returned(await pay({ page: String(answer['callBackUrl']) }));
    expect(back).toMatchObject({ order_id: invoice, status: 'Success', status_code: '00_0000_000' });
    expect(await call({ method: 'verify', reference: back['payment_ref_id'] })).toMatchObject({
      merchantId,
      orderId: invoice,
      amount: '100.50',
      status: 'Success',
      statusCode: '000',
      issuerPaymentRefNo: back['issuer_payment_ref'],
    });
  });

  test('is refused with the key of another merchant', async () => {
    // Otherwise the signature check might accept every client.
    const other = keys.merchants['683000000000002']?.privateKey ?? '';
    const wrong = privateKey(other).export({ format: 'der', type: 'pkcs1' }).toString('base64');
    const attempt = call({ method: 'pay', amount: '1.00', invoice: newOrderId() }, { private_key: wrong });
    await expect(attempt).rejects.toThrow('SignatureVerificationFailed');
  });
});
