import { createUpdateFeed } from '../../core/updates/feed.ts';
import { deliveriesByWorkflow } from '../../core/webhooks/deliveries.ts';
import { createHttpClient } from '../../runtime/http-client.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { randomBytes } from 'node:crypto';
import { parseAllowList } from '../../domain/outbound-url.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createApiListener, createWebListener } from '../../api/listeners.ts';
import {
  registerApplication,
  type ApplicationSettings,
  type Registration,
} from '../../core/applications/store/applications.ts';
import { openDatabase, openOrm, type Database } from '../../database/connection.ts';
import { changePaid } from '../../core/invoices/store/invoice-changes.ts';
import { lockInvoice } from '../../core/invoices/store/invoices.ts';
import type { Mode } from '../../domain/mode.ts';
import { attemptReference, paymentReference } from '../../domain/references.ts';
import { createManualGateway, MANUAL_CAPABILITIES } from '../../gateways/manual/gateway.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../../gateways/sslcommerz/gateway.ts';
import {
  GatewayFailure,
  type Gateway,
  type GatewayCapabilities,
  type GatewayRegistry,
  type Store,
} from '../../gateways/port.ts';
import type { ResolveHost } from '../../runtime/http-client/resolve.ts';
import { storeSecretParts } from '../../runtime/sealed-places.ts';
import { createSecretBox, type SecretBox } from '../../runtime/secrets.ts';
import { runtimeLogins } from '../../scripts/shared/runtime-logins.ts';
import { linkTemporal } from '../../temporal/client.ts';
import { registryOf } from '../support/gateways.ts';
import { createTestDatabase } from '../support/database.ts';
import { testServers } from '../support/test-servers.ts';
import { createFakeDispatch, type FakeDispatch } from './fake-dispatch.ts';

export const WEB_URL = 'http://localhost:3000';
const SESSION_LIMITS = { idleMs: 1_800_000, absoluteMs: 28_800_000 };

/** The API in this process with a real database. Temporal, the worker and the gateway are replaced by a typed fake. */
export interface ApiWorld {
  readonly databaseUrl: string;
  readonly dispatch: FakeDispatch;
  readonly secrets: SecretBox;
  /** The gateway's answer when an operator's store is tested. */
  readonly stores: {
    answer: 'accepted' | 'unproven' | 'unreadable' | 'unauthorized' | 'unavailable';
    readonly tried: Store[];
  };
  /** Every line that the listeners have logged, before censoring. */
  readonly logLines: string[];
  register(settings?: Partial<ApplicationSettings>): Promise<Registration>;
  /** Creates a payment of 100.00 whose rows say that the gateway confirmed it. */
  paidPayment(shop: Registration): Promise<{ id: string; reference: string }>;
  /** Writes rows as if the gateway had confirmed an open payment's charge. Does nothing for a payment that has ended. */
  pay(paymentId: string): Promise<void>;
  /**
   * Starts a listener like another API process, with its own limiter, authenticator and pool, and returns its origin. `pages` adds the payers' and
   * operators' pages.
   */
  listen(options?: ListenOptions): Promise<string>;
  /** Adds this amount to an invoice's paid amount, as finalizing one of its payments does. */
  settle(invoiceId: unknown, amountMinor: number): Promise<void>;
  /** Runs one statement as the owner of the schema. */
  sql<Row extends object>(text: string, parameters?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly databaseUrl?: string;
  readonly pages?: boolean;
  /** Whether operators are told that links come by email. */
  readonly sendsEmail?: boolean;
  /** Entries of the outbound allow-list. */
  readonly allow?: string;
  /** The gateways that it knows; by default the usual ones. */
  readonly gateways?: readonly GatewayCapabilities[];
  /** Resolves host names in place of the name servers. */
  readonly resolve?: ResolveHost;
  /** How many proxies in front of it may name the client with `X-Forwarded-For`; by default none. */
  readonly trustedProxies?: number;
}

export async function openApiWorld(): Promise<ApiWorld> {
  const { url, drop } = await createTestDatabase();
  const database = await openDatabase({ url: runtimeLogins(url), poolSize: 5 });
  const owner = await openOrm({ url, role: 'owner', poolSize: 2 });
  const secrets = createSecretBox(`test:${randomBytes(32).toString('base64')}`);
  const temporal = linkTemporal({ address: testServers().temporalAddress, namespace: 'default', uiUrl: null });
  const dispatch = createFakeDispatch(database);
  const logLines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(line) });
  const stores: ApiWorld['stores'] = { answer: 'accepted', tried: [] };
  const closers: (() => Promise<unknown>)[] = [];
  return {
    databaseUrl: url,
    dispatch,
    secrets,
    stores,
    logLines,
    register: (settings = {}) => register({ database, secrets }, settings),
    sql: (text, parameters = []) => owner.em.fork().execute(text, [...parameters]),
    async pay(paymentId) {
      await database.withSystem((em) => em.execute(PAY, [paymentId]));
    },
    paidPayment: (shop) => insertPaid(database, shop.applicationId),
    settle: (invoiceId, amountMinor) => finalizeInvoice(database, String(invoiceId), BigInt(amountMinor)),
    async listen(options = {}) {
      const { sendsEmail = false, databaseUrl = url, pages = false, allow: entries = '', trustedProxies = 0 } = options;
      const { gateways, resolve: resolveHost } = options;
      const allow = parseAllowList(entries);
      // Uses logins that cannot become the owner, like Lenden's processes.
      const own = await openDatabase({ url: runtimeLogins(databaseUrl), poolSize: 10 });
      const updates = createUpdateFeed({ database: own, log });
      const deps = {
        database: own,
        gateways: fakeGateways(stores, gateways, secrets),
        dispatch,
        updates,
        deliveries: deliveriesByWorkflow(dispatch),
        log,
        secrets,
        sessionLimits: SESSION_LIMITS,
        temporal: temporal.client,
        sendsEmail,
        temporalUi: null,
        allow,
        publicHttp: createHttpClient({
          guard: 'public-only',
          allow,
          ...(resolveHost === undefined ? {} : { resolve: resolveHost }),
        }),
        calendar: calendarIn(BUSINESS_TIME_ZONE),
      };
      const server = createServer();
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const origin = `http://127.0.0.1:${portOf(server.address())}`;
      const listener = pages
        ? createWebListener({
            ...deps,
            apiUrl: 'http://localhost:8080',
            webUrl: origin.replace('127.0.0.1', 'localhost'),
            trustedProxies,
          })
        : createApiListener({ ...deps, apiUrl: origin, webUrl: WEB_URL, trustedProxies });
      server.on('request', listener.callback());
      closers.push(
        () =>
          new Promise((resolve) => {
            server.close(resolve);
            server.closeAllConnections();
          }),
        async () => updates.close(),
        () => own.close(),
      );
      return origin;
    },
    async close() {
      for (const close of closers) {
        await close();
      }
      await temporal.close();
      await owner.close();
      await database.close();
      await drop();
    },
  };
}

async function finalizeInvoice(database: Database, invoiceId: string, amountMinor: bigint): Promise<void> {
  const [row] = await database.withSystem((em) =>
    em.execute<{ application_id: string; mode: Mode }[]>('select application_id, mode from invoices where id = ?', [
      invoiceId,
    ]),
  );
  const scope = { applicationId: BigInt(row?.application_id ?? 0), mode: row?.mode ?? 'TEST' };
  const today = calendarIn(BUSINESS_TIME_ZONE).today(new Date());
  await database.withScope(scope, async (statements) => {
    const invoice = await lockInvoice(statements, scope, BigInt(invoiceId));
    if (invoice === null) {
      throw new Error('there is no such invoice');
    }
    await changePaid(statements, { invoice, paidMinor: invoice.paidMinor + amountMinor, today, events: 0 });
  });
}

const PAY = `
with paid as (
  update payments set status = 'SUCCEEDED', paid_at = now(), ended_at = now(), event_sequence = 1, gateway_txn_id = 'txn ' || id, fee_minor = 250
  where id = ?::bigint and status in ('CREATED', 'PENDING') returning id, amount_minor, gateway_txn_id)
update payment_attempts t set status = 'CONFIRMED', validation_id = 'val ' || t.id, gateway_txn_id = paid.gateway_txn_id,
  gross_minor = paid.amount_minor, fee_minor = 250, evidence = '{}', confirmed_at = now()
from paid where t.payment_id = paid.id returning 1`;

async function insertPaid(database: Database, applicationId: bigint): Promise<{ id: string; reference: string }> {
  const reference = paymentReference();
  const txn = randomBytes(8).toString('hex');
  const [row] = await database.withScope({ applicationId, mode: 'TEST' }, (em) =>
    em.execute<{ id: string }[]>(
      `with paid as (
         insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, gateway_txn_id,
           fee_minor, paid_at, ended_at, event_sequence, expires_at, next_sweep_at)
         values (?, 'TEST', ?, 'SUCCEEDED', 10000, 'BDT', 'c', 'sslcommerz', ?, 250, now(), now(), 1, now(), now()) returning *)
       insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id, status, validation_id,
         gateway_txn_id, gross_minor, fee_minor, evidence, confirmed_at)
       select application_id, mode, id, 1, ?, gateway, 'teststore', 'CONFIRMED', ?, gateway_txn_id, 10000, 250, '{}', now() from paid
       returning payment_id as id`,
      [applicationId, reference, txn, attemptReference(), txn],
    ),
  );
  return { id: row?.id ?? '', reference };
}

function register(
  store: { database: Database; secrets: SecretBox },
  settings: Partial<ApplicationSettings>,
): Promise<Registration> {
  return registerApplication(store, { ...settings, name: settings.name ?? 'Storefront' });
}

/** The API needs a gateway only for its capabilities, to read callbacks and to test an operator's store. */
function fakeGateways(
  stores: ApiWorld['stores'],
  known: readonly GatewayCapabilities[] | undefined,
  secrets: SecretBox,
): GatewayRegistry {
  const unused = (): never => {
    throw new Error('the API calls no gateway');
  };
  const gateway = (store: Store): Gateway => ({
    capabilities: { ...SSLCOMMERZ_CAPABILITIES, questionsProveStore: stores.answer !== 'unproven' },
    storeId: store.storeId,
    openSession: unused,
    queryAttempt: () => {
      stores.tried.push(store);
      return stores.answer === 'accepted' || stores.answer === 'unproven' || stores.answer === 'unreadable'
        ? Promise.resolve({ kind: 'not-started' })
        : Promise.reject(new GatewayFailure(stores.answer, 'as the test wishes'));
    },
    refund: unused,
    queryRefund: unused,
    parseCallback: () => ({
      attemptReference: null,
      signatureValid: false,
      claims: 'unknown',
      claimedValidationId: null,
      note: null,
    }),
  });
  return registryOf({
    ...(known === undefined
      ? {}
      : {
          names: known.map(({ name }) => name),
          capabilities: (wanted: string) => known.find(({ name }) => name === wanted),
        }),
    open(name, _mode, store) {
      if (stores.answer === 'unreadable') {
        throw new GatewayFailure('unauthorized', 'no credentials of this gateway');
      }
      if (name === MANUAL_CAPABILITIES.name && store.sealedSecret !== null) {
        const { sealed, place } = storeSecretParts(store.sealedSecret);
        return createManualGateway({ storeId: store.storeId, secret: secrets.open(sealed, place), read: unused });
      }
      return name === SSLCOMMERZ_CAPABILITIES.name ? gateway(store) : undefined;
    },
    defaultStoreId: (name) => (name === MANUAL_CAPABILITIES.name ? undefined : 'teststore'),
  });
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') {
    throw new TypeError('a TCP server has an address');
  }
  return address.port;
}
