import { hash } from '@node-rs/bcrypt';
import { randomBytes } from 'node:crypto';
import type { Mode } from '../domain/mode.ts';
import { notFound } from '../domain/errors.ts';
import { randomBase62 } from '../domain/references.ts';
import { sha256, type SecretBox } from '../runtime/secrets.ts';
import type { Database, EntityManager } from './connection.ts';
import { Application, Credential, WebhookEndpoint, type CustomerDefaults } from './entities/application.ts';

/** Settings that an operator may give; what is absent keeps its default or its present value. */
export interface ApplicationSettings {
  readonly name?: string;
  readonly webhookUrl?: string | null;
  /** Exact origins (`https://shop.example`) that a payer may be sent back to. None registered: any absolute https URL. */
  readonly returnOrigins?: readonly string[];
  readonly expiryMinutes?: number;
  readonly rateLimitPerMinute?: number;
  readonly receiptsEnabled?: boolean;
  readonly minAmountMinor?: bigint | null;
  readonly maxAmountMinor?: bigint | null;
  readonly latePaymentPolicy?: 'REVIEW' | 'REFUND';
  readonly refundApprovalThresholdMinor?: bigint | null;
  /** Null: every gateway. */
  readonly gatewaysAllowed?: readonly string[] | null;
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
  /** Verifies webhooks; `whsec_` and 32 random bytes in base64. */
  readonly signingSecret: string;
}

export interface ApplicationStore {
  readonly database: Database;
  readonly secrets: SecretBox;
}

const SECRET_LENGTH = 40;
const BCRYPT_COST = 10;
const GRACE_HOURS_DEFAULT = 24;

/** What registering an application will store, made before the transaction: hashing takes a tenth of a second. */
export interface PreparedRegistration {
  readonly test: CredentialPair;
  readonly live: CredentialPair;
  readonly signingSecret: string;
  readonly rows: readonly CredentialColumns[];
}

export async function prepareRegistration(): Promise<PreparedRegistration> {
  const test = newPair('TEST');
  const live = newPair('LIVE');
  const rows = await Promise.all([credentialRow('TEST', test), credentialRow('LIVE', live)]);
  return { test, live, rows, signingSecret: `whsec_${randomBytes(32).toString('base64')}` };
}

/** Writes an application with a TEST and a LIVE credential and its signing secret, which nobody can read again. */
export async function insertApplication(
  em: EntityManager,
  secrets: SecretBox,
  { prepared, settings }: { prepared: PreparedRegistration; settings: ApplicationSettings & { readonly name: string } },
): Promise<Registration> {
  const { rows, ...shown } = prepared;
  const applicationId = await em.insert(Application, { ...columnsOf(settings), name: settings.name });
  await em.insert(WebhookEndpoint, {
    applicationId,
    url: settings.webhookUrl ?? null,
    signingSecret: secrets.seal(prepared.signingSecret),
  });
  await em.insertMany(
    Credential,
    rows.map((row) => ({ ...row, applicationId })),
  );
  return { applicationId, name: settings.name, ...shown };
}

/** Registers an application from outside of the API, as the system. */
export async function registerApplication(
  { database, secrets }: ApplicationStore,
  settings: ApplicationSettings & { readonly name: string },
): Promise<Registration> {
  const prepared = await prepareRegistration();
  return database.withSystem((em) => insertApplication(em, secrets, { prepared, settings }));
}

export type ApplicationChange = ApplicationSettings & { readonly applicationId: bigint };

/** Changes an application from outside of the API, as the system. */
export async function updateApplication(
  { database }: Pick<ApplicationStore, 'database'>,
  change: ApplicationChange,
): Promise<void> {
  await database.withSystem((em) => changeApplication(em, change));
}

/** Changes only what is given. Throws RESOURCE_NOT_FOUND. A new webhook URL also re-enables a disabled endpoint. */
export async function changeApplication(
  em: EntityManager,
  { applicationId, ...settings }: ApplicationChange,
): Promise<void> {
  const columns = { ...columnsOf(settings), updatedAt: new Date() };
  if ((await em.nativeUpdate(Application, { id: applicationId }, columns)) === 0) {
    throw notFound('application');
  }
  if (settings.webhookUrl !== undefined) {
    await setWebhookUrl(em, applicationId, settings.webhookUrl);
  }
}

async function setWebhookUrl(em: EntityManager, applicationId: bigint, url: string | null): Promise<void> {
  await em.nativeUpdate(
    WebhookEndpoint,
    { applicationId },
    {
      url,
      disabledAt: null,
      disabledReason: null,
      failingSince: null,
      consecutiveFailures: 0,
      circuitOpenUntil: null,
      updatedAt: new Date(),
    },
  );
}

export interface Rotation extends CredentialPair {
  readonly credentialId: bigint;
  readonly mode: Mode;
  /** Until then the former keys work too; null when there were none. */
  readonly previousKeyExpiresAt: Date | null;
}

/** A new pair, made before the transaction that stores it. */
export interface PreparedCredential {
  readonly mode: Mode;
  readonly pair: CredentialPair;
  readonly row: CredentialColumns;
}

export async function prepareCredential(mode: Mode): Promise<PreparedCredential> {
  const pair = newPair(mode);
  return { mode, pair, row: await credentialRow(mode, pair) };
}

/** Rotates from outside of the API, as the system. */
export async function rotateCredential(
  { database }: Pick<ApplicationStore, 'database'>,
  { applicationId, mode, graceHours = GRACE_HOURS_DEFAULT }: { applicationId: bigint; mode: Mode; graceHours?: number },
): Promise<Rotation> {
  const prepared = await prepareCredential(mode);
  return database.withSystem((em) => storeRotation(em, { applicationId, prepared, graceHours }));
}

/** A new pair for one mode; the former ones keep working for the grace, and an earlier end of theirs is never moved out. */
export async function storeRotation(
  em: EntityManager,
  { applicationId, prepared, graceHours }: { applicationId: bigint; prepared: PreparedCredential; graceHours: number },
): Promise<Rotation> {
  const { mode, pair, row } = prepared;
  if ((await em.count(Application, { id: applicationId })) === 0) {
    throw notFound('application');
  }
  const previousKeyExpiresAt = new Date(Date.now() + graceHours * 3_600_000);
  const stamped = await em.nativeUpdate(
    Credential,
    {
      applicationId,
      mode,
      status: 'ACTIVE',
      $or: [{ expiresAt: null }, { expiresAt: { $gt: previousKeyExpiresAt } }],
    },
    { expiresAt: previousKeyExpiresAt },
  );
  const credentialId = await em.insert(Credential, { ...row, applicationId });
  return { credentialId, mode, ...pair, previousKeyExpiresAt: stamped > 0 ? previousKeyExpiresAt : null };
}

/** 32 characters carry 190 bits; the secret stays under the 72 bytes that bcrypt reads. */
function newPair(mode: Mode): CredentialPair {
  return { apiKey: `oi_${mode.toLowerCase()}_${randomBase62(32)}`, apiSecret: randomBase62(SECRET_LENGTH) };
}

interface CredentialColumns {
  readonly mode: Mode;
  readonly keyHash: Uint8Array;
  readonly secretHash: string;
}

async function credentialRow(mode: Mode, { apiKey, apiSecret }: CredentialPair): Promise<CredentialColumns> {
  return { mode, keyHash: sha256(apiKey), secretHash: await hash(apiSecret, BCRYPT_COST) };
}

type ApplicationColumns = Omit<ApplicationSettings, 'webhookUrl' | 'returnOrigins' | 'gatewaysAllowed'> & {
  returnOrigins?: string[];
  gatewaysAllowed?: string[] | null;
};

function columnsOf({
  webhookUrl: _webhookUrl,
  returnOrigins,
  gatewaysAllowed,
  ...rest
}: ApplicationSettings): ApplicationColumns {
  return {
    ...rest,
    ...(returnOrigins === undefined ? {} : { returnOrigins: [...returnOrigins] }),
    ...(gatewaysAllowed === undefined
      ? {}
      : { gatewaysAllowed: gatewaysAllowed === null ? null : [...gatewaysAllowed] }),
  };
}
