import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { EntityManager } from '../../database/connection.ts';
import { recordAudit, type AuditFacts } from '../../core/operators/store/audit.ts';
import { lockSuperAdmins } from '../../core/operators/store/last-super-admin.ts';
import { plain, waitingChanges, type PendingChange } from '../../core/operators/store/pending-changes.ts';
import {
  deleteRole,
  insertRole,
  listRoles,
  readRole,
  readRoleHolders,
  updateRole,
  type RoleContents,
  type RoleHolder,
  type RoleRecord,
} from '../../core/operators/store/roles.ts';
import { areGrantsGuarded } from '../../core/operators/store/second-person.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import {
  GUARDED_PERMISSIONS,
  mayGrant,
  PERMISSION_MEANINGS,
  PERMISSIONS,
  type Permission,
} from '../../domain/permissions.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { outdated, propose } from './propose.ts';
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
        return { ...page, rows: await roleViews(em, page.rows) };
      });
      return { status: 200, data: rows, pagination: paginationOf(slice, { total }) };
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
      requireHeld(caller, body.permissions);
      const role = await deps.database.withOperator(caller.view, async (em) => {
        const created = await readRole(em, await insertRole(em, contentsOf(body)));
        const target = { type: 'role', id: created.id };
        await recordAudit(em, { actor: caller.actor, action: 'role.created', target, after: factsOf(created) });
        const [view] = await roleViews(em, [created]);
        return view ?? notFoundRole();
      });
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
    handler: async ({ caller, params, body }) => {
      const role = await deps.database.withOperator(caller.view, async (em) => {
        await lockSuperAdmins(em);
        const before = await readRole(em, params.id);
        requireHeld(caller, [...before.permissions, ...body.permissions]);
        const added = body.permissions.filter((permission) => !before.permissions.includes(permission));
        const holders = await readRoleHolders(em, params.id);
        const gained = holders.map(({ applicationId }) => ({ permissions: added, everything: false, applicationId }));
        if (!before.seeded && (await areGrantsGuarded(em, gained))) {
          const target = { type: 'role', id: params.id.toString() } as const;
          const facts = { before: shownRole(before, holders), after: factsOf({ ...before, ...contentsOf(body) }) };
          await propose(em, caller, { applicationId: null, mode: null, kind: 'role', target, ...facts });
        } else {
          await writeRole(em, { caller, before, contents: contentsOf(body) });
        }
        em.clear();
        const [view] = await roleViews(em, [await readRole(em, params.id)]);
        return view ?? notFoundRole();
      });
      return { status: 200, data: role };
    },
  });
}

interface RoleChange {
  readonly caller: OperatorCaller;
  readonly before: RoleRecord;
  readonly contents: RoleContents;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

async function writeRole(em: EntityManager, { caller, before, contents, proposedBy }: RoleChange): Promise<void> {
  await updateRole(em, before.id, contents);
  em.clear();
  await recordAudit(em, {
    actor: caller.actor,
    action: 'role.changed',
    target: { type: 'role', id: before.id },
    before: factsOf(before),
    after: { ...factsOf(await readRole(em, before.id)), ...(proposedBy === undefined ? {} : { proposedBy }) },
  });
}

/**
 * Applies a change of a role that a second operator has confirmed, in that operator's transaction.
 * @throws DomainError FORBIDDEN, INVALID_OPERATION_STATE when the role, or who has it, is not what it was when the change was proposed
 */
export async function confirmRole(
  em: EntityManager,
  { caller, change }: { readonly caller: OperatorCaller; readonly change: PendingChange },
): Promise<void> {
  await lockSuperAdmins(em);
  const before = await readRole(em, BigInt(change.target.id));
  const holders = await readRoleHolders(em, before.id);
  if (!isDeepStrictEqual(plain(shownRole(before, holders)), change.before)) {
    throw outdated();
  }
  const contents = contentsOf(
    RoleBody.parse({ ...change.after, description: change.after['description'] || undefined }),
  );
  requireHeld(caller, [...before.permissions, ...contents.permissions]);
  await writeRole(em, { caller, before, contents, proposedBy: change.proposedBy });
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

/** Checks that the caller holds the permissions in every application: operators cannot gain permissions through a role that they create. */
function requireHeld(caller: OperatorCaller, wanted: readonly Permission[]): void {
  if (!mayGrant(caller.grants, { permissions: wanted, everything: false, applicationId: null })) {
    throw new DomainError('FORBIDDEN', 'you cannot change permissions that you do not have');
  }
}

function contentsOf({ name, description = '', permissions }: z.infer<typeof RoleBody>) {
  return { name, description, permissions };
}

function factsOf({ name, description, permissions }: RoleRecord) {
  return { name, description, permissions };
}

/**
 * Returns what a second operator sees of a role that gains permissions. It includes the holders: one operator alone can assign a harmless role, so
 * another operator could otherwise receive it while the change waits, and gain permissions that were not confirmed for them.
 */
function shownRole(role: RoleRecord, holders: readonly RoleHolder[]): AuditFacts {
  return { ...factsOf(role), heldBy: holders.map((holder) => ({ ...holder })) };
}

function notFoundRole(): never {
  throw notFound('role');
}

async function roleViews(em: EntityManager, roles: readonly RoleRecord[]) {
  const changes = await waitingChanges(
    em,
    'role',
    roles.map(({ id }) => id.toString()),
  );
  return roles.map((role) => ({
    ...roleView(role),
    pendingChanges: changes.filter(({ target }) => target.id === role.id.toString()).map(pendingChangeView),
  }));
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
