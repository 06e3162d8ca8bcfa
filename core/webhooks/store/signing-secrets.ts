import { randomBytes } from 'node:crypto';
import { DomainError, notFound } from '../../../domain/errors.ts';
import type { Mode } from '../../../domain/mode.ts';
import { FORMER_SECRETS_MAX } from '../../../domain/webhook.ts';
import { signingSecretPlace } from '../../../runtime/sealed-places.ts';
import { sha256, type SecretBox } from '../../../runtime/secrets.ts';
import type { EntityManager, Scope } from '../../../database/connection.ts';

/** Returns `whsec_` and 32 random bytes in base64, as in the Standard Webhooks specification. */
export function newSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * Stores the secret that signs the events of an application in one mode from now on.
 * @throws RESOURCE_ALREADY_EXISTS if the application has or had the same secret in either mode: anyone who knows TEST's could sign as LIVE
 */
export async function storeSigningSecret(
  em: EntityManager,
  secrets: SecretBox,
  { applicationId, mode, secret }: Scope & { readonly secret: string },
): Promise<void> {
  // The secret is random like an API key, so a plain hash reveals nothing about it.
  const stored = await em.execute<object[]>(
    `insert into webhook_signing_secrets (application_id, mode, sealed, fingerprint) values (?::bigint, ?, ?, ?)
     on conflict (application_id, fingerprint) do nothing returning 1`,
    [applicationId, mode, secrets.seal(secret, signingSecretPlace({ applicationId, mode })), sha256(secret)],
  );
  if (stored.length === 0) {
    throw new DomainError('RESOURCE_ALREADY_EXISTS', 'the application already uses or has used this signing secret');
  }
}

export interface SigningSecretRotation extends Scope {
  /** For how many hours the current secret keeps signing along with the new one. 0: not at all. */
  readonly overlapHours: number;
  /** Also ends the overlaps of earlier rotations, for a leaked secret. */
  readonly revokeFormer?: boolean;
}

export interface RotatedSigningSecret {
  readonly mode: Mode;
  readonly signingSecret: string;
  /** Until then both secrets sign every delivery. */
  readonly previousSecretExpiresAt: Date;
}

/**
 * Creates a new signing secret for one mode. Former ones keep signing until their announced end, so that receivers can switch in between.
 * @throws RESOURCE_NOT_FOUND
 * @throws INVALID_OPERATION_STATE if more secrets would overlap than can sign a delivery
 */
export async function rotateSigningSecret(
  em: EntityManager,
  secrets: SecretBox,
  { applicationId, mode, overlapHours, revokeFormer = false }: SigningSecretRotation,
): Promise<RotatedSigningSecret> {
  const owner = [applicationId, mode];
  // Concurrent rotations run one after the other.
  const endpoint = await em.execute<object[]>(
    'select 1 from webhook_endpoints where application_id = ?::bigint and mode = ? for update',
    owner,
  );
  if (endpoint.length === 0) {
    throw notFound('application');
  }
  if (revokeFormer) {
    await em.execute(
      `update webhook_signing_secrets set expires_at = least(expires_at, now())
       where application_id = ?::bigint and mode = ? and expires_at is not null`,
      owner,
    );
  }
  const former = await em.execute<{ expires_at: Date }[]>(
    `select expires_at from webhook_signing_secrets
     where application_id = ?::bigint and mode = ? and expires_at > now() order by expires_at`,
    owner,
  );
  const [first] = former;
  if (overlapHours > 0 && first !== undefined && former.length >= FORMER_SECRETS_MAX) {
    throw new DomainError(
      'INVALID_OPERATION_STATE',
      `${former.length} previous secrets still sign deliveries; the first of them ends at ${new Date(first.expires_at).toISOString()}`,
    );
  }
  const [replaced] = await em.execute<{ expires_at: Date }[]>(
    `update webhook_signing_secrets set expires_at = now() + ? * interval '1 hour'
     where application_id = ?::bigint and mode = ? and expires_at is null returning expires_at`,
    [overlapHours, ...owner],
  );
  // The text of an expired secret is no longer needed.
  await em.execute(
    `update webhook_signing_secrets set sealed = null
     where application_id = ?::bigint and mode = ? and expires_at <= now() and sealed is not null`,
    owner,
  );
  const signingSecret = newSigningSecret();
  await storeSigningSecret(em, secrets, { applicationId, mode, secret: signingSecret });
  if (replaced === undefined) {
    throw new Error('a webhook endpoint has no current signing secret');
  }
  return { mode, signingSecret, previousSecretExpiresAt: new Date(replaced.expires_at) };
}
