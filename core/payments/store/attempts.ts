import { expressionBuilder, sql, type ExpressionBuilder } from 'kysely';
import { jsonBuildObject } from 'kysely/helpers/postgres';
import type { AttemptStatus } from '../../../domain/payment.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';
import type { CustomerDefaults } from '../../../database/entities/application.ts';
import type { CallbackOutcome } from '../../../database/entities/payment.ts';
import { constantSpan, later, latestOf, now, plus, rowOf, span, timeOf } from '../../../database/expressions.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import { instant, optional } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import {
  anyOf,
  closeCallbacks,
  CONSUMED_MAX,
  consumeCallbacks,
  outcomeOf,
  type ClosedCallbacks,
} from '../../gateway-callbacks/closing.ts';
import { PAYMENT, type PaymentRecord } from './payments.ts';

/** Statuses of an attempt whose session may still have to be opened. */
const UNOPENED = ['CREATED', 'UNKNOWN'] as const satisfies readonly AttemptStatus[];

/** A payment with a running workflow is next swept when it should have ended. */
const AFTER_EXPIRY = latestOf(later('5 minutes'), plus(sql.ref('expiresAt'), constantSpan('1 minute')));

const NONE = sql<never[]>`'[]'`;

/** One session at a gateway, as the steps of a payment need it. */
export interface AttemptRecord {
  readonly id: bigint;
  readonly reference: string;
  readonly gateway: string;
  readonly storeId: string;
  /** The store's credentials, sealed; null for the store from the environment. */
  readonly sealedSecret: string | null;
  readonly status: AttemptStatus;
  readonly sessionKey: string | null;
  /** Whether the payer has moved on to another gateway. */
  readonly superseded: boolean;
  /** Null while no session is known. */
  readonly openedAt: Date | null;
  /** The database's time of the read. The test clock is not applied, since gateways do not know it. */
  readonly readAt: Date;
}

/** An attempt within JSON, where PostgreSQL has neither 64-bit integers nor times. */
type AttemptJson = Omit<AttemptRecord, 'id' | 'openedAt' | 'readAt'> & {
  readonly id: string;
  readonly openedAt: string | null;
  readonly readAt: string;
};

function attemptJson(eb: ExpressionBuilder<Tables & { t: Tables['payment_attempts'] }, 't'>) {
  return jsonBuildObject({
    id: eb.cast<string>('t.id', 'text'),
    reference: eb.ref('t.reference'),
    gateway: eb.ref('t.gateway'),
    storeId: eb.ref('t.storeId'),
    sealedSecret: eb.fn<string | null>('lenden_store_secret', ['t.applicationId', 't.mode', 't.gateway', 't.storeId']),
    status: eb.ref('t.status'),
    sessionKey: eb.ref('t.sessionKey'),
    superseded: eb('t.supersededAt', 'is not', null).$castTo<boolean>(),
    openedAt: eb.ref('t.openedAt'),
    readAt: now,
  });
}

function attemptOf(json: AttemptJson): AttemptRecord {
  return {
    ...json,
    id: BigInt(json.id),
    openedAt: optional(json.openedAt, instant),
    readAt: instant(json.readAt),
  };
}

/** What opening a checkout needs. */
export interface CheckoutStart {
  readonly payment: PaymentRecord;
  readonly applicationName: string;
  readonly customerDefaults: CustomerDefaults;
  /** The newest attempt, or null if there is none. */
  readonly attempt: AttemptRecord | null;
  /** Attempts that the payer has left for another gateway and whose pages are open as far as we know. */
  readonly leftOpen: readonly AttemptRecord[];
  /** The store that operators chose for this application or for all; null if none. */
  readonly storeChosen: string | null;
  /** Callbacks that no query has handled yet. */
  readonly waitingCallbacks: number;
  /** Whether the gateway has confirmed a charge of an attempt that is not posted yet. */
  readonly charged: boolean;
}

const CHECKOUT_START = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('payments as p')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(PAYMENT)
    .select((eb) => [
      'a.name as applicationName',
      'a.customerDefaults',
      eb
        .selectFrom('payment_attempts as t')
        .select((t) => attemptJson(t).as('attempt'))
        .whereRef('t.paymentId', '=', 'p.id')
        .orderBy('t.number', 'desc')
        .limit(1)
        .as('attempt'),
      eb
        .selectFrom('payment_attempts as t')
        .select((t) => t.fn.coalesce(t.fn.jsonAgg(attemptJson(t)).orderBy('t.number'), NONE).as('attempts'))
        .whereRef('t.paymentId', '=', 'p.id')
        .where('t.supersededAt', 'is not', null)
        .where('t.status', '=', 'OPEN')
        .as('leftOpen'),
      eb.fn<string | null>('lenden_store_for', ['p.applicationId', 'p.mode', 'p.gateway']).as('storeChosen'),
      eb
        .selectFrom('gateway_callbacks as c')
        .select((c) => c.cast<number>(c.fn.countAll(), 'integer').as('waiting'))
        .whereRef('c.paymentId', '=', 'p.id')
        .where('c.consumedAt', 'is', null)
        .as('waitingCallbacks'),
      eb
        .exists(
          eb
            .selectFrom('payment_attempts as t')
            .select('t.id')
            .whereRef('t.paymentId', '=', 'p.id')
            .where('t.status', '=', 'CONFIRMED'),
        )
        .$castTo<boolean>()
        .as('charged'),
    ])
    .where('p.reference', '=', $('reference')),
);

/** @throws MissingRow if the scope has no such payment */
export async function readCheckoutStart(statements: Statements, reference: string): Promise<CheckoutStart> {
  const row = await CHECKOUT_START.first(statements, { reference });
  if (row === undefined) {
    throw new MissingRow('payment', reference);
  }
  const { applicationName, customerDefaults, attempt, leftOpen, storeChosen, waitingCallbacks, charged, ...payment } =
    row;
  return {
    payment,
    applicationName,
    customerDefaults,
    attempt: attempt === null ? null : attemptOf(attempt),
    leftOpen: (leftOpen ?? []).map(attemptOf),
    storeChosen,
    waitingCallbacks: waitingCallbacks ?? 0,
    charged,
  };
}

export interface NewAttempt {
  readonly payment: PaymentRecord;
  readonly reference: string;
  readonly gateway: string;
  readonly storeId: string;
}

const INSERT_FIRST_ATTEMPT = statement(
  (db, $: Given<{ payment: string; reference: string; gateway: string; storeId: string }>) => {
    const source = db.selectFrom('payments as p').where('p.reference', '=', $('payment'));
    const eb = expressionBuilder(source);
    const row = rowOf('payment_attempts', {
      applicationId: eb.ref('p.applicationId'),
      mode: eb.ref('p.mode'),
      paymentId: eb.ref('p.id'),
      number: sql.lit(1),
      reference: $('reference'),
      gateway: $('gateway'),
      storeId: $('storeId'),
    });
    return db
      .insertInto('payment_attempts')
      .columns(row.columns)
      .expression(source.select(row.values))
      .onConflict((conflict) => conflict.columns(['paymentId', 'number']).doNothing());
  },
);

const FIRST_ATTEMPT = statement((db, $: Given<{ payment: string }>) =>
  db
    .selectFrom('payment_attempts as t')
    .select((eb) => attemptJson(eb).as('attempt'))
    .where('t.paymentId', '=', (eb) => eb.selectFrom('payments').select('id').where('reference', '=', $('payment')))
    .where('t.number', '=', 1),
);

/** Inserts the first attempt of a payment that was created without one. If a duplicate was faster, returns its attempt. */
export async function insertFirstAttempt(
  statements: Statements,
  { payment: { reference: payment }, reference, gateway, storeId }: NewAttempt,
): Promise<AttemptRecord> {
  await INSERT_FIRST_ATTEMPT.all(statements, { payment, reference, gateway, storeId });
  const row = await FIRST_ATTEMPT.first(statements, { payment });
  if (row === undefined) {
    throw new MissingRow('payment', payment);
  }
  return attemptOf(row.attempt);
}

const RECORD_CHOOSING = statement((db, $: Given<{ reference: string }>) =>
  db
    .updateTable('payments')
    .set({ status: 'PENDING', nextSweepAt: AFTER_EXPIRY, updatedAt: now })
    .where('reference', '=', $('reference'))
    .where('status', 'in', OPEN_STATUSES)
    .where('gateway', 'is', null),
);

/** Records that the payer has not chosen a gateway yet, or that the chosen one is unavailable. The page asks for a choice (again). */
export async function recordChoosing(statements: Statements, reference: string): Promise<void> {
  await RECORD_CHOOSING.all(statements, { reference });
}

const RECORD_UNAVAILABLE_CHOICE = statement((db, $: Given<TriedAttempt & { failureCode: string }>) =>
  db
    .with('refused', (q) =>
      q
        .updateTable('payment_attempts')
        .set({ status: 'REFUSED', failureCode: $('failureCode'), supersededAt: now, updatedAt: now })
        .where('reference', '=', $('attempt'))
        .where('supersededAt', 'is', null)
        .where('status', 'in', UNOPENED)
        .where('sessionKey', 'is', null)
        .returning('paymentId'),
    )
    .updateTable('payments as p')
    .from('refused')
    .set({ status: 'PENDING', gateway: null, gatewayRedirectUrl: null, nextSweepAt: AFTER_EXPIRY, updatedAt: now })
    .whereRef('p.id', '=', 'refused.paymentId')
    .where('p.reference', '=', $('payment'))
    .where('p.status', 'in', OPEN_STATUSES),
);

/** Records that the chosen gateway refuses the session for good. The payer chooses again. */
export async function recordUnavailableChoice(
  statements: Statements,
  refused: TriedAttempt & { readonly failureCode: string },
): Promise<void> {
  await RECORD_UNAVAILABLE_CHOICE.all(statements, refused);
}

/** Public references, because ids may belong to other rows if an older database was restored while the gateway was called. */
export interface TriedAttempt {
  readonly payment: string;
  readonly attempt: string;
}

export interface OpenedSession extends TriedAttempt {
  readonly sessionKey: string;
  /** Null if there is no page but ours. */
  readonly gatewayUrl: string | null;
  /** The least number of minutes that the payer has from now on, even if the payment's own time is shorter. */
  readonly payWithinMinutes: number;
}

const RECORD_SESSION = statement((db, $: Given<OpenedSession>) => {
  const payableUntil = latestOf(
    sql.ref('p.expiresAt'),
    plus(timeOf(sql.ref('p.clockOffset')), span($('payWithinMinutes'), 'minute')),
  );
  return db
    .with('opened', (q) =>
      q
        .updateTable('payment_attempts')
        .set({
          status: 'OPEN',
          sessionKey: $('sessionKey'),
          gatewayUrl: $('gatewayUrl'),
          openedAt: now,
          updatedAt: now,
        })
        .where('reference', '=', $('attempt'))
        // A stalled worker may resume after another one has opened the attempt.
        .where('status', 'in', UNOPENED)
        .where('sessionKey', 'is', null)
        .returning(['paymentId', 'supersededAt']),
    )
    .updateTable('payments as p')
    .from('opened')
    .set({
      status: 'PENDING',
      gatewayRedirectUrl: $('gatewayUrl'),
      expiresAt: payableUntil,
      nextSweepAt: latestOf(later('5 minutes'), plus(payableUntil, constantSpan('1 minute'))),
      updatedAt: now,
    })
    .whereRef('p.id', '=', 'opened.paymentId')
    .where('opened.supersededAt', 'is', null)
    .where('p.reference', '=', $('payment'))
    .where('p.status', 'in', OPEN_STATUSES)
    .returning('p.expiresAt');
});

/**
 * Records an opened session, so that the payer can go there. A payment that has ended in the meantime stays ended, and a payer who has moved on to
 * another attempt is not sent back. Page and session key are written together or not at all: if two workers opened one attempt, the page of the
 * session that is not recorded is never shown, so nobody can pay there. Returns the payment's expiry, or null if another worker was faster.
 */
export async function recordSession(statements: Statements, session: OpenedSession): Promise<Date | null> {
  return (await RECORD_SESSION.first(statements, session))?.expiresAt ?? null;
}

const RECORD_NO_SESSION = statement(
  (db, $: Given<TriedAttempt & { status: 'UNKNOWN' | 'REFUSED'; failureCode: string | null }>) =>
    db
      .with('tried', (q) =>
        q
          .updateTable('payment_attempts')
          .set({ status: $('status'), failureCode: $('failureCode'), updatedAt: now })
          .where('reference', '=', $('attempt'))
          .where('status', 'in', UNOPENED)
          .where('sessionKey', 'is', null),
      )
      .updateTable('payments')
      .set({ nextSweepAt: AFTER_EXPIRY })
      .where('reference', '=', $('payment'))
      .where('status', 'in', OPEN_STATUSES),
);

/** Records that no session is known: the gateway refused, or its answer was lost. */
export async function recordNoSession(
  statements: Statements,
  tried: TriedAttempt & { readonly status: 'UNKNOWN' | 'REFUSED'; readonly failureCode: string | null },
): Promise<void> {
  await RECORD_NO_SESSION.all(statements, tried);
}

const RECORD_UNKNOWN_SESSION = statement((db, $: Given<TriedAttempt>) =>
  db
    .with('tried', (q) =>
      q
        .updateTable('payment_attempts')
        .set({ status: 'UNKNOWN', updatedAt: now })
        .where('reference', '=', $('attempt'))
        .where('status', 'in', UNOPENED)
        .where('sessionKey', 'is', null),
    )
    .updateTable('payments')
    .set({ status: 'PENDING', nextSweepAt: AFTER_EXPIRY, updatedAt: now })
    .where('reference', '=', $('payment'))
    .where('status', 'in', OPEN_STATUSES),
);

/** Records that the gateway knows a charge of an attempt whose session is not in our rows. The workflow queries it next. */
export async function recordUnknownSession(statements: Statements, tried: TriedAttempt): Promise<void> {
  await RECORD_UNKNOWN_SESSION.all(statements, tried);
}

/** A stored callback. Its claims only say where to look. */
export interface WaitingCallback {
  readonly id: bigint;
  readonly attemptId: bigint;
  readonly signatureValid: boolean;
  readonly rawPayload: string;
}

/** What a query to the gateway needs. */
export interface Question {
  readonly payment: PaymentRecord;
  readonly attempts: readonly AttemptRecord[];
  /** Signed ones first, so that a flood of forged callbacks cannot displace them. */
  readonly callbacks: readonly WaitingCallback[];
  /** The newest callback at the time the query was prepared. */
  readonly newestCallbackId: bigint;
}

const CALLBACKS_READ_MAX = 50;

const ALLOW_NEXT_SIGNAL = statement((db, $: Given<{ reference: string }>) =>
  db
    .updateTable('payments as p')
    .set({ callbackSignalledAt: null })
    .where('p.reference', '=', $('reference'))
    .returning(PAYMENT),
);

const READ_QUESTION = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('payments as p')
    .select((eb) => [
      eb
        .selectFrom('payment_attempts as t')
        .select((t) => t.fn.coalesce(t.fn.jsonAgg(attemptJson(t)).orderBy('t.number'), NONE).as('attempts'))
        .whereRef('t.paymentId', '=', 'p.id')
        .as('attempts'),
      eb
        .selectFrom(
          eb
            .selectFrom('gateway_callbacks')
            .select(['id', 'attemptId', 'signatureValid', 'rawPayload'])
            .whereRef('paymentId', '=', 'p.id')
            .where('consumedAt', 'is', null)
            .orderBy('signatureValid', 'desc')
            .orderBy('id', 'desc')
            .limit(CALLBACKS_READ_MAX)
            .as('c'),
        )
        .select((c) =>
          c.fn
            .coalesce(
              c.fn
                .jsonAgg(
                  jsonBuildObject({
                    id: c.cast<string>('c.id', 'text'),
                    attemptId: c.cast<string>('c.attemptId', 'text'),
                    signatureValid: c.ref('c.signatureValid'),
                    rawPayload: c.ref('c.rawPayload'),
                  }),
                )
                .orderBy('c.signatureValid', 'desc')
                .orderBy('c.id', 'desc'),
              NONE,
            )
            .as('callbacks'),
        )
        .as('callbacks'),
      eb
        .selectFrom('gateway_callbacks as c')
        .select((c) => c.fn.max('c.id').as('newest'))
        .whereRef('c.paymentId', '=', 'p.id')
        .where('c.consumedAt', 'is', null)
        .as('newest'),
    ])
    .where('p.reference', '=', $('reference')),
);

/**
 * Loads what a query needs. It first allows the next signal and reads afterwards, so that a callback arriving from now on is not missed: the second
 * statement sees everything that was committed before it.
 *
 * @throws MissingRow if the scope has no such payment
 */
export async function takeUpQuestion(statements: Statements, reference: string): Promise<Question> {
  const [payment, asked] = await Promise.all([
    ALLOW_NEXT_SIGNAL.first(statements, { reference }),
    READ_QUESTION.first(statements, { reference }),
  ]);
  if (payment === undefined || asked === undefined) {
    throw new MissingRow('payment', reference);
  }
  return {
    payment,
    attempts: (asked.attempts ?? []).map(attemptOf),
    callbacks: (asked.callbacks ?? []).map(({ id, attemptId, ...callback }) => ({
      ...callback,
      id: BigInt(id),
      attemptId: BigInt(attemptId),
    })),
    newestCallbackId: asked.newest ?? 0n,
  };
}

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

export interface AnsweredQuestion {
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

interface Answered {
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

const RECORD_ANSWER = statement((db, $: Given<Answered & ClosedCallbacks>) =>
  closeCallbacks(
    db.with('answered', (q) =>
      q
        .updateTable('payment_attempts')
        .set((eb) => ({
          status: $('status'),
          gatewayTxnId: eb.fn.coalesce($('gatewayTxnId'), 'gatewayTxnId'),
          validationId: eb.fn.coalesce($('validationId'), 'validationId'),
          grossMinor: eb.fn.coalesce(eb.cast<bigint>($('grossMinor'), 'bigint'), 'grossMinor'),
          feeMinor: eb.fn.coalesce(eb.cast<bigint>($('feeMinor'), 'bigint'), 'feeMinor'),
          netText: eb.fn.coalesce($('netText'), 'netText'),
          evidence: eb.fn.coalesce($('evidence'), 'evidence'),
          queryAgainAt: eb.fn.coalesce(eb.cast<Date>($('queryAgainAt'), 'timestamptz'), 'queryAgainAt'),
          confirmedAt: eb.case().when($('confirmed')).then(now).else(eb.ref('confirmedAt')).end(),
          updatedAt: now,
        }))
        .where('reference', '=', $('attempt'))
        .where('status', '<>', 'CONFIRMED'),
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
  { attempt, answer, outcome, newestCallbackId, unanswered }: AnsweredQuestion,
): Promise<void> {
  if (answer === null) {
    return consumeCallbacks(statements, { attempt, upTo: newestCallbackId, unanswered }, outcome);
  }
  await RECORD_ANSWER.all(statements, {
    attempt,
    outcome,
    newestCallbackId,
    unanswered,
    status: answer.status,
    confirmed: answer.status === 'CONFIRMED',
    gatewayTxnId: answer.gatewayTxnId ?? null,
    validationId: answer.validationId ?? null,
    grossMinor: answer.grossMinor ?? null,
    feeMinor: answer.feeMinor ?? null,
    netText: answer.netText ?? null,
    evidence: answer.evidence ?? null,
    queryAgainAt: answer.queryAgainAt ?? null,
  });
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
  return Error.isError(error) && 'constraint' in error && error.constraint === 'payment_attempts_confirmed_key';
}
