import type { Json } from '../http/openapi/schemas.ts';

const settings = {
  name: 'Storefront',
  webhookUrl: 'https://shop.example/hooks/lenden',
  testWebhookUrl: 'https://staging.shop.example/hooks/lenden',
  refundApprovalThresholdMinor: 500_000,
  refundApprovalThresholds: { USD: 10_000 },
  receiptsEnabled: true,
  minAmountMinor: 1_000,
  maxAmountMinor: null,
  expiryMinutes: 30,
  rateLimitPerMinute: 1_000,
  unappliedPaymentPolicy: 'REVIEW',
  refundedInvoices: 'REOPEN',
  returnOrigins: ['https://shop.example'],
  gatewaysAllowed: null,
  checkoutGateways: ['sslcommerz', 'bkash'],
  shadhinpayEvents: null,
} satisfies Json;

const business = { clientId: 'HM_4f8c2b1a', businessId: 'HB_71c4a09e' } satisfies Json;

const application = {
  id: 42,
  status: 'ACTIVE',
  ...settings,
  webhookDisabled: null,
  testWebhookDisabled: null,
  business,
  pendingChanges: [],
  createdAt: '2026-06-01T08:00:00.000Z',
  updatedAt: '2026-06-01T08:00:00.000Z',
} satisfies Json;

const store = {
  gateway: 'sslcommerz',
  displayName: 'SSLCOMMERZ',
  mode: 'LIVE',
  storeId: 'storefrontlive',
  since: '2026-06-01T08:00:00.000Z',
  currencies: ['BDT'],
  pendingChanges: [],
} satisfies Json;

/** Examples of applications and their credentials. No value in them is a real secret. */
export const APPLICATION_EXAMPLES: Readonly<Record<string, Json>> = {
  Business: business,
  StoreCredentials: { storeId: 'storefrontlive', storePassword: 'one that the gateway gave' },
  GatewayOverride: {
    mode: 'LIVE',
    gateway: 'sslcommerz',
    storeId: 'storefrontlive',
    storePassword: 'one that the gateway gave',
  },
  GatewayStore: { ...store, source: 'INSTALLATION' },
  ApplicationGateway: { ...store, source: 'APPLICATION', allowed: true },
  ChosenStore: { ...store, source: 'APPLICATION', checked: true },
  RegisterApplication: settings,
  ApplicationSettings: { webhookUrl: null, maxAmountMinor: 2_000_000 },
  Application: application,
  RegisteredApplication: {
    application,
    credentials: {
      testApiKey: 'oi_test_…',
      testApiSecret: '…',
      liveApiKey: 'oi_live_…',
      liveApiSecret: '…',
      signingSecret: 'whsec_…',
      testSigningSecret: 'whsec_…',
    },
  },
  Credential: {
    id: 7,
    mode: 'LIVE',
    contract: 'native',
    label: null,
    prefix: null,
    scopes: null,
    status: 'ACTIVE',
    expiresAt: '2026-06-02T08:00:00.000Z',
    lastUsedAt: '2026-06-01T09:30:00.000Z',
    createdAt: '2026-06-01T08:00:00.000Z',
  },
  IssueCredential: { mode: 'LIVE', contract: 'ownpay', label: 'Storefront', scopes: ['read', 'write'] },
  IssuedCredential: {
    credentialId: 8,
    mode: 'LIVE',
    contract: 'ownpay',
    apiKey: 'op_8ae87c48.…',
    apiSecret: null,
    business: null,
    status: 'ACTIVE',
    pendingChanges: [],
  },
  RotateCredentials: { mode: 'LIVE', graceHours: 24 },
  RotatedCredentials: {
    credentialId: 9,
    mode: 'LIVE',
    contract: 'native',
    apiKey: 'oi_live_…',
    apiSecret: '…',
    business: null,
    previousKeyExpiresAt: '2026-06-02T08:00:00.000Z',
    status: 'ACTIVE',
    pendingChanges: [],
  },
  RotateSigningSecret: { mode: 'LIVE', overlapHours: 24, revokeFormer: false },
  RotatedSigningSecret: {
    mode: 'LIVE',
    signingSecret: 'whsec_…',
    previousSecretExpiresAt: '2026-06-02T08:00:00.000Z',
  },
};
