import type { Statements } from '../../../database/statements.ts';

/** Locks a payment until the end of the transaction, so that decisions, refunds and submissions about it are made one after the other. */
export async function lockPayment(statements: Statements, paymentId: bigint): Promise<void> {
  await statements.execute('select 1 from payments where id = ? for update', [paymentId]);
}
