import { sql } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Grant } from '../../../domain/permissions.ts';

/** Enough for everybody who works in one installation. */
const NAMES_MAX = 1_000;

const NAMES = statement((db, $: Given<{ everyApp: boolean; applicationIds: readonly bigint[]; limit: number }>) =>
  db
    .selectFrom('operators as o')
    .select(['o.id', 'o.name'])
    .where((eb) =>
      eb.or([
        eb.cast<boolean>($('everyApp'), 'boolean'),
        eb.exists(
          eb
            .selectFrom('operator_grants as g')
            .select('g.id')
            .whereRef('g.operatorId', '=', 'o.id')
            .where((grant) =>
              grant.or([
                grant('g.applicationId', 'is', null),
                grant('g.applicationId', '=', sql<bigint>`any(${$('applicationIds')})`),
              ]),
            ),
        ),
      ]),
    )
    .orderBy('o.id')
    .limit($('limit')),
);

/** Returns the names of the operators who work in an application where these grants count, or in all of them. */
export function operatorNames(
  statements: Statements,
  grants: readonly Grant[],
): Promise<{ readonly id: bigint; readonly name: string }[]> {
  return NAMES.all(statements, {
    everyApp: grants.some(({ applicationId }) => applicationId === null),
    applicationIds: grants.flatMap(({ applicationId }) => (applicationId === null ? [] : [applicationId])),
    limit: NAMES_MAX,
  });
}
