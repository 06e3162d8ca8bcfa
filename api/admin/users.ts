import { z } from 'zod';
import type { EntityManager } from '../../database/connection.ts';
import { recordAudit } from '../../database/operators/audit.ts';
import { lockSuperAdmins } from '../../database/operators/last-super-admin.ts';
import {
  insertOperator,
  listOperators,
  readGrants,
  readOperator,
  setOperatorStatus,
  type OperatorRecord,
  type OperatorStatus,
} from '../../database/operators/operators.ts';
import { hashPassword, temporaryPassword } from '../../database/operators/passwords.ts';
import { readGrantRequests, replaceGrants, resolveGrants, type GrantRequest } from '../../database/operators/roles.ts';
import { endSessions } from '../../database/operators/sessions.ts';
import { DomainError } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { mayGrant, type Grant } from '../../domain/permissions.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { CreatedOperator, CreateOperator, EndedSessions, GrantsBody, Operator, OperatorsQuery } from './schemas.ts';

const TAG = 'Operators';

/** Who may use the operators' API, and as what. What touches somebody is for whoever holds at least what he holds. */
export function userRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    list(deps),
    create(deps),
    read(deps),
    setStatus(deps, 'ACTIVE'),
    setStatus(deps, 'DISABLED'),
    setRoles(deps),
    endAllSessions(deps),
  ];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/users',
    operationId: 'listOperators',
    tag: TAG,
    summary: 'List operators',
    permission: 'user:read',
    everyApp: true,
    query: OperatorsQuery,
    response: { status: 200, schema: z.array(Operator), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { rows, total } = await deps.database.withOperator(caller.view, (em) =>
        listOperators(em, { ...slice, filter: { status: query.status, email: query.email?.toLowerCase() } }),
      );
      return { status: 200, data: rows.map(operatorView), pagination: paginationOf(slice, { total }) };
    },
  });
}

function create(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/users',
    operationId: 'createOperator',
    tag: TAG,
    summary: 'Create an operator, with a password for the first login',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    body: CreateOperator,
    response: { status: 201, schema: CreatedOperator },
    errors: ['RESOURCE_ALREADY_EXISTS'],
    links: { readOperator: { operationId: 'getOperator', parameters: { id: '$response.body#/data/operator/id' } } },
    handler: async ({ caller, body }) => {
      const password = temporaryPassword();
      const passwordHash = await hashPassword(password);
      const grants = grantRequests(body.grants);
      const operator = await deps.database.withOperator(caller.view, async (em) => {
        await lockSuperAdmins(em);
        requireMastery(caller, await resolveGrants(em, grants));
        const operatorId = await insertOperator(em, {
          email: body.email,
          name: body.name,
          passwordHash,
          passwordTemporary: true,
        });
        await replaceGrants(em, { operatorId, grants });
        const created = await readOperator(em, operatorId);
        const after = { email: created.email, name: created.name, grants: rolesFacts(created) };
        await recordAudit(em, { actor: caller.actor, action: 'operator.created', target: targetOf(created), after });
        return created;
      });
      return {
        status: 201,
        data: { operator: operatorView(operator), temporaryPassword: password },
        message: 'Resource created',
      };
    },
  });
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/users/{id}',
    operationId: 'getOperator',
    tag: TAG,
    summary: 'Read an operator',
    permission: 'user:read',
    everyApp: true,
    params: IdParams,
    response: { status: 200, schema: Operator },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: operatorView(await deps.database.withOperator(caller.view, (em) => readOperator(em, params.id))),
    }),
  });
}

function setStatus(deps: AdminDependencies, status: OperatorStatus): AdminRoute {
  const enable = status === 'ACTIVE';
  return adminRoute({
    method: 'POST',
    path: `/admin/users/{id}/${enable ? 'enable' : 'disable'}`,
    operationId: enable ? 'enableOperator' : 'disableOperator',
    tag: TAG,
    summary: enable ? 'Enable an operator' : 'Disable an operator and end all his sessions',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: Operator },
    errors: ['RESOURCE_NOT_FOUND', ...(enable ? [] : (['INVALID_OPERATION_STATE'] as const))],
    handler: async ({ caller, params }) => {
      refuseSelf(caller, params.id, enable ? 'enables' : 'disables');
      const operator = await deps.database.withOperator(caller.view, async (em) => {
        await requireMasteryOf(em, caller, params.id);
        if (await setOperatorStatus(em, { operatorId: params.id, status })) {
          await recordAudit(em, {
            actor: caller.actor,
            action: enable ? 'operator.enabled' : 'operator.disabled',
            target: { type: 'operator', id: params.id },
            before: { status: enable ? 'DISABLED' : 'ACTIVE' },
            after: { status },
          });
        }
        return readOperator(em, params.id);
      });
      return { status: 200, data: operatorView(operator) };
    },
  });
}

function setRoles(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PUT',
    path: '/admin/users/{id}/roles',
    operationId: 'setOperatorRoles',
    tag: TAG,
    summary: 'Give an operator these roles and no others',
    description:
      'In force at his next request. Nobody changes his own roles, or gives or takes what he does not hold himself.',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    body: GrantsBody,
    response: { status: 200, schema: Operator },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      refuseSelf(caller, params.id, 'changes the roles of');
      const wanted = grantRequests(body.grants);
      const operator = await deps.database.withOperator(caller.view, async (em) => {
        await lockSuperAdmins(em);
        const before = await readOperator(em, params.id);
        const present = await readGrantRequests(em, params.id);
        const changed = [...without(wanted, present), ...without(present, wanted)];
        await resolveGrants(em, wanted);
        requireMastery(caller, await resolveGrants(em, changed));
        await replaceGrants(em, { operatorId: params.id, grants: wanted });
        const after = await readOperator(em, params.id);
        await recordAudit(em, {
          actor: caller.actor,
          action: 'operator.roles-changed',
          target: targetOf(after),
          before: { grants: rolesFacts(before) },
          after: { grants: rolesFacts(after) },
        });
        return after;
      });
      return { status: 200, data: operatorView(operator) };
    },
  });
}

function endAllSessions(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/users/{id}/sessions/end',
    operationId: 'endOperatorSessions',
    tag: TAG,
    summary: 'End all sessions of an operator',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: EndedSessions },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => {
      const ended = await deps.database.withOperator(caller.view, async (em) => {
        const operator = await readOperator(em, params.id);
        await requireMasteryOf(em, caller, params.id);
        const count = await endSessions(em, { operatorId: params.id, reason: 'killed' });
        const after = { sessionsEnded: count };
        await recordAudit(em, {
          actor: caller.actor,
          action: 'operator.sessions-ended',
          target: targetOf(operator),
          after,
        });
        return count;
      });
      return { status: 200, data: { ended } };
    },
  });
}

function refuseSelf(caller: OperatorCaller, id: bigint, does: string): void {
  if (caller.operator.id === id) {
    throw new DomainError('FORBIDDEN', `nobody ${does} himself: ask another operator`);
  }
}

/** @throws DomainError FORBIDDEN when one of these is more than the caller holds himself. */
function requireMastery(caller: OperatorCaller, grants: readonly Grant[]): void {
  if (!grants.every((grant) => mayGrant(caller.grants, grant))) {
    throw new DomainError('FORBIDDEN', 'this is about permissions that you do not hold yourself');
  }
}

async function requireMasteryOf(em: EntityManager, caller: OperatorCaller, operatorId: bigint): Promise<void> {
  requireMastery(caller, await readGrants(em, operatorId));
}

function grantRequests(grants: z.infer<typeof GrantsBody>['grants']): GrantRequest[] {
  return grants.map(({ roleId, applicationId }) => ({
    roleId: BigInt(roleId),
    applicationId: applicationId === null ? null : BigInt(applicationId),
  }));
}

function without(grants: readonly GrantRequest[], others: readonly GrantRequest[]): GrantRequest[] {
  return grants.filter(
    (grant) =>
      !others.some(({ roleId, applicationId }) => roleId === grant.roleId && applicationId === grant.applicationId),
  );
}

function targetOf({ id }: OperatorRecord) {
  return { type: 'operator', id };
}

function rolesFacts({ roles }: OperatorRecord) {
  return roles.map(({ roleId, name, applicationId }) => ({ roleId, name, applicationId }));
}

export function operatorView(operator: OperatorRecord) {
  return {
    ...operator,
    id: toJsonInteger(operator.id),
    lastLoginAt: operator.lastLoginAt?.toISOString() ?? null,
    createdAt: operator.createdAt.toISOString(),
    updatedAt: operator.updatedAt.toISOString(),
    roles: operator.roles.map(({ roleId, name, applicationId }) => ({
      roleId: toJsonInteger(roleId),
      name,
      applicationId: applicationId === null ? null : toJsonInteger(applicationId),
    })),
  };
}
