import { z } from 'zod';
import { MODES } from '../../domain/mode.ts';
import { EVENT_SCHEMA_VERSION, EVENT_TYPES, subjectOf, type EventType } from '../../domain/webhook.ts';
import type { Webhook } from '../http/openapi.ts';
import type { Json, JsonObject } from '../http/openapi/schemas.ts';
import { NoticedInvoice, InvoiceOfEvent } from '../native/invoices/schemas.ts';
import { Payment, Refund, UnappliedPayment } from '../native/schemas.ts';
import { invoiceEventExample } from './invoice-examples.ts';
import { endedPaymentExample, endedRefundExample, unappliedPaymentExample } from './examples.ts';

interface EventWords {
  /** The status of the payment or the refund in the event. */
  readonly status: string;
  readonly summary: string;
}

/** The meaning of each event. A missing one does not compile, so every published event is described. */
const EVENTS = {
  'payment.succeeded': { status: 'SUCCEEDED', summary: 'The gateway confirmed the charge: deliver what was paid for.' },
  'payment.failed': { status: 'FAILED', summary: 'The payment ended without money being taken.' },
  'payment.expired': { status: 'EXPIRED', summary: 'Time ran out, and the gateway says that no money was taken.' },
  'payment.cancelled': { status: 'CANCELLED', summary: 'The payer cancelled; no money was taken.' },
  'payment.refunded': {
    status: 'PARTIALLY_REFUNDED',
    summary:
      'A part or all of the money was given back; `data.status` tells which. Sent at every refund that succeeded.',
  },
  'refund.succeeded': { status: 'SUCCEEDED', summary: 'The gateway has given the money back.' },
  'refund.failed': { status: 'FAILED', summary: 'The refund came to nothing; its amount can be refunded again.' },
  'refund.rejected': { status: 'REJECTED', summary: 'Nobody approved the refund; its amount can be refunded again.' },
  'unapplied_payment.received': {
    status: 'HELD',
    summary:
      'Money has arrived that no payment asks for: its payment had ended, was paid already, or its invoice asked for less. `data.reason` tells which, `data.status` whether it is held until somebody decides or goes back at once. Sent again when a refund of it fails: it is held, and somebody decides once more.',
  },
  'unapplied_payment.refunded': { status: 'REFUNDED', summary: 'That money was given back to the payer.' },
  'unapplied_payment.kept': { status: 'KEPT', summary: 'An operator has decided that that money is yours.' },
  'invoice.issued': { status: 'ISSUED', summary: 'The invoice has its number and can be paid.' },
  'invoice.paid': { status: 'PAID', summary: 'All of the invoice is paid; sent again when it is paid after a refund.' },
  'invoice.reminder': {
    status: 'REMINDER',
    summary: 'A due date is near, or has passed, as the invoice’s `reminders` ask for; `data.notice` tells which.',
  },
  'invoice.overdue': {
    status: 'OVERDUE',
    summary: 'A due date has passed and its part is not paid; `data.notice` tells which.',
  },
  'invoice.voided': { status: 'VOID', summary: 'The invoice is void; it keeps its number.' },
} as const satisfies Record<EventType, EventWords>;

const HEADERS: readonly JsonObject[] = [
  header('webhook-id', 'The id of the event: the same over every attempt. Deduplicate by it.', {
    type: 'string',
    pattern: '^evt_[0-9A-Za-z]{22}$',
  }),
  header('webhook-timestamp', 'Seconds since 1970 of this attempt. Refuse what is more than five minutes away.', {
    type: 'string',
    pattern: '^[0-9]{10}$',
  }),
  header(
    'webhook-signature',
    'One or more entries separated by a space, each `v1,` and the base64 of the HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{raw body}`.',
    { type: 'string', pattern: '^v1,[0-9A-Za-z+/]{43}=( v1,[0-9A-Za-z+/]{43}=)*$' },
  ),
  header('x-webhook-id', 'The same as `webhook-id`.', { type: 'string', pattern: '^evt_[0-9A-Za-z]{22}$' }),
];

const RESPONSES: JsonObject = {
  '2XX': { description: 'Taken. The event is not sent again.' },
  '410': { description: 'No longer wanted: the endpoint is disabled and the event parked.' },
  default: {
    description:
      'Not taken: sent again by the published schedule. A `Retry-After` of up to 24 hours moves the next attempt.',
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
        .describe('The object that `data` shows, by its kind and its `id`.'),
      sequence: z
        .int()
        .min(1)
        .describe(
          'Counts in the payment with its refunds and unapplied payments, or in the invoice, so it grows within each `subject`, with gaps. Events can overtake each other: one with a smaller `sequence` than the newest that you have seen of its `subject` is stale.',
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
