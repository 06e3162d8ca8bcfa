import { DomainError } from '../../domain/errors.ts';
import type { EntityManager } from '../connection.ts';

/** Of all advisory locks of this database, the one for changes that could leave nobody in charge. */
const LOCK = 7_016_405;

/** Whoever may take a Super Admin away does so one after the other: two who disable each other at once would both succeed otherwise. */
export async function lockSuperAdmins(em: EntityManager): Promise<void> {
  await em.execute(`select pg_advisory_xact_lock(${LOCK})`);
}

/**
 * Called after the change, under the lock.
 * @throws DomainError INVALID_OPERATION_STATE when no enabled Super Admin is left; the change is rolled back with it.
 */
export async function requireSuperAdmin(em: EntityManager): Promise<void> {
  const [row] = await em.execute<{ left: boolean }[]>(
    `select exists (select from operator_grants g join roles r on r.id = g.role_id join operators o on o.id = g.operator_id
       where r.everything and g.application_id is null and o.status = 'ACTIVE') as left`,
  );
  if (row?.left !== true) {
    throw new DomainError('INVALID_OPERATION_STATE', 'this would leave no enabled Super Admin');
  }
}
