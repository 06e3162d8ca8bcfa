import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VENDORS } from '../../../domain/shadhinpay.ts';
import { GATEWAY_NAMES } from '../../../gateways/registry.ts';
import type { DevFile } from '../../../scripts/development/dev-file.ts';
import { isAlive, launch, untilUp, type Launched } from '../../support/launched-stack.ts';
import { until } from '../../support/until.ts';
import { longTest } from '../../support/long.ts';

let directory: string;
let launched: Launched;
let dev: DevFile;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-start-'));
  chmodSync(directory, 0o755);
  launched = launch(directory);
  dev = await untilUp(launched, directory);
});

afterAll(async () => {
  launched.process.kill('SIGTERM');
  await launched.exited;
  rmSync(directory, { recursive: true, force: true });
});

function readDev(): DevFile {
  return JSON.parse(readFileSync(join(directory, 'dev.json'), 'utf8')) as DevFile;
}

async function aboutMe(): Promise<unknown> {
  const { apiKey, apiSecret } = dev.apps.native.test;
  const response = await fetch(`${readDev().api}/app/me`, {
    headers: { 'X-Api-Key': apiKey, 'X-Api-Secret': apiSecret },
  });
  return { status: response.status, ...((await response.json()) as object) };
}

describe('npm start', () => {
  test('writes what a program beside it needs, for the owner of the files only', async () => {
    // Otherwise other accounts could read the demo's secrets, or tools would not find the stack.
    expect(Object.keys(dev.processes).sort()).toEqual([
      'api',
      'launcher',
      'postgres',
      'simulators',
      'temporal',
      'worker',
    ]);
    expect(dev.api).toMatch(/^http:\/\/localhost:\d+\/api\/v1$/);
    expect(dev.apps.native.test.apiKey).toMatch(/^oi_test_/);
    expect(dev.apps.native.live.apiKey).toMatch(/^oi_live_/);
    const { native, ownpay, shadhinpay } = dev.apps;
    const secrets = [native, ownpay, shadhinpay].flatMap((app) =>
      'webhookSecret' in app ? [app.webhookSecret, app.liveWebhookSecret] : [app.signingSecret, app.testSigningSecret],
    );
    expect(secrets.filter((secret) => secret.startsWith('whsec_'))).toHaveLength(6);
    expect(new Set(secrets).size).toBe(6);
    const page = await fetch(dev.mailbox);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('No mail yet')]);
    expect(dev.operators.map(({ role }) => role)).toEqual(['Super Admin', 'Admin', 'Finance', 'Support', 'Viewer']);
    const [{ email, password } = { email: '', password: '' }] = dev.operators;
    const login = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    };
    expect((await fetch(`${dev.web}/api/v1/auth/login`, login)).status).toBe(200);
    const open = readdirSync(directory).filter((name) => {
      const facts = statSync(join(directory, name));
      return facts.isFile() && (facts.mode & 0o077) !== 0;
    });
    expect(open).toEqual([]);
    expect(readdirSync(join(directory, 'logs')).filter((name) => !name.endsWith('.log'))).toEqual([]);
  });

  test('answers with the credentials that it showed', async () => {
    // Otherwise the printed credentials would not work.
    expect(await aboutMe()).toMatchObject({ status: 200, data: { id: dev.apps.native.id, mode: 'TEST' } });
    expect(launched.output()).toContain(dev.apps.native.test.apiSecret);
  });

  test('gives each demo application every gateway that its contract offers, in both modes', async () => {
    // Otherwise a user who tries a contract would have to set up a gateway first.
    const create = async (path: string, headers: Record<string, string>, body: object): Promise<number> => {
      const answer = await fetch(`${dev.api}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      return answer.status;
    };
    const { native, ownpay, shadhinpay } = dev.apps;
    for (const gateway of GATEWAY_NAMES) {
      for (const { apiKey, apiSecret } of [native.test, native.live]) {
        const body = { amountMinor: 10_000, currency: 'BDT', customerReference: 'c', gateways: [gateway] };
        const headers = { 'X-Api-Key': apiKey, 'X-Api-Secret': apiSecret, 'Idempotency-Key': randomUUID() };
        expect([gateway, await create('/payments', headers, body)]).toEqual([gateway, 201]);
      }
      const intent = {
        gateway,
        amount: 100,
        currency: 'BDT',
        order_id: randomUUID(),
        customer_name: 'Jane',
        customer_email: 'jane@example.com',
        return_url: 'https://shop.example/back',
      };
      const headers = { authorization: `Bearer ${ownpay.apiKey}` };
      expect([gateway, await create('/payment-intents', headers, intent)]).toEqual([gateway, 201]);
    }
    for (const preferredVendor of VENDORS) {
      for (const key of [shadhinpay.testKey, shadhinpay.liveKey]) {
        const headers = {
          'Client-Id': shadhinpay.clientId,
          'Business-Id': shadhinpay.businessId,
          'X-Api-Key': key,
          'X-Idempotency-Key': randomUUID(),
        };
        const body = {
          amount: '100.00',
          currency: 'BDT',
          merchantTxnId: randomUUID(),
          callbackUrl: 'https://shop.example/back',
          preferredVendor,
        };
        expect([preferredVendor, await create('/payments', headers, body)]).toEqual([preferredVendor, 201]);
      }
    }
  });

  longTest('started twice, says where it runs and leaves it alone', async () => {
    // Otherwise two launchers would use the same data.
    const second = launch(directory);
    expect(await second.exited).toBe(0);
    expect(second.output()).toContain(`already running here (process ${dev.processes['launcher']})`);
    expect(second.output()).toContain(dev.api);
    expect(readDev()).toEqual(dev);
  });

  longTest('starts a killed process again and says so', async () => {
    // Otherwise one dying process would end the service.
    const before = readDev().processes;
    for (const name of ['api', 'postgres'] as const) {
      process.kill(before[name] ?? 0, 'SIGKILL');
    }
    await until(() => launched.output().includes('api is running again'));
    await until(() => launched.output().includes('postgres is running again'));
    const after = readDev().processes;
    expect(after['api']).not.toBe(before['api']);
    expect(after['postgres']).not.toBe(before['postgres']);
    await until(async () => JSON.stringify(await aboutMe()).includes('"status":200'));
  });

  longTest('resumes with its data after kill -9 of every process, the launcher included', async () => {
    // Otherwise stored payments would be lost when every process dies at once.
    for (const pid of Object.values(readDev().processes)) {
      process.kill(pid, 'SIGKILL');
    }
    await launched.exited;
    launched = launch(directory);
    const resumed = await untilUp(launched, directory);
    expect(resumed.apps).toEqual(dev.apps);
    expect(await aboutMe()).toMatchObject({ status: 200, data: { id: dev.apps.native.id } });
  });

  longTest('leaves nothing running when only the launcher is killed, and starts again at once', async () => {
    // Otherwise orphaned processes would keep the ports and data, or continue unnoticed.
    const { launcher = 0, ...others } = readDev().processes;
    process.kill(launcher, 'SIGKILL');
    await launched.exited;
    launched = launch(directory);
    const resumed = await untilUp(launched, directory);
    expect(Object.values(others).filter(isAlive)).toEqual([]);
    expect(resumed.apps).toEqual(dev.apps);
  });

  longTest('ends its children by itself when it is killed and nobody starts it again', async () => {
    // Otherwise a killed launcher would leave its stack running on the machine.
    const { launcher = 0, ...others } = readDev().processes;
    process.kill(launcher, 'SIGKILL');
    await until(() => !Object.values(others).some(isAlive));
    launched = launch(directory);
    await untilUp(launched, directory);
  });

  test('stops everything on SIGTERM and keeps the data', async () => {
    // Otherwise Ctrl-C would leave processes or lock files behind.
    const pids = Object.values(readDev().processes);
    launched.process.kill('SIGTERM');
    expect(await launched.exited).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(join(directory, 'dev.json'))).toBe(false);
    expect(existsSync(join(directory, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
    expect(existsSync(join(directory, 'demo-apps.json'))).toBe(true);
  });
});
