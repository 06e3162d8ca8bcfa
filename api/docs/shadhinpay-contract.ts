import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import { SHADHINPAY_EVENTS, type ShadhinpayEvent, type ShadhinpayStatus } from '../../domain/shadhinpay.ts';
import type { ShadhinpayInvoiceStatus } from '../../domain/shadhinpay-invoice.ts';
import type { Contract, Webhook } from '../http/openapi.ts';
import type { Json, JsonObject } from '../http/openapi/schemas.ts';
import { NARROWER, SHADHINPAY_ANSWERS } from '../shadhinpay/errors.ts';

const DESCRIPTION = `ShadhinPay's contract over Lenden: an existing ShadhinPay integration works after you change the base URL, credentials and webhook secret.

Amounts are decimal strings in BDT. The key determines the mode, test or live. A successful response is \`{status: "success", message, data}\`, an error
\`{status: "error", errorType, message, data}\`, where \`data\` has a message for each invalid field. Send the payer to
\`paymentUrl\` and act on the signed \`payment.completed\` webhook or a retrieved status of \`COMPLETED\`. Never act on the browser's return.`;

const FieldMessages = z
  .record(z.string(), z.string())
  .meta({ id: 'FieldMessages', description: 'A human-readable message for each invalid field.' });

/** What each code means for integrators. A missing code does not compile. */
const MEANINGS = {
  VALIDATION_ERROR: 'The request is invalid. `data` has a message for each invalid field. Nothing was stored.',
  AMOUNT_OUT_OF_BOUNDS: 'The amount is outside the allowed limits.',
  UNAUTHORIZED: 'A header is missing, or the key is unknown, expired, revoked or belongs to another business.',
  INVALID_CREDENTIALS: 'The key is not valid.',
  SECOND_FACTOR_REQUIRED: 'The key is not valid.',
  PASSWORD_CHANGE_REQUIRED: 'The key is not valid.',
  TOKEN_EXPIRED: 'The key is not valid.',
  SESSION_EXPIRED: 'The key is not valid.',
  REAUTH_REQUIRED: 'The key is not valid.',
  FORBIDDEN: 'The key does not have permission for this action.',
  RESOURCE_NOT_FOUND: 'No such object exists for this key.',
  METHOD_NOT_ALLOWED: 'The path does not support this method. `Allow` lists the supported ones.',
  RESOURCE_ALREADY_EXISTS:
    'A conflict: another payment has this `merchantTxnId`, or the invoice’s status does not allow this change.',
  INVALID_OPERATION_STATE:
    'A business rule forbids this: no vendor is available, the payment cannot be refunded, or a payment of the invoice is in progress.',
  REFUND_EXCEEDS_BALANCE: 'The amount exceeds what is left to refund, including refunds in progress.',
  IDEMPOTENCY_KEY_CONFLICT: 'The `X-Idempotency-Key` was used with a different request.',
  IDEMPOTENCY_IN_PROGRESS: 'The first request with this `X-Idempotency-Key` is still running.',
  PAYLOAD_TOO_LARGE: 'The body is larger than 64 KiB.',
  UNSUPPORTED_MEDIA_TYPE: 'The body is not declared as `application/json` in UTF-8.',
  RATE_LIMITED: 'Too many requests. Retry after `Retry-After`.',
  GATEWAY_ERROR: 'The vendor permanently refused to open a checkout. The payment has ended as `FAILED`.',
  NOT_SUPPORTED: 'This installation cannot do this.',
  SERVICE_UNAVAILABLE: 'The service is temporarily unavailable. Retry after `Retry-After`.',
  INTERNAL_ERROR: 'An internal error. Quote `X-Request-Id` when you report it.',
} as const satisfies Record<ErrorCode, string>;

/** Returns ShadhinPay's part of an OpenAPI document for the given servers. */
export function shadhinpayContract(servers: readonly JsonObject[]): Contract {
  return {
    info: {
      title: 'Lenden for ShadhinPay integrations',
      version: '1.0.0',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers,
    tags: [
      { name: 'Payments', description: 'Payments by payers.' },
      { name: 'Refunds', description: 'Refunds of payments.' },
      { name: 'Invoices', description: 'Invoices, each with a page where it can be paid.' },
      { name: 'Webhooks', description: 'Events that Lenden sends to your endpoint.' },
    ],
    securitySchemes: {
      clientId: credential('Client-Id', '`HM_` followed by 8 hexadecimal digits.'),
      businessId: credential('Business-Id', '`HB_` followed by 8 hexadecimal digits.'),
      apiKey: credential('X-Api-Key', '`sk_test_` or `sk_live_` followed by 32 letters and digits.'),
    },
    security: [{ clientId: [], businessId: [], apiKey: [] }],
    operatorSecurity: [],
    success: (data) => data,
    failure,
    failureExample,
    failureMeanings: MEANINGS,
    statuses: statuses(),
    examples: EXAMPLES,
    headers: HEADERS,
    idempotencyKey: {
      name: 'X-Idempotency-Key',
      in: 'header',
      required: false,
      description:
        'Makes retries safe. A request with the same key and an equivalent body never runs twice and returns the same response for 24 hours. 1 to 255 octets without control characters.',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: String.raw`^[^\u0000-\u001f\u007f]+$` },
    },
    webhooks: [
      ...Object.entries(EVENTS).map(([event, documented]) => webhook(event as keyof typeof EVENTS, documented)),
      ...Object.entries(INVOICE_EVENTS).map(([event, documented]) =>
        invoiceWebhook(event as keyof typeof INVOICE_EVENTS, documented),
      ),
    ],
  };
}

function credential(name: string, description: string): JsonObject {
  return { type: 'apiKey', in: 'header', name, description };
}

function statuses(): Record<ErrorCode, number> {
  const entries = Object.entries(SHADHINPAY_ANSWERS).map(([code, [status]]) => [code, status] as const);
  return Object.fromEntries(entries) as Record<ErrorCode, number>;
}

function wireCodes(code: ErrorCode): string[] {
  const narrower = Object.entries(NARROWER).flatMap(([wire, own]) => (own === code ? [wire] : []));
  return [SHADHINPAY_ANSWERS[code][1], ...narrower];
}

function failure(codes: readonly ErrorCode[]): z.ZodType {
  const wire = new Set(codes.flatMap(wireCodes));
  return z.object({
    status: z.literal('error'),
    errorType: z.enum([...wire]),
    message: z.string(),
    data: wire.has('VALIDATION_ERROR') ? FieldMessages.nullable() : z.null(),
  });
}

function failureExample(code: ErrorCode): Json {
  const [status, errorType] = SHADHINPAY_ANSWERS[code];
  return status === 400
    ? {
        status: 'error',
        errorType,
        message: 'Invalid payment request',
        data: { amount: 'Amount must be between 10.00 and 200000.00', callbackUrl: 'Invalid URL format' },
      }
    : { status: 'error', errorType, message: MEANINGS[code], data: null };
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
    'X-RateLimit-Reset': header('Seconds until the full limit is available again.', COUNT),
  },
  replayed: {
    'Idempotent-Replay': header('Present when the response is a stored one.', { type: 'string', const: 'true' }),
  },
  retryAfter: { 'Retry-After': header('Seconds to wait before retrying.', { type: 'integer', minimum: 1 }) },
  challenge: { 'WWW-Authenticate': header('Send the three headers.', { type: 'string', const: 'ApiKey' }) },
  allow: { Allow: header('The methods that the path supports.', { type: 'string' }) },
} as const satisfies Contract['headers'];

const PAYMENT_ID = 'PAY_20260517_K8X3M2';
const INVOICE_ID = 'sp_inv_4Kd8sQ2mXv7TcN9bLrW1eA';
const EXAMPLES: Readonly<Record<string, Json>> = {
  CreatePayment: {
    amount: '1500.50',
    currency: 'BDT',
    merchantTxnId: 'order-7831',
    callbackUrl: 'https://shop.example.com/checkout/return',
    preferredVendor: 'BKASH',
    customerPhone: '8801712345678',
    description: 'Order #7831',
    valueA: 'campaign=summer',
    expiresInMinutes: 15,
  },
  Payment: {
    paymentId: PAYMENT_ID,
    merchantTxnId: 'order-7831',
    amount: '1500.50',
    currency: 'BDT',
    status: 'PENDING',
    vendor: 'BKASH',
    paymentUrl: `https://pay.example.com/pay/${PAYMENT_ID}`,
    description: 'Order #7831',
    refundTotal: '0.00',
    initiatedAt: '2026-05-17T10:00:00Z',
    completedAt: null,
    expiresAt: '2026-05-17T10:15:00Z',
    valueA: 'campaign=summer',
  },
  CreateRefund: { amount: '500.00', reason: 'Returned', merchantRef: 'return-12' },
  CreateInvoice: {
    customerName: 'Jane Doe',
    customerEmail: 'jane@example.com',
    customerPhone: '8801712345678',
    items: [{ description: 'Cotton shirt', quantity: 2, unitPrice: '750.00' }],
    discount: '100.00',
    tax: '70.00',
    note: 'Thank you.',
    redirectUrl: 'https://shop.example.com/thanks',
  },
  Invoice: {
    invoiceId: INVOICE_ID,
    invoiceNumber: 'INV-HB_71c4-00042',
    status: 'SENT',
    currency: 'BDT',
    items: [{ description: 'Cotton shirt', quantity: 2, unitPrice: '750.00', amount: '1500.00' }],
    subtotal: '1500.00',
    discount: '100.00',
    tax: '70.00',
    total: '1470.00',
    amountPaid: '0.00',
    customerName: 'Jane Doe',
    customerEmail: 'jane@example.com',
    customerPhone: '8801712345678',
    note: 'Thank you.',
    redirectUrl: 'https://shop.example.com/thanks',
    publicUrl: `https://pay.example.com/i/${INVOICE_ID}`,
    paymentId: null,
    createdAt: '2026-05-17T10:00:00Z',
    sentAt: '2026-05-17T10:00:00Z',
    paidAt: null,
    expiresAt: null,
  },
};

const RESPONSES: JsonObject = {
  '2XX': { description: 'Received. The event is not sent again.' },
  '410': { description: 'Gone. The endpoint is disabled and the event is parked.' },
  default: {
    description:
      'Not received. The event is sent six times in total: again after 1, 5 and 15 minutes, then 1 and 6 hours.',
  },
};

interface DocumentedEvent {
  readonly summary: string;
  readonly statuses: readonly [ShadhinpayStatus, ...ShadhinpayStatus[]];
  readonly refund?: true;
}

/** The contract's payment events that Lenden sends. It sends no payout events. */
const EVENTS = {
  'payment.completed': {
    summary: 'The vendor confirmed the charge. Deliver what was paid for.',
    statuses: ['COMPLETED'],
  },
  'payment.failed': { summary: 'The vendor declined the payment.', statuses: ['FAILED'] },
  'payment.cancelled': { summary: 'The payer cancelled.', statuses: ['CANCELLED'] },
  'payment.expired': { summary: 'The payment was not made before it expired.', statuses: ['EXPIRED'] },
  'payment.refunded': {
    summary: 'A refund succeeded. `status` is `REFUNDED` when nothing is left to refund.',
    statuses: ['COMPLETED', 'REFUNDED'],
    refund: true,
  },
  'payment.refund_failed': {
    summary: 'A refund did not succeed.',
    statuses: ['COMPLETED', 'REFUNDED'],
    refund: true,
  },
} as const satisfies { readonly [event in ShadhinpayEvent]?: DocumentedEvent };

interface NotifiedOfInvoice {
  readonly summary: string;
  readonly status: ShadhinpayInvoiceStatus;
}

const INVOICE_EVENTS = {
  'invoice.paid': { summary: 'The invoice was paid in full.', status: 'PAID' },
  'invoice.expired': { summary: 'The invoice expired before it was paid.', status: 'EXPIRED' },
  'invoice.cancelled': { summary: 'The invoice was cancelled.', status: 'CANCELLED' },
} as const satisfies { readonly [event in ShadhinpayEvent]?: NotifiedOfInvoice };

const REFUND_EXAMPLE = {
  refundId: 'REF_20260517_M4N1J7',
  refundAmount: '500.00',
  refundTotal: '500.00',
  reason: 'Returned',
  merchantRef: null,
};

function webhook(
  event: keyof typeof EVENTS,
  { summary, statuses: [status, ...others], refund }: DocumentedEvent,
): Webhook {
  const Value = z.string().optional();
  return ofEvent(event, {
    summary,
    payload: z.object({
      paymentId: z.string(),
      merchantTxnId: z.string().nullable().describe('Null for a payment of an invoice.'),
      amount: z.string(),
      currency: z.string(),
      status: z.enum([status, ...others]),
      vendor: z.string().nullable(),
      valueA: Value,
      valueB: Value,
      valueC: Value,
      valueD: Value,
      ...(refund === true
        ? {
            refundId: z.string(),
            refundAmount: z.string(),
            refundTotal: z.string(),
            reason: z.string().nullable(),
            merchantRef: z.string().nullable(),
          }
        : {}),
    }),
    example: {
      paymentId: PAYMENT_ID,
      merchantTxnId: 'order-7831',
      amount: '1500.50',
      currency: 'BDT',
      status,
      vendor: 'BKASH',
      ...(refund === true ? REFUND_EXAMPLE : {}),
    },
  });
}

function invoiceWebhook(event: keyof typeof INVOICE_EVENTS, { summary, status }: NotifiedOfInvoice): Webhook {
  const paid = event === 'invoice.paid';
  return ofEvent(event, {
    summary,
    payload: z.object({
      invoiceId: z.string(),
      invoiceNumber: z.string(),
      amount: z.string().describe('The total.'),
      currency: z.string(),
      status: z.literal(status),
      paymentId: z.string().nullable().describe('The most recent payment of the invoice.'),
      vendor: z.string().nullable().describe('The vendor of that payment.'),
    }),
    example: {
      invoiceId: INVOICE_ID,
      invoiceNumber: 'INV-HB_71c4-00042',
      amount: '1470.00',
      currency: 'BDT',
      status,
      paymentId: paid ? PAYMENT_ID : null,
      vendor: paid ? 'BKASH' : null,
    },
  });
}

function ofEvent(
  event: ShadhinpayEvent,
  {
    summary,
    payload,
    example,
  }: { readonly summary: string; readonly payload: z.ZodType; readonly example: JsonObject },
): Webhook {
  return {
    name: event,
    operationId: `on${event.split(/[._]/).map(capitalized).join('')}`,
    summary: `${summary} ${SHADHINPAY_EVENTS[event] ? 'Enabled' : 'Disabled'} by default.`,
    body: z.object({
      eventId: z.uuid(),
      eventType: z.literal(event),
      businessId: z.int(),
      occurredAt: z.iso.datetime(),
      payload,
    }),
    example: {
      eventId: '550e8400-e29b-41d4-a716-446655440000',
      eventType: event,
      businessId: 12345,
      occurredAt: '2026-05-17T10:03:12Z',
      payload: example,
    },
    headers: DELIVERY_HEADERS,
    responses: RESPONSES,
  };
}

const DELIVERY_HEADERS: readonly JsonObject[] = [
  deliveryHeader('X-ShadhinPay-Signature', {
    description:
      '`t={seconds},v1={signature}`: the Unix time in seconds, and the hexadecimal HMAC-SHA256 of `t={seconds}.{raw body}`, keyed with the webhook secret.',
    schema: { type: 'string', pattern: String.raw`^t=\d+,v1=[0-9a-f]{64}$` },
  }),
  deliveryHeader('X-ShadhinPay-Event-Id', {
    description: 'The body’s `eventId`. It is the same for every attempt; use it to deduplicate.',
    schema: { type: 'string', format: 'uuid' },
  }),
  deliveryHeader('X-ShadhinPay-Delivery-Attempt', {
    description: 'The number of this attempt.',
    schema: { type: 'integer', minimum: 1, maximum: 6 },
  }),
  deliveryHeader('X-ShadhinPay-Trace-Id', {
    description: 'Quote it when you report a problem with a delivery.',
    schema: { type: 'string', pattern: '^[0-9a-f]{32}$' },
  }),
];

function deliveryHeader(name: string, documented: { description: string; schema: JsonObject }): JsonObject {
  return { name, in: 'header', required: true, ...documented };
}

function capitalized(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
