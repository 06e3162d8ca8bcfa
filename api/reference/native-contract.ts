import { INVOICE_EXAMPLES } from './invoice-examples.ts';
import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Contract } from '../http/openapi.ts';
import type { Json, JsonObject } from '../http/openapi/schemas.ts';
import { Meta } from '../http/envelope.ts';
import { NATIVE_STATUS } from '../native/envelope.ts';
import { APPLICATION_EXAMPLES } from './application-examples.ts';
import { DELIVERY_EXAMPLES } from './delivery-examples.ts';
import { EXAMPLES } from './examples.ts';
import { MONEY_EXAMPLES } from './money-examples.ts';
import { OPERATOR_EXAMPLES } from './operator-examples.ts';
import { WEBHOOKS } from './webhook-events.ts';

const SuccessMeta = Meta.extend({ success: z.literal(true), errorCode: z.null() }).meta({ id: 'SuccessMeta' });
const FieldErrors = z
  .record(z.string(), z.string())
  .meta({ id: 'FieldErrors', description: 'What is wrong with each field, in words for people.' });
const NoPages = z.null().describe('Page information of lists that have pages.');
const Pagination = z
  .object({
    page: z.int().describe('From 0.'),
    size: z.int(),
    totalElements: z.int(),
    totalPages: z.int(),
    nextCursor: z.string().nullable().describe('Send it as `cursor` for what follows; null at the end.'),
  })
  .meta({ id: 'Pagination' });

const DESCRIPTION = `Take payments through a gateway's hosted checkout. Create a payment, send the payer to its \`checkoutUrl\`, and act on the
confirmed result: the signed \`payment.succeeded\` webhook, or a read that says \`SUCCEEDED\`. Never on the browser's return.

Amounts are integers in the currency's minor unit. The mode, \`TEST\` or \`LIVE\`, is fixed by the credential. Every answer has the same envelope
\`{data, meta, pagination}\`; branch on \`meta.errorCode\`, never on \`meta.message\`. A path that does not exist answers 404
\`RESOURCE_NOT_FOUND\`, a method that a path does not take answers 405 \`METHOD_NOT_ALLOWED\` with \`Allow\`. Ignore members that you do not
know: they may be added.`;

/** What each code means for integrators. A missing code does not compile. */
const MEANINGS = {
  VALIDATION_ERROR: 'The request is not valid; `data` says what is wrong, field by field. Nothing was stored.',
  AMOUNT_OUT_OF_BOUNDS: 'The amount is outside what the gateway or the application allows.',
  UNAUTHORIZED: 'Key or secret is missing, wrong, expired or revoked, or the application is disabled.',
  INVALID_CREDENTIALS: 'E-mail, password or second factor is wrong. Which of them is not told.',
  SECOND_FACTOR_REQUIRED:
    'The password is right and the second factor is missing; or this installation demands one and none is set up yet.',
  PASSWORD_CHANGE_REQUIRED: 'The password was given by somebody else: change it first.',
  TOKEN_EXPIRED: 'The session has reached its greatest age: log in again.',
  SESSION_EXPIRED: 'The session was idle for too long, or was ended: log in again.',
  REAUTH_REQUIRED: 'The action needs the password entered within the last five minutes: re-authenticate, then repeat.',
  FORBIDDEN: 'The caller is known and may not do this.',
  RESOURCE_NOT_FOUND:
    "Nothing of that id exists for this application in this mode. Another application's id looks the same.",
  METHOD_NOT_ALLOWED: 'The path exists and does not take this method; `Allow` lists those it takes.',
  RESOURCE_ALREADY_EXISTS: 'Something with this unique value exists already.',
  INVALID_OPERATION_STATE: 'The state of the object does not allow this now.',
  REFUND_EXCEEDS_BALANCE:
    'More than is left to refund, counting refunds that are under way; `data` says how much is left.',
  IDEMPOTENCY_KEY_CONFLICT: 'The `Idempotency-Key` was used with another request. The first one is unchanged.',
  IDEMPOTENCY_IN_PROGRESS:
    'The first request with this `Idempotency-Key` is still running; try again after `Retry-After`.',
  PAYLOAD_TOO_LARGE: 'The body is larger than 64 KiB.',
  UNSUPPORTED_MEDIA_TYPE: 'The body is not declared as `application/json` in UTF-8.',
  RATE_LIMITED: 'Too many requests; try again after `Retry-After`.',
  GATEWAY_ERROR: 'The gateway refused for good to open a checkout; the payment has ended as `FAILED`.',
  SERVICE_UNAVAILABLE: 'The service cannot answer now; try again after `Retry-After`, with the same `Idempotency-Key`.',
  INTERNAL_ERROR:
    'An error of ours; quote `X-Request-Id`. With the same `Idempotency-Key` the request may be repeated.',
} as const satisfies Record<ErrorCode, string>;

/** Returns the native API's part of an OpenAPI document for the given servers. */
export function nativeContract(servers: readonly JsonObject[]): Contract {
  return {
    info: {
      title: 'Lenden native payments API',
      version: '1.0.0',
      summary: 'Hosted checkout, confirmed payments, signed webhooks.',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers,
    tags: [
      { name: 'App', description: 'The application that a credential stands for.' },
      { name: 'Payments', description: 'Create payments and read how they stand.' },
      { name: 'Refunds', description: 'Give money back, in part or whole.' },
      { name: 'Checkout', description: 'What the hosted checkout shows; public, by reference.' },
      { name: 'Sessions', description: "Operators: one's own session, password and second factor." },
      { name: 'Operators', description: 'Operators: who may use this API, and as what.' },
      { name: 'Roles', description: 'Operators: what can be allowed, and the roles that allow it.' },
      { name: 'Settings', description: 'Operators: what holds for the whole installation.' },
      { name: 'Audit', description: 'Operators: what was done, and by whom.' },
      { name: 'Webhooks', description: 'Signed events that Lenden posts to your application.' },
    ],
    securitySchemes: {
      apiKey: apiKeyHeader('X-Api-Key', 'The key, `oi_test_…` or `oi_live_…`. It decides the mode.'),
      apiSecret: apiKeyHeader('X-Api-Secret', 'The secret that was shown once, when the key was issued.'),
      operatorToken: { type: 'http', scheme: 'bearer', description: "An operator's session, from `POST /auth/login`." },
      operatorCookie: {
        type: 'apiKey',
        in: 'cookie',
        name: '__Host-lenden-session',
        description: 'The same session by cookie, for the dashboard.',
      },
      csrfToken: apiKeyHeader(
        'X-CSRF-Token',
        'With a cookie, and every method but GET: the `csrfToken` of the session.',
      ),
    },
    // One requirement with two schemes: a request needs both.
    security: [{ apiKey: [], apiSecret: [] }],
    operatorSecurity: [{ operatorToken: [] }, { operatorCookie: [], csrfToken: [] }],
    success: (data, { list }) =>
      z.object({ data, meta: SuccessMeta, pagination: list ? Pagination.nullable() : NoPages }),
    failure,
    failureExample,
    failureMeanings: MEANINGS,
    statuses: NATIVE_STATUS,
    examples: {
      ...EXAMPLES,
      ...OPERATOR_EXAMPLES,
      ...APPLICATION_EXAMPLES,
      ...DELIVERY_EXAMPLES,
      ...MONEY_EXAMPLES,
      ...INVOICE_EXAMPLES,
    },
    headers: HEADERS,
    idempotencyKey: {
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description:
        'Makes a retry safe: the same key and body never run twice, and get the same answer for 30 days. 1 to 255 octets without control characters.',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: String.raw`^[^\u0000-\u001f\u007f]+$` },
    },
    webhooks: WEBHOOKS,
  };
}

const CODES_WITH_FIELDS: ReadonlySet<ErrorCode> = new Set([
  'VALIDATION_ERROR',
  'AMOUNT_OUT_OF_BOUNDS',
  'REFUND_EXCEEDS_BALANCE',
]);

function failure(codes: readonly ErrorCode[]): z.ZodType {
  return z.object({
    data: codes.some((code) => CODES_WITH_FIELDS.has(code)) ? FieldErrors.nullable() : z.null(),
    meta: Meta.extend({ success: z.literal(false), message: z.string(), errorCode: z.enum(codes) }),
    pagination: NoPages,
  });
}

function failureExample(code: ErrorCode): Json {
  return {
    data: CODES_WITH_FIELDS.has(code) ? { amountMinor: 'must be greater than 0' } : null,
    meta: { success: false, message: MEANINGS[code], errorCode: code, timestamp: '2026-06-04T10:00:01.000Z' },
    pagination: null,
  };
}

function apiKeyHeader(name: string, description: string): JsonObject {
  return { type: 'apiKey', in: 'header', name, description };
}

function header(description: string, schema: JsonObject): JsonObject {
  return { description, schema };
}

const COUNT = { type: 'integer', minimum: 0 };
const HEADERS = {
  always: {
    'X-Request-Id': header('Quote it when you ask about this request.', { type: 'string', format: 'uuid' }),
  },
  rateLimit: {
    'X-RateLimit-Limit': header('Requests a minute that this credential may make.', COUNT),
    'X-RateLimit-Remaining': header('Requests that are left now.', COUNT),
    'X-RateLimit-Reset': header('Seconds until all of them are available again.', COUNT),
  },
  replayed: {
    'Idempotent-Replayed': header(
      'Present when the stored answer of an earlier request with the same key was sent again.',
      { type: 'string', const: 'true' },
    ),
  },
  retryAfter: { 'Retry-After': header('Seconds after which a retry makes sense.', { type: 'integer', minimum: 1 }) },
  challenge: {
    'WWW-Authenticate': header('`ApiKey`: send key and secret in their headers. `Bearer`: log in as an operator.', {
      type: 'string',
    }),
  },
  allow: { Allow: header('The methods that the path takes.', { type: 'string' }) },
} as const satisfies Contract['headers'];
