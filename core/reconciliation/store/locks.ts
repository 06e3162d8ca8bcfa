import { sql } from 'kysely';
import { ADVISORY_LOCK_SEEDS } from '../../../database/advisory-locks.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { AtGateway } from './movements.ts';

const LOCK = statement((db, $: Given<{ name: string }>) =>
  db.selectNoFrom((eb) =>
    eb
      .fn<null>('pg_advisory_xact_lock', [
        eb.fn('hashtextextended', [$('name'), sql.lit(ADVISORY_LOCK_SEEDS.reconciliation)]),
      ])
      .as('locked'),
  ),
);

/** Waits until no other transaction judges lines of the gateway. */
export async function lockGateway(statements: Statements, { mode, gateway }: AtGateway): Promise<void> {
  await LOCK.all(statements, { name: `${mode} ${gateway}` });
}
