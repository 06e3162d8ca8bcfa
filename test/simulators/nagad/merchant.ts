import { constants, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredKeys } from '../../../simulators/nagad/keys.ts';
import { startNagadSimulator } from '../../../simulators/nagad/server.ts';
import type { Settings } from '../../../simulators/nagad/settings.ts';
import { startMerchant } from '../merchant.ts';
import { open, press } from '../payer.ts';
import type { Page } from '../payer.ts';

export const merchantId = '683000000000001';
export type Json = Record<string, unknown>;
export type Answered = { status: number; body: Json };

/** Short waits for tests. Everything else is the default. */
const quickSettings: Partial<Settings> = { lateChargeMs: 300, hangMs: 250, slowMs: 250 };

/** Starts a simulator with its own folder, and a merchant that uses it. */
export async function startNagad(settings: Partial<Settings> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'nagad-'));
  const simulator = await startNagadSimulator({ dataDir, settings: { ...quickSettings, ...settings } });
  const merchant = await startMerchant();
  return {
    url: simulator.url,
    dataDir,
    merchant,
    api: createClient({ url: simulator.url, keys: await readKeys(dataDir), callbackUrl: `${merchant.url}/back` }),
    async close() {
      await simulator.close();
      await merchant.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

export async function readKeys(dataDir: string): Promise<StoredKeys> {
  return JSON.parse(await readFile(join(dataDir, 'nagad', 'keys.json'), 'utf8')) as StoredKeys;
}

export const goodHeaders: Record<string, string> = {
  'content-type': 'application/json',
  'x-km-api-version': 'v-0.2.0',
  'x-km-ip-v4': '103.100.200.100',
  'x-km-client-type': 'PC_WEB',
};

const padding = constants.RSA_PKCS1_PADDING;
let made = 0;

/** Returns a client of the merchant's API that uses only fetch and node:crypto. */
export function createClient(given: { url: string; keys: StoredKeys; callbackUrl: string }) {
  const base = `${given.url}/remote-payment-gateway-1.0/api/dfs`;
  const own = privateKey(given.keys.merchants[merchantId]?.privateKey ?? '');
  const gateway = publicKey(given.keys.gateway.publicKey);

  const envelope = (value: unknown, text = JSON.stringify(value), signer: KeyObject = own): Json => ({
    sensitiveData: publicEncrypt({ key: gateway, padding }, Buffer.from(text)).toString('base64'),
    signature: sign('sha256', Buffer.from(text), signer).toString('base64'),
  });

  async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const answer = await fetch(`${base}${path}`, {
      method: 'POST',
      headers: { ...goodHeaders, ...headers },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Json };
  }

  /** Decrypts an answer of initialize. The signature must match the exact bytes. */
  function opened({ sensitiveData, signature }: Json): { told: Json; signed: boolean } {
    const bytes = privateDecrypt({ key: own, padding }, Buffer.from(String(sensitiveData), 'base64'));
    return {
      told: JSON.parse(bytes.toString('utf8')) as Json,
      signed: verify('sha256', bytes, gateway, Buffer.from(String(signature), 'base64')),
    };
  }

  function initialize(orderId: string, changes: { secret?: Json; body?: Json } = {}): Promise<Answered> {
    const dateTime = '20261122101112';
    const secret = { merchantId, datetime: dateTime, orderId, challenge: 'c'.repeat(40), ...changes.secret };
    return post(`/check-out/initialize/${merchantId}/${orderId}`, { dateTime, ...envelope(secret), ...changes.body });
  }

  function complete(
    at: { orderId: string; ref: string; challenge: string },
    changes: { amount?: string; secret?: Json; body?: Json } = {},
  ): Promise<Answered> {
    const secret = {
      merchantId,
      orderId: at.orderId,
      currencyCode: '050',
      amount: changes.amount ?? '100.00',
      challenge: at.challenge,
      ...changes.secret,
    };
    const body = { ...envelope(secret), merchantCallbackURL: given.callbackUrl, additionalMerchantInfo: {} };
    return post(`/check-out/complete/${at.ref}`, { ...body, ...changes.body });
  }

  async function begin(orderId = newOrderId()): Promise<{ orderId: string; ref: string; challenge: string }> {
    const { told } = opened((await initialize(orderId)).body);
    return { orderId, ref: String(told['paymentReferenceId']), challenge: String(told['challenge']) };
  }

  const verifyRaw = (ref: string): Promise<Response> => fetch(`${base}/verify/payment/${ref}`);

  return {
    base,
    envelope,
    post,
    opened,
    initialize,
    complete,
    begin,
    verifyRaw,
    verify: async (ref: string): Promise<Json> => (await (await verifyRaw(ref)).json()) as Json,
    /** Creates an order and returns its page. */
    async order(amount = '100.00', orderId = newOrderId()) {
      const begun = await begin(orderId);
      const { body } = await complete(begun, { amount });
      return { ...begun, page: String(body['callBackUrl']) };
    },
    control: async (method: string, path: string, body?: unknown) => {
      const sent =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const answer = await fetch(`${given.url}/__sim/${path}`, { method, ...sent });
      return { status: answer.status, body: (await answer.json()) as Json };
    },
    charges: async () => (await (await fetch(`${given.url}/__sim/charges`)).json()) as Record<string, string>[],
  };
}

export function newOrderId(): string {
  made += 1;
  return `ORDER${made}`;
}

/** Opens the payer's page and presses a button. Returns the page on which the browser ends. */
export async function pay(
  order: { page: string },
  outcome = 'pay',
  changes: Record<string, string> = {},
): Promise<Page> {
  return press(await open(order.page), outcome, changes);
}

/** Returns the query parameters with which the browser came back to the merchant. */
export function returned(page: Page): Record<string, string> {
  return Object.fromEntries(new URL(page.url).searchParams);
}

export function privateKey(body: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(body, 'base64'), format: 'der', type: 'pkcs8' });
}

export function publicKey(body: string): KeyObject {
  return createPublicKey({ key: Buffer.from(body, 'base64'), format: 'der', type: 'spki' });
}
