import { z } from 'zod';
import { createRole, deleteRole, updateRole, withChanges, type RoleWithChanges } from '../../core/operators/roles.ts';
import type { PendingChange } from '../../core/operators/store/pending-changes.ts';
import { listRoles, type RoleContents } from '../../core/operators/store/roles.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { GUARDED_PERMISSIONS, PERMISSION_MEANINGS, PERMISSIONS } from '../../domain/permissions.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { PermissionList, Role, RoleBody, RolesQuery } from './schemas.ts';

const TAG = 'Roles';

/** Returns the routes for permissions and roles. */
export function roleRoutes(deps: AdminDependencies): AdminRoute[] {
  return [permissions(), list(deps), create(deps), update(deps), remove(deps)];
}

function permissions(): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/permissions',
    operationId: 'listPermissions',
    tag: TAG,
    summary: 'List permissions with descriptions',
    permission: 'user:read',
    everyApp: true,
    response: { status: 200, schema: PermissionList },
    errors: [],
    handler: async () => ({
      status: 200,
      data: PERMISSIONS.map((permission) => ({ permission, meaning: PERMISSION_MEANINGS[permission] })),
    }),
  });
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/roles',
    operationId: 'listRoles',
    tag: TAG,
    summary: 'List roles',
    permission: 'user:read',
    everyApp: true,
    query: RolesQuery,
    response: { status: 200, schema: z.array(Role), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { rows, total } = await deps.database.withOperator(caller.view, async (em) => {
        const page = await listRoles(em, slice);
        return { ...page, rows: await withChanges(em, page.rows) };
      });
      return { status: 200, data: rows.map(roleView), pagination: paginationOf(slice, { total }) };
    },
  });
}

function create(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/roles',
    operationId: 'createRole',
    tag: TAG,
    summary: 'Create a role; you can only grant permissions that you hold',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    body: RoleBody,
    response: { status: 201, schema: Role },
    errors: ['RESOURCE_ALREADY_EXISTS'],
    links: { deleteRole: { operationId: 'deleteRole', parameters: { id: '$response.body#/data/id' } } },
    handler: async ({ caller, body }) => {
      const role = roleView(await createRole(deps, caller, contentsOf(body)));
      return { status: 201, data: role, message: 'Resource created' };
    },
  });
}

function update(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PUT',
    path: '/admin/roles/{id}',
    operationId: 'updateRole',
    tag: TAG,
    summary: 'Update a role',
    description: `Takes effect on the next request of each operator who has the role. Once a threshold is set, adding ${GUARDED_PERMISSIONS.join(', ')} to a role in use needs a second operator’s confirmation.`,
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    body: RoleBody,
    response: { status: 200, schema: Role },
    errors: ['RESOURCE_NOT_FOUND', 'RESOURCE_ALREADY_EXISTS', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => ({
      status: 200,
      data: roleView(await updateRole(deps, caller, { id: params.id, contents: contentsOf(body) })),
    }),
  });
}

function remove(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'DELETE',
    path: '/admin/roles/{id}',
    operationId: 'deleteRole',
    tag: TAG,
    summary: 'Delete a role that no operator has',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: z.null() },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => {
      await deleteRole(deps, caller, params.id);
      return { status: 200, data: null };
    },
  });
}

/** Checks the contents of a role that were proposed and are confirmed now. */
export function parseRole(proposed: PendingChange['after']): RoleContents {
  return contentsOf(RoleBody.parse({ ...proposed, description: proposed['description'] || undefined }));
}

function contentsOf({ name, description = '', permissions }: z.infer<typeof RoleBody>): RoleContents {
  return { name, description, permissions };
}

function roleView({ role, changes }: RoleWithChanges) {
  return {
    ...role,
    id: toJsonInteger(role.id),
    permissions: role.everything ? [...PERMISSIONS] : [...role.permissions],
    createdAt: role.createdAt.toISOString(),
    updatedAt: role.updatedAt.toISOString(),
    pendingChanges: changes.map(pendingChangeView),
  };
}
