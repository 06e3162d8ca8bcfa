import { DomainError } from '../../../domain/errors.ts';
import type { EntityManager } from '../../../database/connection.ts';

/** The advisory lock for changes that could remove the last Super Admin. */
const LOCK = 7_016_405;

/** Serializes changes that may remove a Super Admin. Otherwise two who disable each other at the same time would both succeed. */
export async function lockSuperAdmins(em: EntityManager): Promise<void> {
  await em.execute(`select pg_advisory_xact_lock(${LOCK})`);
}

/**
 * Checks that an enabled Super Admin is left. Must be called after the change, under the lock.
 * @throws DomainError INVALID_OPERATION_STATE if no enabled Super Admin is left; the change is rolled back with it.
 */
export async function requireSuperAdmin(em: EntityManager): Promise<void> {
  const [row] = await em.execute<{ left: boolean }[]>(
    `select exists (select from operator_grants g join roles r on r.id = g.role_id join operators o on o.id = g.operator_id
       where r.everything and g.application_id is null and o.status = 'ACTIVE') as left`,
  );
  if (row?.left !== true) {
    throw new DomainError('INVALID_OPERATION_STATE', 'at least one enabled Super Admin must remain');
  }
}
