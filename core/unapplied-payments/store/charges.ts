import { MissingRow } from '../../../database/missing-row.ts';
import type { Scope } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

/** The newest callbacks of an attempt that a query takes into account. */
const CALLBACKS_READ_MAX = 50;

const ATTEMPT = statement((db, $: Given<{ reference: string; attemptReference: string }>) =>
  db
    .selectFrom('payment_attempts as t')
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .innerJoin('applications as a', 'a.id', 't.applicationId')
    .select([
      't.id',
      't.reference',
      't.paymentId',
      't.gateway',
      't.storeId',
      't.status',
      't.sessionKey',
      't.validationId',
      'p.mode',
      'p.status as paymentStatus',
      'a.name as applicationName',
      'a.unappliedPaymentPolicy',
    ])
    .where('t.reference', '=', $('attemptReference'))
    .where('p.reference', '=', $('reference')),
);

/** An attempt with its payment's status and its application's policy. */
export type QueriedAttempt = RowOf<typeof ATTEMPT>;

/**
 * Reads the attempt by its reference. Every transaction reads it again, because an older database may have been restored while the gateway was
 * queried.
 *
 * @throws MissingRow if the scope has no such attempt of that payment
 */
export async function readQueriedAttempt(
  statements: Statements,
  { reference, attemptReference }: { readonly reference: string; readonly attemptReference: string },
): Promise<QueriedAttempt> {
  const attempt = await ATTEMPT.first(statements, { reference, attemptReference });
  if (attempt === undefined) {
    throw new MissingRow('attempt', attemptReference);
  }
  return attempt;
}

const RECORDED = statement((db, $: Given<{ attemptId: bigint }>) =>
  db.selectFrom('unapplied_payments').select(['validationId', 'nextSweepAt']).where('attemptId', '=', $('attemptId')),
);

/** A charge of an attempt that is already recorded as unapplied. */
export type RecordedCharge = RowOf<typeof RECORDED>;

export function listRecordedCharges(statements: Statements, attemptId: bigint): Promise<RecordedCharge[]> {
  return RECORDED.all(statements, { attemptId });
}

const UNCONSUMED = statement((db, $: Given<{ attemptId: bigint }>) =>
  db
    .selectFrom('gateway_callbacks')
    .select(['id', 'signatureValid', 'rawPayload'])
    .where('attemptId', '=', $('attemptId'))
    .where('consumedAt', 'is', null)
    .orderBy('id', 'desc')
    .limit(CALLBACKS_READ_MAX),
);

/** Returns the attempt's unconsumed callbacks, newest first. */
export function listUnconsumed(statements: Statements, attemptId: bigint): Promise<RowOf<typeof UNCONSUMED>[]> {
  return UNCONSUMED.all(statements, { attemptId });
}

/** A charge that no open payment takes, as the gateway confirmed it. */
export interface HeldCharge extends Scope {
  readonly paymentId: bigint;
  readonly attemptId: bigint;
  readonly gateway: string;
  readonly validationId: string;
  readonly gatewayTxnId: string;
  readonly evidence: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly currency: string;
}

const HOLD = statement((db, $: Given<HeldCharge>) =>
  db
    .insertInto('unapplied_payments')
    .values({
      applicationId: $('applicationId'),
      mode: $('mode'),
      paymentId: $('paymentId'),
      attemptId: $('attemptId'),
      gateway: $('gateway'),
      validationId: $('validationId'),
      gatewayTxnId: $('gatewayTxnId'),
      evidence: $('evidence'),
      grossMinor: $('grossMinor'),
      feeMinor: $('feeMinor'),
      currency: $('currency'),
      status: 'HELD',
    })
    .returning('id'),
);

/** Records a charge as held. Returns its id. */
export async function holdCharge(statements: Statements, charge: HeldCharge): Promise<bigint> {
  const held = await HOLD.first(statements, charge);
  if (held === undefined) {
    throw new Error('the unapplied payment was not inserted');
  }
  return held.id;
}
