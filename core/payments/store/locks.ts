import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

const LOCK = statement((db, $: Given<{ paymentId: bigint }>) =>
  db.selectFrom('payments').select('id').where('id', '=', $('paymentId')).forUpdate(),
);

/** Locks a payment until the end of the transaction, so that decisions, refunds and submissions about it are made one after the other. */
export async function lockPayment(statements: Statements, paymentId: bigint): Promise<void> {
  await LOCK.all(statements, { paymentId });
}
