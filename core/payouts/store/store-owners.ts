import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';

interface NamedStore {
  readonly mode: Mode;
  readonly gateway: string;
  readonly storeId: string;
}

const OWNERS = statement((db, $: Given<NamedStore>) =>
  db
    .selectFrom('gateway_configurations')
    .select('applicationId')
    .where('mode', '=', $('mode'))
    .where('gateway', '=', $('gateway'))
    .where('storeId', '=', $('storeId'))
    .orderBy('applicationId')
    .limit(100),
);

/** Returns who has or had a store of that name: applications, and null for the installation. */
export async function ownersOf(statements: Statements, store: NamedStore): Promise<(bigint | null)[]> {
  return (await OWNERS.all(statements, store)).map(({ applicationId }) => applicationId);
}
