import { z } from 'zod';
import {
  createOperator,
  endSessionsOf,
  findOperator,
  sendPasswordLink,
  setRoles as changeRoles,
  setStatus as changeStatus,
  withChanges,
  type OperatorWithChanges,
} from '../../core/operators/manage-operators.ts';
import { listOperators, type OperatorStatus } from '../../core/operators/store/operators.ts';
import type { GrantRequest } from '../../core/operators/store/roles.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { GUARDED_PERMISSIONS } from '../../domain/permissions.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { CreateOperator, EndedSessions, GrantsBody, LinkedOperator, Operator, OperatorsQuery } from './schemas.ts';

const TAG = 'Operators';
const GUARDED = GUARDED_PERMISSIONS.join(', ');
const GRANTS_WAIT = `Once a threshold is set, granting a role with ${GUARDED} stays in pendingChanges until another operator confirms it.`;

/** Returns the routes for operators and their roles. Operators can only change operators whose permissions they hold themselves. */
export function userRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    list(deps),
    create(deps),
    read(deps),
    sendLink(deps),
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
      const { rows, total } = await deps.database.withOperator(caller.view, async (em) => {
        const filter = { status: query.status, email: query.email?.toLowerCase() };
        const page = await listOperators(em, { ...slice, filter });
        return { ...page, rows: await withChanges(em, page.rows) };
      });
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
    summary: 'Create an operator and send them a one-time link',
    description: `The operator sets their password through the link, which is sent by email. ${GRANTS_WAIT}`,
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    body: CreateOperator,
    response: { status: 201, schema: LinkedOperator },
    errors: ['RESOURCE_ALREADY_EXISTS'],
    links: { readOperator: { operationId: 'getOperator', parameters: { id: '$response.body#/data/operator/id' } } },
    handler: async ({ caller, body: { email, name, grants } }) => {
      const created = await createOperator(deps, caller, { email, name, grants: grantRequests(grants) });
      return {
        status: 201,
        data: { operator: operatorView(created), passwordLink: passwordLinkOf(deps) },
        message: 'Resource created',
      };
    },
  });
}

function passwordLinkOf({ sendsEmail }: AdminDependencies) {
  return sendsEmail ? ('MAILED' as const) : ('ON_SERVER' as const);
}

function sendLink(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/users/{id}/password-link',
    operationId: 'sendPasswordLink',
    tag: TAG,
    summary: 'Send an operator a new one-time link to set their password',
    description: `Earlier links stop working. The current password works until the link is used. Once a threshold is set, an operator who has a password and one of ${GUARDED} gets the link only after a second operator confirms.`,
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: LinkedOperator },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => {
      const { waits, ...sent } = await sendPasswordLink(deps, caller, params.id);
      const passwordLink = waits ? ('WAITING' as const) : passwordLinkOf(deps);
      return { status: 200, data: { operator: operatorView(sent), passwordLink } };
    },
  });
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/users/{id}',
    operationId: 'getOperator',
    tag: TAG,
    summary: 'Retrieve an operator',
    permission: 'user:read',
    everyApp: true,
    params: IdParams,
    response: { status: 200, schema: Operator },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: operatorView(await findOperator(deps, caller, params.id)),
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
    ...(enable
      ? {
          description: `Once a threshold is set, enabling an operator with one of ${GUARDED} needs a second operator’s confirmation.`,
        }
      : {}),
    summary: enable ? 'Enable an operator' : 'Disable an operator and end all their sessions',
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: Operator },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params: { id } }) => ({
      status: 200,
      data: operatorView(await changeStatus(deps, caller, { id, status })),
    }),
  });
}

function setRoles(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PUT',
    path: '/admin/users/{id}/roles',
    operationId: 'setOperatorRoles',
    tag: TAG,
    summary: 'Replace an operator’s roles',
    description: `Takes effect on the operator’s next request. You cannot change your own roles, or grant or remove permissions that you do not hold. ${GRANTS_WAIT}`,
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    params: IdParams,
    body: GrantsBody,
    response: { status: 200, schema: Operator },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params: { id }, body }) => ({
      status: 200,
      data: operatorView(await changeRoles(deps, caller, { id, grants: grantRequests(body.grants) })),
    }),
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
    handler: async ({ caller, params }) => ({
      status: 200,
      data: { ended: await endSessionsOf(deps, caller, params.id) },
    }),
  });
}

function grantRequests(grants: z.infer<typeof GrantsBody>['grants']): GrantRequest[] {
  return grants.map(({ roleId, applicationId }) => ({
    roleId: BigInt(roleId),
    applicationId: applicationId === null ? null : BigInt(applicationId),
  }));
}

function operatorView({ operator, changes }: OperatorWithChanges) {
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
    pendingChanges: changes.map(pendingChangeView),
  };
}
