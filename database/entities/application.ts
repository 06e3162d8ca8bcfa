import { defineEntity, p } from '@mikro-orm/core';
import { CONTRACTS } from '../../domain/contract.ts';
import { MODES } from '../../domain/mode.ts';

/** Customer details required by SSLCOMMERZ, used if the application sent none. */
export interface CustomerDefaults {
  name?: string;
  email?: string;
  phone?: string;
  address?: string;
  city?: string;
  postcode?: string;
  country?: string;
}

export const ApplicationSchema = defineEntity({
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
    /** Minor units by currency, except BDT. */
    refundApprovalThresholds: p.json<Record<string, number>>().default('{}'),
    gatewaysAllowed: p.array().nullable(),
    /** Null: only the default gateway. */
    checkoutGateways: p.array().nullable(),
    shadhinpayClientId: p.text().nullable(),
    shadhinpayBusinessId: p.text().nullable(),
    /** Null: the events that are on by default. */
    shadhinpayEvents: p.array().nullable(),
    customerDefaults: p.json<CustomerDefaults>().default('{}'),
    /** Its books hold what belongs to no shop. */
    isInstallation: p.boolean().default(false),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class Application extends ApplicationSchema.class {}
ApplicationSchema.setClass(Application);

export const CredentialSchema = defineEntity({
  name: 'Credential',
  tableName: 'credentials',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    contract: p.enum(CONTRACTS).default('native'),
    keyHash: p.uint8array(),
    /** Null if the key alone is the credential. */
    secretHash: p.text().nullable(),
    label: p.text().nullable(),
    prefix: p.text().nullable(),
    scopes: p.array().nullable(),
    /** `PENDING` until a second operator has confirmed the key. */
    status: p.text().$type<'PENDING' | 'ACTIVE' | 'REVOKED'>().default('ACTIVE'),
    expiresAt: p.datetime().nullable(),
    lastUsedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class Credential extends CredentialSchema.class {}
CredentialSchema.setClass(Credential);

export const WebhookEndpointSchema = defineEntity({
  name: 'WebhookEndpoint',
  tableName: 'webhook_endpoints',
  properties: {
    applicationId: p.bigint('bigint').primary(),
    mode: p.enum(MODES).primary(),
    url: p.text().nullable(),
    /** For TEST: whether it uses LIVE's URL. */
    followsLive: p.boolean().default(false),
    disabledAt: p.datetime().nullable(),
    disabledReason: p.text().nullable(),
    failingSince: p.datetime().nullable(),
    consecutiveFailures: p.integer().default(0),
    circuitOpenUntil: p.datetime().nullable(),
    /** The signing secret that the receiver last accepted after it had rejected another one. */
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

export const WebhookSigningSecretSchema = defineEntity({
  name: 'WebhookSigningSecret',
  tableName: 'webhook_signing_secrets',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    /** Null once it has expired. */
    sealed: p.text().nullable(),
    fingerprint: p.uint8array(),
    /** Null: the current one. */
    expiresAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class WebhookSigningSecret extends WebhookSigningSecretSchema.class {}
WebhookSigningSecretSchema.setClass(WebhookSigningSecret);

export const GatewayConfigurationSchema = defineEntity({
  name: 'GatewayConfiguration',
  tableName: 'gateway_configurations',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    /** Null: for every application without its own store. */
    applicationId: p.bigint('bigint').nullable(),
    mode: p.enum(MODES),
    gateway: p.text(),
    storeId: p.text(),
    /** Part of the sealing context of the secret; generated before the row is written. */
    key: p.uuid(),
    /** Sealed. Never returned by the API. */
    storeSecret: p.text(),
    /** If set, the store opens no new checkouts, but is still queried about those opened there. */
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

/** The token of an account at a gateway that issues only a few an hour. */
export const GatewayTokenSchema = defineEntity({
  name: 'GatewayToken',
  tableName: 'gateway_tokens',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    account: p.text(),
    sealed: p.text().nullable(),
    takenBy: p.uuid().nullable(),
    takenUntil: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class GatewayToken extends GatewayTokenSchema.class {}
GatewayTokenSchema.setClass(GatewayToken);
