import type { Statements } from '../../../database/statements.ts';
import type { Contract } from '../../../domain/contract.ts';
import type { Mode } from '../../../domain/mode.ts';
import { notFound } from '../../../domain/errors.ts';
import { toJsonInteger } from '../../../domain/money.ts';
import { sha256, type SecretBox } from '../../../runtime/secrets.ts';
import { readNow } from '../../../database/clock.ts';
import type { Database, EntityManager } from '../../../database/connection.ts';
import {
  Application,
  Credential,
  WebhookEndpoint,
  type CustomerDefaults,
} from '../../../database/entities/application.ts';
import { contractOf } from '../../contracts/contracts.ts';
import { createNativeKey } from '../../contracts/native.ts';
import type { Business } from '../../contracts/port.ts';
import { newSigningSecret, storeSigningSecret } from '../../webhooks/store/signing-secrets.ts';

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

export const GRACE_HOURS_DEFAULT = 24;

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

/** Columns of an endpoint without recorded failures. */
export const HEALTHY = `disabled_at = null, disabled_reason = null, failing_since = null, consecutive_failures = 0, circuit_open_until = null,
       updated_at = now()`;

/** TEST's endpoint changes too, until it has its own URL. */
async function setWebhookUrl(em: EntityManager, applicationId: bigint, url: string | null): Promise<void> {
  await em.execute(
    `update webhook_endpoints set url = ?, ${HEALTHY} where application_id = ?::bigint and (mode = 'LIVE' or follows_live)`,
    [url, applicationId],
  );
}

async function setTestWebhookUrl(em: EntityManager, applicationId: bigint, url: string | null): Promise<void> {
  await em.execute(
    `update webhook_endpoints t set url = coalesce(?::text, l.url), follows_live = ?::boolean, ${HEALTHY}
     from webhook_endpoints l where t.application_id = ?::bigint and t.mode = 'TEST' and l.application_id = t.application_id and l.mode = 'LIVE'`,
    [url, url === null, applicationId],
  );
}

/** What a key may do in a contract with scopes: `read` for queries, `write` for changes. */
export const SCOPES = ['read', 'write'] as const;
export type KeyScope = (typeof SCOPES)[number];

/** Contracts for which an application can have keys. */
export const KEY_CONTRACTS = ['native', 'ownpay', 'shadhinpay'] as const satisfies readonly Contract[];

export interface IssuedCredential {
  readonly credentialId: bigint;
  readonly mode: Mode;
  readonly apiKey: string;
  /** Shown once. Null if the key alone is the credential. */
  readonly apiSecret: string | null;
  /** Sent with each key of ShadhinPay's contract; null in the others. */
  readonly business: Business | null;
}

export interface Rotation extends IssuedCredential {
  /** Until then the former keys still work; null if there were none. */
  readonly previousKeyExpiresAt: Date | null;
}

/** A new credential, prepared before the transaction that stores it. */
export interface PreparedCredential {
  readonly shown: { readonly apiKey: string; readonly apiSecret: string | null };
  readonly row: CredentialColumns;
}

export interface WantedCredential {
  readonly mode: Mode;
  /** Native by default. */
  readonly contract?: (typeof KEY_CONTRACTS)[number] | undefined;
  /** The owner's description of the key. */
  readonly label?: string | null | undefined;
  /** All by default. Only for a contract with scopes. */
  readonly scopes?: readonly KeyScope[] | undefined;
}

export async function prepareCredential({
  mode,
  contract = 'native',
  label = null,
  scopes = SCOPES,
}: WantedCredential): Promise<PreparedCredential> {
  const { keys } = contractOf(contract);
  const { apiKey, apiSecret, ...stored } = await keys.create(mode);
  const row = { mode, contract, ...stored, label, ...(keys.haveScopes ? { scopes: [...scopes] } : {}) };
  return { shown: { apiKey, apiSecret }, row };
}

/** Issues an additional credential, as the system. */
export async function issueCredential(
  { database }: Pick<ApplicationStore, 'database'>,
  { applicationId, ...wanted }: WantedCredential & { readonly applicationId: bigint },
): Promise<IssuedCredential> {
  const prepared = await prepareCredential(wanted);
  return database.withSystem((em) => storeCredential(em, applicationId, prepared));
}

/** Stores a credential. Throws RESOURCE_NOT_FOUND. A key with `waits` does not work until another operator has confirmed it. */
export async function storeCredential(
  em: EntityManager,
  applicationId: bigint,
  { row, shown, waits = false }: PreparedCredential & { readonly waits?: boolean },
): Promise<IssuedCredential> {
  if ((await em.count(Application, { id: applicationId })) === 0) {
    throw notFound('application');
  }
  const { keyHash, business } = await contractOf(row.contract).keys.bind(em, { applicationId, apiKey: shown.apiKey });
  const status = waits ? 'PENDING' : 'ACTIVE';
  const credentialId = await em.insert(Credential, { ...row, keyHash, applicationId, status });
  return { credentialId, mode: row.mode, ...shown, business };
}

/** Rotates a credential from outside the API, as the system. */
export async function rotateCredential(
  { database }: Pick<ApplicationStore, 'database'>,
  {
    applicationId,
    graceHours = GRACE_HOURS_DEFAULT,
    ...wanted
  }: WantedCredential & { readonly applicationId: bigint; readonly graceHours?: number },
): Promise<Rotation> {
  const prepared = await prepareCredential(wanted);
  return database.withSystem((em) => storeRotation(em, { applicationId, prepared, graceHours }));
}

/**
 * Issues a new credential for one mode and contract. The former ones keep working for the grace period; an earlier expiry of theirs is never
 * extended.
 */
export async function storeRotation(
  em: EntityManager,
  { applicationId, prepared, graceHours }: { applicationId: bigint; prepared: PreparedCredential; graceHours: number },
): Promise<Rotation> {
  const { mode, contract } = prepared.row;
  const issued = await storeCredential(em, applicationId, prepared);
  const { credentialId } = issued;
  const previousKeyExpiresAt = await endFormer(em, { applicationId, mode, contract, credentialId, graceHours });
  return { ...issued, previousKeyExpiresAt };
}

export interface Succession {
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly contract: Contract;
  /** The key that replaces those issued before it. */
  readonly credentialId: bigint;
  readonly graceHours: number;
}

/** Limits the validity of the former keys of a mode and contract. Returns when they expire at the latest, or null if there were none. */
export async function endFormer(
  em: EntityManager,
  { applicationId, mode, contract, credentialId, graceHours }: Succession,
): Promise<Date | null> {
  const expiresAt = new Date((await readNow(em)).getTime() + graceHours * 3_600_000);
  const stamped = await em.nativeUpdate(
    Credential,
    {
      id: { $lt: credentialId },
      applicationId,
      mode,
      contract,
      status: 'ACTIVE',
      $or: [{ expiresAt: null }, { expiresAt: { $gt: expiresAt } }],
    },
    { expiresAt },
  );
  return stamped > 0 ? expiresAt : null;
}

interface CredentialColumns {
  readonly mode: Mode;
  readonly contract: Contract;
  readonly secretHash: string | null;
  readonly label?: string | null;
  readonly prefix?: string;
  readonly scopes?: string[];
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

/** What operators have set for an application's payments. */
export interface ApplicationPaymentRules {
  readonly expiryMinutes: number;
  readonly minAmountMinor: bigint | null;
  readonly maxAmountMinor: bigint | null;
  /** Null: every gateway. */
  readonly gatewaysAllowed: readonly string[] | null;
  /** Gateways offered if a payment names none. Null: the default gateway. */
  readonly checkoutGateways: readonly string[] | null;
}

export async function readPaymentRules(
  statements: Statements,
  applicationId: bigint,
): Promise<ApplicationPaymentRules> {
  const [row] = await statements.execute<
    {
      expiry_minutes: number;
      min_amount_minor: string | null;
      max_amount_minor: string | null;
      allowed: string | null;
      checkout: string | null;
    }[]
  >(
    `select expiry_minutes, min_amount_minor, max_amount_minor, array_to_json(gateways_allowed)::text as allowed,
       array_to_json(checkout_gateways)::text as checkout
     from applications where id = ?`,
    [applicationId],
  );
  if (row === undefined) {
    throw new Error('the application does not exist in this scope');
  }
  return {
    expiryMinutes: row.expiry_minutes,
    minAmountMinor: row.min_amount_minor === null ? null : BigInt(row.min_amount_minor),
    maxAmountMinor: row.max_amount_minor === null ? null : BigInt(row.max_amount_minor),
    gatewaysAllowed: row.allowed === null ? null : (JSON.parse(row.allowed) as string[]),
    checkoutGateways: row.checkout === null ? null : (JSON.parse(row.checkout) as string[]),
  };
}
