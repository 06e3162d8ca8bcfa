import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseAllowList } from '../../domain/outbound-url.ts';
import { attemptNamedIn as attemptNamedInBkash } from '../../gateways/bkash/callback.ts';
import { createBkashGateway, createBkashShared } from '../../gateways/bkash/gateway.ts';
import type { ManualRecord } from '../../gateways/manual/book.ts';
import { decidedNotice } from '../../gateways/manual/callback.ts';
import { createManualGateway } from '../../gateways/manual/gateway.ts';
import { attemptNamedIn as attemptNamedInNagad } from '../../gateways/nagad/callback.ts';
import { createNagadGateway } from '../../gateways/nagad/gateway.ts';
import type { Gateway } from '../../gateways/port.ts';
import { attemptNamedIn as attemptNamedInSslcommerz } from '../../gateways/sslcommerz/callback.ts';
import { createSslcommerzGateway } from '../../gateways/sslcommerz/gateway.ts';
import { attemptNamedIn as attemptNamedInStripe } from '../../gateways/stripe/callback.ts';
import { createStripeGateway } from '../../gateways/stripe/gateway.ts';
import { createHttpClient, type HttpClient } from '../../runtime/http-client.ts';
import { startBkashSimulator } from '../../simulators/bkash/server.ts';
import type { RunningHost } from '../../simulators/kit/host.ts';
import { readOrMakeKeys } from '../../simulators/nagad/keys.ts';
import { startNagadSimulator } from '../../simulators/nagad/server.ts';
import { startSslcommerzSimulator } from '../../simulators/sslcommerz/server.ts';
import { startStripeSimulator } from '../../simulators/stripe/server.ts';
import { impatience } from '../support/impatience.ts';
import { bkashRows } from './bkash-rows.ts';
import type { GatewayWorld, HandWorld, MoneyMoved, PayerDoes } from './contract.ts';

/** Longer than the timeout of an adapter under test. */
const HANG_MS = 6_000;
const TIMEOUT_MS = 4_000;

type Control = (method: string, path: string, body?: unknown) => Promise<unknown>;

interface Parts {
  readonly simulator: RunningHost;
  readonly dataDir: string;
  readonly http: HttpClient;
  readonly control: Control;
  /** An origin on which nothing listens. */
  readonly nowhere: string;
}

/** The parts that a gateway's world adds to a running simulator. */
type Makes = Omit<GatewayWorld, 'money' | 'expectSilence' | 'close'>;

/** A world whose simulator a test controls itself. */
export interface SimulatedWorld extends GatewayWorld {
  readonly url: string;
  readonly control: Control;
}

async function withSimulator(
  start: (dataDir: string) => Promise<RunningHost>,
  make: (parts: Parts) => Makes | Promise<Makes>,
): Promise<SimulatedWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gateway-contract-'));
  const simulator = await start(dataDir);
  const { http, expectSilence } = impatience(createHttpClient({ guard: 'none', allow: parseAllowList('') }));
  const control: Control = async (method, path, body) => {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await fetch(`${simulator.url}/__sim/${path}`, { method, ...sent });
    if (!answer.ok) {
      throw new Error(`the simulator answered ${answer.status}: ${await answer.text()}`);
    }
    return answer.json();
  };
  return {
    ...(await make({ simulator, dataDir, http, control, nowhere: await closedOrigin() })),
    url: simulator.url,
    control,
    money: async () => (await control('GET', 'charges')) as MoneyMoved[],
    expectSilence,
    close: async () => {
      await simulator.close();
      await http.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

export function openSslcommerz(): Promise<SimulatedWorld> {
  const settings = { hangMs: HANG_MS, slowMs: 100, refundAfterMs: 0, noticeRetryMs: [], noticeTimeoutMs: 10_000 };
  return withSimulator(
    (dataDir) => startSslcommerzSimulator({ dataDir, settings }),
    ({ simulator, http, control, nowhere }) => {
      const gateway = (baseUrl: string, storePassword: string): Gateway =>
        createSslcommerzGateway({
          baseUrl,
          storeId: 'lenden_test',
          storePassword,
          http,
          totalTimeoutMs: TIMEOUT_MS,
        });
      const statuses: Readonly<Record<PayerDoes, string>> = {
        pay: 'VALID',
        decline: 'FAILED',
        cancel: 'CANCELLED',
        fail: 'FAILED',
      };
      return {
        gateway: gateway(simulator.url, 'lenden_test@ssl'),
        stranger: gateway(simulator.url, 'wrong'),
        unreachable: gateway(nowhere, 'lenden_test@ssl'),
        script: async (script) => void (await control('POST', 'scripts', { script })),
        payer: async (reference, does) =>
          void (await control('POST', `sessions/${reference}/finish`, { status: statuses[does] })),
        async callback(reference) {
          const sessions = (await control('GET', `sessions/${reference}`)) as { deliveries: { body: string }[] }[];
          return sessions.at(-1)?.deliveries.at(-1)?.body ?? '';
        },
        forged(callback, reference) {
          const fields = new URLSearchParams(callback);
          fields.set('tran_id', reference);
          return fields.toString();
        },
        attemptNamedIn: attemptNamedInSslcommerz,
      };
    },
  );
}

const BKASH_SECRET = { password: 'lenden_test@bkash', appKey: 'lenden_test_app', appSecret: 'lenden_test_app_secret' };

export function openBkash(): Promise<SimulatedWorld> {
  // bKash gives two tokens an hour, and the whole suite uses one.
  return withSimulator(
    (dataDir) => startBkashSimulator({ dataDir, settings: { hangMs: HANG_MS, slowMs: 100 } }),
    ({ simulator, http, control, nowhere }) => {
      const shared = createBkashShared({ http, ...bkashRows() });
      const gateway = (baseUrl: string, secret: object): Gateway =>
        createBkashGateway({
          baseUrl,
          storeId: 'lenden_test',
          secret: JSON.stringify(secret),
          http,
          shared,
          limits: { queryTimeoutMs: TIMEOUT_MS, executeTimeoutMs: TIMEOUT_MS, pausesMs: [20, 50] },
        });
      const actions: Readonly<Record<PayerDoes, readonly [string, object]>> = {
        pay: ['agree', {}],
        decline: ['agree', { wallet: '01823074817' }],
        cancel: ['cancel', {}],
        fail: ['fail', {}],
      };
      return {
        gateway: gateway(simulator.url, BKASH_SECRET),
        stranger: gateway(simulator.url, { ...BKASH_SECRET, password: 'wrong', appSecret: 'wrong' }),
        unreachable: gateway(nowhere, BKASH_SECRET),
        script: async (script) => void (await control('POST', 'bkash/scripts', { script })),
        async payer(reference, does) {
          const [action, body] = actions[does];
          await control('POST', `bkash/payments/${reference}/${action}`, body);
        },
        async callback(reference) {
          const payments = (await control('GET', `bkash/payments/${reference}`)) as { backUrl: string }[];
          const { pathname, search } = new URL(payments.at(-1)?.backUrl ?? '');
          return `${pathname.split('/').at(-1) ?? ''}${search}`;
        },
        forged: (callback, reference) => callback.replace(/^[^.]+/, reference),
        attemptNamedIn: attemptNamedInBkash,
      };
    },
  );
}

const NAGAD_MERCHANTS = [{ id: '683000000000001' }, { id: '683000000000002' }] as const;

export function openNagad(): Promise<SimulatedWorld> {
  const [own, other] = NAGAD_MERCHANTS;
  return withSimulator(
    (dataDir) =>
      startNagadSimulator({ dataDir, merchants: NAGAD_MERCHANTS, settings: { hangMs: HANG_MS, slowMs: 100 } }),
    async ({ simulator, dataDir, http, control, nowhere }) => {
      const keys = await readOrMakeKeys(dataDir, NAGAD_MERCHANTS);
      const gateway = (origin: string, keysOf: string): Gateway =>
        createNagadGateway({
          baseUrl: `${origin}/remote-payment-gateway-1.0/api/dfs`,
          storeId: own.id,
          secret: JSON.stringify({
            merchantPrivateKey: keys.merchants[keysOf]?.privateKey,
            gatewayPublicKey: keys.gateway.publicKey,
            address: '127.0.0.1',
          }),
          http,
          totalTimeoutMs: TIMEOUT_MS,
        });
      const statuses: Readonly<Record<PayerDoes, string>> = {
        pay: 'Success',
        decline: 'Failed',
        cancel: 'Aborted',
        fail: 'Failed',
      };
      return {
        gateway: gateway(simulator.url, own.id),
        stranger: gateway(simulator.url, other.id),
        unreachable: gateway(nowhere, own.id),
        script: async (script) => void (await control('POST', 'nagad/scripts', { script })),
        payer: async (reference, does) =>
          void (await control('POST', `nagad/orders/${reference}/finish`, { status: statuses[does] })),
        async callback(reference) {
          const orders = (await control('GET', `nagad/orders/${reference}`)) as { ref: string }[];
          const page = `${simulator.url}/check-out/${orders.at(-1)?.ref ?? ''}`;
          const { headers } = await fetch(page, { redirect: 'manual' });
          const { pathname, search } = new URL(headers.get('location') ?? '');
          return `${pathname.split('/').at(-1) ?? ''}${search}`;
        },
        forged: (callback, reference) => callback.replaceAll(callback.split('.')[0] ?? '', reference),
        attemptNamedIn: attemptNamedInNagad,
      };
    },
  );
}

const STRIPE_SECRET = { secretKey: 'sk_test_lenden', webhookSecret: 'whsec_lenden_test' };

export function openStripe(): Promise<SimulatedWorld> {
  return withSimulator(
    (dataDir) => startStripeSimulator({ dataDir, settings: { hangMs: HANG_MS, slowMs: 100 } }),
    ({ simulator, http, control, nowhere }) => {
      const gateway = (baseUrl: string, secret: object): Gateway =>
        createStripeGateway({
          baseUrl,
          mode: 'TEST',
          storeId: 'acct_lenden_test',
          secret: JSON.stringify(secret),
          http,
          timeoutMs: TIMEOUT_MS,
        });
      const visited = new Map<string, 'successUrl' | 'cancelUrl'>();
      const payer = async (reference: string, does: PayerDoes): Promise<void> => {
        visited.set(reference, does === 'pay' ? 'successUrl' : 'cancelUrl');
        if (does === 'cancel') {
          // Going back to the shop ends nothing, and the gateway is not notified.
          return;
        }
        if (does === 'fail') {
          // The page shows that the card was declined, and the payer goes back to the shop.
          await control('POST', `stripe/sessions/${reference}/pay`, { card: '4000000000000002' });
          return;
        }
        // The payer can try again after a declined card. An attempt ends without money if it uses a method whose money never arrives.
        await control('POST', `stripe/sessions/${reference}/pay`, does === 'pay' ? {} : { method: 'bank' });
        if (does === 'decline') {
          await control('POST', `stripe/sessions/${reference}/settle`, { ends: 'failed' });
        }
      };
      return {
        gateway: gateway(simulator.url, STRIPE_SECRET),
        stranger: gateway(simulator.url, { secretKey: 'sk_test_wrong', webhookSecret: 'whsec_wrong' }),
        unreachable: gateway(nowhere, STRIPE_SECRET),
        script: async (script) => void (await control('POST', 'stripe/scripts', { script })),
        payer,
        async callback(reference) {
          const sessions = (await control('GET', `stripe/sessions/${reference}`)) as Record<string, string>[];
          const { pathname, search } = new URL(sessions.at(-1)?.[visited.get(reference) ?? ''] ?? '');
          return `${pathname.split('/').at(-1) ?? ''}${search}`;
        },
        forged: (callback, reference) => callback.replace(/^[^.]+/, reference),
        attemptNamedIn: attemptNamedInStripe,
      };
    },
  );
}

/** Opens a manual gateway with its operators and their decisions in memory. */
export function openManual(): Promise<HandWorld> {
  const amount = { amountMinor: 10_000n, currency: 'BDT' };
  const book = new Map<string, ManualRecord>();
  const write = (reference: string, word: 'accept' | 'reject' | null): void => {
    const decision = word === null ? null : { id: '7', word, operatorIds: ['3'] };
    const transaction = `trx-${reference}`;
    const normalized = `TRX${reference.toUpperCase()}`;
    book.set(reference, {
      amount,
      submission: { id: '5', transaction, normalized, submittedAt: new Date(), decision },
    });
  };
  const words: Readonly<Record<PayerDoes, 'accept' | 'reject' | null>> = {
    pay: 'accept',
    decline: 'reject',
    cancel: null,
    fail: null,
  };
  const texts = { en: 'Bank', bn: 'ব্যাংক' };
  const secret = JSON.stringify({ label: texts, instructions: texts });
  return Promise.resolve({
    gateway: createManualGateway({
      storeId: 'bank',
      secret,
      read: (reference) => Promise.resolve(book.get(reference) ?? null),
    }),
    claims: (reference) => write(reference, null),
    payer: (reference, does) => Promise.resolve(write(reference, words[does])),
    callback: (attemptReference) =>
      Promise.resolve(decidedNotice({ attemptReference, validationId: 'TRX1', decisionId: '7', decided: 'confirmed' })),
    forged: (callback, reference) => JSON.stringify({ ...JSON.parse(callback), attemptReference: reference }),
    attemptNamedIn: () => null,
    money: () =>
      Promise.resolve(
        [...book]
          .filter(([, { submission }]) => submission?.decision?.word === 'accept')
          .map(([tranId]) => ({ kind: 'charge', tranId, amount: '100.00' })),
      ),
    close: () => Promise.resolve(),
  });
}

/** Returns an origin whose port was free a moment ago. */
async function closedOrigin(): Promise<string> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return `http://127.0.0.1:${port}`;
}
