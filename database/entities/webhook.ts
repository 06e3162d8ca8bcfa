import { defineEntity, p } from '@mikro-orm/core';
import { CONTRACTS } from '../../domain/contract.ts';
import { MODES } from '../../domain/mode.ts';
import { DELIVERY_STATUSES, type EventType } from '../../domain/webhook.ts';

export const WebhookEventSchema = defineEntity({
  name: 'WebhookEvent',
  tableName: 'webhook_events',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    eventId: p.text(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    paymentId: p.bigint('bigint').nullable(),
    invoiceId: p.bigint('bigint').nullable(),
    /** The contract that determines its body and signature. */
    contract: p.enum(CONTRACTS).default('native'),
    type: p.text().$type<EventType>(),
    schemaVersion: p.integer(),
    sequence: p.integer(),
    /** The exact bytes that are signed and sent, so that every retry has the same body. */
    payload: p.text(),
    deliveryStatus: p.enum(DELIVERY_STATUSES).default('PENDING'),
    attempts: p.integer().default(0),
    lastResponseStatus: p.integer().nullable(),
    lastError: p.text().nullable(),
    nextAttemptAt: p.datetime().nullable(),
    lastAttemptAt: p.datetime().nullable(),
    deliveredAt: p.datetime().nullable(),
    nextSweepAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class WebhookEvent extends WebhookEventSchema.class {}
WebhookEventSchema.setClass(WebhookEvent);

export const WebhookAttemptSchema = defineEntity({
  name: 'WebhookAttempt',
  tableName: 'webhook_attempts',
  properties: {
    webhookEventId: p.bigint('bigint').primary(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    number: p.integer().primary(),
    responseStatus: p.integer().nullable(),
    error: p.text().nullable(),
    responseExcerpt: p.text().nullable(),
    durationMs: p.integer(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class WebhookAttempt extends WebhookAttemptSchema.class {}
WebhookAttemptSchema.setClass(WebhookAttempt);
