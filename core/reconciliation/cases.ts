import type { EntityManager } from '../../database/connection.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { type AuditFacts, recordAudit } from '../operators/store/audit.ts';
import { addEntry, assignTo, lockCase, type LockedCase, mayManage, releaseCase } from './store/case-actions.ts';

type Dependencies = Pick<CoreDependencies, 'database'>;

/** A case and what an operator does about it. */
export interface OfCase {
  readonly reference: string;
}

/**
 * Makes an operator the owner of a case, by default the caller.
 * @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE, VALIDATION_ERROR if the operator may not manage the case
 */
export async function assignCase(
  { database }: Dependencies,
  caller: ActingOperator,
  { reference, operatorId = caller.operator.id }: OfCase & { readonly operatorId?: bigint | undefined },
): Promise<void> {
  await database.withOperator(caller.view, async (em) => {
    const found = await lockUnresolved(em, reference);
    if (!(await mayManage(em, { operatorId, applicationId: found.applicationId }))) {
      throw new DomainError('VALIDATION_ERROR', 'The request has invalid fields.', {
        fields: { operatorId: 'is no operator who may manage this case' },
      });
    }
    await assignTo(em, found.id, operatorId);
    await note(em, caller, found, { kind: 'assigned', text: operatorId.toString() });
    await audit(em, caller, found, { action: 'reconciliation-case.assigned', after: { operatorId } });
  });
}

/** Takes a case from its owner. Throws RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE if it has none. */
export async function releaseOwnedCase(
  { database }: Dependencies,
  caller: ActingOperator,
  { reference }: OfCase,
): Promise<void> {
  await database.withOperator(caller.view, async (em) => {
    const found = await lockUnresolved(em, reference);
    if (found.state !== 'ASSIGNED') {
      throw new DomainError('INVALID_OPERATION_STATE', 'The case has no owner.');
    }
    await releaseCase(em, found.id);
    await note(em, caller, found, { kind: 'released', text: null });
    await audit(em, caller, found, {
      action: 'reconciliation-case.released',
      before: { operatorId: found.ownerOperatorId },
    });
  });
}

/** Adds a note to a case, also to one that is resolved. Throws RESOURCE_NOT_FOUND. */
export async function noteInCase(
  { database }: Dependencies,
  caller: ActingOperator,
  { reference, text }: OfCase & { readonly text: string },
): Promise<void> {
  await database.withOperator(caller.view, async (em) => {
    const found = await lock(em, reference);
    await note(em, caller, found, { kind: 'note', text });
    await audit(em, caller, found, { action: 'reconciliation-case.noted' });
  });
}

export async function lock(em: EntityManager, reference: string): Promise<LockedCase> {
  const found = await lockCase(em, reference);
  if (found === null) {
    throw notFound('case');
  }
  return found;
}

/** @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE if it is resolved */
export async function lockUnresolved(em: EntityManager, reference: string): Promise<LockedCase> {
  const found = await lock(em, reference);
  if (found.state === 'RESOLVED') {
    throw new DomainError('INVALID_OPERATION_STATE', 'The case is resolved.');
  }
  return found;
}

async function note(
  em: EntityManager,
  caller: ActingOperator,
  { id: caseId, applicationId, mode }: LockedCase,
  entry: { readonly kind: 'note' | 'assigned' | 'released'; readonly text: string | null },
): Promise<void> {
  await addEntry(em, { caseId, applicationId, mode, operatorId: caller.operator.id, ...entry });
}

/** Writes what was done about a case, in its transaction. */
export async function audit(
  em: EntityManager,
  { actor }: ActingOperator,
  { reference, applicationId, mode }: Pick<LockedCase, 'reference' | 'applicationId' | 'mode'>,
  entry: {
    readonly action: `reconciliation-case.${string}`;
    readonly before?: AuditFacts;
    readonly after?: AuditFacts;
    readonly reason?: string;
  },
): Promise<void> {
  await recordAudit(em, {
    actor,
    target: { type: 'reconciliation-case', id: reference },
    ...(applicationId === null ? {} : { application: { id: applicationId, mode } }),
    ...entry,
  });
}
