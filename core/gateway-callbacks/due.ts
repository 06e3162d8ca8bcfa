import { now } from '../../database/expressions.ts';
import type { Statements } from '../../database/statements.ts';
import { statement, type Given } from '../../database/typed-statements.ts';
import { SWEPT_PAYMENT, sweptPaymentOf, type SweptPayment } from '../payments/store/due.ts';
import { dueAgain } from '../sweep/backoff.ts';

/** A stored callback that no query has covered yet. */
export interface WaitingCallback {
  readonly callbackId: bigint;
  readonly payment: SweptPayment;
  readonly attemptReference: string;
  readonly gateway: string;
  readonly storeId: string;
  readonly sealedSecret: string | null;
  readonly rawPayload: string;
  readonly signatureValid: boolean;
  /** The validation id that confirmed the attempt; null unless it is confirmed. */
  readonly finalizedBy: string | null;
}

const TAKE_DUE = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('gateway_callbacks')
        .select('id')
        .where('consumedAt', 'is', null)
        .where('paymentId', 'is not', null)
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .with('moved', (q) =>
      q
        .updateTable('gateway_callbacks as c')
        .from('due')
        .set((eb) => ({
          sweeps: eb('c.sweeps', '+', 1),
          nextSweepAt: dueAgain(eb.ref('c.sweeps')),
        }))
        .whereRef('c.id', '=', 'due.id')
        .returning(['c.id', 'c.paymentId', 'c.attemptId', 'c.rawPayload', 'c.signatureValid']),
    )
    .selectFrom('moved')
    .innerJoin('payments as p', 'p.id', 'moved.paymentId')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .innerJoin('payment_attempts as t', 't.id', 'moved.attemptId')
    .select(SWEPT_PAYMENT)
    .select((eb) => [
      'moved.id as callbackId',
      'moved.rawPayload',
      'moved.signatureValid',
      't.reference as attemptReference',
      't.gateway as attemptGateway',
      't.storeId',
      eb
        .fn<string | null>('lenden_store_secret', ['t.applicationId', 't.mode', 't.gateway', 't.storeId'])
        .as('sealedSecret'),
      eb.case().when('t.status', '=', 'CONFIRMED').then(eb.ref('t.validationId')).end().as('finalizedBy'),
    ]),
);

/** Takes callbacks that are due for a check, and postpones their next one: 30 seconds, then twice as long each time, up to an hour. */
export async function takeDueCallbacks(statements: Statements, max: number): Promise<WaitingCallback[]> {
  return (await TAKE_DUE.all(statements, { max })).map((row) => ({
    callbackId: row.callbackId,
    payment: sweptPaymentOf(row),
    attemptReference: row.attemptReference,
    gateway: row.attemptGateway,
    storeId: row.storeId,
    sealedSecret: row.sealedSecret,
    rawPayload: row.rawPayload,
    signatureValid: row.signatureValid,
    finalizedBy: row.finalizedBy,
  }));
}
