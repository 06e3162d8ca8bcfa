import { expressionBuilder, sql } from 'kysely';
import type { Mode } from '../../../domain/mode.ts';
import { isGuardedGrant, type Grant } from '../../../domain/permissions.ts';
import type { EntityManager } from '../../../database/connection.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { StoreSlot } from '../../gateways/store/stores.ts';

const of = expressionBuilder<Tables & { a: Tables['applications'] }, 'a'>();

/** For `applications a`: a threshold is set, so one operator alone must not be able to weaken it. */
const THRESHOLD_IS_SET = of.or([
  of('a.refundApprovalThresholdMinor', 'is not', null),
  of('a.refundApprovalThresholds', '<>', sql<Record<string, number>>`'{}'::jsonb`),
]);

const LOCK_GUARDED = statement((db, $: Given<{ applicationId: bigint }>) =>
  db
    .selectFrom('applications as a')
    .select(THRESHOLD_IS_SET.$castTo<boolean>().as('guarded'))
    .where('a.id', '=', $('applicationId'))
    .forNoKeyUpdate(),
);

/**
 * Reports whether a change of the application's guarded settings needs a second operator. Locks the application, so that a threshold set concurrently
 * is seen.
 */
export async function isGuarded(em: EntityManager, applicationId: bigint): Promise<boolean> {
  return (await LOCK_GUARDED.first(em, { applicationId }))?.guarded === true;
}

const USES_SHARED_STORE = statement((db, $: Given<{ mode: Mode; gateway: string }>) =>
  db
    .selectFrom('applications as a')
    .select('a.id')
    .where(THRESHOLD_IS_SET)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('gateway_configurations as g')
            .select('g.id')
            .whereRef('g.applicationId', '=', 'a.id')
            .where('g.mode', '=', $('mode'))
            .where('g.gateway', '=', $('gateway'))
            .where('g.retiredAt', 'is', null),
        ),
      ),
    )
    .limit(1),
);

/** Reports whether a change of the store needs a second operator: a threshold is set in an application whose checkouts it opens. */
export async function isStoreGuarded(em: EntityManager, { applicationId, mode, gateway }: StoreSlot): Promise<boolean> {
  if (applicationId !== null) {
    return isGuarded(em, applicationId);
  }
  return (await USES_SHARED_STORE.first(em, { mode, gateway })) !== undefined;
}

const GUARDED_AMONG = statement((db, $: Given<{ everywhere: boolean; applicationIds: readonly bigint[] }>) =>
  db
    .selectFrom('applications as a')
    .select('a.id')
    .where(THRESHOLD_IS_SET)
    .where((eb) =>
      eb.or([eb.cast<boolean>($('everywhere'), 'boolean'), eb('a.id', '=', eb.fn.any($('applicationIds')))]),
    )
    .limit(1),
);

/** Reports whether a change that affects every application needs a second operator. The caller must see every application. */
export async function isInstallationGuarded(em: EntityManager): Promise<boolean> {
  return (await GUARDED_AMONG.first(em, { everywhere: true, applicationIds: [] })) !== undefined;
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
  const applicationIds = guarded.flatMap(({ applicationId }) => applicationId ?? []);
  return (await GUARDED_AMONG.first(em, { everywhere, applicationIds })) !== undefined;
}
