import { sql } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { AtGateway } from './movements.ts';

const LOCK = statement((db, $: Given<{ seed: number; name: string }>) =>
  db.selectNoFrom(sql`pg_advisory_xact_lock(hashtextextended(${$('name')}, ${$('seed')}::bigint))`.as('locked')),
);

/** Waits until no other transaction judges lines of the gateway. */
export async function lockGateway(statements: Statements, seed: number, { mode, gateway }: AtGateway): Promise<void> {
  await LOCK.all(statements, { seed, name: `${mode} ${gateway}` });
}
