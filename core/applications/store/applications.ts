import type { Mode } from '../../../domain/mode.ts';
import { notFound } from '../../../domain/errors.ts';
import { toJsonInteger } from '../../../domain/money.ts';
import { sha256, type SecretBox } from '../../../runtime/secrets.ts';
import type { Database, EntityManager } from '../../../database/connection.ts';
import {
  Application,
  Credential,
  WebhookEndpoint,
  type CustomerDefaults,
} from '../../../database/entities/application.ts';
import { createNativeKey } from '../../contracts/native.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { newSigningSecret, storeSigningSecret } from '../../webhooks/store/signing-secrets.ts';
import type { CredentialColumns } from './credentials.ts';
import { HEALTHY } from './endpoints.ts';

/** Settings that an operator may set. An absent one keeps its default or its current value. */
export interface ApplicationSettings {
  readonly name?: string;
  readonly webhookUrl?: string | null;
  /** Receives the events of TEST. Null: `webhookUrl`, as for LIVE. */
  readonly testWebhookUrl?: string | null;
  /** Exact origins (`https://shop.example`) that a payer may be sent back to. Empty: any absolute https URL. */
  readonly returnOrigins?: readonly string[];
  readonly expiryMinutes?: number;
  readonly rateLimitPerMinute?: number;
  readonly receiptsEnabled?: boolean;
  readonly minAmountMinor?: bigint | null;
  readonly maxAmountMinor?: bigint | null;
  readonly unappliedPaymentPolicy?: 'REVIEW' | 'REFUND';
  /** Whether a refunded amount of an invoice's payment is due again. */
  readonly refundedInvoices?: 'REOPEN' | 'KEEP';
  readonly refundApprovalThresholdMinor?: bigint | null;
  /** Minor units by currency, except BDT. Replaces all earlier values. */
  readonly refundApprovalThresholds?: Readonly<Record<string, bigint>>;
  /** Null: every gateway. */
  readonly gatewaysAllowed?: readonly string[] | null;
  /** Gateways offered if a payment names none, in the order in which payers see them. Null: the default gateway. */
  readonly checkoutGateways?: readonly string[] | null;
  /** The events of ShadhinPay's contract that are sent. Null: those that are on by default. */
  readonly shadhinpayEvents?: readonly string[] | null;
  readonly customerDefaults?: CustomerDefaults;
}

export interface CredentialPair {
  readonly apiKey: string;
  /** Shown once: only its bcrypt hash is stored. */
  readonly apiSecret: string;
}

export interface Registration {
  readonly applicationId: bigint;
  readonly name: string;
  readonly test: CredentialPair;
  readonly live: CredentialPair;
  /** Verifies webhooks of LIVE; `whsec_` and 32 random bytes in base64. */
  readonly signingSecret: string;
  /** Verifies webhooks of TEST. */
  readonly testSigningSecret: string;
}

export interface ApplicationStore {
  readonly database: Database;
  readonly secrets: SecretBox;
}

/** The rows of a new application, prepared before the transaction because hashing takes a tenth of a second. */
export interface PreparedRegistration {
  readonly test: CredentialPair;
  readonly live: CredentialPair;
  readonly signingSecret: string;
  readonly testSigningSecret: string;
  readonly rows: readonly (CredentialColumns & { readonly keyHash: Uint8Array })[];
}

export async function prepareRegistration(): Promise<PreparedRegistration> {
  const [test, live] = await Promise.all([newPair('TEST'), newPair('LIVE')]);
  return {
    test: test.shown,
    live: live.shown,
    rows: [test.row, live.row],
    signingSecret: newSigningSecret(),
    testSigningSecret: newSigningSecret(),
  };
}

async function newPair(mode: Mode) {
  const { apiKey, apiSecret, secretHash } = await createNativeKey(mode);
  const row = { mode, contract: 'native', keyHash: sha256(apiKey), secretHash } as const;
  return { shown: { apiKey, apiSecret }, row };
}

/**
 * Inserts an application with a credential and a signing secret for each mode. None of them can be read again.
 * @throws RESOURCE_ALREADY_EXISTS if both signing secrets are the same
 */
export async function insertApplication(
  em: EntityManager,
  secrets: SecretBox,
  { prepared, settings }: { prepared: PreparedRegistration; settings: ApplicationSettings & { readonly name: string } },
): Promise<Registration> {
  const { rows, ...shown } = prepared;
  const applicationId = await em.insert(Application, { ...columnsOf(settings), name: settings.name });
  const { webhookUrl = null, testWebhookUrl = null } = settings;
  await em.insertMany(WebhookEndpoint, [
    { applicationId, mode: 'LIVE', url: webhookUrl, followsLive: false },
    { applicationId, mode: 'TEST', url: testWebhookUrl ?? webhookUrl, followsLive: testWebhookUrl === null },
  ]);
  await storeSigningSecret(em, secrets, { applicationId, mode: 'LIVE', secret: prepared.signingSecret });
  await storeSigningSecret(em, secrets, { applicationId, mode: 'TEST', secret: prepared.testSigningSecret });
  await em.insertMany(
    Credential,
    rows.map((row) => ({ ...row, applicationId })),
  );
  return { applicationId, name: settings.name, ...shown };
}

/** Registers an application from outside the API, as the system. */
export async function registerApplication(
  { database, secrets }: ApplicationStore,
  settings: ApplicationSettings & { readonly name: string },
): Promise<Registration> {
  const prepared = await prepareRegistration();
  return database.withSystem((em) => insertApplication(em, secrets, { prepared, settings }));
}

export type ApplicationChange = ApplicationSettings & { readonly applicationId: bigint };

/** Changes an application from outside the API, as the system. */
export async function updateApplication(
  { database }: Pick<ApplicationStore, 'database'>,
  change: ApplicationChange,
): Promise<void> {
  await database.withSystem((em) => changeApplication(em, change));
}

/** Changes only what is given. Throws RESOURCE_NOT_FOUND. A new webhook URL re-enables its endpoints. */
export async function changeApplication(
  em: EntityManager,
  { applicationId, ...settings }: ApplicationChange,
): Promise<void> {
  const columns = { ...columnsOf(settings), updatedAt: new Date() };
  if ((await em.nativeUpdate(Application, { id: applicationId }, columns)) === 0) {
    throw notFound('application');
  }
  // The application's row is locked by now, so that the later of two concurrent changes sees the values of the other one.
  if (settings.webhookUrl !== undefined) {
    await setWebhookUrl(em, applicationId, settings.webhookUrl);
  }
  if (settings.testWebhookUrl !== undefined) {
    await setTestWebhookUrl(em, applicationId, settings.testWebhookUrl);
  }
}

const SET_WEBHOOK_URL = statement((db, $: Given<{ applicationId: bigint; url: string | null }>) =>
  db
    .updateTable('webhook_endpoints')
    .set({ ...HEALTHY, url: $('url') })
    .where('applicationId', '=', $('applicationId'))
    .where((eb) => eb.or([eb('mode', '=', 'LIVE'), eb.ref('followsLive')])),
);

/** TEST's endpoint changes too, until it has its own URL. */
async function setWebhookUrl(em: EntityManager, applicationId: bigint, url: string | null): Promise<void> {
  await SET_WEBHOOK_URL.all(em, { applicationId, url });
}

const SET_TEST_WEBHOOK_URL = statement((db, $: Given<{ applicationId: bigint; url: string | null }>) =>
  db
    .updateTable('webhook_endpoints as t')
    .from('webhook_endpoints as l')
    .set((eb) => ({
      ...HEALTHY,
      url: eb.fn.coalesce(eb.cast<string | null>($('url'), 'text'), 'l.url'),
      followsLive: eb(eb.cast<string | null>($('url'), 'text'), 'is', null).$castTo<boolean>(),
    }))
    .where('t.applicationId', '=', $('applicationId'))
    .where('t.mode', '=', 'TEST')
    .whereRef('l.applicationId', '=', 't.applicationId')
    .where('l.mode', '=', 'LIVE'),
);

async function setTestWebhookUrl(em: EntityManager, applicationId: bigint, url: string | null): Promise<void> {
  await SET_TEST_WEBHOOK_URL.all(em, { applicationId, url });
}

type ApplicationColumns = Omit<
  ApplicationSettings,
  | 'webhookUrl'
  | 'testWebhookUrl'
  | 'returnOrigins'
  | 'gatewaysAllowed'
  | 'checkoutGateways'
  | 'shadhinpayEvents'
  | 'refundApprovalThresholds'
> & {
  refundApprovalThresholds?: Record<string, number>;
  returnOrigins?: string[];
  gatewaysAllowed?: string[] | null;
  checkoutGateways?: string[] | null;
  shadhinpayEvents?: string[] | null;
};

function columnsOf({
  webhookUrl: _webhookUrl,
  testWebhookUrl: _testWebhookUrl,
  returnOrigins,
  gatewaysAllowed,
  checkoutGateways,
  shadhinpayEvents,
  refundApprovalThresholds,
  ...rest
}: ApplicationSettings): ApplicationColumns {
  return {
    ...rest,
    ...(returnOrigins === undefined ? {} : { returnOrigins: [...returnOrigins] }),
    ...(gatewaysAllowed === undefined ? {} : { gatewaysAllowed: listOf(gatewaysAllowed) }),
    ...(checkoutGateways === undefined ? {} : { checkoutGateways: listOf(checkoutGateways) }),
    ...(shadhinpayEvents === undefined ? {} : { shadhinpayEvents: listOf(shadhinpayEvents) }),
    ...(refundApprovalThresholds === undefined
      ? {}
      : { refundApprovalThresholds: numbersOf(refundApprovalThresholds) }),
  };
}

/** Stored as JSON, whose numbers hold every amount that the wire format can carry. */
function numbersOf(amounts: Readonly<Record<string, bigint>>): Record<string, number> {
  return Object.fromEntries(Object.entries(amounts).map(([currency, minor]) => [currency, toJsonInteger(minor)]));
}

function listOf(values: readonly string[] | null): string[] | null {
  return values === null ? null : [...values];
}
