import { confirmCredential, dropCredential } from '../applications/keys.ts';
import { confirmSettings, type ConfirmedSettings, type SettingsDependencies } from '../applications/settings.ts';
import type { EntityManager } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ChangeKind } from '../../domain/pending-change.ts';
import { isInView, viewFor, type Permission } from '../../domain/permissions.ts';
import type { StoreDependencies } from '../gateways/check-store.ts';
import { confirmStore } from '../gateways/change-stores.ts';
import { confirmBankAmount } from '../payouts/state-bank-amount.ts';
import { confirmMatchSettings } from '../reconciliation/change-match-settings.ts';
import type { ActingOperator } from './acting-operator.ts';
import { confirmOperatorChange } from './operator-changes.ts';
import { orphaned } from './propose.ts';
import { confirmRole, type ConfirmedRole } from './roles.ts';
import { recordAudit } from './store/audit.ts';
import { readGrants } from './store/grants.ts';
import { readOperator } from './store/operators.ts';
import { closeChange, lockChange, readChange, readChangeSecret, type PendingChange } from './store/pending-changes.ts';

/** Changes that operators with one permission propose and decide on. */
export interface ChangeFamily {
  readonly kinds: readonly ChangeKind[];
  readonly permission: Permission;
  /** Whether one of them may be a store, whose password is kept sealed until it is confirmed. */
  readonly haveSecrets: boolean;
}

export interface ChangeToDecide {
  readonly id: bigint;
  readonly family: ChangeFamily;
}

export interface ConfirmingDependencies extends SettingsDependencies, StoreDependencies {
  /** Checks of what was proposed, by today's rules. */
  readonly parse: { readonly settings: ConfirmedSettings['parse']; readonly role: ConfirmedRole['parse'] };
}

/**
 * Applies a change that another operator proposed, in one transaction with its end.
 * @throws DomainError FORBIDDEN for the caller's own change, INVALID_OPERATION_STATE when the target has changed since or the proposer has lost the
 * permission, RESOURCE_NOT_FOUND
 */
export async function confirmChange(
  deps: ConfirmingDependencies,
  caller: ActingOperator,
  { id, family }: ChangeToDecide,
): Promise<PendingChange> {
  // The transaction below checks whether the caller may see the change. Until then the secret is not used.
  const secret = family.haveSecrets ? await readChangeSecret(deps.database, id) : null;
  return deps.database.withOperator(caller.view, async (em) => {
    const waiting = await lockWaiting(em, id, family.kinds);
    if (waiting.proposedBy === caller.operator.id) {
      throw new DomainError('FORBIDDEN', 'you cannot confirm a change that you proposed');
    }
    await requireProposer(em, waiting, family.permission);
    await carryOut(em, deps, { caller, change: waiting, secret });
    return close(em, { caller, change: waiting, status: 'CONFIRMED', reason: null });
  });
}

/** Rejects a change that another operator proposed. Throws FORBIDDEN for the caller's own change, INVALID_OPERATION_STATE, RESOURCE_NOT_FOUND. */
export function rejectChange(
  { database }: Pick<ConfirmingDependencies, 'database'>,
  caller: ActingOperator,
  { id, family, reason }: ChangeToDecide & { readonly reason: string },
): Promise<PendingChange> {
  return database.withOperator(caller.view, async (em) => {
    const waiting = await lockWaiting(em, id, family.kinds);
    if (waiting.proposedBy === caller.operator.id) {
      throw new DomainError('FORBIDDEN', 'you proposed this change: withdraw it instead');
    }
    await drop(em, { caller, change: waiting });
    return close(em, { caller, change: waiting, status: 'REJECTED', reason });
  });
}

/** Withdraws a change that the caller proposed. Throws FORBIDDEN for another operator's change, INVALID_OPERATION_STATE, RESOURCE_NOT_FOUND. */
export function withdrawChange(
  { database }: Pick<ConfirmingDependencies, 'database'>,
  caller: ActingOperator,
  { id, family }: ChangeToDecide,
): Promise<PendingChange> {
  return database.withOperator(caller.view, async (em) => {
    const waiting = await lockWaiting(em, id, family.kinds);
    if (waiting.proposedBy !== caller.operator.id) {
      throw new DomainError('FORBIDDEN', 'only the operator who proposed a change can withdraw it: reject it instead');
    }
    await drop(em, { caller, change: waiting });
    return close(em, { caller, change: waiting, status: 'WITHDRAWN', reason: null });
  });
}

async function lockWaiting(em: EntityManager, id: bigint, kinds: readonly ChangeKind[]): Promise<PendingChange> {
  const change = await lockChange(em, id, kinds);
  if (change.status !== 'PENDING') {
    throw new DomainError('INVALID_OPERATION_STATE', `the change is ${change.status}`);
  }
  return change;
}

/** @throws DomainError INVALID_OPERATION_STATE when the proposer is disabled, or has lost the permission to propose this */
async function requireProposer(em: EntityManager, change: PendingChange, permission: Permission): Promise<void> {
  const { applicationId, proposedBy } = change;
  const { status } = await readOperator(em, proposedBy);
  const view = viewFor(await readGrants(em, proposedBy), permission);
  const holds = applicationId === null ? view === 'every-app' : isInView(view, applicationId);
  if (status !== 'ACTIVE' || !holds) {
    throw orphaned();
  }
}

interface CarryingOut {
  readonly caller: ActingOperator;
  readonly change: PendingChange;
  /** Sealed. */
  readonly secret: string | null;
}

async function carryOut(em: EntityManager, deps: ConfirmingDependencies, confirmed: CarryingOut): Promise<void> {
  switch (confirmed.change.kind) {
    case 'application-settings':
      return confirmSettings(em, deps, { ...confirmed, parse: deps.parse.settings });
    case 'credential':
    case 'credential-rotation':
      return confirmCredential(em, confirmed);
    case 'gateway-store':
    case 'gateway-store-retirement':
      return confirmStore(em, deps, confirmed);
    case 'operator-roles':
    case 'operator-access':
    case 'operator-enabling':
      return confirmOperatorChange(em, confirmed);
    case 'role':
      return confirmRole(em, { ...confirmed, parse: deps.parse.role });
    case 'match-settings':
      return confirmMatchSettings(em, confirmed);
    case 'bank-amount':
      return confirmBankAmount(em, confirmed);
  }
}

/** Removes what was created together with the proposal. */
async function drop(em: EntityManager, dropped: Omit<CarryingOut, 'secret'>): Promise<void> {
  const { kind } = dropped.change;
  if (kind === 'credential' || kind === 'credential-rotation') {
    await dropCredential(em, dropped);
  }
}

interface Closing {
  readonly caller: ActingOperator;
  readonly change: PendingChange;
  readonly status: 'CONFIRMED' | 'REJECTED' | 'WITHDRAWN';
  readonly reason: string | null;
}

async function close(em: EntityManager, { caller, change, status, reason }: Closing): Promise<PendingChange> {
  const { id, target, applicationId, mode, proposedBy } = change;
  await closeChange(em, { id, status, operatorId: caller.operator.id, reason });
  await recordAudit(em, {
    actor: caller.actor,
    action: `pending-change.${status.toLowerCase()}`,
    target,
    ...(applicationId === null ? {} : { application: { id: applicationId, mode } }),
    after: { changeId: id, proposedBy },
    ...(reason === null ? {} : { reason }),
  });
  return readChange(em, id, [change.kind]);
}
