import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { EntityManager } from '../../database/connection.ts';
import { recordAudit, type AuditFacts } from '../../core/operators/store/audit.ts';
import { requestLink } from '../../core/operators/store/links.ts';
import { lockSuperAdmins } from '../../core/operators/store/last-super-admin.ts';
import {
  insertOperator,
  listOperators,
  readGrants,
  readOperator,
  setOperatorStatus,
  type OperatorRecord,
  type OperatorStatus,
} from '../../core/operators/store/operators.ts';
import { plain, waitingChanges, type PendingChange } from '../../core/operators/store/pending-changes.ts';
import {
  readGrantRequests,
  readRoleNames,
  replaceGrants,
  resolveGrants,
  type GrantRequest,
} from '../../core/operators/store/roles.ts';
import { areGrantsGuarded } from '../../core/operators/store/second-person.ts';
import { endSessions } from '../../core/operators/store/sessions.ts';
import { DomainError } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { GUARDED_PERMISSIONS, mayGrant, type Grant } from '../../domain/permissions.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { outdated, propose } from './propose.ts';
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
        return { ...page, rows: await operatorViews(em, page.rows) };
      });
      return { status: 200, data: rows, pagination: paginationOf(slice, { total }) };
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
    handler: async ({ caller, body }) => {
      const grants = grantRequests(body.grants);
      const operator = await deps.database.withOperator(caller.view, async (em) => {
        await lockSuperAdmins(em);
        const wanted = await resolveGrants(em, grants);
        requireMastery(caller, wanted);
        const { email, name } = body;
        const operatorId = await insertOperator(em, { email, name, passwordHash: null, passwordTemporary: false });
        const guarded = await areGrantsGuarded(em, wanted);
        if (!guarded) {
          await replaceGrants(em, { operatorId, grants });
        }
        const created = await readOperator(em, operatorId);
        const after = { email: created.email, name: created.name, grants: rolesFacts(created) };
        await recordAudit(em, { actor: caller.actor, action: 'operator.created', target: targetOf(created), after });
        if (guarded) {
          await proposeGrants(em, { caller, operator: created, grants });
        }
        await requestLink(em, operatorId);
        return operatorView(em, created);
      });
      return {
        status: 201,
        data: { operator, passwordLink: passwordLinkOf(deps) },
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
      refuseSelf(caller, params.id, 'send yourself a link');
      const data = await deps.database.withOperator(caller.view, async (em) => {
        await lockSuperAdmins(em);
        await requireMasteryOf(em, caller, params.id);
        const operator = await readOperator(em, params.id);
        requireActive(operator);
        // An operator without a password has no access that a link could take over. As with the first link, only they receive it.
        const waits = operator.passwordSet && (await areGrantsGuarded(em, await readGrants(em, params.id)));
        if (waits) {
          await proposeOn(em, { caller, operator, kind: 'operator-access', before: {}, after: { passwordLink: true } });
        } else {
          await writeLink(em, { caller, operator });
        }
        return {
          operator: await operatorView(em, operator),
          passwordLink: waits ? ('WAITING' as const) : passwordLinkOf(deps),
        };
      });
      return { status: 200, data };
    },
  });
}

interface Written {
  readonly caller: OperatorCaller;
  readonly operator: OperatorRecord;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

function byProposer(proposedBy: bigint | undefined): AuditFacts {
  return proposedBy === undefined ? {} : { proposedBy };
}

async function writeLink(em: EntityManager, { caller, operator, proposedBy }: Written): Promise<void> {
  await requestLink(em, operator.id);
  await recordAudit(em, {
    actor: caller.actor,
    action: 'operator.link-requested',
    target: targetOf(operator),
    after: byProposer(proposedBy),
  });
}

function requireActive({ status }: OperatorRecord): void {
  if (status !== 'ACTIVE') {
    throw new DomainError('INVALID_OPERATION_STATE', 'the operator is disabled');
  }
}

interface ProposedOn {
  readonly caller: OperatorCaller;
  readonly operator: OperatorRecord;
  readonly kind: 'operator-roles' | 'operator-access' | 'operator-enabling';
  readonly before: AuditFacts;
  readonly after: AuditFacts;
}

async function proposeOn(em: EntityManager, { caller, operator, kind, before, after }: ProposedOn): Promise<void> {
  const target = { type: 'operator', id: operator.id.toString() } as const;
  await propose(em, caller, { applicationId: null, mode: null, kind, target, before, after });
}

async function proposeGrants(
  em: EntityManager,
  { caller, operator, grants }: Omit<Written, 'proposedBy'> & { readonly grants: readonly GrantRequest[] },
): Promise<void> {
  const names = await readRoleNames(
    em,
    grants.map(({ roleId }) => roleId),
  );
  const wanted = grants.map((grant) => ({ ...grant, name: names.get(grant.roleId) ?? '' }));
  const permissions = await permissionsGranted(em, grants);
  const [before, after] = [{ grants: rolesFacts(operator) }, { grants: grantFacts(wanted), permissions }];
  await proposeOn(em, { caller, operator, kind: 'operator-roles', before, after });
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
      data: await deps.database.withOperator(caller.view, async (em) =>
        operatorView(em, await readOperator(em, params.id)),
      ),
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
    handler: async ({ caller, params }) => {
      refuseSelf(caller, params.id, enable ? 'enable yourself' : 'disable yourself');
      const operator = await deps.database.withOperator(caller.view, async (em) => {
        await lockSuperAdmins(em);
        await requireMasteryOf(em, caller, params.id);
        const before = await readOperator(em, params.id);
        const waits =
          enable && before.status === 'DISABLED' && (await areGrantsGuarded(em, await readGrants(em, params.id)));
        if (waits) {
          const change = { before: { status: before.status }, after: { status } };
          await proposeOn(em, { caller, operator: before, kind: 'operator-enabling', ...change });
        } else {
          await writeStatus(em, { caller, operator: before, status });
        }
        return operatorView(em, await readOperator(em, params.id));
      });
      return { status: 200, data: operator };
    },
  });
}

async function writeStatus(
  em: EntityManager,
  { caller, operator, status, proposedBy }: Written & { readonly status: OperatorStatus },
): Promise<void> {
  if (await setOperatorStatus(em, { operatorId: operator.id, status })) {
    await recordAudit(em, {
      actor: caller.actor,
      action: status === 'ACTIVE' ? 'operator.enabled' : 'operator.disabled',
      target: targetOf(operator),
      before: { status: operator.status },
      after: { status, ...byProposer(proposedBy) },
    });
  }
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
    handler: async ({ caller, params, body }) => {
      refuseSelf(caller, params.id, 'change your own roles');
      const wanted = grantRequests(body.grants);
      const operator = await deps.database.withOperator(caller.view, async (em) => {
        await lockSuperAdmins(em);
        const before = await readOperator(em, params.id);
        const present = await readGrantRequests(em, params.id);
        const added = await resolveGrants(em, without(wanted, present));
        await resolveGrants(em, wanted);
        requireMastery(caller, [...added, ...(await resolveGrants(em, without(present, wanted)))]);
        if (await areGrantsGuarded(em, added)) {
          await proposeGrants(em, { caller, operator: before, grants: wanted });
        } else {
          await writeGrants(em, { caller, operator: before, grants: wanted });
        }
        return operatorView(em, await readOperator(em, params.id));
      });
      return { status: 200, data: operator };
    },
  });
}

async function writeGrants(
  em: EntityManager,
  { caller, operator, grants, proposedBy }: Written & { readonly grants: readonly GrantRequest[] },
): Promise<void> {
  await replaceGrants(em, { operatorId: operator.id, grants });
  const after = await readOperator(em, operator.id);
  await recordAudit(em, {
    actor: caller.actor,
    action: 'operator.roles-changed',
    target: targetOf(after),
    before: { grants: rolesFacts(operator) },
    after: { grants: rolesFacts(after), ...byProposer(proposedBy) },
  });
}

/** Returns what each grant allows now. A second operator confirms these permissions, not what the roles allow later. */
async function permissionsGranted(em: EntityManager, grants: readonly GrantRequest[]): Promise<string[][]> {
  const resolved = await resolveGrants(em, grants);
  return resolved.map(({ everything, permissions }) => (everything ? ['everything'] : [...permissions].sort()));
}

const GrantsToConfirm = z.object({
  permissions: z.array(z.array(z.string())),
  grants: z.array(
    z.object({
      roleId: z.string().transform(BigInt),
      applicationId: z.string().transform(BigInt).nullable(),
    }),
  ),
});

/**
 * Applies a change of an operator that a second operator has confirmed, in that operator's transaction. The confirming operator must be allowed to
 * propose the same change, and the change must not concern themselves.
 * @throws DomainError FORBIDDEN, INVALID_OPERATION_STATE when the operator is not what they were when the change was proposed
 */
export async function confirmOperatorChange(
  em: EntityManager,
  { caller, change }: { readonly caller: OperatorCaller; readonly change: PendingChange },
): Promise<void> {
  const operatorId = BigInt(change.target.id);
  const { proposedBy } = change;
  refuseSelf(caller, operatorId, 'confirm a change of yourself');
  await lockSuperAdmins(em);
  const operator = await readOperator(em, operatorId);
  switch (change.kind) {
    case 'operator-roles': {
      const { grants: wanted, permissions } = GrantsToConfirm.parse(change.after);
      if (
        !isDeepStrictEqual(plain({ grants: rolesFacts(operator) }), change.before) ||
        !isDeepStrictEqual(await permissionsGranted(em, wanted), permissions)
      ) {
        throw outdated();
      }
      const present = await readGrantRequests(em, operatorId);
      const changed = [...without(wanted, present), ...without(present, wanted)];
      requireMastery(caller, await resolveGrants(em, changed));
      await writeGrants(em, { caller, operator, grants: wanted, proposedBy });
      return;
    }
    case 'operator-access':
      await requireMasteryOf(em, caller, operatorId);
      requireActive(operator);
      await writeLink(em, { caller, operator, proposedBy });
      return;
    case 'operator-enabling':
      await requireMasteryOf(em, caller, operatorId);
      if (operator.status !== 'DISABLED') {
        throw outdated();
      }
      await writeStatus(em, { caller, operator, status: 'ACTIVE', proposedBy });
      return;
    default:
      throw new Error(`${change.kind} is not a change to an operator`);
  }
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

function refuseSelf(caller: OperatorCaller, id: bigint, action: string): void {
  if (caller.operator.id === id) {
    throw new DomainError('FORBIDDEN', `you cannot ${action}: ask another operator`);
  }
}

/** @throws DomainError FORBIDDEN when one of these is more than the caller holds. */
function requireMastery(caller: OperatorCaller, grants: readonly Grant[]): void {
  if (!grants.every((grant) => mayGrant(caller.grants, grant))) {
    throw new DomainError('FORBIDDEN', 'you cannot change permissions that you do not have');
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
  return grantFacts(roles);
}

function grantFacts(grants: readonly (GrantRequest & { readonly name: string })[]) {
  return grants.map(({ roleId, name, applicationId }) => ({ roleId, name, applicationId }));
}

async function operatorView(em: EntityManager, operator: OperatorRecord) {
  const changes = await waitingChanges(em, 'operator', [operator.id.toString()]);
  return { ...viewOf(operator), pendingChanges: changes.map(pendingChangeView) };
}

async function operatorViews(em: EntityManager, operators: readonly OperatorRecord[]) {
  const changes = await waitingChanges(
    em,
    'operator',
    operators.map(({ id }) => id.toString()),
  );
  return operators.map((operator) => ({
    ...viewOf(operator),
    pendingChanges: changes.filter(({ target }) => target.id === operator.id.toString()).map(pendingChangeView),
  }));
}

function viewOf(operator: OperatorRecord) {
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
