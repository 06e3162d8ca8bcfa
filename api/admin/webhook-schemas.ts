import { CONTRACTS } from '../../domain/contract.ts';
import { z } from 'zod';
import { CALLBACK_KINDS, CALLBACK_OUTCOMES } from '../../database/entities/payment.ts';
import { MODES } from '../../domain/mode.ts';
import { CIRCUIT_STATES, DELIVERY_STATUSES, EVENT_TYPES } from '../../domain/webhook.ts';
import { IdText } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';
import { ModeFilter, Moment } from './filters.ts';

const Instant = z.iso.datetime();

export const WebhooksQuery = z.object({
  ...listQuery(['createdAt']),
  applicationId: IdText.optional(),
  mode: ModeFilter.optional(),
  type: z.enum(EVENT_TYPES, 'is not a type of event').optional(),
  deliveryStatus: z.enum(DELIVERY_STATUSES, 'is not a status of a delivery').optional(),
});

export const WebhookEvent = z
  .object({
    id: z.int(),
    eventId: z.string().describe('Sent as `X-Webhook-Id` with every attempt.'),
    applicationId: z.int(),
    mode: z.enum(MODES),
    type: z.enum(EVENT_TYPES),
    contract: z.enum(CONTRACTS).describe('The contract that determines the format of the payload.'),
    schemaVersion: z.int(),
    payload: z.string().describe('The exact bytes that are signed and sent.'),
    deliveryStatus: z.enum(DELIVERY_STATUSES),
    attempts: z.int(),
    lastResponseStatus: z.int().nullable(),
    lastError: z.string().nullable(),
    nextAttemptAt: Instant.nullable(),
    lastAttemptAt: Instant.nullable(),
    deliveredAt: Instant.nullable().describe('When the first 2xx was received.'),
    circuit: z
      .object({ state: z.enum(CIRCUIT_STATES), until: Instant.nullable() })
      .describe(
        'The circuit of the application’s endpoint in the event’s mode. While it is `open`, only resends are sent until then; `half-open` lets one attempt through.',
      ),
    createdAt: Instant,
    updatedAt: Instant,
  })
  .meta({ id: 'WebhookEvent' });

export const WebhookAttempt = z
  .object({
    number: z.int(),
    responseStatus: z.int().nullable(),
    error: z.string().nullable(),
    responseExcerpt: z.string().nullable().describe('The receiver’s response, truncated to 1 KiB.'),
    durationMs: z.int(),
    createdAt: Instant,
  })
  .meta({ id: 'WebhookAttempt' });

export const RecoverWebhooks = z
  .object({
    since: Moment.describe('Parked events recorded at or after this time are sent again.'),
    mode: ModeFilter.optional().describe('Defaults to both modes.'),
  })
  .meta({ id: 'RecoverWebhooks' });

export const RecoveredWebhooks = z.object({ recovered: z.int() }).meta({ id: 'RecoveredWebhooks' });

export const CallbacksQuery = z.object({
  ...listQuery(['createdAt']),
  mode: ModeFilter.optional(),
  outcome: z.enum(CALLBACK_OUTCOMES, 'is not an outcome of a callback').optional(),
  reference: z
    .string()
    .regex(/^[0-9A-Za-z_-]{1,64}$/, 'is not a valid reference')
    .optional(),
  matchedPaymentId: IdText.optional(),
  gateway: z
    .string()
    .regex(/^[a-z]{1,30}$/, 'is not a gateway')
    .optional(),
  signatureValid: z.enum(['true', 'false'], 'must be true or false').optional(),
});

export const GatewayCallback = z
  .object({
    id: z.int(),
    gateway: z.string(),
    mode: z.enum(MODES),
    kind: z.enum(CALLBACK_KINDS),
    reference: z.string().nullable(),
    matchedPaymentId: z.int().nullable(),
    signatureValid: z.boolean(),
    outcome: z.enum(CALLBACK_OUTCOMES),
    note: z.string().nullable(),
    repeats: z.int(),
    rawPayload: z.string(),
    createdAt: Instant,
  })
  .meta({ id: 'GatewayCallback' });
