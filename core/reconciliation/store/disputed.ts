import { sql } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

const DISPUTED = statement((db, $: Given<{ paymentIds: readonly bigint[] }>) =>
  db
    .selectFrom('disputes')
    .select((eb) => ['gatewayTxnId', 'currency', eb.ref('amountMinor').$notNull().as('amountMinor')])
    .where('paymentId', '=', sql<bigint>`any(${$('paymentIds')})`)
    .where('status', '<>', 'CLOSED')
    .where('amountMinor', 'is not', null),
);

/** Returns what the gateway has said of disputes of these payments in which money moved. */
export function findDisputed(statements: Statements, paymentIds: readonly bigint[]): Promise<RowOf<typeof DISPUTED>[]> {
  return DISPUTED.all(statements, { paymentIds });
}
