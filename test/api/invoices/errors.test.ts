import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { NATIVE_STATUS } from '../../../api/native/envelope.ts';
import { ERROR_CODES, type ErrorCode } from '../../../domain/errors.ts';
import { at, call, documentedOperations, type Answer, type DocumentedOperation } from '../contract-client.ts';
import type { Call } from '../http-call.ts';
import { openTcpProxy } from '../tcp-proxy.ts';
import { openBilling, referenceOf, SAMPLE, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

const ofInvoices = documentedOperations.filter(({ path }) => /^\/(invoices|pay)(\/|$)/.test(path));

const Responses = z.record(z.string(), z.looseObject({ $ref: z.string().optional() }));
const CodeSchema = z.object({ enum: z.array(z.enum(ERROR_CODES)) });

/** Returns every failure that the contract declares for an operation. */
function declared({ path, method }: DocumentedOperation): ErrorCode[] {
  const place = `/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}/responses`;
  return Object.entries(Responses.parse(at(place)))
    .filter(([status]) => Number(status) >= 400)
    .flatMap(([status, { $ref }]) => {
      const response = $ref?.slice(1) ?? `${place}/${status}`;
      const code = at(`${response}/content/application~1json/schema/properties/meta/properties/errorCode`);
      return CodeSchema.parse(code).enum;
    });
}

const BODIES: Readonly<Record<string, object>> = {
  createInvoice: SAMPLE,
  editInvoice: SAMPLE,
  changeDueDates: {},
  setInvoiceTemplate: {},
};

/** Builds a request for an operation that would succeed. */
async function usual(operation: DocumentedOperation, id?: unknown): Promise<Call> {
  const draftsOnly = ['editInvoice', 'deleteInvoice'].includes(operation.operationId);
  const made = id === undefined ? await billing.create({ issue: !draftsOnly }) : null;
  const path = operation.path
    .replace('{id}', String(id ?? made?.data['id']))
    .replace('{reference}', made === null ? String(id) : referenceOf(made));
  return {
    origin: billing.origin,
    method: operation.method,
    path,
    ...(operation.secured ? { credentials: billing.shop.test } : {}),
    ...(operation.hasBody ? { body: BODIES[operation.operationId] } : {}),
  };
}

type Make = (operation: DocumentedOperation) => Promise<Answer>;

/** Requests in a state in which the operation is not allowed. */
const WRONG_STATE: Readonly<Record<string, () => Promise<Answer>>> = {
  editInvoice: () => billing.create(),
  deleteInvoice: () => billing.create(),
  async issueInvoice() {
    const made = await billing.create();
    return billing.act(made.data['id'], 'void');
  },
  voidInvoice: () => billing.draft(),
  createPayableLink: () => billing.draft(),
  pauseInvoice: () => billing.draft(),
  resumeInvoice: () => billing.draft(),
  changeDueDates: () => billing.draft(),
};

const MAKERS: Partial<Record<ErrorCode, Make>> = {
  UNAUTHORIZED: async (operation) => {
    const { credentials: _credentials, ...request } = await usual(operation);
    return call({ ...request, origin: await billing.world.listen() });
  },
  async VALIDATION_ERROR(operation) {
    const request = await usual(operation, 0);
    if (operation.path.includes('{id}')) {
      return call(request);
    }
    return call(
      operation.hasBody ? { ...request, body: { accentColor: 'red' } } : { ...request, path: `${request.path}?size=0` },
    );
  },
  async RESOURCE_NOT_FOUND(operation) {
    if (operation.operationId === 'createInvoice') {
      return keyOfWhatIsGone();
    }
    return call(await usual(operation, Number.MAX_SAFE_INTEGER));
  },
  async INVALID_OPERATION_STATE(operation) {
    const made = await WRONG_STATE[operation.operationId]?.();
    return call(await usual(operation, made?.data['id']));
  },
  async PAYLOAD_TOO_LARGE(operation) {
    return call({ ...(await usual(operation)), body: { x: 'x'.repeat(70_000) } });
  },
  async UNSUPPORTED_MEDIA_TYPE(operation) {
    return call({ ...(await usual(operation)), body: '{}' });
  },
  async RATE_LIMITED(operation) {
    const origin = await billing.world.listen();
    const request = { ...(await usual(operation)), origin };
    if (!operation.secured) {
      const answers = await Promise.all(Array.from({ length: 400 }, () => call(request)));
      return answers.find(({ status }) => status === 429) ?? call(request);
    }
    const slow = await billing.world.register({ rateLimitPerMinute: 1 });
    await call({ origin, path: '/app/me', credentials: slow.test });
    return call({ ...request, credentials: slow.test });
  },
  async SERVICE_UNAVAILABLE(operation) {
    const request = await usual(operation);
    const url = new URL(billing.world.databaseUrl);
    const proxy = await openTcpProxy({ host: url.hostname, port: Number(url.port) });
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    const origin = await billing.world.listen({ databaseUrl: url.href });
    await proxy.cut();
    try {
      return await call({ ...request, origin });
    } finally {
      await proxy.restore();
      await proxy.close();
    }
  },
  async INTERNAL_ERROR(operation) {
    const request = await usual(operation);
    await billing.world.sql('alter table invoices rename column notes to notes_lost');
    await billing.world.sql('alter table invoice_templates rename column company_name to name_lost');
    try {
      return await call(request);
    } finally {
      await billing.world.sql('alter table invoices rename column notes_lost to notes');
      await billing.world.sql('alter table invoice_templates rename column name_lost to company_name');
    }
  },
  async IDEMPOTENCY_KEY_CONFLICT() {
    await billing.create({}, { key: 'conflict' });
    return billing.create({ notes: 'x' }, { key: 'conflict' });
  },
  async IDEMPOTENCY_IN_PROGRESS() {
    await billing.create({}, { key: 'running' });
    await billing.world.sql(
      `update idempotency_keys set response_status = null, response_body = null, lease_until = now() + interval '9 seconds' where key = ?`,
      ['running'],
    );
    return billing.create({}, { key: 'running' });
  },
};

/** Uses a key whose draft was deleted and whose answer was lost, so there is nothing to answer with. */
async function keyOfWhatIsGone(): Promise<Answer> {
  const key = 'gone';
  const { data } = await billing.create({ issue: false }, { key });
  await billing.send(`/invoices/${String(data['id'])}`, { method: 'DELETE' });
  await billing.world.sql(
    'update idempotency_keys set response_status = null, response_body = null, lease_until = now() where key = ?',
    [key],
  );
  return billing.create({ issue: false }, { key });
}

const cases = ofInvoices.flatMap((operation) =>
  declared(operation).map((code) => [`${operation.method} ${operation.path}`, code, operation] as const),
);

test.each(cases)('%s answers %s', async (_name, code, operation) => {
  // Clients are written against the declared failures, so each one must occur as described.
  const make = MAKERS[code];
  if (make === undefined) {
    throw new Error(`nothing here makes ${code}`);
  }
  const answer = await make(operation);
  expect([answer.meta.errorCode, answer.status]).toEqual([code, NATIVE_STATUS[code]]);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
});

test('there are failures of every operation of invoices', () => {
  // An empty list of cases would prove nothing.
  expect(ofInvoices.length).toBeGreaterThanOrEqual(15);
  expect(cases.length).toBeGreaterThan(100);
});
