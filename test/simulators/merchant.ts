import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSslcommerzSimulator } from '../../simulators/sslcommerz/server.ts';
import type { Settings } from '../../simulators/sslcommerz/settings.ts';

export const storeId = 'lenden_test';
export const password = 'lenden_test@ssl';
export type Form = Record<string, string>;
export type Received = { path: string; form: Form; body: string; at: number };

/** Short waits for tests. Everything else is the default. */
const quickSettings: Partial<Settings> = {
  noticeRetryMs: [40, 40, 40],
  noticeTimeoutMs: 10_000,
  afterReturnMs: 150,
  lateNoticeMs: 300,
  hangMs: 250,
  slowMs: 250,
  refundAfterMs: 0,
  longRefundMs: 60_000,
};

/** Starts a merchant's server, which records every POST and answers with the status set for its path. */
export async function startMerchant() {
  const received: Received[] = [];
  const answers: { status: number } = { status: 200 };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(Buffer.from(chunk));
    }
    const body = Buffer.concat(chunks).toString('utf8');
    received.push({
      path: request.url ?? '',
      form: Object.fromEntries(new URLSearchParams(body)),
      body,
      at: Date.now(),
    });
    response.writeHead(request.url === '/ipn' ? answers.status : 200).end('ok');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    answers,
    received,
    at: (path: string) => received.filter((one) => one.path === path),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export type Merchant = Awaited<ReturnType<typeof startMerchant>>;

/** Starts a simulator with its own folder, and a merchant that uses it. */
export async function startBoth(settings: Partial<Settings> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'sslcommerz-'));
  const simulator = await startSslcommerzSimulator({ dataDir, settings: { ...quickSettings, ...settings } });
  const merchant = await startMerchant();
  return {
    url: simulator.url,
    dataDir,
    merchant,
    api: createClient({ url: simulator.url, merchant }),
    async close() {
      await simulator.close();
      await merchant.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

let made = 0;

/** Returns a valid session request. */
export function sessionRequest(merchant: { url: string }, changes: Form = {}): Form {
  made += 1;
  return {
    store_id: storeId,
    store_passwd: password,
    total_amount: '100.00',
    currency: 'BDT',
    tran_id: `TRAN${made}`,
    product_category: 'books',
    product_name: 'A book',
    product_profile: 'general',
    success_url: `${merchant.url}/success`,
    fail_url: `${merchant.url}/fail`,
    cancel_url: `${merchant.url}/cancel`,
    ipn_url: `${merchant.url}/ipn`,
    shipping_method: 'NO',
    num_of_item: '1',
    cus_name: 'Jane',
    cus_email: 'jane@example.com',
    cus_add1: 'House 1',
    cus_city: 'Dhaka',
    cus_postcode: '1205',
    cus_country: 'Bangladesh',
    cus_phone: '01711111111',
    ...changes,
  };
}

/** Returns a client of the merchant's API that uses only fetch. */
export function createClient({ url, merchant }: { url: string; merchant: { url: string } }) {
  const credentials = { store_id: storeId, store_passwd: password, v: '1', format: 'json' };
  const call = (file: string, query: Form) =>
    fetch(`${url}/validator/api/${file}?${new URLSearchParams({ ...credentials, ...query })}`);
  const post = (form: Form) =>
    fetch(`${url}/gwprocess/v4/api.php`, { method: 'POST', body: new URLSearchParams(form) });
  const json = async (answer: Promise<Response>): Promise<Record<string, unknown>> =>
    (await (await answer).json()) as Record<string, unknown>;
  return {
    post,
    create: (changes: Form = {}) => json(post(sessionRequest(merchant, changes))),
    validateRaw: (valId: string) => call('validationserverAPI.php', { val_id: valId }),
    validate: (valId: string) => json(call('validationserverAPI.php', { val_id: valId })),
    transactionRaw: (query: Form) => call('merchantTransIDvalidationAPI.php', query),
    transaction: (query: Form) => json(call('merchantTransIDvalidationAPI.php', query)),
    control: async (method: string, path: string, body?: unknown) => {
      const sent =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const answer = await fetch(`${url}/__sim/${path}`, { method, ...sent });
      return { status: answer.status, body: await answer.json() };
    },
    charges: async () => (await (await fetch(`${url}/__sim/charges`)).json()) as Record<string, string>[],
  };
}
