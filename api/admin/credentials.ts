import { z } from 'zod';
import {
  endFormer,
  prepareCredential,
  storeCredential,
  storeRotation,
  type IssuedCredential as StoredCredential,
  type PreparedCredential,
  type WantedCredential,
} from '../../core/applications/store/applications.ts';
import type { EntityManager } from '../../database/connection.ts';
import {
  activateCredential,
  confirmableUntil,
  listCredentials,
  readApplication,
  revokeCredential,
  type CredentialRow,
} from '../../core/applications/store/administration.ts';
import { recordAudit, type AuditFacts } from '../../core/operators/store/audit.ts';
import type { PendingChange } from '../../core/operators/store/pending-changes.ts';
import { isGuarded } from '../../core/operators/store/second-person.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { IdParams } from '../http/fields.ts';
import {
  Credential,
  CredentialParams,
  IssueCredential,
  IssuedCredential,
  RotateCredentials,
  RotatedCredentials,
} from './app-schemas.ts';
import type { OperatorCaller } from './caller.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { outdated, propose } from './propose.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { contractOf } from '../../core/contracts/contracts.ts';

const TAG = 'Applications';
const WAITS =
  'Once the application has a threshold, a LIVE key stays PENDING until another operator confirms it. A rejected or withdrawn key is revoked.';

/** Returns the routes for the credentials of applications. A secret appears only in the response that creates it. */
export function credentialRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), issue(deps), rotate(deps), revoke(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/apps/{id}/credentials',
    operationId: 'listCredentials',
    tag: TAG,
    summary: 'List credentials, newest first',
    permission: 'app:read',
    params: IdParams,
    response: { status: 200, schema: z.array(Credential) },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        await readApplication(em, params.id);
        return (await listCredentials(em, params.id)).map(credentialView);
      }),
    }),
  });
}

function issue(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/apps/{id}/credentials',
    operationId: 'issueCredential',
    tag: TAG,
    summary: 'Create a credential; existing ones keep working',
    description: WAITS,
    permission: 'app:manage',
    sensitive: true,
    params: IdParams,
    body: IssueCredential,
    response: { status: 201, schema: IssuedCredential },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      const prepared = await prepare(body);
      const { contract } = body;
      return {
        status: 201,
        data: await deps.database.withOperator(caller.view, async (em) => {
          const key = { caller, applicationId: params.id, prepared };
          if (await waits(em, key)) {
            const { stored, change } = await proposeKey(em, { ...key, kind: 'credential' });
            return { ...shownKey(stored, contract), status: 'PENDING', pendingChanges: [pendingChangeView(change)] };
          }
          const stored = await storeCredential(em, params.id, prepared);
          const { credentialId, mode } = stored;
          await audit(em, { ...key, action: 'credential.issued', after: { credentialId, mode, contract } });
          return { ...shownKey(stored, contract), status: 'ACTIVE', pendingChanges: [] };
        }),
        message: 'Resource created',
      };
    },
  });
}

function rotate(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/apps/{id}/credentials/rotate',
    operationId: 'rotateCredentials',
    tag: TAG,
    summary: 'Rotate the credentials of one mode and contract',
    description: `Previous credentials of the mode and contract keep working for the grace period. ${WAITS} In that case the grace period begins when it is confirmed.`,
    permission: 'app:manage',
    sensitive: true,
    params: IdParams,
    body: RotateCredentials,
    response: { status: 200, schema: RotatedCredentials },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      const prepared = await prepare(body);
      const { graceHours, contract } = body;
      return {
        status: 200,
        data: await deps.database.withOperator(caller.view, async (em) => {
          const key = { caller, applicationId: params.id, prepared };
          if (await waits(em, key)) {
            const { stored, change } = await proposeKey(em, { ...key, kind: 'credential-rotation', graceHours });
            return {
              ...shownKey(stored, contract),
              status: 'PENDING',
              pendingChanges: [pendingChangeView(change)],
              previousKeyExpiresAt: null,
            };
          }
          const stored = await storeRotation(em, { applicationId: params.id, prepared, graceHours });
          const { credentialId, mode, previousKeyExpiresAt } = stored;
          const after = { credentialId, mode, contract, previousKeyExpiresAt };
          await audit(em, { ...key, action: 'credential.rotated', after });
          return {
            ...shownKey(stored, contract),
            status: 'ACTIVE',
            pendingChanges: [],
            previousKeyExpiresAt: previousKeyExpiresAt?.toISOString() ?? null,
          };
        }),
      };
    },
  });
}

function revoke(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/apps/{id}/credentials/{credentialId}/revoke',
    operationId: 'revokeCredential',
    tag: TAG,
    summary: 'Revoke a credential immediately',
    permission: 'app:manage',
    sensitive: true,
    params: CredentialParams,
    response: { status: 200, schema: Credential },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        const { id: applicationId, credentialId } = params;
        const revoked = await revokeCredential(em, { applicationId, credentialId });
        if (revoked === null) {
          throw notFound('credential');
        }
        const after = { credentialId, mode: revoked.mode };
        await audit(em, { caller, applicationId, action: 'credential.revoked', after });
        return credentialView(revoked);
      }),
    }),
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
  readonly caller: OperatorCaller;
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
): Promise<{ readonly stored: StoredCredential; readonly change: PendingChange }> {
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
  return { stored, change };
}

const KeyFacts = z.object({ credentialId: z.int().transform(BigInt), graceHours: z.int().optional() });

interface DecidedKey {
  readonly caller: OperatorCaller;
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
  readonly caller: OperatorCaller;
  readonly applicationId: bigint;
  readonly action: `credential.${'issued' | 'rotated' | 'revoked'}`;
  readonly after: AuditFacts;
}

function audit(em: Statements, { caller, applicationId, action, after }: Audited): Promise<void> {
  const target = { type: 'application', id: applicationId };
  return recordAudit(em, { actor: caller.actor, action, target, application: { id: applicationId }, after });
}

function shownKey({ credentialId, ...shown }: StoredCredential, contract: z.infer<typeof IssueCredential>['contract']) {
  const { mode, apiKey, apiSecret, business } = shown;
  return { credentialId: toJsonInteger(credentialId), mode, contract, apiKey, apiSecret, business };
}

function credentialView(row: CredentialRow): z.infer<typeof Credential> {
  return {
    id: toJsonInteger(BigInt(row.id)),
    mode: row.mode,
    contract: row.contract,
    label: row.label,
    prefix: row.prefix,
    scopes: row.scopes,
    status: row.status,
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
    lastUsedAt: row.last_used_at === null ? null : new Date(row.last_used_at).toISOString(),
    createdAt: new Date(row.created_at).toISOString(),
  };
}
