import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import { mayGrant, type Permission } from '../../domain/permissions.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from './acting-operator.ts';
import { outdated, propose } from './propose.ts';
import { recordAudit, type AuditFacts } from './store/audit.ts';
import { lockSuperAdmins } from './store/last-super-admin.ts';
import { plain, waitingChanges, type PendingChange } from './store/pending-changes.ts';
import {
  deleteRole as deleteRow,
  insertRole,
  readRole,
  readRoleHolders,
  updateRole as updateRow,
  type RoleContents,
  type RoleHolder,
  type RoleRecord,
} from './store/roles.ts';
import { areGrantsGuarded } from './store/second-person.ts';

type Dependencies = Pick<CoreDependencies, 'database'>;

/** A role with the changes of it that wait for a second operator. */
export interface RoleWithChanges {
  readonly role: RoleRecord;
  readonly changes: readonly PendingChange[];
}

export async function withChanges(em: EntityManager, roles: readonly RoleRecord[]): Promise<RoleWithChanges[]> {
  const changes = await waitingChanges(
    em,
    'role',
    roles.map(({ id }) => id.toString()),
  );
  return roles.map((role) => ({ role, changes: changes.filter(({ target }) => target.id === role.id.toString()) }));
}

/** Creates a role. Throws FORBIDDEN for permissions that the caller does not hold, RESOURCE_ALREADY_EXISTS. */
export async function createRole(
  { database }: Dependencies,
  caller: ActingOperator,
  contents: RoleContents,
): Promise<RoleWithChanges> {
  requireHeld(caller, contents.permissions);
  return database.withOperator(caller.view, async (em) => {
    const role = await readRole(em, await insertRole(em, contents));
    const target = { type: 'role', id: role.id };
    await recordAudit(em, { actor: caller.actor, action: 'role.created', target, after: factsOf(role) });
    return { role, changes: [] };
  });
}

/**
 * Changes a role, or proposes to if its holders gain guarded permissions.
 * @throws DomainError FORBIDDEN for permissions that the caller does not hold, RESOURCE_NOT_FOUND, RESOURCE_ALREADY_EXISTS
 */
export function updateRole(
  { database }: Dependencies,
  caller: ActingOperator,
  { id, contents }: { readonly id: bigint; readonly contents: RoleContents },
): Promise<RoleWithChanges> {
  return database.withOperator(caller.view, async (em) => {
    await lockSuperAdmins(em);
    const before = await readRole(em, id);
    requireHeld(caller, [...before.permissions, ...contents.permissions]);
    const added = contents.permissions.filter((permission) => !before.permissions.includes(permission));
    const holders = await readRoleHolders(em, id);
    const gained = holders.map(({ applicationId }) => ({ permissions: added, everything: false, applicationId }));
    if (!before.seeded && (await areGrantsGuarded(em, gained))) {
      const target = { type: 'role', id: id.toString() } as const;
      const facts = { before: shownRole(before, holders), after: factsOf({ ...before, ...contents }) };
      await propose(em, caller, { applicationId: null, mode: null, kind: 'role', target, ...facts });
    } else {
      await writeRole(em, { caller, before, contents });
    }
    em.clear();
    const role = await readRole(em, id);
    return { role, changes: await waitingChanges(em, 'role', [id.toString()]) };
  });
}

/** Deletes a role that no operator has. Throws FORBIDDEN, RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE. */
export async function deleteRole({ database }: Dependencies, caller: ActingOperator, id: bigint): Promise<void> {
  await database.withOperator(caller.view, async (em) => {
    const before = await readRole(em, id);
    requireHeld(caller, before.permissions);
    await deleteRow(em, id);
    const target = { type: 'role', id };
    await recordAudit(em, { actor: caller.actor, action: 'role.deleted', target, before: factsOf(before) });
  });
}

interface RoleChange {
  readonly caller: ActingOperator;
  readonly before: RoleRecord;
  readonly contents: RoleContents;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

async function writeRole(em: EntityManager, { caller, before, contents, proposedBy }: RoleChange): Promise<void> {
  await updateRow(em, before.id, contents);
  em.clear();
  await recordAudit(em, {
    actor: caller.actor,
    action: 'role.changed',
    target: { type: 'role', id: before.id },
    before: factsOf(before),
    after: { ...factsOf(await readRole(em, before.id)), ...(proposedBy === undefined ? {} : { proposedBy }) },
  });
}

export interface ConfirmedRole {
  readonly caller: ActingOperator;
  readonly change: PendingChange;
  /** Checks what was proposed by today's rules. */
  readonly parse: (proposed: PendingChange['after']) => RoleContents;
}

/**
 * Applies a change of a role that a second operator has confirmed, in that operator's transaction.
 * @throws DomainError FORBIDDEN, INVALID_OPERATION_STATE when the role, or who has it, is not what it was when the change was proposed
 */
export async function confirmRole(em: EntityManager, { caller, change, parse }: ConfirmedRole): Promise<void> {
  await lockSuperAdmins(em);
  const before = await readRole(em, BigInt(change.target.id));
  const holders = await readRoleHolders(em, before.id);
  if (!isDeepStrictEqual(plain(shownRole(before, holders)), change.before)) {
    throw outdated();
  }
  const contents = parse(change.after);
  requireHeld(caller, [...before.permissions, ...contents.permissions]);
  await writeRole(em, { caller, before, contents, proposedBy: change.proposedBy });
}

/** Checks that the caller holds the permissions in every application: operators cannot gain permissions through a role that they create. */
function requireHeld(caller: ActingOperator, wanted: readonly Permission[]): void {
  if (!mayGrant(caller.grants, { permissions: wanted, everything: false, applicationId: null })) {
    throw new DomainError('FORBIDDEN', 'you cannot change permissions that you do not have');
  }
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
