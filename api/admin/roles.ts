import { z } from 'zod';
import { recordAudit } from '../../database/operators/audit.ts';
import {
  deleteRole,
  insertRole,
  listRoles,
  readRole,
  updateRole,
  type RoleRecord,
} from '../../database/operators/roles.ts';
import { DomainError } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { mayGrant, PERMISSION_MEANINGS, PERMISSIONS, type Permission } from '../../domain/permissions.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { PermissionList, Role, RoleBody, RolesQuery } from './schemas.ts';

const TAG = 'Roles';

/** What operators can be allowed, and the roles that allow it. */
export function roleRoutes(deps: AdminDependencies): AdminRoute[] {
  return [permissions(), list(deps), create(deps), update(deps), remove(deps)];
}

function permissions(): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/permissions',
    operationId: 'listPermissions',
    tag: TAG,
    summary: 'List all permissions with their meanings',
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
      const { rows, total } = await deps.database.withOperator(caller.view, (em) => listRoles(em, slice));
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
    summary: 'Create a role of permissions that one holds oneself',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    body: RoleBody,
    response: { status: 201, schema: Role },
    errors: ['RESOURCE_ALREADY_EXISTS'],
    links: { deleteRole: { operationId: 'deleteRole', parameters: { id: '$response.body#/data/id' } } },
    handler: async ({ caller, body }) => {
      requireHeld(caller, body.permissions);
      const role = await deps.database.withOperator(caller.view, async (em) => {
        const created = await readRole(em, await insertRole(em, contentsOf(body)));
        const target = { type: 'role', id: created.id };
        await recordAudit(em, { actor: caller.actor, action: 'role.created', target, after: factsOf(created) });
        return created;
      });
      return { status: 201, data: roleView(role), message: 'Resource created' };
    },
  });
}

function update(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PUT',
    path: '/admin/roles/{id}',
    operationId: 'updateRole',
    tag: TAG,
    summary: 'Change a role; in force at the next request of whoever has it',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    body: RoleBody,
    response: { status: 200, schema: Role },
    errors: ['RESOURCE_NOT_FOUND', 'RESOURCE_ALREADY_EXISTS', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      const role = await deps.database.withOperator(caller.view, async (em) => {
        const before = await readRole(em, params.id);
        requireHeld(caller, [...before.permissions, ...body.permissions]);
        await updateRole(em, params.id, contentsOf(body));
        em.clear();
        const after = await readRole(em, params.id);
        await recordAudit(em, {
          actor: caller.actor,
          action: 'role.changed',
          target: { type: 'role', id: params.id },
          before: factsOf(before),
          after: factsOf(after),
        });
        return after;
      });
      return { status: 200, data: roleView(role) };
    },
  });
}

function remove(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'DELETE',
    path: '/admin/roles/{id}',
    operationId: 'deleteRole',
    tag: TAG,
    summary: 'Delete a role that nobody has',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: z.null() },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => {
      await deps.database.withOperator(caller.view, async (em) => {
        const before = await readRole(em, params.id);
        requireHeld(caller, before.permissions);
        await deleteRole(em, params.id);
        const target = { type: 'role', id: params.id };
        await recordAudit(em, { actor: caller.actor, action: 'role.deleted', target, before: factsOf(before) });
      });
      return { status: 200, data: null };
    },
  });
}

/** A role is no way to permissions that its maker does not hold everywhere himself. */
function requireHeld(caller: OperatorCaller, wanted: readonly Permission[]): void {
  if (!mayGrant(caller.grants, { permissions: wanted, everything: false, applicationId: null })) {
    throw new DomainError('FORBIDDEN', 'this is about permissions that you do not hold yourself');
  }
}

function contentsOf({ name, description = '', permissions }: z.infer<typeof RoleBody>) {
  return { name, description, permissions };
}

function factsOf({ name, description, permissions }: RoleRecord) {
  return { name, description, permissions };
}

function roleView(role: RoleRecord) {
  return {
    ...role,
    id: toJsonInteger(role.id),
    permissions: role.everything ? [...PERMISSIONS] : [...role.permissions],
    createdAt: role.createdAt.toISOString(),
    updatedAt: role.updatedAt.toISOString(),
  };
}
