import { defineEntity, p } from '@mikro-orm/core';
import { CONTRACTS } from '../../domain/contract.ts';
import { MODES } from '../../domain/mode.ts';

/** What SSLCOMMERZ demands of a customer and the app did not send: documented per-app stand-ins. */
export interface CustomerDefaults {
  name?: string;
  email?: string;
  phone?: string;
  address?: string;
  city?: string;
  postcode?: string;
  country?: string;
}

const ApplicationSchema = defineEntity({
  name: 'Application',
  tableName: 'applications',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    name: p.text(),
    status: p.text().$type<'ACTIVE' | 'DISABLED'>().default('ACTIVE'),
    returnOrigins: p.array().default([]),
    expiryMinutes: p.integer().default(30),
    rateLimitPerMinute: p.integer().default(1000),
    receiptsEnabled: p.boolean().default(false),
    minAmountMinor: p.bigint('bigint').nullable(),
    maxAmountMinor: p.bigint('bigint').nullable(),
    unappliedPaymentPolicy: p.text().$type<'REVIEW' | 'REFUND'>().default('REVIEW'),
    refundedInvoices: p.text().$type<'REOPEN' | 'KEEP'>().default('REOPEN'),
    refundApprovalThresholdMinor: p.bigint('bigint').nullable(),
    /** Minor units by currency, without BDT. */
    refundApprovalThresholds: p.json<Record<string, number>>().default('{}'),
    gatewaysAllowed: p.array().nullable(),
    /** Null: the default gateway alone. */
    checkoutGateways: p.array().nullable(),
    shadhinpayClientId: p.text().nullable(),
    shadhinpayBusinessId: p.text().nullable(),
    /** Null: the events that are on by default. */
    shadhinpayEvents: p.array().nullable(),
    customerDefaults: p.json<CustomerDefaults>().default('{}'),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class Application extends ApplicationSchema.class {}
ApplicationSchema.setClass(Application);

const CredentialSchema = defineEntity({
  name: 'Credential',
  tableName: 'credentials',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    contract: p.enum(CONTRACTS).default('native'),
    keyHash: p.uint8array(),
    /** Null where the key alone is the credential. */
    secretHash: p.text().nullable(),
    label: p.text().nullable(),
    prefix: p.text().nullable(),
    scopes: p.array().nullable(),
    /** `PENDING` until a second person has confirmed the key. */
    status: p.text().$type<'PENDING' | 'ACTIVE' | 'REVOKED'>().default('ACTIVE'),
    expiresAt: p.datetime().nullable(),
    lastUsedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class Credential extends CredentialSchema.class {}
CredentialSchema.setClass(Credential);

const WebhookEndpointSchema = defineEntity({
  name: 'WebhookEndpoint',
  tableName: 'webhook_endpoints',
  properties: {
    applicationId: p.bigint('bigint').primary(),
    mode: p.enum(MODES).primary(),
    url: p.text().nullable(),
    /** Of TEST: the URL is LIVE's. */
    followsLive: p.boolean().default(false),
    disabledAt: p.datetime().nullable(),
    disabledReason: p.text().nullable(),
    failingSince: p.datetime().nullable(),
    consecutiveFailures: p.integer().default(0),
    circuitOpenUntil: p.datetime().nullable(),
    /** The signing secret that the receiver accepted last, after it had refused another one. */
    acceptedSecretId: p.bigint('bigint').nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class WebhookEndpoint extends WebhookEndpointSchema.class {}
WebhookEndpointSchema.setClass(WebhookEndpoint);

const WebhookSigningSecretSchema = defineEntity({
  name: 'WebhookSigningSecret',
  tableName: 'webhook_signing_secrets',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    /** Null once it has expired. */
    sealed: p.text().nullable(),
    fingerprint: p.uint8array(),
    /** Null: the one that is current. */
    expiresAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class WebhookSigningSecret extends WebhookSigningSecretSchema.class {}
WebhookSigningSecretSchema.setClass(WebhookSigningSecret);

const GatewayConfigurationSchema = defineEntity({
  name: 'GatewayConfiguration',
  tableName: 'gateway_configurations',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    /** Null: for every application that has none of its own. */
    applicationId: p.bigint('bigint').nullable(),
    mode: p.enum(MODES),
    gateway: p.text(),
    storeId: p.text(),
    /** What the secret is sealed for; drawn before the row is written. */
    key: p.uuid(),
    /** Sealed; it never comes back. */
    storeSecret: p.text(),
    /** Set: opens no new checkout, but is asked about those that were opened there. */
    retiredAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class GatewayConfiguration extends GatewayConfigurationSchema.class {}
GatewayConfigurationSchema.setClass(GatewayConfiguration);
