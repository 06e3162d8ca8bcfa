import { INVOICE_EXAMPLES } from './invoice-examples.ts';
import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Contract } from '../http/openapi.ts';
import type { Json, JsonObject } from '../http/openapi/schemas.ts';
import { Meta } from '../http/envelope.ts';
import { NATIVE_STATUS } from '../native/envelope.ts';
import { APPLICATION_EXAMPLES } from './application-examples.ts';
import { DELIVERY_EXAMPLES } from './delivery-examples.ts';
import { RECONCILIATION_EXAMPLES } from './reconciliation-examples.ts';
import { EXAMPLES } from './examples.ts';
import { MONEY_EXAMPLES } from './money-examples.ts';
import { OPERATOR_EXAMPLES } from './operator-examples.ts';
import { PAYOUT_EXAMPLES } from './payout-examples.ts';
import { WEBHOOKS } from './webhook-events.ts';

const SuccessMeta = Meta.extend({ success: z.literal(true), errorCode: z.null() }).meta({ id: 'SuccessMeta' });
const FieldErrors = z
  .record(z.string(), z.string())
  .meta({ id: 'FieldErrors', description: 'A human-readable message for each invalid field.' });
const NoPages = z.null().describe('Page information of paginated lists.');
const Pagination = z
  .object({
    page: z.int().describe('Starts at 0.'),
    size: z.int(),
    totalElements: z.int(),
    totalPages: z.int(),
    nextCursor: z.string().nullable().describe('Send it as `cursor` to get the next page. Null on the last page.'),
  })
  .meta({ id: 'Pagination' });

const DESCRIPTION = `Take payments through a gateway's hosted checkout. Create a payment, send the payer to its \`checkoutUrl\`, and act on the
confirmed result: the signed \`payment.succeeded\` webhook or a retrieved status of \`SUCCEEDED\`. Never act on the browser's return.

Amounts are integers in the currency's minor unit. The credential determines the mode, \`TEST\` or \`LIVE\`. Every response has the same envelope,
\`{data, meta, pagination}\`. Branch on \`meta.errorCode\`, never on \`meta.message\`. A path that does not exist returns 404
\`RESOURCE_NOT_FOUND\`; a method that a path does not support returns 405 \`METHOD_NOT_ALLOWED\` with \`Allow\`. Ignore fields that you do not
know: new ones may be added.`;

/** What each code means for integrators. A missing code does not compile. */
const MEANINGS = {
  VALIDATION_ERROR: 'The request is invalid. `data` has a message for each invalid field. Nothing was stored.',
  AMOUNT_OUT_OF_BOUNDS: 'The amount is outside the limits of the gateway or the application.',
  UNAUTHORIZED: 'The key or secret is missing, wrong, expired or revoked, or the application is disabled.',
  INVALID_CREDENTIALS: 'The email, password or second factor is wrong. The response does not say which.',
  SECOND_FACTOR_REQUIRED:
    'The password is correct but the second factor is missing, or this installation requires one and none is set up yet.',
  PASSWORD_CHANGE_REQUIRED: 'The password is temporary. Change it first.',
  TOKEN_EXPIRED: 'The session has reached its maximum age. Log in again.',
  SESSION_EXPIRED: 'The session was idle for too long or was ended. Log in again.',
  REAUTH_REQUIRED:
    'The action requires the password to have been entered within the last five minutes. Re-authenticate, then retry.',
  FORBIDDEN: 'The caller does not have permission for this action.',
  RESOURCE_NOT_FOUND:
    "No object with this id exists for this application in this mode. The response is the same for another application's id.",
  METHOD_NOT_ALLOWED: 'The path does not support this method. `Allow` lists the supported ones.',
  RESOURCE_ALREADY_EXISTS: 'An object with this unique value already exists.',
  INVALID_OPERATION_STATE: 'The current state of the object does not allow this.',
  REFUND_EXCEEDS_BALANCE:
    'The amount exceeds what is left to refund, including refunds in progress. `data` says how much is left.',
  IDEMPOTENCY_KEY_CONFLICT: 'The `Idempotency-Key` was used with a different request. The first request is unaffected.',
  IDEMPOTENCY_IN_PROGRESS: 'The first request with this `Idempotency-Key` is still running. Retry after `Retry-After`.',
  PAYLOAD_TOO_LARGE: 'The body is larger than 64 KiB.',
  UNSUPPORTED_MEDIA_TYPE: 'The body is not declared as `application/json` in UTF-8.',
  RATE_LIMITED: 'Too many requests. Retry after `Retry-After`.',
  GATEWAY_ERROR: 'The gateway permanently refused to open a checkout. The payment has ended as `FAILED`.',
  NOT_SUPPORTED: 'This installation cannot do this. The message says what it lacks.',
  SERVICE_UNAVAILABLE:
    'The service is temporarily unavailable. Retry after `Retry-After` with the same `Idempotency-Key`.',
  INTERNAL_ERROR:
    'An internal error. Quote `X-Request-Id` when you report it. You can retry with the same `Idempotency-Key`.',
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
      { name: 'Payments', description: 'Create payments and retrieve their state.' },
      { name: 'Refunds', description: 'Refund payments, in part or in full.' },
      { name: 'Test clock', description: 'Let time pass for objects in TEST.' },
      { name: 'Checkout', description: 'The public data of the hosted checkout page.' },
      { name: 'Sessions', description: 'Operators: your own sessions, password and second factor.' },
      { name: 'Operators', description: 'Operators: the accounts that may use this API, and their roles.' },
      { name: 'Roles', description: 'Operators: permissions, and the roles that grant them.' },
      { name: 'Saved views', description: 'Operators: your own views of the dashboard’s lists.' },
      { name: 'Settings', description: 'Operators: the settings of the whole installation.' },
      { name: 'Audit', description: 'Operators: the audit log of all actions.' },
      { name: 'Webhooks', description: 'Signed events that Lenden sends to your application.' },
    ],
    securitySchemes: {
      apiKey: apiKeyHeader('X-Api-Key', 'The key, `oi_test_…` or `oi_live_…`. It determines the mode.'),
      apiSecret: apiKeyHeader('X-Api-Secret', 'The secret that was shown once when the key was issued.'),
      operatorToken: { type: 'http', scheme: 'bearer', description: "An operator's session, from `POST /auth/login`." },
      operatorCookie: {
        type: 'apiKey',
        in: 'cookie',
        name: '__Host-lenden-session',
        description: 'The session as a cookie. Used by the dashboard.',
      },
      csrfToken: apiKeyHeader(
        'X-CSRF-Token',
        'The `csrfToken` of the session. Required with a cookie for every method except GET.',
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
      ...PAYOUT_EXAMPLES,
      ...APPLICATION_EXAMPLES,
      ...DELIVERY_EXAMPLES,
      ...RECONCILIATION_EXAMPLES,
      ...MONEY_EXAMPLES,
      ...INVOICE_EXAMPLES,
    },
    headers: HEADERS,
    idempotencyKey: {
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description:
        'Makes retries safe. A request with the same key and body never runs twice and returns the same response for 30 days. 1 to 255 octets without control characters.',
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
    'X-Request-Id': header('Quote it when you report a problem with this request.', { type: 'string', format: 'uuid' }),
  },
  rateLimit: {
    'X-RateLimit-Limit': header('Requests per minute allowed for this credential.', COUNT),
    'X-RateLimit-Remaining': header('Requests currently remaining.', COUNT),
    'X-RateLimit-Reset': header('Seconds until the full limit is available again.', COUNT),
  },
  replayed: {
    'Idempotent-Replayed': header(
      'Present when the response is the stored one of an earlier request with the same key.',
      { type: 'string', const: 'true' },
    ),
  },
  retryAfter: { 'Retry-After': header('Seconds to wait before retrying.', { type: 'integer', minimum: 1 }) },
  challenge: {
    'WWW-Authenticate': header('`ApiKey`: send the key and secret in their headers. `Bearer`: log in as an operator.', {
      type: 'string',
    }),
  },
  allow: { Allow: header('The methods that the path supports.', { type: 'string' }) },
} as const satisfies Contract['headers'];
