import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWebListener } from '../../../api/listeners.ts';
import { insertOperator } from '../../../core/operators/store/operators.ts';
import { hashPassword } from '../../../core/operators/passwords.ts';
import { readRoleByName, replaceGrants } from '../../../core/operators/store/roles.ts';
import { createUpdateFeed } from '../../../core/updates/feed.ts';
import { chooseStore } from '../../../core/gateways/store/stores.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import { createHttpClient } from '../../../runtime/http-client.ts';
import { linkTemporal } from '../../../temporal/client.ts';
import { testServers } from '../../support/test-servers.ts';
import {
  createPaymentWorld,
  secrets,
  type NewPayment,
  type PaymentWorld,
  type Row,
} from '../payments/payment-world.ts';
import type { StoredPayment } from '../../support/stored.ts';

const PASSWORD = 'three-quiet-herons-wade';
const SESSION_LIMITS = { idleMs: 1_800_000, absoluteMs: 28_800_000 };

export const SETTINGS = {
  label: { en: 'Bank transfer', bn: 'ব্যাংক ট্রান্সফার' },
  instructions: {
    en: 'Lenden Bank, Dhaka\nAccount 0123 456 789 <b>Shop & Co</b>',
    bn: 'লেনদেন ব্যাংক, ঢাকা\nহিসাব ০১২৩ ৪৫৬ ৭৮৯',
  },
};

export interface Answer {
  readonly status: number;
  readonly data: Row;
  readonly code: string | null;
}

/** A payer, operators and the workflow's steps on one database. Only Temporal is replaced, by a list of what would be sent. */
export interface ManualWorld {
  readonly world: PaymentWorld;
  /** Origin of the pages. */
  readonly origin: string;
  opened(fields?: NewPayment): Promise<{ input: StoredPayment; attempt: Row }>;
  page(input: StoredPayment, query?: string): Promise<string>;
  submits(input: StoredPayment, fields: Record<string, string> | string): Promise<Response>;
  /** Sends an operator's request to a path below the prefix. */
  operator(as: string, method: string, path: string, body?: unknown): Promise<Answer>;
  waiting(input: StoredPayment, status?: string): Promise<Row[]>;
  decides(as: string, submission: Row | undefined, decision: 'confirm' | 'reject', reason?: string): Promise<Answer>;
  close(): Promise<void>;
}

export async function openManualWorld(): Promise<ManualWorld> {
  const world = await createPaymentWorld();
  const { database, deps } = world;
  await database.withOperator('every-app', async (em) => {
    for (const mode of ['TEST', 'LIVE'] as const) {
      const password = JSON.stringify(SETTINGS);
      await chooseStore(em, secrets, {
        applicationId: null,
        mode,
        gateway: 'manual',
        storeId: 'bank',
        password,
      });
    }
  });
  const temporal = linkTemporal({ address: testServers().temporalAddress, namespace: 'default', uiUrl: null });
  const allow = parseAllowList('');
  const publicHttp = createHttpClient({ guard: 'public-only', allow });
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const listener = createWebListener({
    ...deps,
    secrets,
    sessionLimits: SESSION_LIMITS,
    temporal: temporal.client,
    sendsEmail: false,
    updates: createUpdateFeed(deps),
    temporalUi: null,
    allow,
    publicHttp,
    calendar: calendarIn(BUSINESS_TIME_ZONE),
    webUrl: origin,
    trustedProxies: 1,
  });
  server.on('request', listener.callback());

  let addresses = 0;
  /** Gives each request its own address, so that no test reaches a limit by accident. */
  const address = (): Record<string, string> => {
    addresses += 1;
    return { 'x-forwarded-for': `10.0.${Math.floor(addresses / 250)}.${addresses % 250}` };
  };
  const tokens = new Map<string, string>();
  const call = async (method: string, path: string, body?: unknown, token?: string): Promise<Answer> => {
    const answer = await fetch(`${origin}/api/v1${path}`, {
      method,
      headers: {
        ...address(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { data, meta } = (await answer.json()) as { data: Row; meta: { errorCode: string | null } };
    return { status: answer.status, data, code: meta.errorCode };
  };
  const passwordHash = await hashPassword(PASSWORD);
  for (const [name, role] of [
    ['owner', 'Super Admin'],
    ['asha', 'Finance'],
    ['babul', 'Finance'],
    ['viewer', 'Viewer'],
  ] as const) {
    const email = `${name}@example.com`;
    await database.withOperator('every-app', async (em) => {
      const operatorId = await insertOperator(em, { email, name, passwordHash, passwordTemporary: false });
      const { id } = await readRoleByName(em, role);
      await replaceGrants(em, { operatorId, grants: [{ roleId: id, applicationId: null }] });
    });
    const { data } = await call('POST', '/auth/login', { email, password: PASSWORD });
    tokens.set(name, String(data['token']));
  }
  const operator: ManualWorld['operator'] = (as, method, path, body) => call(method, path, body, tokens.get(as));
  return {
    world,
    origin,
    operator,
    opened: (fields = {}) => world.opened({ gateway: 'manual', ...fields }),
    async page({ reference }, query = '') {
      return (await fetch(`${origin}/checkout/${reference}${query}`, { headers: address() })).text();
    },
    submits: ({ reference }, fields) =>
      fetch(`${origin}/checkout/${reference}/submission`, {
        method: 'POST',
        redirect: 'manual',
        headers: { ...address(), 'content-type': 'application/x-www-form-urlencoded' },
        body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
      }),
    async waiting({ paymentId }, status = 'WAITING') {
      const { data } = await operator('asha', 'GET', `/admin/manual-payments?paymentId=${paymentId}&status=${status}`);
      return data as unknown as Row[];
    },
    decides: (as, submission, decision, reason = 'Looked into the account') =>
      operator(as, 'POST', `/admin/manual-payments/${String(submission?.['id'])}/decision`, { decision, reason }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      await publicHttp.close();
      await temporal.close();
      await world.close();
    },
  };
}
