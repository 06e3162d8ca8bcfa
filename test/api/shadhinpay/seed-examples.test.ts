import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { open, press, type Page } from '../../../scripts/development/demo/payer.ts';
import { startTestStack, type TestStack } from '../../support/stack.ts';
import { openShopHook, type ShopHook } from './shop-hook.ts';
import { createCall, createSample, readCall } from './documented-examples.ts';
import { until } from '../../support/until.ts';

let stack: TestStack;
let hook: ShopHook;

beforeAll(async () => {
  stack = await startTestStack();
  hook = await openShopHook(stack, ['payment.completed', 'payment.failed', 'payment.cancelled', 'payment.refunded']);
});

afterAll(async () => {
  await hook.close();
  await stack.stop();
});

interface Answer {
  readonly status: string;
  readonly errorType?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Runs a documented call in a shell, with this installation's host and credentials. */
async function run(command: string, paymentId?: string): Promise<Answer> {
  const { clientId, businessId, liveKey } = stack.dev.apps.shadhinpay;
  const own = command
    .replace('https://api.shadhinpay.pay/api/v1', stack.dev.api)
    .replace('HM_4f8c2b1a', clientId)
    .replace('HB_71c4a09e', businessId)
    .replace('sk_live_aB3kC9...9xQ2', liveKey)
    .replace('PAY_20260517_K8X3M2', (given) => paymentId ?? given);
  const { stdout } = await promisify(execFile)('sh', ['-c', own.replace('curl', 'curl -s')]);
  return JSON.parse(stdout) as Answer;
}

async function call(
  path: string,
  { body, key = 'testKey' }: { body?: object; key?: 'testKey' | 'liveKey' } = {},
): Promise<Answer> {
  const { clientId, businessId, [key]: apiKey } = stack.dev.apps.shadhinpay;
  const headers = {
    'Client-Id': clientId,
    'Business-Id': businessId,
    'X-Api-Key': apiKey,
    'X-Idempotency-Key': crypto.randomUUID(),
    'Content-Type': 'application/json',
  };
  const response = await fetch(`${stack.dev.api}${path}`, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await response.json()) as Answer;
}

/** Pays through bKash's three prefilled forms. Returns the page where the browser ends. */
async function payAtBkash(paymentUrl: unknown): Promise<Page> {
  const wallet = await open(String(paymentUrl));
  const otp = await press(wallet, { form: 'form', button: 'next' });
  const pin = await press(otp, { form: 'form', button: 'next' });
  return press(pin, { form: 'form', button: 'pay' });
}

/** Returns the HMAC that PHP computes over the documented text. */
function phpSignature(text: string, secret: string): string {
  const script = 'echo hash_hmac("sha256", stream_get_contents(STDIN), $argv[1]);';
  const { stdout, status, error } = spawnSync('php', ['-r', script, '--', secret], { input: text, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`php: ${String(error)}`);
  }
  return stdout;
}

test("the documents' calls, then the money, the event, the list and the refund", async () => {
  // Covers the whole journey of a ShadhinPay shop, on real processes. Only host and credentials differ from the documentation.
  const made = await run(createCall);
  const { paymentId, paymentUrl, initiatedAt, expiresAt } = made.data;
  expect(Object.keys(made.data)).toEqual(Object.keys(createSample.data));
  expect(made).toEqual({
    ...createSample,
    data: {
      ...createSample.data,
      paymentId: expect.stringMatching(/^PAY_\d{8}_[0-9A-Z]{6}$/),
      paymentUrl: `${stack.dev.web}/pay/${String(paymentId)}`,
      initiatedAt,
      expiresAt,
    },
  });
  expect(Date.parse(String(expiresAt)) - Date.parse(String(initiatedAt))).toBe(15 * 60_000);
  expect(await run(readCall)).toMatchObject({ status: 'error', errorType: 'RESOURCE_NOT_FOUND', data: null });
  expect((await run(readCall, String(paymentId))).data).toEqual(made.data);
  expect((await run(createCall)).data).toEqual(made.data);

  const page = await payAtBkash(paymentUrl);
  expect(page.url.pathname).toBe(`/pay/${String(paymentId)}`);
  const { signature, attempt, body } = await hook.eventOf('payment.completed', paymentId);
  const [, time = '', v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  expect(v1).toBe(phpSignature(`t=${time}.${body}`, stack.dev.apps.shadhinpay.liveWebhookSecret));
  expect([attempt, JSON.parse(body)]).toMatchObject([
    '1',
    {
      eventType: 'payment.completed',
      businessId: stack.dev.apps.shadhinpay.id,
      payload: {
        paymentId,
        merchantTxnId: 'order-7831',
        amount: '1500.50',
        currency: 'BDT',
        status: 'COMPLETED',
        vendor: 'BKASH',
        valueA: 'campaign=summer',
      },
    },
  ]);
  const back = await fetch(String(paymentUrl));
  expect(back.headers.get('refresh')).toBe(
    `5; url=https://shop.example.com/checkout/return?paymentId=${String(paymentId)}&merchantTxnId=order-7831&status=COMPLETED`,
  );
  expect(await call('/payments?merchantTxnId=order-7831', { key: 'liveKey' })).toMatchObject({
    data: [{ paymentId, status: 'COMPLETED' }],
    summary: { successCount: 1, failedCount: 0, totalAmount: '1500.50' },
  });

  const refund = await call(`/payments/${String(paymentId)}/refunds`, { body: { reason: 'Returned' }, key: 'liveKey' });
  expect(refund.data).toMatchObject({ paymentId, amount: '1500.50', status: 'INITIATED', completedAt: null });
  const told: unknown = JSON.parse((await hook.eventOf('payment.refunded', paymentId)).body);
  expect(told).toMatchObject({
    payload: { status: 'REFUNDED', refundId: refund.data['refundId'], refundAmount: '1500.50', refundTotal: '1500.50' },
  });
  expect((await run(readCall, String(paymentId))).data).toMatchObject({ status: 'REFUNDED', refundTotal: '1500.50' });
  const ended = await call(`/refunds/${String(refund.data['refundId'])}`, { key: 'liveKey' });
  expect(ended.data).toMatchObject({ status: 'COMPLETED' });
});

describe("the sandbox's phone numbers", () => {
  const create = async (customerPhone: string): Promise<Answer> =>
    call('/payments', {
      body: {
        amount: '500',
        currency: 'BDT',
        merchantTxnId: `sandbox ${customerPhone}`,
        callbackUrl: 'http://localhost:3001/return',
        preferredVendor: 'BKASH',
        customerPhone,
        isSandbox: true,
      },
    });
  const ended = (paymentId: unknown) =>
    until(async () => {
      const { data } = await call(`/payments/${String(paymentId)}`);
      return data['status'] === 'PENDING' ? undefined : data['status'];
    });

  test.each([
    ['01770618575', 'COMPLETED'],
    ['8801770618576', 'FAILED'],
    ['+880 1770-618578', 'CANCELLED'],
  ])('%s ends as %s', async (phone, status) => {
    // A shop can try each path with one of these numbers. The simulated gateway moves the money, or does not.
    const { data } = await create(phone);
    await payAtBkash(data['paymentUrl']);
    expect(await ended(data['paymentId'])).toBe(status);
  });

  test('01770618577 hears nothing from the vendor', async () => {
    // Such a payment ends by polling or expiry.
    const { data } = await create('01770618577');
    const page = await payAtBkash(data['paymentUrl']);
    expect(page.document.textContent).toContain('does not answer');
    expect((await call(`/payments/${String(data['paymentId'])}`)).data).toMatchObject({ status: 'PENDING' });
  });
});
