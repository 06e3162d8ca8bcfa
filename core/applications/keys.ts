import { z } from 'zod';
import type { EntityManager } from '../../database/connection.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { contractOf } from '../contracts/contracts.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { outdated, propose } from '../operators/propose.ts';
import { recordAudit, type AuditFacts } from '../operators/store/audit.ts';
import type { PendingChange } from '../operators/store/pending-changes.ts';
import { isGuarded } from '../operators/store/second-person.ts';
import {
  activateCredential,
  confirmableUntil,
  endFormer,
  prepareCredential,
  revokeCredential,
  storeCredential,
  storeRotation,
  type CredentialRow,
  type IssuedCredential,
  type PreparedCredential,
  type WantedCredential,
} from './store/credentials.ts';

type Dependencies = Pick<CoreDependencies, 'database'>;

export interface IssuedKey {
  /** Its secret can be shown only now. */
  readonly key: IssuedCredential;
  /** Set while the key waits for a second operator. */
  readonly change: PendingChange | null;
}

/** Creates a key of an application; existing ones keep working. Throws RESOURCE_NOT_FOUND, VALIDATION_ERROR. */
export async function issueKey(
  { database }: Dependencies,
  caller: ActingOperator,
  { applicationId, ...wanted }: WantedCredential & { readonly applicationId: bigint },
): Promise<IssuedKey> {
  const prepared = await prepare(wanted);
  return database.withOperator(caller.view, async (em) => {
    const key = { caller, applicationId, prepared };
    if (await waits(em, key)) {
      return proposeKey(em, { ...key, kind: 'credential' });
    }
    const stored = await storeCredential(em, applicationId, prepared);
    const { credentialId, mode } = stored;
    const { contract } = prepared.row;
    await audit(em, { ...key, action: 'credential.issued', after: { credentialId, mode, contract } });
    return { key: stored, change: null };
  });
}

export interface WantedRotation extends WantedCredential {
  readonly applicationId: bigint;
  readonly graceHours: number;
}

/**
 * Replaces the keys of one mode and contract, which keep working for the grace period. If the new key waits for a second operator, that period begins
 * when it is confirmed. Throws RESOURCE_NOT_FOUND, VALIDATION_ERROR.
 */
export async function rotateKeys(
  { database }: Dependencies,
  caller: ActingOperator,
  { applicationId, graceHours, ...wanted }: WantedRotation,
): Promise<IssuedKey & { readonly previousKeyExpiresAt: Date | null }> {
  const prepared = await prepare(wanted);
  return database.withOperator(caller.view, async (em) => {
    const key = { caller, applicationId, prepared };
    if (await waits(em, key)) {
      const proposed = await proposeKey(em, { ...key, kind: 'credential-rotation', graceHours });
      return { ...proposed, previousKeyExpiresAt: null };
    }
    const { previousKeyExpiresAt, ...stored } = await storeRotation(em, { applicationId, prepared, graceHours });
    const { credentialId, mode } = stored;
    const after = { credentialId, mode, contract: prepared.row.contract, previousKeyExpiresAt };
    await audit(em, { ...key, action: 'credential.rotated', after });
    return { key: stored, change: null, previousKeyExpiresAt };
  });
}

/** Revokes a key at once. Throws RESOURCE_NOT_FOUND. */
export function revokeKey(
  { database }: Dependencies,
  caller: ActingOperator,
  { applicationId, credentialId }: { readonly applicationId: bigint; readonly credentialId: bigint },
): Promise<CredentialRow> {
  return database.withOperator(caller.view, async (em) => {
    const revoked = await revokeCredential(em, { applicationId, credentialId });
    if (revoked === null) {
      throw notFound('credential');
    }
    const after = { credentialId, mode: revoked.mode };
    await audit(em, { caller, applicationId, action: 'credential.revoked', after });
    return revoked;
  });
}

function prepare(wanted: WantedCredential): Promise<PreparedCredential> {
  if (wanted.scopes !== undefined && !contractOf(wanted.contract ?? 'native').keys.haveScopes) {
    const fields = { scopes: `are not known to ${wanted.contract} keys` };
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields });
  }
  return prepareCredential(wanted);
}

interface NewKey {
  readonly caller: ActingOperator;
  readonly applicationId: bigint;
  readonly prepared: PreparedCredential;
}

/**
 * Returns whether a new key needs a second operator. Thresholds do not limit an application's own refunds, so one LIVE key is enough to refund alone.
 * A TEST key moves no real money.
 */
async function waits(em: EntityManager, { applicationId, prepared }: NewKey): Promise<boolean> {
  return prepared.row.mode === 'LIVE' && (await isGuarded(em, applicationId));
}

type ProposedKey = NewKey &
  ({ readonly kind: 'credential' } | { readonly kind: 'credential-rotation'; readonly graceHours: number });

/** Stores a key that does not work yet and proposes it to a second operator. The response shows the key as usual. */
async function proposeKey(
  em: EntityManager,
  { caller, applicationId, prepared, ...proposed }: ProposedKey,
): Promise<IssuedKey & { readonly change: PendingChange }> {
  const stored = await storeCredential(em, applicationId, { ...prepared, waits: true });
  const { credentialId, mode } = stored;
  const { contract, label = null, prefix = null, scopes = null } = prepared.row;
  const change = await propose(em, caller, {
    applicationId,
    mode,
    kind: proposed.kind,
    target: { type: 'application', id: applicationId.toString() },
    before: {},
    after: {
      credentialId: toJsonInteger(credentialId),
      mode,
      contract,
      label,
      prefix,
      scopes,
      ...(proposed.kind === 'credential' ? {} : { graceHours: proposed.graceHours }),
    },
  });
  await confirmableUntil(em, { credentialId, until: change.expiresAt });
  return { key: stored, change };
}

const KeyFacts = z.object({ credentialId: z.int().transform(BigInt), graceHours: z.int().optional() });

interface DecidedKey {
  readonly caller: ActingOperator;
  readonly change: PendingChange;
}

/**
 * Activates a key that a second operator has confirmed, in that operator's transaction.
 * @throws DomainError INVALID_OPERATION_STATE when the key was revoked since it was issued
 */
export async function confirmCredential(em: EntityManager, { caller, change }: DecidedKey): Promise<void> {
  const { credentialId, graceHours } = KeyFacts.parse(change.after);
  const { proposedBy } = change;
  const applicationId = change.applicationId ?? 0n;
  const key = await activateCredential(em, { applicationId, credentialId });
  if (key === null) {
    throw outdated();
  }
  const { mode, contract } = key;
  const issued = { credentialId, mode, contract, proposedBy };
  if (graceHours === undefined) {
    await audit(em, { caller, applicationId, action: 'credential.issued', after: issued });
    return;
  }
  const previousKeyExpiresAt = await endFormer(em, { applicationId, mode, contract, credentialId, graceHours });
  const after = { ...issued, previousKeyExpiresAt };
  await audit(em, { caller, applicationId, action: 'credential.rotated', after });
}

/** Revokes a key whose proposal was rejected or withdrawn. */
export async function dropCredential(em: EntityManager, { caller, change }: DecidedKey): Promise<void> {
  const { credentialId } = KeyFacts.parse(change.after);
  const { proposedBy } = change;
  const applicationId = change.applicationId ?? 0n;
  const revoked = await revokeCredential(em, { applicationId, credentialId });
  if (revoked !== null) {
    const after = { credentialId, mode: revoked.mode, proposedBy };
    await audit(em, { caller, applicationId, action: 'credential.revoked', after });
  }
}

interface Audited {
  readonly caller: ActingOperator;
  readonly applicationId: bigint;
  readonly action: `credential.${'issued' | 'rotated' | 'revoked'}`;
  readonly after: AuditFacts;
}

function audit(em: Statements, { caller, applicationId, action, after }: Audited): Promise<void> {
  const target = { type: 'application', id: applicationId };
  return recordAudit(em, { actor: caller.actor, action, target, application: { id: applicationId }, after });
}
