import { z } from 'zod';
import { MODES } from '../../domain/mode.ts';
import { EVENT_SCHEMA_VERSION, EVENT_TYPES, subjectOf, type EventType } from '../../domain/webhook.ts';
import type { Webhook } from '../http/openapi.ts';
import type { Json, JsonObject } from '../http/openapi/schemas.ts';
import { NoticedInvoice, InvoiceOfEvent } from '../native/invoices/schemas.ts';
import { Dispute, Payment, Refund, UnappliedPayment } from '../native/schemas.ts';
import { invoiceEventExample } from './invoice-examples.ts';
import { disputeExample, endedPaymentExample, endedRefundExample, unappliedPaymentExample } from './examples.ts';

interface EventWords {
  /** The status of the payment or the refund in the event. */
  readonly status: string;
  readonly summary: string;
}

/** The meaning of each event. A missing one does not compile, so every published event is described. */
const EVENTS = {
  'payment.succeeded': { status: 'SUCCEEDED', summary: 'The gateway confirmed the charge. Deliver what was paid for.' },
  'payment.failed': { status: 'FAILED', summary: 'The payment ended without a charge.' },
  'payment.expired': {
    status: 'EXPIRED',
    summary: 'The payment expired and the gateway confirmed that no money was taken.',
  },
  'payment.cancelled': { status: 'CANCELLED', summary: 'The payer cancelled the payment. No money was taken.' },
  'payment.refunded': {
    status: 'PARTIALLY_REFUNDED',
    summary: 'The payment was refunded in part or in full, as `data.status` says. Sent for every successful refund.',
  },
  'refund.succeeded': { status: 'SUCCEEDED', summary: 'The gateway completed the refund.' },
  'refund.failed': { status: 'FAILED', summary: 'The refund did not succeed. Its amount can be refunded again.' },
  'refund.rejected': {
    status: 'REJECTED',
    summary: 'The refund was rejected or not approved in time. Its amount can be refunded again.',
  },
  'unapplied_payment.received': {
    status: 'HELD',
    summary:
      'Money arrived that no open payment or invoice takes: its payment had ended or was already paid, or its invoice was due less, as `data.reason` says. `data.status` says whether the money is held until an operator decides or is refunded immediately. Sent again if that refund fails; the money is then held until an operator decides.',
  },
  'unapplied_payment.refunded': { status: 'REFUNDED', summary: 'The unapplied payment was refunded to the payer.' },
  'unapplied_payment.kept': { status: 'KEPT', summary: 'An operator decided that you keep the unapplied payment.' },
  'dispute.opened': {
    status: 'OPEN',
    summary:
      'The payer disputes the charge at their bank. The gateway may take the money until the dispute ends. `data.respondBy` says until when evidence may be submitted at the gateway.',
  },
  'dispute.closed': {
    status: 'LOST',
    summary: 'The dispute has ended: `data.status` says whether the money was lost or stays with you.',
  },
  'invoice.issued': { status: 'ISSUED', summary: 'The invoice was issued and can be paid.' },
  'invoice.paid': {
    status: 'PAID',
    summary: 'The invoice was paid in full. Sent again if it is paid in full after a refund.',
  },
  'invoice.reminder': {
    status: 'REMINDER',
    summary: 'A due date is near or has passed, according to the invoice’s `reminders`. `data.notice` identifies it.',
  },
  'invoice.overdue': {
    status: 'OVERDUE',
    summary: 'A due date passed and its installment is unpaid. `data.notice` identifies it.',
  },
  'invoice.voided': { status: 'VOID', summary: 'The invoice was voided. It keeps its number.' },
} as const satisfies Record<EventType, EventWords>;

const HEADERS: readonly JsonObject[] = [
  header('webhook-id', 'The id of the event. It is the same for every attempt; use it to deduplicate.', {
    type: 'string',
    pattern: '^evt_[0-9A-Za-z]{22}$',
  }),
  header(
    'webhook-timestamp',
    'The Unix time of this attempt in seconds. Reject requests that are more than five minutes off.',
    {
      type: 'string',
      pattern: '^[0-9]{10}$',
    },
  ),
  header(
    'webhook-signature',
    'One or more signatures separated by spaces. Each is `v1,` followed by the base64 HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{raw body}`.',
    { type: 'string', pattern: '^v1,[0-9A-Za-z+/]{43}=( v1,[0-9A-Za-z+/]{43}=)*$' },
  ),
  header('x-webhook-id', 'The same as `webhook-id`.', { type: 'string', pattern: '^evt_[0-9A-Za-z]{22}$' }),
];

const RESPONSES: JsonObject = {
  '2XX': { description: 'Received. The event is not sent again.' },
  '410': { description: 'Gone. The endpoint is disabled and the event is parked.' },
  default: {
    description:
      'Not received. The event is sent again according to the published schedule. A `Retry-After` of up to 24 hours delays the next attempt.',
  },
};

/** Returns the schema of one event's body. The signature covers its bytes. */
export function eventSchema(type: EventType): z.ZodType {
  return z
    .object({
      id: z.string().regex(/^evt_[0-9A-Za-z]{22}$/),
      type: z.literal(type),
      schemaVersion: z.literal(EVENT_SCHEMA_VERSION),
      mode: z.enum(MODES),
      createdAt: z.iso.datetime(),
      subject: z
        .string()
        .regex(new RegExp(`^${type.slice(0, type.indexOf('.'))}:[1-9]\\d*$`))
        .describe('The object in `data`, as its type and `id`.'),
      sequence: z
        .int()
        .min(1)
        .describe(
          'Increases within each `subject`, with gaps, because a payment shares one counter with its refunds and unapplied payments. Events can arrive out of order: ignore an event whose `sequence` is smaller than the newest that you have seen for its `subject`.',
        ),
      data: schemaOf(type),
    })
    .meta({ id: `${pascalCase(type)}Event` });
}

export const WEBHOOKS: readonly Webhook[] = EVENT_TYPES.map((type) => ({
  name: type,
  operationId: `on${pascalCase(type)}`,
  summary: EVENTS[type].summary,
  body: eventSchema(type),
  example: {
    id: 'evt_4fW0hW8bVZyqkQm2c9sT1x',
    type,
    schemaVersion: EVENT_SCHEMA_VERSION,
    mode: 'TEST',
    createdAt: '2026-06-04T10:03:15.000Z',
    subject: subjectOf(type, z.object({ id: z.int() }).parse(exampleOf(type))),
    sequence: 1,
    data: exampleOf(type),
  },
  headers: HEADERS,
  responses: RESPONSES,
}));

function schemaOf(type: EventType): z.ZodType {
  if (type === 'invoice.reminder' || type === 'invoice.overdue') {
    return NoticedInvoice;
  }
  if (type.startsWith('unapplied_payment.')) {
    return UnappliedPayment;
  }
  if (type.startsWith('dispute.')) {
    return Dispute;
  }
  return type.startsWith('invoice.') ? InvoiceOfEvent : type.startsWith('refund.') ? Refund : Payment;
}

function exampleOf(type: EventType): Json {
  const { status } = EVENTS[type];
  if (type.startsWith('invoice.')) {
    return invoiceEventExample(status);
  }
  if (type.startsWith('unapplied_payment.')) {
    return unappliedPaymentExample(status);
  }
  if (type.startsWith('dispute.')) {
    return disputeExample(status);
  }
  return type.startsWith('refund.') ? endedRefundExample(status) : endedPaymentExample(status);
}

function header(name: string, description: string, schema: JsonObject): JsonObject {
  return { name, in: 'header', required: true, description, schema };
}

/** `payment.succeeded` → `PaymentSucceeded`. */
function pascalCase(type: string): string {
  return type
    .split(/[._]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
