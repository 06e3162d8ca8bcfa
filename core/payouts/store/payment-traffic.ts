import { earlier } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement } from '../../../database/typed-statements.ts';

const LAST_PAYMENT = statement((db) =>
  db
    .selectFrom('payments')
    .select((eb) => eb('createdAt', '>', earlier('1 minute')).as('isRecent'))
    .orderBy('id', 'desc')
    .limit(1),
);

/** Reports whether a payment began within the last minute. */
export async function paymentsAreMade(statements: Statements): Promise<boolean> {
  return (await LAST_PAYMENT.first(statements, {}))?.isRecent === true;
}
