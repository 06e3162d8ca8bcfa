import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parseMerchants } from '../../../simulators/nagad/merchants.ts';
import { startMerchant } from '../merchant.ts';
import { createClient, newOrderId, pay, readKeys, returned, startNagad } from './merchant.ts';
import { until } from '../../support/until.ts';

let both: Awaited<ReturnType<typeof startNagad>>;
beforeAll(async () => {
  both = await startNagad();
});
afterAll(() => both.close());

describe('the control plane', () => {
  test('scripts the next orders of a merchant, and a repeated order id the same way', async () => {
    // A test must be able to script an order before it exists.
    const queued = await both.api.control('POST', 'nagad/scripts', { script: 'decline', orders: 1 });
    expect(queued.status).toBe(201);
    const orderId = newOrderId();
    await both.api.initialize(orderId);
    expect(returned(await pay(await both.api.order('100.00', orderId)))).toMatchObject({ status: 'Failed' });
    expect(returned(await pay(await both.api.order()))).toMatchObject({ status: 'Success' });
  });

  test('what it says of an order wins over amount and wallet, the amount over the wallet', async () => {
    const byAmount = await both.api.order('1313.02');
    expect(returned(await pay(byAmount, 'pay', { mobile: '01700000003' }))).toMatchObject({ status: 'Failed' });
    const byHand = await both.api.order('1313.02');
    await both.api.control('POST', `nagad/orders/${byHand.orderId}/script`, { script: 'approve' });
    expect(returned(await pay(byHand))).toMatchObject({ status: 'Success' });
  });

  test('finishes and expires orders, once', async () => {
    // A test can act as a payer who acts hours later.
    const paid = await both.api.order();
    await both.api.control('POST', `nagad/orders/${paid.ref}/finish`, {});
    await both.api.control('POST', `nagad/orders/${paid.ref}/expire`, {});
    expect(await both.api.verify(paid.ref)).toMatchObject({ status: 'Success' });
    const expired = await both.api.order();
    await both.api.control('POST', `nagad/orders/${expired.orderId}/expire`, {});
    expect(await both.api.verify(expired.ref)).toMatchObject({ status: 'Aborted' });
    const incomplete = await both.api.begin();
    expect((await both.api.control('POST', `nagad/orders/${incomplete.ref}/finish`, {})).status).toBe(400);
  });

  test.each([
    ['PUT', 'nagad/config', { orderTtl: 1 }],
    ['PUT', 'nagad/config', { repeatedOrder: 'maybe' }],
    ['PUT', 'nagad/config', { steps: 'yes' }],
    ['POST', 'nagad/scripts', { script: 'no-such-row' }],
    ['POST', 'nagad/scripts', { script: 'constructor' }],
    ['POST', 'nagad/scripts', { script: { faults: { verify: [{ kind: 'explode' }] } } }],
    ['POST', 'nagad/scripts', { script: { faults: { verify: [{ times: 1 }] } } }],
    ['POST', 'nagad/scripts', { script: {}, orders: 0 }],
    ['POST', 'nagad/scripts', { script: {}, merchantId: 'nobody' }],
  ])('%s %s refuses %j', async (method, path, body) => {
    // Otherwise a typing error in a test would silently run it without a script.
    expect((await both.api.control(method, path, body)).status).toBe(400);
  });

  test('knows no strange order or action', async () => {
    // A test with a wrong reference must get an error.
    expect((await both.api.control('POST', 'nagad/orders/NOBODY/expire', {})).status).toBe(404);
    const { orderId } = await both.api.order();
    expect((await both.api.control('POST', `nagad/orders/${orderId}/explode`, {})).status).toBe(404);
  });

  test('an order whose time is over stays Initiated where the settings say so', async () => {
    // The documentation can also be read in this way.
    await both.api.control('PUT', 'nagad/config', { expiredAs: 'Initiated', orderTtlMs: 1 });
    const order = await both.api.order();
    expect((await pay(order)).html).not.toContain('value="pay"');
    expect(await both.api.verify(order.ref)).toMatchObject({ status: 'Initiated' });
    await both.api.control('PUT', 'nagad/config', { expiredAs: 'Aborted', orderTtlMs: 1_800_000 });
  });

  test('reset forgets the orders and keeps the keys', async () => {
    // The merchants' configured keys must stay valid.
    const paid = await both.api.order();
    await pay(paid);
    expect((await both.api.control('POST', 'reset')).status).toBe(200);
    expect(await both.api.charges()).toEqual([]);
    expect(await both.api.verify(paid.ref)).toMatchObject({ reason: 'InvalidReferenceId' });
    expect(returned(await pay(await both.api.order()))).toMatchObject({ status: 'Success' });
  });
});

test('merchants are read from text, and bad text is refused', () => {
  const key = 'A'.repeat(392);
  expect(parseMerchants(`683000000000001,683000000000002:${key}`)).toEqual([
    { id: '683000000000001' },
    { id: '683000000000002', publicKey: key },
  ]);
  for (const text of ['', 'a', '683000000000001:', '683000000000001:short', '683000000000001,683000000000001']) {
    expect(() => parseMerchants(text)).toThrow();
  }
});

describe('the program', () => {
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) {
      child.kill('SIGKILL');
    }
  });

  async function start(dataDir: string) {
    const child = spawn(process.execPath, ['simulators/main.ts'], {
      env: { PATH: process.env['PATH'], SIMULATORS_PORT: '0', SIMULATORS_SMTP_PORT: '0', SIMULATORS_DATA: dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const entry = JSON.parse(line) as { msg: string; url: string };
      if (entry.msg === 'simulators ready') {
        child.stdout.resume();
        return { child, url: entry.url };
      }
    }
    throw new Error('The simulators ended before they were ready');
  }

  test('keeps keys, orders, charges and used-up faults over kill -9, and money that was to come still comes', async () => {
    // Lenden's own durability tests rely on this behaviour of the gateway.
    const dataDir = await mkdtemp(join(tmpdir(), 'nagad-kill-'));
    const merchant = await startMerchant();
    const first = await start(dataDir);
    const keys = await readKeys(dataDir);
    expect((await stat(join(dataDir, 'nagad', 'keys.json'))).mode & 0o777).toBe(0o600);
    const callbackUrl = `${merchant.url}/back`;
    const api = createClient({ url: first.url, keys, callbackUrl });
    await api.control('PUT', 'nagad/config', { lateChargeMs: 1_000 });
    const late = await api.order('1313.11');
    const paid = await api.order('1313.30');
    await pay(late);
    const back = returned(await pay(paid));
    expect(await readFile(join(dataDir, 'charges.jsonl'), 'utf8')).toContain(paid.orderId);
    expect((await api.verifyRaw(paid.ref)).status).toBe(500);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    await rm(join(dataDir, 'charges.jsonl'));

    const second = await start(dataDir);
    expect(await readKeys(dataDir)).toEqual(keys);
    const again = createClient({ url: second.url, keys, callbackUrl });
    expect([(await again.verifyRaw(paid.ref)).status, (await again.verifyRaw(paid.ref)).status]).toEqual([500, 200]);
    expect(await again.verify(paid.ref)).toMatchObject({ issuerPaymentRefNo: back['issuer_payment_ref'] });
    await until(async () => (await again.verify(late.ref))['status'] === 'Success');
    expect(new Set((await again.charges()).map((line) => line['tranId']))).toEqual(
      new Set([late.orderId, paid.orderId]),
    );
    expect(await again.charges()).toHaveLength(2);
    second.child.kill('SIGTERM');
    expect((await once(second.child, 'exit'))[0]).toBe(0);
    await merchant.close();
    await rm(dataDir, { recursive: true });
  });
});
