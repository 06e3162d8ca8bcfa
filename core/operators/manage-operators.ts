import type { EntityManager } from '../../database/connection.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from './acting-operator.ts';
import { refuseSelf, requireHeld, requirePermissionsOf } from './permission-checks.ts';
import {
  proposeGrants,
  proposeOn,
  requireActive,
  rolesFacts,
  targetOf,
  without,
  writeGrants,
  writeLink,
  writeStatus,
} from './operator-changes.ts';
import { recordAudit } from './store/audit.ts';
import { readGrants } from './store/grants.ts';
import { lockSuperAdmins } from './store/last-super-admin.ts';
import { requestLink } from './store/links.ts';
import { insertOperator, readOperator, type OperatorRecord, type OperatorStatus } from './store/operators.ts';
import { waitingChanges, type PendingChange } from './store/pending-changes.ts';
import { readGrantRequests, replaceGrants, resolveGrants, type GrantRequest } from './store/roles.ts';
import { areGrantsGuarded } from './store/second-person.ts';
import { endSessions } from './store/sessions.ts';

type Dependencies = Pick<CoreDependencies, 'database'>;

/** An operator with the changes of them that wait for a second operator. */
export interface OperatorWithChanges {
  readonly operator: OperatorRecord;
  readonly changes: readonly PendingChange[];
}

export async function withChanges(
  em: EntityManager,
  operators: readonly OperatorRecord[],
): Promise<OperatorWithChanges[]> {
  const changes = await waitingChanges(
    em,
    'operator',
    operators.map(({ id }) => id.toString()),
  );
  return operators.map((operator) => ({
    operator,
    changes: changes.filter(({ target }) => target.id === operator.id.toString()),
  }));
}

async function withOwnChanges(em: EntityManager, operator: OperatorRecord): Promise<OperatorWithChanges> {
  return { operator, changes: await waitingChanges(em, 'operator', [operator.id.toString()]) };
}

/** Throws RESOURCE_NOT_FOUND. */
export function findOperator(
  { database }: Dependencies,
  caller: ActingOperator,
  id: bigint,
): Promise<OperatorWithChanges> {
  return database.withOperator(caller.view, async (em) => withOwnChanges(em, await readOperator(em, id)));
}

export interface NewOperator {
  readonly email: string;
  readonly name: string;
  readonly grants: readonly GrantRequest[];
}

/**
 * Creates an operator and requests the link with which they set their password. Guarded roles wait for a second operator.
 * @throws DomainError FORBIDDEN for permissions that the caller does not hold, RESOURCE_ALREADY_EXISTS
 */
export function createOperator(
  { database }: Dependencies,
  caller: ActingOperator,
  { email, name, grants }: NewOperator,
): Promise<OperatorWithChanges> {
  return database.withOperator(caller.view, async (em) => {
    await lockSuperAdmins(em);
    const wanted = await resolveGrants(em, grants);
    requireHeld(caller, wanted);
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
    return withOwnChanges(em, created);
  });
}

/**
 * Requests a new link with which an operator sets their password. It waits for a second operator if it would take over guarded permissions.
 * @throws DomainError FORBIDDEN, RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE for an operator who is disabled
 */
export async function sendPasswordLink(
  { database }: Dependencies,
  caller: ActingOperator,
  id: bigint,
): Promise<OperatorWithChanges & { readonly waits: boolean }> {
  refuseSelf(caller, id, 'send yourself a link');
  return database.withOperator(caller.view, async (em) => {
    await lockSuperAdmins(em);
    await requirePermissionsOf(em, caller, id);
    const operator = await readOperator(em, id);
    requireActive(operator);
    // An operator without a password has no access that a link could take over. As with the first link, only they receive it.
    const waits = operator.passwordSet && (await areGrantsGuarded(em, await readGrants(em, id)));
    if (waits) {
      await proposeOn(em, { caller, operator, kind: 'operator-access', before: {}, after: { passwordLink: true } });
    } else {
      await writeLink(em, { caller, operator });
    }
    return { ...(await withOwnChanges(em, operator)), waits };
  });
}

/**
 * Disables an operator and ends their sessions, or enables them. Enabling waits for a second operator if they have guarded permissions.
 * @throws DomainError FORBIDDEN, RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE
 */
export async function setStatus(
  { database }: Dependencies,
  caller: ActingOperator,
  { id, status }: { readonly id: bigint; readonly status: OperatorStatus },
): Promise<OperatorWithChanges> {
  const enable = status === 'ACTIVE';
  refuseSelf(caller, id, enable ? 'enable yourself' : 'disable yourself');
  return database.withOperator(caller.view, async (em) => {
    await lockSuperAdmins(em);
    await requirePermissionsOf(em, caller, id);
    const before = await readOperator(em, id);
    const waits = enable && before.status === 'DISABLED' && (await areGrantsGuarded(em, await readGrants(em, id)));
    if (waits) {
      const change = { before: { status: before.status }, after: { status } };
      await proposeOn(em, { caller, operator: before, kind: 'operator-enabling', ...change });
    } else {
      await writeStatus(em, { caller, operator: before, status });
    }
    return withOwnChanges(em, await readOperator(em, id));
  });
}

/**
 * Replaces an operator's roles. Guarded roles that are added wait for a second operator.
 * @throws DomainError FORBIDDEN, RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE
 */
export async function setRoles(
  { database }: Dependencies,
  caller: ActingOperator,
  { id, grants: wanted }: { readonly id: bigint; readonly grants: readonly GrantRequest[] },
): Promise<OperatorWithChanges> {
  refuseSelf(caller, id, 'change your own roles');
  return database.withOperator(caller.view, async (em) => {
    await lockSuperAdmins(em);
    const before = await readOperator(em, id);
    const present = await readGrantRequests(em, id);
    const added = await resolveGrants(em, without(wanted, present));
    await resolveGrants(em, wanted);
    requireHeld(caller, [...added, ...(await resolveGrants(em, without(present, wanted)))]);
    if (await areGrantsGuarded(em, added)) {
      await proposeGrants(em, { caller, operator: before, grants: wanted });
    } else {
      await writeGrants(em, { caller, operator: before, grants: wanted });
    }
    return withOwnChanges(em, await readOperator(em, id));
  });
}

/** Ends all sessions of an operator. Returns how many there were. Throws FORBIDDEN, RESOURCE_NOT_FOUND. */
export function endSessionsOf({ database }: Dependencies, caller: ActingOperator, id: bigint): Promise<number> {
  return database.withOperator(caller.view, async (em) => {
    const operator = await readOperator(em, id);
    await requirePermissionsOf(em, caller, id);
    const ended = await endSessions(em, { operatorId: id, reason: 'killed' });
    const after = { sessionsEnded: ended };
    await recordAudit(em, {
      actor: caller.actor,
      action: 'operator.sessions-ended',
      target: targetOf(operator),
      after,
    });
    return ended;
  });
}
