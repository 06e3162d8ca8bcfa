import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

const LINES_MAX = 50;

const LINES = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('reconciliation_results as r')
    .innerJoin('payout_lines as l', 'l.id', 'r.lineId')
    .innerJoin('payouts as o', 'o.id', 'l.payoutId')
    .select(['l.id', 'o.reference as payoutReference', 'o.arrivesOn', 'l.kind', 'l.netMinor', 'l.currency', 'r.status'])
    .where('r.paymentId', '=', $('paymentId'))
    .orderBy('l.id')
    .limit(LINES_MAX),
);

export type PayoutLineOfPayment = RowOf<typeof LINES>;

/** Returns the lines of payouts that belong to a payment, as far as the operator may see payouts. */
export function payoutLinesOf(statements: Statements, paymentId: bigint): Promise<PayoutLineOfPayment[]> {
  return LINES.all(statements, { paymentId });
}
