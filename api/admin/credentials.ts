import { z } from 'zod';
import { issueKey, revokeKey, rotateKeys, type IssuedKey } from '../../core/applications/keys.ts';
import { readApplication } from '../../core/applications/store/administration.ts';
import { listCredentials, type CredentialRow } from '../../core/applications/store/credentials.ts';
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
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';

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
    handler: async ({ caller, params, body }) => ({
      status: 201,
      data: issuedView(await issueKey(deps, caller, { applicationId: params.id, ...body }), body),
      message: 'Resource created',
    }),
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
      const rotated = await rotateKeys(deps, caller, { applicationId: params.id, ...body });
      const previousKeyExpiresAt = rotated.previousKeyExpiresAt?.toISOString() ?? null;
      return { status: 200, data: { ...issuedView(rotated, body), previousKeyExpiresAt } };
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
    handler: async ({ caller, params: { id: applicationId, credentialId } }) => ({
      status: 200,
      data: credentialView(await revokeKey(deps, caller, { applicationId, credentialId })),
    }),
  });
}

function issuedView({ key, change }: IssuedKey, { contract }: Pick<z.infer<typeof IssueCredential>, 'contract'>) {
  const { credentialId, mode, apiKey, apiSecret, business } = key;
  return {
    credentialId: toJsonInteger(credentialId),
    mode,
    contract,
    apiKey,
    apiSecret,
    business,
    status: change === null ? ('ACTIVE' as const) : ('PENDING' as const),
    pendingChanges: change === null ? [] : [pendingChangeView(change)],
  };
}

function credentialView(row: CredentialRow): z.infer<typeof Credential> {
  return {
    id: toJsonInteger(row.id),
    mode: row.mode,
    contract: row.contract,
    label: row.label,
    prefix: row.prefix,
    scopes: row.scopes,
    status: row.status,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
