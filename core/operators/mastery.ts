import type { EntityManager } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import { mayGrant, type Grant } from '../../domain/permissions.ts';
import type { ActingOperator } from './acting-operator.ts';
import { readGrants } from './store/grants.ts';

/** @throws DomainError FORBIDDEN when the operator would act on themselves */
export function refuseSelf(caller: ActingOperator, id: bigint, action: string): void {
  if (caller.operator.id === id) {
    throw new DomainError('FORBIDDEN', `you cannot ${action}: ask another operator`);
  }
}

/** @throws DomainError FORBIDDEN when one of these is more than the caller holds. */
export function requireMastery(caller: ActingOperator, grants: readonly Grant[]): void {
  if (!grants.every((grant) => mayGrant(caller.grants, grant))) {
    throw new DomainError('FORBIDDEN', 'you cannot change permissions that you do not have');
  }
}

export async function requireMasteryOf(em: EntityManager, caller: ActingOperator, operatorId: bigint): Promise<void> {
  requireMastery(caller, await readGrants(em, operatorId));
}
