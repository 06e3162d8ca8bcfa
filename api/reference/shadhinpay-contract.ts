import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import { SHADHINPAY_EVENTS, type ShadhinpayEvent, type ShadhinpayStatus } from '../../domain/shadhinpay.ts';
import type { ShadhinpayInvoiceStatus } from '../../domain/shadhinpay-invoice.ts';
import type { Contract, Webhook } from '../http/openapi.ts';
import type { Json, JsonObject } from '../http/openapi/schemas.ts';
import { NARROWER, SHADHINPAY_ANSWERS } from '../shadhinpay/errors.ts';

const DESCRIPTION = `ShadhinPay's contract over Lenden: an integration with ShadhinPay works after changing base URL, credentials and webhook secret.

Amounts are decimal strings in BDT. The mode, test or live, is fixed by the key. A good answer is \`{status: "success", message, data}\`, a failure
\`{status: "error", errorType, message, data}\` whose \`data\` has a message for each field where the request is not valid. Send the payer to
\`paymentUrl\` and act on the signed \`payment.completed\` webhook, or a read that says \`COMPLETED\`; never on the browser's return.`;

const FieldMessages = z
  .record(z.string(), z.string())
  .meta({ id: 'FieldMessages', description: 'What is wrong with each field, in words for people.' });

/** What each code means for integrators. A missing code does not compile. */
const MEANINGS = {
  VALIDATION_ERROR: 'The request is not valid; `data` says what is wrong, field by field. Nothing was stored.',
  AMOUNT_OUT_OF_BOUNDS: 'The amount is outside what is allowed.',
  UNAUTHORIZED: 'A header is missing, or the key is unknown, expired, revoked or of another business.',
  INVALID_CREDENTIALS: 'The key is not valid.',
  SECOND_FACTOR_REQUIRED: 'The key is not valid.',
  PASSWORD_CHANGE_REQUIRED: 'The key is not valid.',
  TOKEN_EXPIRED: 'The key is not valid.',
  SESSION_EXPIRED: 'The key is not valid.',
  REAUTH_REQUIRED: 'The key is not valid.',
  FORBIDDEN: 'The key may not do that.',
  RESOURCE_NOT_FOUND: 'Nothing of that name exists for this key.',
  METHOD_NOT_ALLOWED: 'The path exists and does not take this method; `Allow` lists those it takes.',
  RESOURCE_ALREADY_EXISTS:
    'It conflicts with what there is: another payment has this `merchantTxnId`, or the invoice’s status never changes so.',
  INVALID_OPERATION_STATE:
    'A rule forbids it: no vendor is available, the payment cannot be refunded, or a payment of the invoice is under way.',
  REFUND_EXCEEDS_BALANCE: 'More than is left to refund, counting refunds that are under way.',
  IDEMPOTENCY_KEY_CONFLICT: 'The `X-Idempotency-Key` was used with another request.',
  IDEMPOTENCY_IN_PROGRESS: 'The first request with this `X-Idempotency-Key` is still running.',
  PAYLOAD_TOO_LARGE: 'The body is larger than 64 KiB.',
  UNSUPPORTED_MEDIA_TYPE: 'The body is not declared as `application/json` in UTF-8.',
  RATE_LIMITED: 'Too many requests; try again after `Retry-After`.',
  GATEWAY_ERROR: 'The vendor refused for good to open a checkout; the payment has ended as `FAILED`.',
  SERVICE_UNAVAILABLE: 'The service cannot answer now; try again after `Retry-After`.',
  INTERNAL_ERROR: 'An error of ours; quote `X-Request-Id`.',
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
      { name: 'Payments', description: 'Money that is asked of payers.' },
      { name: 'Refunds', description: 'Money given back.' },
      { name: 'Invoices', description: 'Bills with a page of their own, where they are paid.' },
      { name: 'Webhooks', description: 'What Lenden posts to your endpoint.' },
    ],
    securitySchemes: {
      clientId: credential('Client-Id', '`HM_` and 8 hexadecimal digits.'),
      businessId: credential('Business-Id', '`HB_` and 8 hexadecimal digits.'),
      apiKey: credential('X-Api-Key', '`sk_test_` or `sk_live_` and 32 letters and digits.'),
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
        'The same key with a body that means the same never runs twice, and gets the same answer for 24 hours. 1 to 255 octets without control characters.',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: String.raw`^[^\u0000-\u001f\u007f]+$` },
    },
    webhooks: [
      ...Object.entries(EVENTS).map(([event, told]) => webhook(event as keyof typeof EVENTS, told)),
      ...Object.entries(INVOICE_EVENTS).map(([event, told]) =>
        invoiceWebhook(event as keyof typeof INVOICE_EVENTS, told),
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
    'X-Request-Id': header('Quote it when you ask about this request.', { type: 'string', format: 'uuid' }),
  },
  rateLimit: {
    'X-RateLimit-Limit': header('Requests a minute that this key may make.', COUNT),
    'X-RateLimit-Remaining': header('Requests that are left now.', COUNT),
    'X-RateLimit-Reset': header('Seconds until all of them are available again.', COUNT),
  },
  replayed: { 'Idempotent-Replay': header('This answer was given before.', { type: 'string', const: 'true' }) },
  retryAfter: { 'Retry-After': header('Seconds after which a retry makes sense.', { type: 'integer', minimum: 1 }) },
  challenge: { 'WWW-Authenticate': header('Send the three headers.', { type: 'string', const: 'ApiKey' }) },
  allow: { Allow: header('The methods that the path takes.', { type: 'string' }) },
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
  '2XX': { description: 'Taken. The event is not sent again.' },
  '410': { description: 'No longer wanted: the endpoint is disabled and the event parked.' },
  default: { description: 'Not taken: sent again, six times in all, after 1 and 5 and 15 minutes, 1 and 6 hours.' },
};

interface Told {
  readonly summary: string;
  readonly statuses: readonly [ShadhinpayStatus, ...ShadhinpayStatus[]];
  readonly refund?: true;
}

/** The contract's payment events that Lenden sends. It sends no payout events. */
const EVENTS = {
  'payment.completed': {
    summary: 'The vendor confirmed the charge: deliver what was paid for.',
    statuses: ['COMPLETED'],
  },
  'payment.failed': { summary: 'The vendor refused the payment.', statuses: ['FAILED'] },
  'payment.cancelled': { summary: 'The payer cancelled.', statuses: ['CANCELLED'] },
  'payment.expired': { summary: 'The window passed without a payment.', statuses: ['EXPIRED'] },
  'payment.refunded': {
    summary: 'A refund was settled; `status` is `REFUNDED` when nothing is left.',
    statuses: ['COMPLETED', 'REFUNDED'],
    refund: true,
  },
  'payment.refund_failed': {
    summary: 'A refund came to nothing.',
    statuses: ['COMPLETED', 'REFUNDED'],
    refund: true,
  },
} as const satisfies { readonly [event in ShadhinpayEvent]?: Told };

interface NotifiedOfInvoice {
  readonly summary: string;
  readonly status: ShadhinpayInvoiceStatus;
}

const INVOICE_EVENTS = {
  'invoice.paid': { summary: 'The whole invoice is paid.', status: 'PAID' },
  'invoice.expired': { summary: 'The invoice was unpaid at its expiry.', status: 'EXPIRED' },
  'invoice.cancelled': { summary: 'The invoice was cancelled.', status: 'CANCELLED' },
} as const satisfies { readonly [event in ShadhinpayEvent]?: NotifiedOfInvoice };

const REFUND_EXAMPLE = {
  refundId: 'REF_20260517_M4N1J7',
  refundAmount: '500.00',
  refundTotal: '500.00',
  reason: 'Returned',
  merchantRef: null,
};

function webhook(event: keyof typeof EVENTS, { summary, statuses: [status, ...others], refund }: Told): Webhook {
  const Value = z.string().optional();
  return ofEvent(event, {
    summary,
    payload: z.object({
      paymentId: z.string(),
      merchantTxnId: z.string().nullable().describe('Null of a payment of an invoice.'),
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
      paymentId: z.string().nullable().describe('The last payment that was made for it.'),
      vendor: z.string().nullable().describe('Of that payment.'),
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
    summary: `${summary} ${SHADHINPAY_EVENTS[event] ? 'On' : 'Off'} unless the business says otherwise.`,
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
      '`t=` and Unix seconds, `,v1=` and the HMAC-SHA256 in hexadecimal, by the webhook secret, of `t=`, the seconds, a dot and the raw body.',
    schema: { type: 'string', pattern: String.raw`^t=\d+,v1=[0-9a-f]{64}$` },
  }),
  deliveryHeader('X-ShadhinPay-Event-Id', {
    description: 'The body’s `eventId`, the same over every attempt: deduplicate by it.',
    schema: { type: 'string', format: 'uuid' },
  }),
  deliveryHeader('X-ShadhinPay-Delivery-Attempt', {
    description: 'Which attempt this is.',
    schema: { type: 'integer', minimum: 1, maximum: 6 },
  }),
  deliveryHeader('X-ShadhinPay-Trace-Id', {
    description: 'Quote it when you ask about a delivery.',
    schema: { type: 'string', pattern: '^[0-9a-f]{32}$' },
  }),
];

function deliveryHeader(name: string, told: { description: string; schema: JsonObject }): JsonObject {
  return { name, in: 'header', required: true, ...told };
}

function capitalized(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
