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

/** Registers an application with a TEST and a LIVE credential and its signing secret, which nobody can read again. */
export async function registerApplication(
  { database, secrets }: ApplicationStore,
  settings: ApplicationSettings & { readonly name: string },
): Promise<Registration> {
  const signingSecret = `whsec_${randomBytes(32).toString('base64')}`;
  const test = newPair('TEST');
  const live = newPair('LIVE');
  const rows = await Promise.all([credentialRow('TEST', test), credentialRow('LIVE', live)]);
  const applicationId = await database.withSystem(async (em) => {
    const id = await em.insert(Application, { ...columnsOf(settings), name: settings.name });
    await em.insert(WebhookEndpoint, {
      applicationId: id,
      url: settings.webhookUrl ?? null,
      signingSecret: secrets.seal(signingSecret),
    });
    await em.insertMany(
      Credential,
      rows.map((row) => ({ ...row, applicationId: id })),
    );
    return id;
  });
  return { applicationId, name: settings.name, test, live, signingSecret };
}

/** Changes only what is given. Throws RESOURCE_NOT_FOUND. A new webhook URL also re-enables a disabled endpoint. */
export async function updateApplication(
  { database }: Pick<ApplicationStore, 'database'>,
  { applicationId, ...settings }: ApplicationSettings & { readonly applicationId: bigint },
): Promise<void> {
  await database.withSystem(async (em) => {
    const found = await em.nativeUpdate(
      Application,
      { id: applicationId },
      { ...columnsOf(settings), updatedAt: new Date() },
    );
    if (found === 0) {
      throw notFound('application');
    }
    if (settings.webhookUrl !== undefined) {
      await setWebhookUrl(em, applicationId, settings.webhookUrl);
    }
  });
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

/** A new pair for one mode; the former ones keep working for the grace, and an earlier end of theirs is never moved out. */
export async function rotateCredential(
  { database }: Pick<ApplicationStore, 'database'>,
  { applicationId, mode, graceHours = GRACE_HOURS_DEFAULT }: { applicationId: bigint; mode: Mode; graceHours?: number },
): Promise<Rotation> {
  const pair = newPair(mode);
  const row = await credentialRow(mode, pair);
  return database.withSystem(async (em) => {
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
  });
}

/** 32 characters carry 190 bits; the secret stays under the 72 bytes that bcrypt reads. */
function newPair(mode: Mode): CredentialPair {
  return { apiKey: `oi_${mode.toLowerCase()}_${randomBase62(32)}`, apiSecret: randomBase62(SECRET_LENGTH) };
}

async function credentialRow(mode: Mode, { apiKey, apiSecret }: CredentialPair) {
  return { mode, keyHash: sha256(apiKey), secretHash: await hash(apiSecret, BCRYPT_COST) };
}

type ApplicationColumns = Omit<ApplicationSettings, 'webhookUrl' | 'returnOrigins'> & { returnOrigins?: string[] };

function columnsOf({ webhookUrl: _webhookUrl, returnOrigins, ...rest }: ApplicationSettings): ApplicationColumns {
  return { ...rest, ...(returnOrigins === undefined ? {} : { returnOrigins: [...returnOrigins] }) };
}
