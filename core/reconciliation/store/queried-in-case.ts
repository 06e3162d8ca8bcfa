import { sql } from 'kysely';
import type { Scope } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { SWEPT_PAYMENT, sweptPaymentOf } from '../../payments/store/due.ts';
import type { SweptAttempt } from '../../unapplied-payments/due.ts';

/** An attempt about which the gateway is asked in a case. */
export interface AttemptToQuery extends SweptAttempt {
  readonly gateway: string;
  readonly storeId: string;
  readonly sealedSecret: string | null;
  readonly sessionKey: string | null;
}

const ATTEMPT = statement((db, $: Given<{ resultId: bigint }>) =>
  db
    .selectFrom('reconciliation_results as r')
    .leftJoin('payout_lines as n', 'n.id', 'r.lineId')
    .innerJoin('payment_attempts as t', (join) =>
      join
        .onRef('t.mode', '=', 'r.mode')
        .onRef('t.gateway', '=', 'r.gateway')
        .on((eb) =>
          eb.or([
            eb('t.reference', '=', eb.ref('n.attemptReference')),
            eb('t.gatewayTxnId', '=', eb.ref('n.gatewayTxnId')),
            eb('t.paymentId', '=', eb.ref('r.paymentId')),
          ]),
        ),
    )
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(SWEPT_PAYMENT)
    .select([
      't.reference as attemptReference',
      't.gateway as attemptGateway',
      't.storeId as attemptStoreId',
      't.sessionKey as attemptSessionKey',
    ])
    .select((eb) =>
      eb
        .fn<string | null>('lenden_store_secret', ['t.applicationId', 't.mode', 't.gateway', 't.storeId'])
        .as('sealedSecret'),
    )
    .where('r.id', '=', $('resultId'))
    // What the line names comes before the other attempts of the payment.
    .orderBy(sql`(t.reference = n.attempt_reference) is true`, 'desc')
    .orderBy(sql`(t.gateway_txn_id = n.gateway_txn_id) is true`, 'desc')
    .orderBy('t.id', 'desc')
    .limit(1),
);

/** Returns the attempt that a result's line names, or that of its payment. */
export async function attemptOfResult(statements: Statements, resultId: bigint): Promise<AttemptToQuery | null> {
  const row = await ATTEMPT.first(statements, { resultId });
  return row === undefined
    ? null
    : {
        payment: sweptPaymentOf(row),
        attemptReference: row.attemptReference,
        gateway: row.attemptGateway,
        storeId: row.attemptStoreId,
        sealedSecret: row.sealedSecret,
        sessionKey: row.attemptSessionKey,
      };
}

const REFUND = statement((db, $: Given<{ refundId: bigint | null; resultId: bigint | null }>) =>
  db
    .selectFrom('refunds as f')
    .select(['f.reference', 'f.applicationId', 'f.mode'])
    .where('f.gatewayRefundId', 'is not', null)
    .where((eb) =>
      eb.or([
        eb('f.id', '=', $('refundId')),
        eb(
          'f.id',
          '=',
          eb.selectFrom('reconciliation_results as r').select('r.refundId').where('r.id', '=', $('resultId')),
        ),
      ]),
    ),
);

/** A refund about which the gateway is asked in a case. */
export interface RefundToQuery {
  readonly scope: Scope;
  readonly reference: string;
}

/** Returns the refund that a case is about, if the gateway has given it an id. */
export async function refundOfCase(
  statements: Statements,
  { refundId, resultId }: { readonly refundId: bigint | null; readonly resultId: bigint | null },
): Promise<RefundToQuery | null> {
  const row = await REFUND.first(statements, { refundId, resultId });
  return row === undefined
    ? null
    : { scope: { applicationId: row.applicationId, mode: row.mode }, reference: row.reference };
}
