import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Contract, Webhook } from '../http/openapi.ts';
import type { Json, JsonObject } from '../http/openapi/schemas.ts';
import { NARROWER, OWNPAY_ANSWERS } from '../ownpay/errors.ts';

const DESCRIPTION = `OwnPay's contract over Lenden: an existing OwnPay integration works after you change the base URL, key and webhook secret.

Amounts are decimal numbers with all decimal places of the currency. The key determines the mode, test or live. Bodies are flat. An error is
\`{error, message, code}\`, with \`errors\` for each field if the request is invalid. Send the payer to \`payment_url\` and act on the signed
\`payment.completed\` webhook or a retrieved status of \`completed\`. Never act on the browser's return, which carries \`payment_id\` and \`status\`.`;

const FieldErrors = z
  .record(z.string(), z.array(z.string()))
  .meta({ id: 'FieldErrors', description: 'A human-readable message for each invalid field.' });

/** What each code means for integrators. A missing code does not compile. */
const MEANINGS = {
  VALIDATION_ERROR: 'The request is invalid. `errors` has messages for each invalid field. Nothing was stored.',
  AMOUNT_OUT_OF_BOUNDS: 'The amount is outside the limits of the gateway or the application.',
  UNAUTHORIZED: 'The key is missing, unknown, expired or revoked.',
  INVALID_CREDENTIALS: 'The key is not valid.',
  SECOND_FACTOR_REQUIRED: 'The key is not valid.',
  PASSWORD_CHANGE_REQUIRED: 'The key is not valid.',
  TOKEN_EXPIRED: 'The key is not valid.',
  SESSION_EXPIRED: 'The key is not valid.',
  REAUTH_REQUIRED: 'The key is not valid.',
  FORBIDDEN: 'The key lacks the required scope: `read` for reading, `write` for everything else.',
  RESOURCE_NOT_FOUND: 'No such object exists for this key, or the gateway is not configured or inactive.',
  METHOD_NOT_ALLOWED: 'The path does not support this method. `Allow` lists the supported ones.',
  RESOURCE_ALREADY_EXISTS: 'An object with this unique value already exists.',
  INVALID_OPERATION_STATE: 'The transaction is not completed, or its gateway no longer allows refunds of it.',
  REFUND_EXCEEDS_BALANCE: 'The amount exceeds what is left to refund, including refunds in progress.',
  IDEMPOTENCY_KEY_CONFLICT: 'The `Idempotency-Key` was used with a different request.',
  IDEMPOTENCY_IN_PROGRESS: 'The first request with this `Idempotency-Key` is still running.',
  PAYLOAD_TOO_LARGE: 'The body is larger than 64 KiB.',
  UNSUPPORTED_MEDIA_TYPE: 'The body is not declared as `application/json` in UTF-8.',
  RATE_LIMITED: 'Too many requests. Retry after `Retry-After`.',
  GATEWAY_ERROR: 'The gateway permanently refused to open a checkout. The payment has ended as `failed`.',
  NOT_SUPPORTED: 'This installation cannot do this.',
  SERVICE_UNAVAILABLE: 'The service is temporarily unavailable. Retry after `Retry-After`.',
  INTERNAL_ERROR: 'An internal error. Quote `X-Request-Id` when you report it.',
} as const satisfies Record<ErrorCode, string>;

/** Returns OwnPay's part of an OpenAPI document for the given servers. */
export function ownpayContract(servers: readonly JsonObject[]): Contract {
  return {
    info: {
      title: 'Lenden for OwnPay integrations',
      version: '1.0.0',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers,
    tags: [
      { name: 'Payments', description: 'Payment intents and their transactions.' },
      { name: 'Refunds', description: 'Refunds of payments.' },
      { name: 'Webhooks', description: 'Events that Lenden sends to your endpoint.' },
    ],
    securitySchemes: {
      apiKey: {
        type: 'http',
        scheme: 'bearer',
        description: 'The key: `op_`, 8 hexadecimal digits, a dot and 48 hexadecimal digits.',
      },
    },
    security: [{ apiKey: [] }],
    operatorSecurity: [],
    success: (data) => data,
    failure,
    failureExample,
    failureMeanings: MEANINGS,
    statuses: statuses(),
    examples: EXAMPLES,
    headers: HEADERS,
    idempotencyKey: {
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description:
        'Makes retries safe. A request with the same key and the same bytes never runs twice and returns the same response for 24 hours.',
      schema: { type: 'string', pattern: '^[0-9A-Za-z_-]{1,64}$' },
    },
    webhooks: WEBHOOKS,
  };
}

function statuses(): Record<ErrorCode, number> {
  const entries = Object.entries(OWNPAY_ANSWERS).map(([code, [status]]) => [code, status] as const);
  return Object.fromEntries(entries) as Record<ErrorCode, number>;
}

function wireCodes(code: ErrorCode): string[] {
  const narrower = Object.entries(NARROWER).flatMap(([wire, own]) => (own === code ? [wire] : []));
  return [OWNPAY_ANSWERS[code][1], ...narrower];
}

function failure(codes: readonly ErrorCode[]): z.ZodType {
  const wire = new Set(codes.flatMap(wireCodes));
  return z.object({
    error: z.literal(true),
    message: z.string(),
    code: z.enum([...wire]),
    ...(wire.has('VALIDATION_ERROR') ? { errors: FieldErrors.optional() } : {}),
  });
}

function failureExample(code: ErrorCode): Json {
  const [, wire] = OWNPAY_ANSWERS[code];
  return wire === 'VALIDATION_ERROR'
    ? {
        error: true,
        message: 'Validation failed.',
        code: wire,
        errors: { amount: ['The amount field is required.'], currency: ['Invalid currency code.'] },
      }
    : { error: true, message: MEANINGS[code], code: wire };
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
    'X-RateLimit-Limit': header('Requests per minute allowed for this key.', COUNT),
    'X-RateLimit-Remaining': header('Requests currently remaining.', COUNT),
    'X-RateLimit-Reset': header('Unix time in seconds when the full limit is available again.', COUNT),
  },
  replayed: {},
  retryAfter: { 'Retry-After': header('Seconds to wait before retrying.', { type: 'integer', minimum: 1 }) },
  challenge: { 'WWW-Authenticate': header('Send the key as a bearer token.', { type: 'string', const: 'Bearer' }) },
  allow: { Allow: header('The methods that the path supports.', { type: 'string' }) },
} as const satisfies Contract['headers'];

const EXAMPLES: Readonly<Record<string, Json>> = {
  CreatePaymentIntent: {
    gateway: 'sslcommerz',
    amount: 99.99,
    currency: 'BDT',
    order_id: 'ORDER-20240615-001',
    customer_name: 'Jane Smith',
    customer_email: 'jane@example.com',
    customer_phone: '+1-555-0100',
    description: 'Annual subscription — Professional Plan',
    return_url: 'https://yoursite.com/order/success',
    cancel_url: 'https://yoursite.com/order/cancel',
    metadata: { user_id: '42', plan: 'professional' },
  },
  CreatedPaymentIntent: {
    success: true,
    transaction_id: 'txn_9f2c3a4b5d6e7f8a',
    payment_url: 'https://pay.yourstore.com/checkout/txn_9f2c3a4b5d6e7f8a',
    status: 'pending',
    expires_at: '2024-06-15T14:30:00Z',
  },
  CreateRefund: { transaction_id: 'txn_9f2c3a4b5d6e7f8a', amount: 10.5, reason: 'Returned' },
};

const RESPONSES: JsonObject = {
  '2XX': { description: 'Received. The event is not sent again.' },
  '410': { description: 'Gone. The endpoint is disabled and the event is parked.' },
  default: { description: 'Not received. The event is sent again according to the published schedule.' },
};

const WEBHOOKS: readonly Webhook[] = [
  webhook('payment.completed', {
    operationId: 'onPaymentCompleted',
    summary: 'The gateway confirmed the charge. Deliver what was paid for.',
    statuses: ['completed'],
  }),
  webhook('payment.failed', {
    operationId: 'onPaymentFailed',
    summary: 'The payment ended without a charge. `status` says how.',
    statuses: ['failed', 'expired', 'cancelled'],
  }),
];

function webhook(
  name: string,
  { operationId, summary, statuses: ended }: { operationId: string; summary: string; statuses: [string, ...string[]] },
): Webhook {
  const paid = name === 'payment.completed';
  return {
    name,
    operationId,
    summary,
    body: z.object({
      event: z.literal(name),
      transaction_id: z.string(),
      order_id: z.string(),
      amount: z.number(),
      currency: z.string(),
      status: z.enum(ended),
      paid_at: paid ? z.iso.datetime() : z.null(),
      gateway: z.string(),
    }),
    example: {
      event: name,
      transaction_id: 'txn_9f2c3a4b5d6e7f8a',
      order_id: 'ORDER-20240615-001',
      amount: 99.99,
      currency: 'BDT',
      status: ended[0],
      paid_at: paid ? '2024-06-15T14:22:45Z' : null,
      gateway: 'sslcommerz',
    },
    headers: [
      {
        name: 'X-OwnPay-Signature',
        in: 'header',
        required: true,
        description:
          '`sha256=` followed by the hexadecimal HMAC-SHA256 of the raw body, keyed with the webhook secret.',
        schema: { type: 'string', pattern: '^sha256=[0-9a-f]{64}$' },
      },
      {
        name: 'X-Webhook-Id',
        in: 'header',
        required: true,
        description: 'The same for every attempt. Use it to deduplicate.',
        schema: { type: 'string' },
      },
    ],
    responses: RESPONSES,
  };
}
