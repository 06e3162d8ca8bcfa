import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startBkash, walk, type Answer, type Bkash } from './merchant.ts';

/* Two published third-party clients, unmodified, against the simulator. */

const run = promisify(execFile);
const folder = join(import.meta.dirname, 'clients');
const venvTimeoutMs = 120_000;
const callsTimeoutMs = 60_000;

let bkash: Bkash;
beforeAll(async () => {
  bkash = await startBkash();
});
afterAll(() => bkash.close());

const environment = () => ({ PATH: process.env['PATH'], SIMULATOR_URL: bkash.url });

describe('npm bkash-payment, unmodified', () => {
  async function call(method: string, argument: unknown): Promise<Answer> {
    const { stdout } = await run(
      process.execPath,
      ['--no-warnings', join(folder, 'call.cjs'), JSON.stringify({ method, argument })],
      { env: environment() },
    );
    return JSON.parse(stdout) as Answer;
  }

  test(
    'creates, executes, queries, searches and refunds, asking for the refund’s status first',
    async () => {
      // If this client fails, the simulator differs from the real gateway, for which the client was written.
      const details = { amount: 69, callbackURL: 'http://shop.example/back', orderID: 'NODE', reference: 'payer' };
      const session = await call('createPayment', details);
      expect(session).toMatchObject({ statusCode: '0000', amount: '69.00', merchantInvoiceNumber: 'NODE' });
      const { paymentID } = session;
      expect(await call('executePayment', paymentID)).toMatchObject({ statusCode: '2060' });
      await walk(session);
      const executed = await call('executePayment', paymentID);
      expect(executed).toMatchObject({ statusCode: '0000', transactionStatus: 'Completed', amount: '69.00' });
      const { trxID } = executed;
      expect(await call('queryPayment', paymentID)).toMatchObject({ transactionStatus: 'Completed', trxID });
      expect(await call('searchTransaction', trxID)).toMatchObject({ transactionStatus: 'Completed', amount: '69.00' });
      const refund = await call('refundTransaction', { paymentID, trxID, amount: 69 });
      expect(refund).toMatchObject({ originalTrxID: trxID, amount: '69.00', transactionStatus: 'Completed' });
      // The client finds the existing refund and sends no second one.
      expect(await call('refundTransaction', { paymentID, trxID, amount: 69 })).toEqual(refund);
    },
    callsTimeoutMs,
  );
});

describe('PyPI bkash-pgw-tokenized, unmodified', () => {
  let venv: string;
  const python = (): string => join(venv, 'bin', 'python');

  beforeAll(async () => {
    venv = await mkdtemp(join(tmpdir(), 'bkash-pgw-'));
    await run('python3', ['-m', 'venv', venv]);
    const install = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes'];
    await run(python(), [...install, '-r', join(folder, 'requirements.txt')]);
  }, venvTimeoutMs);
  afterAll(() => rm(venv, { recursive: true }));

  async function call(method: string, args: unknown[], keywords: Answer = {}): Promise<Answer> {
    const { stdout } = await run(
      python(),
      [join(folder, 'call.py'), JSON.stringify({ method, arguments: args, keywords })],
      { env: environment() },
    );
    return JSON.parse(stdout) as Answer;
  }

  test(
    'grants, refreshes, creates, executes, queries, searches and refunds',
    async () => {
      // Like the Node client, but by another author with another reading of the documentation.
      const granted = await call('grant_token', []);
      expect(granted).toMatchObject({ statusCode: '0000', token_type: 'Bearer', expires_in: 3_600 });
      const { id_token: token } = await call('refresh_token', [granted['refresh_token']]);
      const session = await call('create_payment', [token], {
        mode: '0011',
        payer_reference: '01770618575',
        callback_url: 'http://shop.example/back',
        amount: '100',
        currency: 'BDT',
        intent: 'sale',
        merchant_invoice_number: 'PYTHON',
      });
      const { paymentID } = session;
      await walk(session);
      const executed = await call('execute_payment', [token, paymentID]);
      expect(executed).toMatchObject({ statusCode: '0000', merchantInvoiceNumber: 'PYTHON' });
      const { trxID } = executed;
      expect(await call('payment_status', [token, paymentID])).toMatchObject({ merchantInvoice: 'PYTHON', trxID });
      expect(await call('search_transaction', [token, trxID])).toMatchObject({ trxID, amount: '100.00' });
      const refund = { payment_id: paymentID, trx_id: trxID, amount: '40.00', sku: 'sku', reason: 'Out of stock' };
      expect(await call('refund', [token], refund)).toMatchObject({ originalTrxID: trxID, amount: '40.00' });
    },
    callsTimeoutMs,
  );
});
