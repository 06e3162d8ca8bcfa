import type { EntityManager } from '../../database/connection.ts';
import { recordAudit } from '../../database/operators/audit.ts';
import { proposeChange, type NewChange, type PendingChange } from '../../database/operators/pending-changes.ts';
import { DomainError } from '../../domain/errors.ts';
import type { OperatorCaller } from './caller.ts';

/** Keeps a change for a second person and writes down who proposed it, in the caller's transaction. */
export async function propose(
  em: EntityManager,
  caller: OperatorCaller,
  change: Omit<NewChange, 'proposedBy'>,
): Promise<PendingChange> {
  const proposed = await proposeChange(em, { ...change, proposedBy: caller.operator.id });
  const { applicationId, mode, before, after, target } = change;
  await recordAudit(em, {
    actor: caller.actor,
    action: 'pending-change.proposed',
    target,
    ...(applicationId === null ? {} : { application: { id: applicationId, mode } }),
    before,
    after: { ...after, changeId: proposed.id },
  });
  return proposed;
}

/** What was to be changed has become something else since the change was proposed. */
export function outdated(): DomainError {
  return new DomainError(
    'INVALID_OPERATION_STATE',
    'what this changes has changed since: reject it and propose it anew',
  );
}
