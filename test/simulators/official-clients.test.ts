import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startSslcommerzSimulator } from '../../simulators/sslcommerz/server.ts';
import { startBoth } from './merchant.ts';
import type { Form } from './merchant.ts';
import { pay, readForm } from './payer.ts';
import { until } from '../support/until.ts';

/*
 * The two official libraries and a third-party one, unmodified, against the simulator. They choose their hosts themselves, so only the connection is
 * rerouted, outside their code.
 */

const run = promisify(execFile);
const folder = join(import.meta.dirname, 'official-clients');
const venvTimeoutMs = 120_000;

let both: Awaited<ReturnType<typeof startBoth>>;
beforeAll(async () => {
  both = await startBoth();
});
afterAll(() => both.close());

/** The sample from the Node library's manual. It has no num_of_item and sends "" for every unset field. */
const sample = (tranId: string) => ({
  total_amount: 100,
  currency: 'BDT',
  tran_id: tranId,
  success_url: `${both.merchant.url}/success`,
  fail_url: `${both.merchant.url}/fail`,
  cancel_url: `${both.merchant.url}/cancel`,
  ipn_url: `${both.merchant.url}/ipn`,
  shipping_method: 'Courier',
  product_name: 'Computer.',
  product_category: 'Electronic',
  product_profile: 'general',
  cus_name: 'Customer Name',
  cus_email: 'customer@example.com',
  cus_add1: 'Dhaka',
  cus_city: 'Dhaka',
  cus_postcode: '1000',
  cus_country: 'Bangladesh',
  cus_phone: '01711111111',
  ship_name: 'Customer Name',
  ship_postcode: 1000,
});

type Answer = Record<string, unknown>;

describe('npm sslcommerz-lts, unmodified', () => {
  async function call(method: string, data: Answer, live = false): Promise<Answer> {
    const { stdout } = await run(
      process.execPath,
      [
        '--no-warnings',
        '--require',
        join(folder, 'reroute.cjs'),
        join(folder, 'call.cjs'),
        JSON.stringify({ live, method, data }),
      ],
      { env: { PATH: process.env['PATH'], SIMULATOR_URL: both.url } },
    );
    return JSON.parse(stdout) as Answer;
  }

  test('opens a session, validates, queries and refunds', async () => {
    // If this client fails, the simulator differs from the real gateway, for which the client was written.
    const session = await call('init', sample('NODE'));
    expect(session).toMatchObject({ status: 'SUCCESS' });
    const { val_id, bank_tran_id } = readForm(await pay(session)).fields;
    expect(await call('validate', { val_id })).toMatchObject({ status: 'VALID', tran_id: 'NODE', APIConnect: 'DONE' });
    expect(await call('validate', { val_id })).toMatchObject({ status: 'VALIDATED' });
    expect(await call('transactionQueryBySessionId', { sessionkey: session['sessionkey'] })).toMatchObject({ val_id });
    expect(await call('transactionQueryByTransactionId', { tran_id: 'NODE' })).toMatchObject({ no_of_trans_found: 1 });
    const refund = { refund_amount: '10.00', refund_remarks: 'Out of stock', bank_tran_id, refe_id: 'EASY' };
    const accepted = await call('initiateRefund', refund);
    expect(accepted).toMatchObject({ status: 'success' });
    expect(await call('refundQuery', { refund_ref_id: accepted['refund_ref_id'] })).toMatchObject({
      status: 'refunded',
    });
  });

  test('uses the live store by its live flag', async () => {
    // Both modes of a client use the same simulator.
    const session = await call('init', sample('NODE-LIVE'), true);
    expect(session).toMatchObject({ status: 'SUCCESS', store_name: 'lenden_live' });
  });
});

describe('PyPI', () => {
  let venv: string;
  const python = (): string => join(venv, 'bin', 'python');

  beforeAll(async () => {
    venv = await mkdtemp(join(tmpdir(), 'sslcommerz-lib-'));
    await run('python3', ['-m', 'venv', venv]);
    const install = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes'];
    await run(python(), [...install, '-r', join(folder, 'requirements.txt')]);
  }, venvTimeoutMs);
  afterAll(() => rm(venv, { recursive: true }));

  async function callLibrary(method: string, ...args: unknown[]): Promise<Answer | boolean> {
    const { stdout } = await run(python(), [join(folder, 'call.py'), JSON.stringify({ method, arguments: args })], {
      env: { PATH: process.env['PATH'], SIMULATOR_URL: both.url },
    });
    return JSON.parse(stdout) as Answer | boolean;
  }

  test('sslcommerz-lib, unmodified, opens a session, verifies the IPN’s signature, validates, queries and refunds', async () => {
    // Like the Node library, but with the vendor's own signature check.
    const session = await callLibrary('createSession', { ...sample('PYTHON'), num_of_item: 1 });
    expect(session).toMatchObject({ status: 'SUCCESS' });
    const { val_id, bank_tran_id } = readForm(await pay(session as Answer)).fields;
    await until(() => both.merchant.at('/ipn').some((one) => one.form['tran_id'] === 'PYTHON'));
    const ipn: Form = both.merchant.at('/ipn').find((one) => one.form['tran_id'] === 'PYTHON')?.form ?? {};
    expect(await callLibrary('hash_validate_ipn', ipn)).toBe(true);
    expect(await callLibrary('hash_validate_ipn', { ...ipn, amount: '1.00' })).toBe(false);
    expect(await callLibrary('validationTransactionOrder', val_id)).toMatchObject({
      status: 'VALID',
      tran_id: 'PYTHON',
    });
    expect(await callLibrary('transaction_query_session', (session as Answer)['sessionkey'])).toMatchObject({
      status: 'VALIDATED',
    });
    expect(await callLibrary('transaction_query_tranid', 'PYTHON')).toMatchObject({ no_of_trans_found: 1 });
    const accepted = await callLibrary('init_refund', bank_tran_id, '100.00', 'Out of stock');
    expect(accepted).toMatchObject({ status: 'success' });
    const refundRefId = (accepted as Answer)['refund_ref_id'];
    expect(await callLibrary('query_refund_status', refundRefId)).toMatchObject({ status: 'refunded' });
  });

  test('jukto, unmodified, opens a session, verifies, queries and refunds, and takes each answer for its payment’s', async () => {
    // Only this client checks the page's host, and that a refund names its payment.
    const dataDir = await mkdtemp(join(tmpdir(), 'jukto-'));
    const simulator = await startSslcommerzSimulator({
      dataDir,
      publicUrl: 'https://sandbox.sslcommerz.com',
      settings: { refundAfterMs: 0 },
    });
    const payment = 'JUKTO';
    const callJukto = async (method: string, rest: Answer = {}): Promise<Answer> => {
      const { stdout } = await run(
        python(),
        [join(folder, 'call_jukto.py'), JSON.stringify({ method, payment, ...rest })],
        {
          env: { PATH: process.env['PATH'], SIMULATOR_URL: simulator.url },
        },
      );
      return JSON.parse(stdout) as Answer;
    };
    try {
      const session = await callJukto('initiate');
      const page = String(session['customer_action_url']).replace('https://sandbox.sslcommerz.com', simulator.url);
      const { val_id: validation } = readForm(await pay({ GatewayPageURL: page })).fields;
      const verified = await callJukto('verify', { arguments: [validation] });
      expect(verified).toMatchObject({ status: 'paid', requires_review: false });
      expect(await callJukto('query_session', { arguments: [session['session_id']] })).toMatchObject({
        validation_id: validation,
      });
      expect(await callJukto('query_transaction', { arguments: [] })).toMatchObject({ attempts: [expect.anything()] });
      const bank = verified['bank_transaction_id'];
      const refunded = await callJukto('refund', { bank, refund: 'R1', amount: '40.00' });
      expect(refunded).toMatchObject({ status: 'pending', merchant_transaction_id: payment });
      const known = [refunded['provider_refund_id'], bank];
      expect(await callJukto('query_refund', { arguments: known })).toMatchObject({ status: 'refunded' });
    } finally {
      await simulator.close();
      await rm(dataDir, { recursive: true });
    }
  });
});
