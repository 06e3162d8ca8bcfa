import { randomBytes } from 'node:crypto';
import { DomainError, notFound } from '../../../domain/errors.ts';
import type { Mode } from '../../../domain/mode.ts';
import { FORMER_SECRETS_MAX } from '../../../domain/webhook.ts';
import { signingSecretPlace } from '../../../runtime/sealed-places.ts';
import { sha256, type SecretBox } from '../../../runtime/secrets.ts';
import type { EntityManager, Scope } from '../../../database/connection.ts';
import { now, plus, span } from '../../../database/expressions.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

/** Returns `whsec_` and 32 random bytes in base64, as in the Standard Webhooks specification. */
export function newSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

const INSERT = statement((db, $: Given<Scope & { sealed: string; fingerprint: Uint8Array }>) =>
  db
    .insertInto('webhook_signing_secrets')
    .values({
      applicationId: $('applicationId'),
      mode: $('mode'),
      sealed: $('sealed'),
      fingerprint: $('fingerprint'),
    })
    .onConflict((conflict) => conflict.columns(['applicationId', 'fingerprint']).doNothing())
    .returning('id'),
);

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
  const stored = await INSERT.first(em, {
    applicationId,
    mode,
    sealed: secrets.seal(secret, signingSecretPlace({ applicationId, mode })),
    fingerprint: sha256(secret),
  });
  if (stored === undefined) {
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

const LOCK_ENDPOINT = statement((db, $: Given<Scope>) =>
  db
    .selectFrom('webhook_endpoints')
    .select('mode')
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .forUpdate(),
);

const REVOKE_FORMER = statement((db, $: Given<Scope>) =>
  db
    .updateTable('webhook_signing_secrets')
    .set((eb) => ({ expiresAt: eb.fn<Date>('least', ['expiresAt', now]) }))
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('expiresAt', 'is not', null),
);

const READ_FORMER = statement((db, $: Given<Scope>) =>
  db
    .selectFrom('webhook_signing_secrets')
    .select((eb) => eb.ref('expiresAt').$notNull().as('expiresAt'))
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('expiresAt', '>', now)
    .orderBy('expiresAt'),
);

const END_CURRENT = statement((db, $: Given<Scope & { overlapHours: number }>) =>
  db
    .updateTable('webhook_signing_secrets')
    .set({ expiresAt: plus(now, span($('overlapHours'), 'hour')) })
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('expiresAt', 'is', null)
    .returning((eb) => eb.ref('expiresAt').$notNull().as('expiresAt')),
);

const FORGET_EXPIRED = statement((db, $: Given<Scope>) =>
  db
    .updateTable('webhook_signing_secrets')
    .set({ sealed: null })
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('expiresAt', '<=', now)
    .where('sealed', 'is not', null),
);

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
  const owner = { applicationId, mode };
  // Concurrent rotations run one after the other.
  if ((await LOCK_ENDPOINT.first(em, owner)) === undefined) {
    throw notFound('application');
  }
  if (revokeFormer) {
    await REVOKE_FORMER.all(em, owner);
  }
  const former = await READ_FORMER.all(em, owner);
  const [first] = former;
  if (overlapHours > 0 && first !== undefined && former.length >= FORMER_SECRETS_MAX) {
    throw new DomainError(
      'INVALID_OPERATION_STATE',
      `${former.length} previous secrets still sign deliveries; the first of them ends at ${first.expiresAt.toISOString()}`,
    );
  }
  const replaced = await END_CURRENT.first(em, { ...owner, overlapHours });
  // The text of an expired secret is no longer needed.
  await FORGET_EXPIRED.all(em, owner);
  const signingSecret = newSigningSecret();
  await storeSigningSecret(em, secrets, { applicationId, mode, secret: signingSecret });
  if (replaced === undefined) {
    throw new Error('a webhook endpoint has no current signing secret');
  }
  return { mode, signingSecret, previousSecretExpiresAt: replaced.expiresAt };
}
