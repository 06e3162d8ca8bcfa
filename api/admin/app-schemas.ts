import { z } from 'zod';
import { CURRENCIES } from '../../domain/currency.ts';
import { APPROVAL_CURRENCY } from '../../domain/refund.ts';
import { KEY_CONTRACTS, SCOPES } from '../../database/applications.ts';
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
  webhookUrl: WebhookUrl.describe('Where events are sent, of both modes unless `testWebhookUrl` is set.'),
  testWebhookUrl: WebhookUrl.describe('Where events of TEST are sent. Null: to `webhookUrl`.'),
  refundApprovalThresholdMinor: Amount.nullable().describe(
    'What one operator may refund and decide on alone, in paisa, summed over one payment and over the application in 24 hours. Above it a second person decides. Null: as refundApprovalThresholds says.',
  ),
  refundApprovalThresholds: z
    .partialRecord(z.enum(OTHER_CURRENCIES, 'is no currency that has a threshold here'), Amount)
    .nullable()
    .describe(
      'The same for other currencies than BDT, in their minor units. It takes the place of all that were set; null takes them away. Once any threshold is set, a currency without one always waits.',
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
    .describe('Whether what is given back of an invoice’s payments is due again, or a credit.'),
  returnOrigins: z.array(Origin, 'must be a list').max(50, 'must be at most 50'),
  gatewaysAllowed: z
    .array(GatewayName, 'must be a list')
    .max(20, 'must be at most 20')
    .nullable()
    .describe('Names of gateways. Null: every gateway.'),
  checkoutGateways: z
    .array(GatewayName, 'must be a list')
    .min(1, 'must not be empty')
    .max(20, 'must be at most 20')
    .nullable()
    .describe(
      'Where payers pay when a request names no gateway, and on the pages of invoices: several let the payer choose, in this order. Null: at SSLCOMMERZ.',
    ),
  shadhinpayEvents: z
    .array(z.enum(SHADHINPAY_EVENT_NAMES, 'must be an event of ShadhinPay’s contract'), 'must be a list')
    .max(SHADHINPAY_EVENT_NAMES.length, `must be at most ${SHADHINPAY_EVENT_NAMES.length}`)
    .nullable()
    .describe('Which events of ShadhinPay’s contract are told. Null: those that are on by default.'),
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

/** Settings by which one operator could weaken four-eyes approval. Once a threshold is set, a change to any of them needs a second operator. */
export const GUARDED_SETTINGS = [
  'refundApprovalThresholdMinor',
  'refundApprovalThresholds',
  'webhookUrl',
  'testWebhookUrl',
  'returnOrigins',
  'unappliedPaymentPolicy',
] as const satisfies readonly (keyof ApplicationSettings)[];

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
    testWebhookUrl: z.string().nullable().describe('Null: events of TEST go to `webhookUrl`.'),
    webhookDisabled: EndpointDisabled.nullable().describe(
      'Set while the endpoint of LIVE is disabled, since it was gone or failed for five days.',
    ),
    testWebhookDisabled: EndpointDisabled.nullable().describe('The same of the endpoint of TEST.'),
    refundApprovalThresholdMinor: z.int().nullable(),
    refundApprovalThresholds: z.record(z.string(), z.int()).describe('By currency, without BDT.'),
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
      'How ShadhinPay’s contract names the application; null before its first key.',
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
        signingSecret: z.string().describe('Signs events of LIVE.'),
        testSigningSecret: z.string().describe('Signs events of TEST.'),
      })
      .describe('Shown once.'),
  })
  .meta({ id: 'RegisteredApplication' });

export const ApplicationsQuery = z.object({
  ...listQuery(['createdAt']),
  status: z.enum(['ACTIVE', 'DISABLED'], 'must be ACTIVE or DISABLED').optional(),
  name: freeText(120).optional().describe('A part of the name.'),
});

export const Credential = z
  .object({
    id: z.int(),
    mode: z.enum(MODES),
    contract: z.enum(CONTRACTS).describe('The contract that the key speaks.'),
    label: z.string().nullable().describe('What the key is for.'),
    prefix: z.string().nullable().describe('What its contract shows of the key.'),
    scopes: z.array(z.string()).nullable().describe('What the key may do; null where its contract knows no scopes.'),
    status: z
      .enum(['PENDING', 'ACTIVE', 'REVOKED'])
      .describe('PENDING: a second person has not confirmed it yet, and until then it is refused like an unknown one.'),
    expiresAt: z.iso
      .datetime()
      .nullable()
      .describe(
        'Set when it was rotated out: until then it still works. Of a PENDING one: until then it can be confirmed.',
      ),
    lastUsedAt: z.iso.datetime().nullable().describe('To the minute.'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Credential' });

const NEW_KEY = {
  mode: z.enum(MODES, 'must be TEST or LIVE'),
  contract: z.enum(KEY_CONTRACTS, 'must be native, ownpay or shadhinpay').default('native'),
  label: freeText(100).optional().describe('What the key is for.'),
  scopes: z
    .array(z.enum(SCOPES, 'must be read or write'), 'must be a list')
    .min(1, 'must not be empty')
    .max(2, 'must be at most 2')
    .optional()
    .describe('What an OwnPay key may do; both unless told. The others have none.'),
} as const;

const WAITS = {
  status: z
    .enum(['PENDING', 'ACTIVE'])
    .describe('PENDING: it waits for a second person, and until then it is refused like an unknown one.'),
  pendingChanges: z.array(PendingChange).describe('What a second person confirms, where it waits.'),
} as const;

export const IssueCredential = z.object(NEW_KEY).meta({ id: 'IssueCredential' });

export const IssuedCredential = z
  .object({
    credentialId: z.int(),
    mode: z.enum(MODES),
    contract: z.enum(CONTRACTS),
    apiKey: z.string().describe('Where it is the whole credential it is shown once.'),
    apiSecret: z.string().nullable().describe('Shown once. Null where there is none.'),
    business: Business.nullable().describe('Sent with a key of ShadhinPay’s contract; null in the others.'),
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
      .describe('How long the former key still works.'),
  })
  .meta({ id: 'RotateCredentials' });

export const RotatedCredentials = z
  .object({
    credentialId: z.int(),
    mode: z.enum(MODES),
    contract: z.enum(CONTRACTS),
    apiKey: z.string(),
    apiSecret: z.string().nullable().describe('Shown once. Null where there is none.'),
    business: Business.nullable().describe('Sent with a key of ShadhinPay’s contract; null in the others.'),
    previousKeyExpiresAt: z.iso
      .datetime()
      .nullable()
      .describe('Null where there was none, and while the new key waits: the grace begins when it is confirmed.'),
    ...WAITS,
  })
  .meta({ id: 'RotatedCredentials' });

export const RotateSigningSecret = z
  .object({
    mode: z.enum(MODES, 'must be TEST or LIVE').default('LIVE').describe('Whose events it signs.'),
    overlapHours: z
      .int('must be a plain integer')
      .min(0, 'must not be negative')
      .max(720, 'must be at most 720')
      .default(24)
      .describe('How long deliveries are also signed by the secret that is current until now.'),
    revokeFormer: z
      .boolean('must be true or false')
      .default(false)
      .describe('Ends the overlaps of earlier rotations, too: for a secret that leaked.'),
  })
  .meta({ id: 'RotateSigningSecret' });

export const RotatedSigningSecret = z
  .object({
    mode: z.enum(MODES),
    signingSecret: z.string().describe('Shown once.'),
    previousSecretExpiresAt: z.iso.datetime(),
  })
  .meta({ id: 'RotatedSigningSecret' });

export const EnableEndpointQuery = z.object({
  mode: z.enum(MODES, 'must be TEST or LIVE').optional().describe('Both unless told.'),
});

export const CredentialParams = z.object({ id: IdText, credentialId: IdText });
