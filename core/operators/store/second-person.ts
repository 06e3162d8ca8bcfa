import { isGuardedGrant, type Grant } from '../../../domain/permissions.ts';
import type { EntityManager } from '../../../database/connection.ts';
import type { StoreSlot } from '../../gateways/store/stores.ts';

/** For `applications a`: a threshold is set, so one operator alone must not be able to weaken it. */
const THRESHOLD_IS_SET = `(a.refund_approval_threshold_minor is not null or a.refund_approval_thresholds <> '{}'::jsonb)`;

/**
 * Reports whether a change of the application's guarded settings needs a second operator. Locks the application, so that a threshold set concurrently
 * is seen.
 */
export async function isGuarded(em: EntityManager, applicationId: bigint): Promise<boolean> {
  const [row] = await em.execute<{ guarded: boolean }[]>(
    `select ${THRESHOLD_IS_SET} as guarded from applications a where a.id = ? for no key update`,
    [applicationId],
  );
  return row?.guarded === true;
}

/** Reports whether a change of the store needs a second operator: a threshold is set in an application whose checkouts it opens. */
export async function isStoreGuarded(em: EntityManager, { applicationId, mode, gateway }: StoreSlot): Promise<boolean> {
  if (applicationId !== null) {
    return isGuarded(em, applicationId);
  }
  const rows = await em.execute<object[]>(
    `select 1 from applications a where ${THRESHOLD_IS_SET} and not exists (select from gateway_configurations g
       where g.application_id = a.id and g.mode = ? and g.gateway = ? and g.retired_at is null) limit 1`,
    [mode, gateway],
  );
  return rows.length > 0;
}

/**
 * Reports whether one of these grants allows moving money or deciding who may, in an application with a threshold. The caller must see every
 * application.
 */
export async function areGrantsGuarded(em: EntityManager, grants: readonly Grant[]): Promise<boolean> {
  const guarded = grants.filter(isGuardedGrant);
  if (guarded.length === 0) {
    return false;
  }
  const everywhere = guarded.some(({ applicationId }) => applicationId === null);
  const rows = await em.execute<object[]>(
    `select 1 from applications a where ${THRESHOLD_IS_SET} and (?::boolean or a.id = any(string_to_array(?, ',')::bigint[])) limit 1`,
    [everywhere, guarded.flatMap(({ applicationId }) => applicationId ?? []).join(',')],
  );
  return rows.length > 0;
}
