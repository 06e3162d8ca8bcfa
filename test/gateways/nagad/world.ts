import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import { createNagadGateway, type NagadOptions } from '../../../gateways/nagad/gateway.ts';
import type { AttemptHandle, Gateway, SessionOrder } from '../../../gateways/port.ts';
import { createHttpClient } from '../../../runtime/http-client.ts';
import { readOrMakeKeys } from '../../../simulators/nagad/keys.ts';
import { startNagadSimulator } from '../../../simulators/nagad/server.ts';
import { randomBase62 } from '../../../domain/references.ts';
import { impatience } from '../../support/impatience.ts';

export const MERCHANT = '683000000000001';
const MERCHANTS = [{ id: MERCHANT }, { id: '683000000000002' }];
const TIMEOUT_MS = 4_000;
/** Longer than the timeout of the adapter under test. */
const HANG_MS = 6_000;

/** Starts the adapter with its simulator. */
export async function startNagadWorld() {
  const dataDir = await mkdtemp(join(tmpdir(), 'nagad-adapter-'));
  const keys = await readOrMakeKeys(dataDir, MERCHANTS);
  const simulator = await startNagadSimulator({
    dataDir,
    merchants: MERCHANTS,
    settings: { hangMs: HANG_MS, slowMs: 50, lateChargeMs: 300 },
  });
  const { http, expectSilence } = impatience(createHttpClient({ guard: 'none', allow: parseAllowList('') }));
  const secretOf = (merchantId: string): string =>
    JSON.stringify({
      merchantPrivateKey: keys.merchants[merchantId]?.privateKey,
      gatewayPublicKey: keys.gateway.publicKey,
      address: '103.100.200.100',
    });
  const adapter = (changes: Partial<NagadOptions> = {}): Gateway =>
    createNagadGateway({
      baseUrl: `${simulator.url}/remote-payment-gateway-1.0/api/dfs`,
      storeId: MERCHANT,
      secret: secretOf(MERCHANT),
      http,
      totalTimeoutMs: TIMEOUT_MS,
      ...changes,
    });
  return {
    keys,
    http,
    url: simulator.url,
    secretOf,
    adapter,
    gateway: adapter(),
    expectSilence,
    async control(method: string, path: string, body?: unknown): Promise<unknown> {
      const sent =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const answer = await fetch(`${simulator.url}/__sim/${path}`, { method, ...sent });
      if (!answer.ok) {
        throw new Error(`the simulator answered ${answer.status}: ${await answer.text()}`);
      }
      return answer.json();
    },
    charges: async () => (await (await fetch(`${simulator.url}/__sim/charges`)).json()) as Record<string, string>[],
    async close() {
      await simulator.close();
      await http.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

export type NagadWorld = Awaited<ReturnType<typeof startNagadWorld>>;

/** Returns an order for a new attempt of this many paisa. */
export function orderOf(amountMinor = 10_000n): SessionOrder {
  const callback = (kind: string): string => `http://127.0.0.1:9/gateway/nagad/test/${kind}`;
  return {
    attemptReference: randomBase62(20),
    amount: { amountMinor, currency: 'BDT' },
    productName: 'A book',
    customer: {
      name: 'Jane',
      email: 'jane@example.com',
      phone: '01711111111',
      address: 'House 1',
      city: 'Dhaka',
      postcode: '1205',
      country: 'Bangladesh',
    },
    callbacks: {
      success: callback('success'),
      fail: callback('fail'),
      cancel: callback('cancel'),
      ipn: callback('ipn'),
      back: callback('return'),
    },
    expiresAt: new Date('2026-11-22T01:00:00Z'),
    readAt: new Date(),
  };
}

/** Returns the handle with which an order's attempt is queried. */
export function attemptOf(
  { attemptReference }: { readonly attemptReference: string },
  sessionKey: string | null,
  changes: Partial<AttemptHandle> = {},
): AttemptHandle {
  return { attemptReference, sessionKey, claimedValidationId: null, knownValidationIds: [], ...changes };
}

/** Opens a session, or fails the test. */
export async function opened(
  gateway: Gateway,
  order: SessionOrder,
): Promise<{ sessionKey: string; gatewayUrl: string }> {
  const outcome = await gateway.openSession(order);
  if (outcome.kind !== 'opened' || outcome.gatewayUrl === null) {
    throw new Error(`no page was opened: ${outcome.kind}`);
  }
  return { sessionKey: outcome.sessionKey, gatewayUrl: outcome.gatewayUrl };
}

/** Acts as the payer on the page. Returns where the browser is redirected, or null if it stays. */
export async function press(
  { gatewayUrl }: { readonly gatewayUrl: string },
  outcome = 'pay',
  mobile = '01712345678',
): Promise<URL | null> {
  const body = new URLSearchParams({ outcome, mobile });
  const answer = await fetch(gatewayUrl, { method: 'POST', body, redirect: 'manual' });
  await answer.arrayBuffer();
  const location = answer.headers.get('location');
  return location === null ? null : new URL(location);
}

/** Returns a callback as the port passes it to the adapter: the last part of the path, and the query. */
export function rawReturn(location: URL | null): string {
  return `${location?.pathname.split('/').at(-1)}${location?.search}`;
}
