import { DomainError } from '../../../domain/errors.ts';
import { ADVISORY_LOCKS } from '../../../database/advisory-locks.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { statement } from '../../../database/typed-statements.ts';

const LOCK = statement((db) =>
  db.selectNoFrom((eb) =>
    eb.fn<unknown>('pg_advisory_xact_lock', [eb.lit(ADVISORY_LOCKS.lastSuperAdmin)]).as('locked'),
  ),
);

/** Serializes changes that may remove a Super Admin. Otherwise two who disable each other at the same time would both succeed. */
export async function lockSuperAdmins(em: EntityManager): Promise<void> {
  await LOCK.all(em, {});
}

const SUPER_ADMIN = statement((db) =>
  db
    .selectFrom('operator_grants as g')
    .innerJoin('roles as r', 'r.id', 'g.roleId')
    .innerJoin('operators as o', 'o.id', 'g.operatorId')
    .select('o.id')
    .where('r.everything', '=', true)
    .where('g.applicationId', 'is', null)
    .where('o.status', '=', 'ACTIVE')
    .limit(1),
);

/**
 * Checks that an enabled Super Admin is left. Must be called after the change, under the lock.
 * @throws DomainError INVALID_OPERATION_STATE if no enabled Super Admin is left; the change is rolled back with it.
 */
export async function requireSuperAdmin(em: EntityManager): Promise<void> {
  if ((await SUPER_ADMIN.first(em, {})) === undefined) {
    throw new DomainError('INVALID_OPERATION_STATE', 'at least one enabled Super Admin must remain');
  }
}
