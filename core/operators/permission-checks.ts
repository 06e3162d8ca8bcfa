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

/** Checks that the caller holds all permissions of these grants. Throws FORBIDDEN. */
export function requireHeld(caller: ActingOperator, grants: readonly Grant[]): void {
  if (!grants.every((grant) => mayGrant(caller.grants, grant))) {
    throw new DomainError('FORBIDDEN', 'you cannot change permissions that you do not have');
  }
}

/** Checks that the caller holds all permissions of another operator. Throws FORBIDDEN. */
export async function requirePermissionsOf(
  em: EntityManager,
  caller: ActingOperator,
  operatorId: bigint,
): Promise<void> {
  requireHeld(caller, await readGrants(em, operatorId));
}
