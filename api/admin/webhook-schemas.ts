import { CONTRACTS } from '../../domain/contract.ts';
import { z } from 'zod';
import { CALLBACK_KINDS, CALLBACK_OUTCOMES } from '../../database/entities/payment.ts';
import { MODES } from '../../domain/mode.ts';
import { DELIVERY_STATUSES, EVENT_TYPES } from '../../domain/webhook.ts';
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
    deliveredAt: Instant.nullable(),
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

export const ReportQuery = z.object({
  applicationId: IdText.optional(),
  mode: ModeFilter.optional().describe('Defaults to LIVE.'),
  from: Moment.optional(),
  to: Moment.optional(),
});

export const ReportSummary = z
  .object({
    mode: z.enum(MODES),
    from: Instant.nullable(),
    to: Instant.nullable().describe('The end of the period, exclusive.'),
    currencies: z.array(
      z.object({
        currency: z.string(),
        payments: z.record(z.string(), z.int()).describe('The number of payments in each status.'),
        grossMinor: z.int().describe('The total of payments that ended in the period.'),
        feeMinor: z.int(),
        refundedMinor: z.int().describe('The total of refunds that ended in the period.'),
        netMinor: z.int().describe('gross − fee − refunded'),
        lateHeldMinor: z.int().describe('Unapplied payments that currently wait for a decision.'),
      }),
    ),
  })
  .meta({ id: 'ReportSummary' });
