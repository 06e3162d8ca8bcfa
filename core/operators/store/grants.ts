import { expressionBuilder } from 'kysely';
import { jsonBuildObject } from 'kysely/helpers/postgres';
import { isPermission, type Grant } from '../../../domain/permissions.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { optional } from '../../../database/read-row.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

/** A grant within JSON, where PostgreSQL has no 64-bit integers. */
interface StoredGrant {
  readonly permissions: readonly string[];
  readonly everything: boolean;
  readonly applicationId: string | null;
}

/** What the roles of `operators o` allow, as `grantsOf` reads it. */
export const GRANTS = expressionBuilder<Tables & { o: Tables['operators'] }, 'o'>()
  .selectFrom('operator_grants as g')
  .innerJoin('roles as r', 'r.id', 'g.roleId')
  .select((eb) =>
    eb.fn
      .jsonAgg(
        jsonBuildObject({
          permissions: eb.ref('r.permissions'),
          everything: eb.ref('r.everything'),
          applicationId: eb.cast<string | null>('g.applicationId', 'text'),
        }),
      )
      .as('grants'),
  )
  .whereRef('g.operatorId', '=', 'o.id')
  .as('grants');

export function grantsOf(stored: readonly StoredGrant[] | null): Grant[] {
  return (stored ?? []).map(({ permissions, everything, applicationId }) => ({
    permissions: permissions.filter(isPermission),
    everything,
    applicationId: optional(applicationId, BigInt),
  }));
}

const READ = statement((db, $: Given<{ operatorId: bigint }>) =>
  db.selectFrom('operators as o').select(GRANTS).where('o.id', '=', $('operatorId')),
);

/** Returns what an operator's roles allow. */
export async function readGrants(em: EntityManager, operatorId: bigint): Promise<Grant[]> {
  return grantsOf((await READ.first(em, { operatorId }))?.grants ?? null);
}
