import { z } from 'zod';
import { CURRENCIES } from '../../domain/currency.ts';
import { APPROVAL_CURRENCY } from '../../domain/refund.ts';
import { KEY_CONTRACTS, SCOPES } from '../../core/applications/store/credentials.ts';
import { CONTRACTS } from '../../domain/contract.ts';
import { SHADHINPAY_EVENT_NAMES } from '../../domain/shadhinpay.ts';
import { MODES } from '../../domain/mode.ts';
import { freeText, IdText } from '../http/fields.ts';
import { PendingChange, PendingChanges } from './change-schemas.ts';
import { GatewayName } from './gateway-schemas.ts';
import { listQuery } from '../http/paging.ts';

const Amount = z
  .int('must be a plain integer')
  .min(0, 'must not be negative')
  .max(Number.MAX_SAFE_INTEGER, 'is too large');
const OTHER_CURRENCIES = CURRENCIES.filter((currency) => currency !== APPROVAL_CURRENCY);
const Bound = Amount.min(1, 'must be greater than 0');
const Origin = z
  .string('must be text')
  .max(300, 'must be at most 300 characters')
  .refine(
    (given) => URL.canParse(given) && new URL(given).origin === given,
    'must be an origin, such as https://shop.example',
  )
  .refine((given) => /^https?:/.test(given), 'must be an http or https origin');

const WebhookUrl = z.string('must be text').max(2_048, 'must be at most 2048 characters').nullable();

/** The settings that an operator can change. An absent field stays unchanged; null removes the value. */
const SETTINGS = {
  name: freeText(120),
  webhookUrl: WebhookUrl.describe(
    'The URL that receives events of both modes, or of LIVE only when `testWebhookUrl` is set.',
  ),
  testWebhookUrl: WebhookUrl.describe('The URL that receives TEST events. If null, they go to `webhookUrl`.'),
  refundApprovalThresholdMinor: Amount.nullable().describe(
    'The amount, in paisa, that one operator may refund or decide on alone, summed over one payment and over the application in 24 hours. A larger amount needs a second operator. If null, `refundApprovalThresholds` determines what happens.',
  ),
  refundApprovalThresholds: z
    .partialRecord(z.enum(OTHER_CURRENCIES, 'is not a currency that can have a threshold here'), Amount)
    .nullable()
    .describe(
      'Approval thresholds for currencies other than BDT, in minor units. Replaces all previous values; null removes them. Once any threshold is set, currencies without one always need a second operator.',
    ),
  receiptsEnabled: z.boolean('must be true or false'),
  minAmountMinor: Bound.nullable(),
  maxAmountMinor: Bound.nullable(),
  expiryMinutes: z.int('must be a plain integer').min(1, 'must be at least 1').max(1_440, 'must be at most 1440'),
  rateLimitPerMinute: z
    .int('must be a plain integer')
    .min(1, 'must be at least 1')
    .max(100_000, 'must be at most 100000'),
  unappliedPaymentPolicy: z.enum(['REVIEW', 'REFUND'], 'must be REVIEW or REFUND'),
  refundedInvoices: z
    .enum(['REOPEN', 'KEEP'], 'must be REOPEN or KEEP')
    .describe(
      'What a refund of an invoice’s payment does: `REOPEN` makes the amount due again, `KEEP` makes it a credit and the invoice stays paid.',
    ),
  returnOrigins: z.array(Origin, 'must be a list').max(50, 'must be at most 50'),
  gatewaysAllowed: z
    .array(GatewayName, 'must be a list')
    .max(20, 'must be at most 20')
    .nullable()
    .describe('The gateways that the application may use. Null allows every gateway.'),
  checkoutGateways: z
    .array(GatewayName, 'must be a list')
    .min(1, 'must not be empty')
    .max(20, 'must be at most 20')
    .nullable()
    .describe(
      'The gateways used when a request names none, and on invoice pages. With several, the payer chooses from them in this order. Null means SSLCOMMERZ.',
    ),
  shadhinpayEvents: z
    .array(z.enum(SHADHINPAY_EVENT_NAMES, 'must be an event of ShadhinPay’s contract'), 'must be a list')
    .max(SHADHINPAY_EVENT_NAMES.length, `must be at most ${SHADHINPAY_EVENT_NAMES.length}`)
    .nullable()
    .describe('The events of ShadhinPay’s contract that are sent. Null means the default ones.'),
} as const;

export const RegisterApplication = z
  .object({ ...SETTINGS })
  .partial()
  .required({ name: true })
  .meta({ id: 'RegisterApplication' });

export const ApplicationSettings = z
  .object({ ...SETTINGS })
  .partial()
  .meta({ id: 'ApplicationSettings' });
export type ApplicationSettings = z.infer<typeof ApplicationSettings>;

const Business = z
  .object({
    clientId: z.string().describe('Sent as `Client-Id`.'),
    businessId: z.string().describe('Sent as `Business-Id`.'),
  })
  .meta({ id: 'Business' });

const EndpointDisabled = z.object({ reason: z.string(), since: z.iso.datetime() });

export const Application = z
  .object({
    id: z.int(),
    name: z.string(),
    status: z.enum(['ACTIVE', 'DISABLED']),
    webhookUrl: z.string().nullable(),
    testWebhookUrl: z.string().nullable().describe('If null, TEST events go to `webhookUrl`.'),
    webhookDisabled: EndpointDisabled.nullable().describe(
      'Set while the LIVE endpoint is disabled because it answered 410 or failed for five days.',
    ),
    testWebhookDisabled: EndpointDisabled.nullable().describe(
      'Set while the TEST endpoint is disabled, for the same reasons.',
    ),
    refundApprovalThresholdMinor: z.int().nullable(),
    refundApprovalThresholds: z.record(z.string(), z.int()).describe('Keyed by currency, BDT excluded.'),
    receiptsEnabled: z.boolean(),
    minAmountMinor: z.int().nullable(),
    maxAmountMinor: z.int().nullable(),
    expiryMinutes: z.int(),
    rateLimitPerMinute: z.int(),
    unappliedPaymentPolicy: z.enum(['REVIEW', 'REFUND']),
    refundedInvoices: z.enum(['REOPEN', 'KEEP']),
    returnOrigins: z.array(z.string()),
    gatewaysAllowed: z.array(z.string()).nullable(),
    checkoutGateways: z.array(z.string()).nullable(),
    shadhinpayEvents: z.array(z.string()).nullable(),
    business: Business.nullable().describe(
      'The application’s identifiers in ShadhinPay’s contract. Null until its first key is issued.',
    ),
    pendingChanges: PendingChanges,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Application' });

export const RegisteredApplication = z
  .object({
    application: Application,
    credentials: z
      .object({
        testApiKey: z.string(),
        testApiSecret: z.string(),
        liveApiKey: z.string(),
        liveApiSecret: z.string(),
        signingSecret: z.string().describe('Signs LIVE events.'),
        testSigningSecret: z.string().describe('Signs TEST events.'),
      })
      .describe('Shown only once.'),
  })
  .meta({ id: 'RegisteredApplication' });

export const ApplicationsQuery = z.object({
  ...listQuery(['createdAt']),
  status: z.enum(['ACTIVE', 'DISABLED'], 'must be ACTIVE or DISABLED').optional(),
  name: freeText(120).optional().describe('Matches any part of the name.'),
});

export const Credential = z
  .object({
    id: z.int(),
    mode: z.enum(MODES),
    contract: z.enum(CONTRACTS).describe('The contract that the key is for.'),
    label: z.string().nullable().describe('A note on what the key is used for.'),
    prefix: z.string().nullable().describe('The part of the key that its contract displays.'),
    scopes: z.array(z.string()).nullable().describe('What the key may do. Null when its contract has no scopes.'),
    status: z
      .enum(['PENDING', 'ACTIVE', 'REVOKED'])
      .describe('`PENDING` until a second operator confirms the key. A pending key is rejected like an unknown one.'),
    expiresAt: z.iso
      .datetime()
      .nullable()
      .describe('When a rotated key stops working. For a `PENDING` key, the deadline for its confirmation.'),
    lastUsedAt: z.iso.datetime().nullable().describe('Accurate to the minute.'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Credential' });

const NEW_KEY = {
  mode: z.enum(MODES, 'must be TEST or LIVE'),
  contract: z.enum(KEY_CONTRACTS, 'must be native, ownpay or shadhinpay').default('native'),
  label: freeText(100).optional().describe('A note on what the key is used for.'),
  scopes: z
    .array(z.enum(SCOPES, 'must be read or write'), 'must be a list')
    .min(1, 'must not be empty')
    .max(2, 'must be at most 2')
    .optional()
    .describe('What an OwnPay key may do. Defaults to both scopes. Keys of other contracts have no scopes.'),
} as const;

const WAITS = {
  status: z
    .enum(['PENDING', 'ACTIVE'])
    .describe('`PENDING` until a second operator confirms the key. A pending key is rejected like an unknown one.'),
  pendingChanges: z.array(PendingChange).describe('The changes that a second operator must confirm, if any.'),
} as const;

export const IssueCredential = z.object(NEW_KEY).meta({ id: 'IssueCredential' });

export const IssuedCredential = z
  .object({
    credentialId: z.int(),
    mode: z.enum(MODES),
    contract: z.enum(CONTRACTS),
    apiKey: z.string().describe('Shown only once if the contract has no separate secret.'),
    apiSecret: z.string().nullable().describe('Shown only once. Null if the contract has no separate secret.'),
    business: Business.nullable().describe('The identifiers to send with a ShadhinPay key. Null for other contracts.'),
    ...WAITS,
  })
  .meta({ id: 'IssuedCredential' });

export const RotateCredentials = z
  .object({
    ...NEW_KEY,
    graceHours: z
      .int('must be a plain integer')
      .min(0, 'must not be negative')
      .max(720, 'must be at most 720')
      .default(24)
      .describe('How many hours the previous key keeps working.'),
  })
  .meta({ id: 'RotateCredentials' });

export const RotatedCredentials = z
  .object({
    credentialId: z.int(),
    mode: z.enum(MODES),
    contract: z.enum(CONTRACTS),
    apiKey: z.string(),
    apiSecret: z.string().nullable().describe('Shown only once. Null if the contract has no separate secret.'),
    business: Business.nullable().describe('The identifiers to send with a ShadhinPay key. Null for other contracts.'),
    previousKeyExpiresAt: z.iso
      .datetime()
      .nullable()
      .describe(
        'Null if there was no previous key, or while the new key is pending. The grace period begins when the new key is confirmed.',
      ),
    ...WAITS,
  })
  .meta({ id: 'RotatedCredentials' });

export const RotateSigningSecret = z
  .object({
    mode: z.enum(MODES, 'must be TEST or LIVE').default('LIVE').describe('The mode whose events it signs.'),
    overlapHours: z
      .int('must be a plain integer')
      .min(0, 'must not be negative')
      .max(720, 'must be at most 720')
      .default(24)
      .describe('How many hours deliveries are also signed with the previous secret.'),
    revokeFormer: z
      .boolean('must be true or false')
      .default(false)
      .describe('Also ends the overlaps of earlier rotations. Use it if a secret has leaked.'),
  })
  .meta({ id: 'RotateSigningSecret' });

export const RotatedSigningSecret = z
  .object({
    mode: z.enum(MODES),
    signingSecret: z.string().describe('Shown only once.'),
    previousSecretExpiresAt: z.iso.datetime(),
  })
  .meta({ id: 'RotatedSigningSecret' });

export const EnableEndpointQuery = z.object({
  mode: z.enum(MODES, 'must be TEST or LIVE').optional().describe('Defaults to both modes.'),
});

export const CredentialParams = z.object({ id: IdText, credentialId: IdText });
