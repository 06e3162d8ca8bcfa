import { constraintOf } from '../../../database/connection.ts';
import { sql } from 'kysely';
import { OPEN_STATUSES, type AttemptStatus } from '../../../domain/payment.ts';
import type { CallbackOutcome } from '../../../database/entities/payment.ts';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import {
  anyOf,
  closeCallbacks,
  CONSUMED_MAX,
  consumeCallbacks,
  outcomeOf,
  type ClosedCallbacks,
} from '../../gateway-callbacks/store/closing.ts';
import { AFTER_EXPIRY } from './due.ts';

/** The gateway's answer about an attempt. Absent members leave their columns unchanged. */
export interface AttemptAnswerRecord {
  readonly status: AttemptStatus;
  readonly gatewayTxnId?: string | null;
  readonly validationId?: string | null;
  readonly grossMinor?: bigint | null;
  readonly feeMinor?: bigint | null;
  readonly netText?: string | null;
  readonly evidence?: string | null;
  /** When to query the gateway again although the attempt is closed. */
  readonly queryAgainAt?: Date | null;
}

export interface AnsweredQuery {
  /** Its public reference, because ids may belong to other rows if an older database was restored while the gateway was queried. */
  readonly attempt: string;
  /** Null if the gateway gave no clear answer: the attempt stays unchanged. */
  readonly answer: AttemptAnswerRecord | null;
  /** The outcome of the callbacks that triggered the query: all up to `newestCallbackId`, read or not, except `unanswered`. */
  readonly outcome: CallbackOutcome;
  readonly newestCallbackId: bigint;
  /** Callbacks that the answer does not cover. Another query handles them. */
  readonly unanswered: readonly bigint[];
}

/** The answer of a gateway that confirmed a charge. */
export type ConfirmedQuery = AnsweredQuery & { readonly answer: AttemptAnswerRecord };

/** Parameters of a statement that writes an answer into `payment_attempts t`. */
export interface WrittenAnswer {
  readonly status: AttemptStatus;
  readonly confirmed: boolean;
  readonly gatewayTxnId: string | null;
  readonly validationId: string | null;
  readonly grossMinor: bigint | null;
  readonly feeMinor: bigint | null;
  readonly netText: string | null;
  readonly evidence: string | null;
  readonly queryAgainAt: Date | null;
}

/** The columns that an answer changes. */
export function answerColumns($: Given<WrittenAnswer>) {
  const column = <Name extends keyof WrittenAnswer>(name: Name, type: 'text' | 'bigint' | 'timestamptz') =>
    sql<WrittenAnswer[Name]>`coalesce(${$(name)}::${sql.raw(type)}, ${sql.ref(`t.${name}`)})`;
  return {
    status: $('status'),
    gatewayTxnId: column('gatewayTxnId', 'text'),
    validationId: column('validationId', 'text'),
    grossMinor: column('grossMinor', 'bigint'),
    feeMinor: column('feeMinor', 'bigint'),
    netText: column('netText', 'text'),
    evidence: column('evidence', 'text'),
    queryAgainAt: column('queryAgainAt', 'timestamptz'),
    confirmedAt: sql<Date | null>`case when ${$('confirmed')}::boolean then ${now} else ${sql.ref('t.confirmedAt')} end`,
    updatedAt: now,
  };
}

/** An answer as its statement takes it. */
export function writtenAnswer(answer: AttemptAnswerRecord): WrittenAnswer {
  return {
    status: answer.status,
    confirmed: answer.status === 'CONFIRMED',
    gatewayTxnId: answer.gatewayTxnId ?? null,
    validationId: answer.validationId ?? null,
    grossMinor: answer.grossMinor ?? null,
    feeMinor: answer.feeMinor ?? null,
    netText: answer.netText ?? null,
    evidence: answer.evidence ?? null,
    queryAgainAt: answer.queryAgainAt ?? null,
  };
}

const RECORD_ANSWER = statement((db, $: Given<WrittenAnswer & ClosedCallbacks>) =>
  closeCallbacks(
    db.with('answered', (q) =>
      q
        .updateTable('payment_attempts as t')
        .set(answerColumns($))
        .where('t.reference', '=', $('attempt'))
        .where('t.status', '<>', 'CONFIRMED'),
    ),
    $,
  ),
);

/**
 * Records the gateway's answer and closes the attempt's callbacks that had arrived before the query, in one statement. A confirmed attempt stays
 * confirmed, whatever a stalled worker has received earlier.
 * @throws a unique violation (23505) if the validation id belongs to another attempt, or if another attempt of the payment was confirmed in the
 * meantime (`isOutrun`)
 */
export async function recordAnswer(
  statements: Statements,
  { attempt, answer, outcome, newestCallbackId, unanswered }: AnsweredQuery,
): Promise<void> {
  if (answer === null) {
    return consumeCallbacks(statements, { attempt, upTo: newestCallbackId, unanswered }, outcome);
  }
  await RECORD_ANSWER.all(statements, { attempt, outcome, newestCallbackId, unanswered, ...writtenAnswer(answer) });
}

export interface UnpaidEnd {
  readonly attemptId: bigint;
  readonly status: 'FAILED' | 'CANCELLED' | 'CLOSED';
  readonly queryAgainAt: Date | null;
  /**
   * The gateway did not clearly say that nothing was charged, but money moves only on our execution. The attempt ends only if it was never executed.
   */
  readonly onlyUnexecuted: boolean;
  /** Whether the payer may try another gateway: the attempt is left, and the page asks for a choice. */
  readonly choosesAgain: boolean;
  readonly newestCallbackId: bigint;
}

const RECORD_UNPAID_END = statement((db, $: Given<UnpaidEnd>) =>
  db
    .with('ended', (q) =>
      q
        .updateTable('payment_attempts')
        .set((eb) => ({
          status: $('status'),
          queryAgainAt: eb.fn.coalesce(eb.cast<Date>($('queryAgainAt'), 'timestamptz'), 'queryAgainAt'),
          supersededAt: eb.case().when($('choosesAgain')).then(now).else(eb.ref('supersededAt')).end(),
          updatedAt: now,
        }))
        .where('id', '=', $('attemptId'))
        .where('status', '<>', 'CONFIRMED')
        .where((eb) =>
          eb.or([
            eb.not($('onlyUnexecuted')),
            eb.and([eb('executionAtWorkUntil', 'is', null), eb('executionDoubt', 'is', null)]),
          ]),
        )
        .where((eb) => eb.or([eb.not($('choosesAgain')), eb('supersededAt', 'is', null)]))
        .returning('paymentId'),
    )
    .with('consumed', (q) =>
      q
        .updateTable('gateway_callbacks')
        .set({ outcome: outcomeOf(sql.lit('ACCEPTED')), consumedAt: now })
        .where((eb) => eb.exists(eb.selectFrom('ended').select('ended.paymentId')))
        .where('id', '=', (eb) =>
          anyOf(
            eb
              .selectFrom('gateway_callbacks as c')
              .select('c.id')
              .where('c.paymentId', '=', (t) =>
                t.selectFrom('payment_attempts as t').select('t.paymentId').where('t.id', '=', $('attemptId')),
              )
              .where('c.attemptId', '=', $('attemptId'))
              .where('c.consumedAt', 'is', null)
              .where('c.id', '<=', $('newestCallbackId'))
              .limit(CONSUMED_MAX),
          ),
        ),
    )
    .with('choosing', (q) =>
      q
        .updateTable('payments as p')
        .from('ended')
        .set({ gateway: null, gatewayRedirectUrl: null, nextSweepAt: AFTER_EXPIRY, updatedAt: now })
        .where($('choosesAgain'))
        .whereRef('p.id', '=', 'ended.paymentId')
        .where('p.status', 'in', OPEN_STATUSES)
        .where('p.cancelRequestedAt', 'is', null),
    )
    .selectNoFrom((eb) => eb.exists(eb.selectFrom('ended').select('ended.paymentId')).$castTo<boolean>().as('ended')),
);

/**
 * Ends an attempt without a charge and closes its callbacks, in one statement. From then on it can no longer be executed: `GatewayExecutions.begin`
 * is guarded by the same row.
 * @returns false, without any change, if another process has executed it in the meantime, the gateway has confirmed a charge, or the payer who was to
 * choose again has already chosen
 */
export async function recordUnpaidEnd(statements: Statements, end: UnpaidEnd): Promise<boolean> {
  return (await RECORD_UNPAID_END.first(statements, end))?.ended === true;
}

/** Reports whether another attempt of the same payment was confirmed first. */
export function isOutrun(error: unknown): boolean {
  return constraintOf(error) === 'payment_attempts_confirmed_key';
}
