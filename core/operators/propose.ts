import type { EntityManager } from '../../database/connection.ts';
import { recordAudit } from './store/audit.ts';
import { proposeChange, type NewChange, type PendingChange } from './store/pending-changes.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ActingOperator } from './acting-operator.ts';

/** Stores a change for a second operator and audits the proposal, in the caller's transaction. */
export async function propose(
  em: EntityManager,
  caller: ActingOperator,
  change: Omit<NewChange, 'proposedBy'>,
): Promise<PendingChange> {
  const proposedBy = caller.operator.id;
  const { proposed, superseded } = await proposeChange(em, { ...change, proposedBy });
  const { applicationId, mode, before, after, target } = change;
  const whose = {
    actor: caller.actor,
    target,
    ...(applicationId === null ? {} : { application: { id: applicationId, mode } }),
  };
  if (superseded !== null) {
    await recordAudit(em, {
      ...whose,
      action: 'pending-change.withdrawn',
      after: { changeId: superseded, proposedBy, supersededBy: proposed.id },
    });
  }
  await recordAudit(em, {
    ...whose,
    action: 'pending-change.proposed',
    before,
    after: { ...after, changeId: proposed.id },
  });
  return proposed;
}

/** Returns the error for a proposal whose proposer is disabled or has lost the permission since. */
export function orphaned(): DomainError {
  return new DomainError(
    'INVALID_OPERATION_STATE',
    'the operator who proposed this no longer has the permission: reject it and have an operator with the permission propose it',
  );
}

/** Returns the error for a proposal whose target has changed since. */
export function outdated(): DomainError {
  return new DomainError(
    'INVALID_OPERATION_STATE',
    'the setting has changed since this was proposed: reject it and propose it again',
  );
}
