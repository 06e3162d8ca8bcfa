import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NATIVE_STATUS } from '../../api/native/envelope.ts';
import type { CredentialPair, Registration } from '../../core/applications/store/applications.ts';
import { ERROR_CODES, type ErrorCode } from '../../domain/errors.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, type Answer } from './contract-client.ts';

let world: ApiWorld;
let origin: string;
let shop: Registration;

beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
  shop = await world.register({ receiptsEnabled: true });
});
afterAll(() => world.close());

interface Create {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly credentials?: CredentialPair;
}

function create({ body = { amountMinor: 10_000, customerReference: 'c' }, ...rest }: Create = {}): Promise<Answer> {
  return call({ origin, method: 'POST', path: '/payments', credentials: shop.test, body, ...rest });
}

function get(path: string): Promise<Answer> {
  return call({ origin, path, credentials: shop.test });
}

const OPERATORS = 'an operator’s failure, which test/api/admin shows over HTTP';

/** How to produce each code over HTTP, or why no route can return it yet. A missing code is a compile error. */
const MAKE = {
  VALIDATION_ERROR: () => create({ body: {} }),
  AMOUNT_OUT_OF_BOUNDS: () => create({ body: { amountMinor: 1, customerReference: 'c' } }),
  UNAUTHORIZED: () => call({ origin, path: '/app/me' }),
  FORBIDDEN: 'a credential may do everything on its own objects; operators come with the admin API',
  RESOURCE_NOT_FOUND: () => get('/payments/999999'),
  METHOD_NOT_ALLOWED: () => call({ origin, method: 'DELETE', path: '/payments/1' }),
  RESOURCE_ALREADY_EXISTS: 'nothing that a client creates has a unique name yet',
  async INVALID_OPERATION_STATE() {
    return get(`/payments/${String((await create()).data['id'])}/receipt`);
  },
  INVALID_CREDENTIALS: OPERATORS,
  SECOND_FACTOR_REQUIRED: OPERATORS,
  PASSWORD_CHANGE_REQUIRED: OPERATORS,
  TOKEN_EXPIRED: OPERATORS,
  SESSION_EXPIRED: OPERATORS,
  REAUTH_REQUIRED: OPERATORS,
  async REFUND_EXCEEDS_BALANCE() {
    const { id } = await world.paidPayment(shop);
    return call({
      origin,
      method: 'POST',
      path: `/payments/${id}/refunds`,
      credentials: shop.test,
      body: { amountMinor: 10_001 },
    });
  },
  async IDEMPOTENCY_KEY_CONFLICT() {
    const headers = { 'idempotency-key': 'conflict' };
    await create({ headers });
    return create({ headers, body: { amountMinor: 10_001, customerReference: 'c' } });
  },
  async IDEMPOTENCY_IN_PROGRESS() {
    const headers = { 'idempotency-key': 'duplicates' };
    world.dispatch.opening = 'opens slowly';
    const answers = await Promise.all([create({ headers }), create({ headers })]);
    world.dispatch.opening = 'opens';
    return answers.find(({ status }) => status === 409) ?? create();
  },
  PAYLOAD_TOO_LARGE: () => create({ body: { productName: 'x'.repeat(70_000) } }),
  UNSUPPORTED_MEDIA_TYPE: () => create({ body: '{}' }),
  async RATE_LIMITED() {
    const slow = await world.register({ rateLimitPerMinute: 1 });
    await create({ credentials: slow.test });
    return create({ credentials: slow.test });
  },
  async GATEWAY_ERROR() {
    world.dispatch.opening = 'refuses';
    const answer = await create();
    world.dispatch.opening = 'opens';
    return answer;
  },
  async NOT_SUPPORTED() {
    world.dispatch.canSkipTime = false;
    const body = { object: 'payment', id: 1, forward: 3_600 };
    const answer = await call({ origin, method: 'POST', path: '/test-clock', credentials: shop.test, body });
    world.dispatch.canSkipTime = true;
    return answer;
  },
  async SERVICE_UNAVAILABLE() {
    // Postgres reports 25006 when it is a read-only replica, for example during a failover.
    return whileDatabaseSets('default_transaction_read_only = on');
  },
  async INTERNAL_ERROR() {
    await world.sql('alter table payments rename column currency to currency_lost');
    try {
      return await create();
    } finally {
      await world.sql('alter table payments rename column currency_lost to currency');
    }
  },
} as const satisfies Record<ErrorCode, string | (() => Promise<Answer>)>;

/** The setting applies to new connections only, so this uses a new listener. */
async function whileDatabaseSets(setting: string): Promise<Answer> {
  const database = new URL(world.databaseUrl).pathname.slice(1);
  const [name = ''] = setting.split(' ');
  await world.sql(`alter database "${database}" set ${setting}`);
  try {
    const body = { amountMinor: 10_000, customerReference: 'c' };
    return await call({
      origin: await world.listen(),
      method: 'POST',
      path: '/payments',
      credentials: shop.test,
      body,
    });
  } finally {
    await world.sql(`alter database "${database}" reset ${name}`);
  }
}

test.each(ERROR_CODES.map((code) => [code]))('%s', async (code) => {
  // Integrators handle the documented codes, so each must be producible over HTTP with its status.
  const make = MAKE[code];
  if (typeof make === 'string') {
    expect(make.length).toBeGreaterThan(20);
    return;
  }
  const answer = await make();
  expect(answer.meta).toMatchObject({ success: false, errorCode: code });
  expect(answer.status).toBe(NATIVE_STATUS[code]);
  expect(answer.meta.message).toMatch(/\w/);
});
