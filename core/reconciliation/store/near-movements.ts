import { sql } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import {
  type AtGateway,
  type ChargeRow,
  chargesOfPayments,
  refunds,
  type RefundRow,
  unappliedCharges,
} from './movements.ts';

/** How many a person could look through. */
const NEAR_MAX = 200;

interface Near extends AtGateway {
  readonly currency: string;
  readonly amounts: readonly bigint[];
  readonly from: Date;
  /** Exclusive. */
  readonly before: Date;
}

const CHARGES = statement((db, $: Given<Near>) =>
  chargesOfPayments(db, $)
    .where('p.currency', '=', $('currency'))
    .where((eb) =>
      eb.or([
        eb('t.grossMinor', '=', sql<bigint>`any(${$('amounts')})`),
        eb(sql<bigint>`t.gross_minor - t.fee_minor`, '=', sql<bigint>`any(${$('amounts')})`),
      ]),
    )
    .where('p.endedAt', '>=', $('from'))
    .where('p.endedAt', '<', $('before'))
    .limit(NEAR_MAX),
);
const UNAPPLIED = statement((db, $: Given<Near>) =>
  unappliedCharges(db, $)
    .where('l.currency', '=', $('currency'))
    .where((eb) =>
      eb.or([
        eb('l.grossMinor', '=', sql<bigint>`any(${$('amounts')})`),
        eb(sql<bigint>`l.gross_minor - l.fee_minor`, '=', sql<bigint>`any(${$('amounts')})`),
      ]),
    )
    .where('l.createdAt', '>=', $('from'))
    .where('l.createdAt', '<', $('before'))
    .limit(NEAR_MAX),
);
const REFUNDS = statement((db, $: Given<Near>) =>
  refunds(db, $)
    .where('r.currency', '=', $('currency'))
    .where('r.amountMinor', '=', sql<bigint>`any(${$('amounts')})`)
    .where('r.succeededAt', '>=', $('from'))
    .where('r.succeededAt', '<', $('before'))
    .limit(NEAR_MAX),
);

/** Returns charges and refunds of one of these amounts, gross or net, within a time. */
export async function movementsNear(
  statements: Statements,
  near: Near,
): Promise<{ readonly charges: readonly ChargeRow[]; readonly refunds: readonly RefundRow[] }> {
  return {
    charges: [...(await CHARGES.all(statements, near)), ...(await UNAPPLIED.all(statements, near))],
    refunds: await REFUNDS.all(statements, near),
  };
}

const RESULT = statement((db, $: Given<{ resultId: bigint }>) =>
  db
    .selectFrom('reconciliation_results as r')
    .leftJoin('payout_lines as n', 'n.id', 'r.lineId')
    .leftJoin('payments as p', 'p.id', 'r.paymentId')
    .leftJoin('refunds as f', 'f.id', 'r.refundId')
    .leftJoin('payouts as o', 'o.id', 'n.payoutId')
    .select([
      'r.id',
      'r.storeId',
      'r.lineId',
      'r.movementKey',
      'r.period',
      'r.status',
      'r.revision',
      'r.reason',
      'r.detail',
      'r.paymentId',
      'p.reference as paymentReference',
      'p.currency as paymentCurrency',
      'r.refundId',
      'f.reference as refundReference',
      'o.reference as payoutReference',
      'r.expectedMinor',
      'r.settledMinor',
      'r.feeExpectedMinor',
      'r.feeSettledMinor',
      'r.acceptedAt',
      'n.kind as lineKind',
      'n.gatewayTxnId',
      'n.attemptReference',
      'n.lineReference',
      'n.grossMinor',
      'n.feeMinor',
      'n.taxMinor',
      'n.netMinor',
      'n.currency as lineCurrency',
      'n.occurredAt',
      'n.paidOutOn',
      'n.description',
    ])
    .where('r.id', '=', $('resultId')),
);

/** What a run says of the line or movement of a case, and the line. */
export type ShownResult = RowOf<typeof RESULT>;

export async function readShownResult(statements: Statements, resultId: bigint): Promise<ShownResult | null> {
  return (await RESULT.first(statements, { resultId })) ?? null;
}
