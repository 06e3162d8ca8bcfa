import type { AttemptStatus } from '../../../domain/payment.ts';
import type { CustomerDefaults } from '../../../database/entities/application.ts';
import type { CallbackOutcome } from '../../../database/entities/payment.ts';
import { bigintArray, CONSUME_CALLBACKS, CONSUMED_MAX, consumeCallbacks } from '../../gateway-callbacks/store.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import { PAYMENT_COLUMNS, paymentOf, type PaymentRecord, type PaymentRow } from './payments.ts';
import { instant } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';

/** A payment with a running workflow is next swept when it should have ended. */
const SWEEP_AFTER_EXPIRY = `greatest(now() + interval '5 minutes', expires_at + interval '1 minute')`;

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

interface AttemptRow {
  id: string;
  reference: string;
  gateway: string;
  store_id: string;
  store_secret: string | null;
  status: AttemptStatus;
  session_key: string | null;
  superseded: boolean;
  opened_at: string | null;
  read_at: string;
}

const ATTEMPT_COLUMNS = `id, reference, gateway, store_id, lenden_store_secret(application_id, mode, gateway, store_id) as store_secret, status, session_key,
  superseded_at is not null as superseded, opened_at, now() as read_at`;

function attemptOf(row: AttemptRow): AttemptRecord {
  return {
    id: BigInt(row.id),
    reference: row.reference,
    gateway: row.gateway,
    storeId: row.store_id,
    sealedSecret: row.store_secret,
    status: row.status,
    sessionKey: row.session_key,
    superseded: row.superseded,
    openedAt: row.opened_at === null ? null : new Date(row.opened_at),
    readAt: new Date(row.read_at),
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

interface CheckoutStartRow extends PaymentRow {
  application_name: string;
  customer_defaults: CustomerDefaults;
  attempt: AttemptRow | null;
  left_open: AttemptRow[];
  store_chosen: string | null;
  waiting_callbacks: number;
  charged: boolean;
}

/** @throws MissingRow if the scope has no such payment */
export async function readCheckoutStart(statements: Statements, reference: string): Promise<CheckoutStart> {
  const [row] = await statements.execute<CheckoutStartRow[]>(
    `select ${PAYMENT_COLUMNS}, a.name as application_name, a.customer_defaults,
       (select to_json(t) from (select ${ATTEMPT_COLUMNS} from payment_attempts where payment_id = p.id order by number desc limit 1) t) as attempt,
       (select coalesce(json_agg(t order by t.number), '[]') from (select number, ${ATTEMPT_COLUMNS} from payment_attempts
         where payment_id = p.id and superseded_at is not null and status = 'OPEN') t) as left_open,
       lenden_store_for(p.application_id, p.mode, p.gateway) as store_chosen,
       (select count(*)::integer from gateway_callbacks c where c.payment_id = p.id and c.consumed_at is null) as waiting_callbacks,
       exists (select 1 from payment_attempts where payment_id = p.id and status = 'CONFIRMED') as charged
     from payments p join applications a on a.id = p.application_id where p.reference = ?`,
    [reference],
  );
  if (row === undefined) {
    throw new MissingRow('payment', reference);
  }
  return {
    payment: paymentOf(row),
    applicationName: row.application_name,
    customerDefaults: row.customer_defaults,
    attempt: row.attempt === null ? null : attemptOf(row.attempt),
    leftOpen: row.left_open.map(attemptOf),
    storeChosen: row.store_chosen,
    waitingCallbacks: row.waiting_callbacks,
    charged: row.charged,
  };
}

export interface NewAttempt {
  readonly payment: PaymentRecord;
  readonly reference: string;
  readonly gateway: string;
  readonly storeId: string;
}

/** Inserts the first attempt of a payment that was created without one. If a duplicate was faster, returns its attempt. */
export async function insertFirstAttempt(
  statements: Statements,
  { payment, reference, gateway, storeId }: NewAttempt,
): Promise<AttemptRecord> {
  await statements.execute(
    `insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id)
     select application_id, mode, id, 1, ?, ?, ? from payments where reference = ? on conflict (payment_id, number) do nothing`,
    [reference, gateway, storeId, payment.reference],
  );
  const [row] = await statements.execute<AttemptRow[]>(
    `select ${ATTEMPT_COLUMNS} from payment_attempts where payment_id = (select id from payments where reference = ?) and number = 1`,
    [payment.reference],
  );
  if (row === undefined) {
    throw new MissingRow('payment', payment.reference);
  }
  return attemptOf(row);
}

/** Records that the payer has not chosen a gateway yet, or that the chosen one is unavailable. The page asks for a choice (again). */
export async function recordChoosing(statements: Statements, reference: string): Promise<void> {
  await statements.execute(
    `update payments set status = 'PENDING', next_sweep_at = ${SWEEP_AFTER_EXPIRY}, updated_at = now()
     where reference = ? and status in ('CREATED', 'PENDING') and gateway is null`,
    [reference],
  );
}

/** Records that the chosen gateway refuses the session for good. The payer chooses again. */
export async function recordUnavailableChoice(
  statements: Statements,
  { payment, attempt, failureCode }: TriedAttempt & { readonly failureCode: string },
): Promise<void> {
  await statements.execute(
    `with refused as (
       update payment_attempts set status = 'REFUSED', failure_code = ?, superseded_at = now(), updated_at = now()
       where reference = ? and superseded_at is null and ${UNOPENED} returning payment_id)
     update payments p set status = 'PENDING', gateway = null, gateway_redirect_url = null, next_sweep_at = ${SWEEP_AFTER_EXPIRY}, updated_at = now()
     from refused where p.id = refused.payment_id and p.reference = ? and p.status in ('CREATED', 'PENDING')`,
    [failureCode, attempt, payment],
  );
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

const PAYABLE_UNTIL = `greatest(p.expires_at, lenden_now(p.clock_offset) + ?::integer * interval '1 minute')`;

/** Guards against a stalled worker that resumes after another one has opened the attempt. */
const UNOPENED = `status in ('CREATED', 'UNKNOWN') and session_key is null`;

/**
 * Records an opened session, so that the payer can go there. A payment that has ended in the meantime stays ended, and a payer who has moved on to
 * another attempt is not sent back. Page and session key are written together or not at all: if two workers opened one attempt, the page of the
 * session that is not recorded is never shown, so nobody can pay there. Returns the payment's expiry, or null if another worker was faster.
 */
export async function recordSession(
  statements: Statements,
  { payment, attempt, sessionKey, gatewayUrl, payWithinMinutes }: OpenedSession,
): Promise<Date | null> {
  const [row] = await statements.execute<{ expires_at: string }[]>(
    `with opened as (
       update payment_attempts set status = 'OPEN', session_key = ?, gateway_url = ?, opened_at = now(), updated_at = now()
       where reference = ? and ${UNOPENED} returning payment_id, superseded_at)
     update payments p set status = 'PENDING', gateway_redirect_url = ?, expires_at = ${PAYABLE_UNTIL},
       next_sweep_at = greatest(now() + interval '5 minutes', ${PAYABLE_UNTIL} + interval '1 minute'), updated_at = now()
     from opened where p.id = opened.payment_id and opened.superseded_at is null and p.reference = ? and p.status in ('CREATED', 'PENDING')
     returning p.expires_at`,
    [sessionKey, gatewayUrl, attempt, gatewayUrl, payWithinMinutes, payWithinMinutes, payment],
  );
  return row === undefined ? null : instant(row.expires_at);
}

/** Records that no session is known: the gateway refused, or its answer was lost. */
export async function recordNoSession(
  statements: Statements,
  {
    payment,
    attempt,
    status,
    failureCode,
  }: TriedAttempt & { readonly status: 'UNKNOWN' | 'REFUSED'; readonly failureCode: string | null },
): Promise<void> {
  await statements.execute(
    `with tried as (update payment_attempts set status = ?, failure_code = ?, updated_at = now() where reference = ? and ${UNOPENED})
     update payments set next_sweep_at = ${SWEEP_AFTER_EXPIRY} where reference = ? and status in ('CREATED', 'PENDING')`,
    [status, failureCode, attempt, payment],
  );
}

/** Records that the gateway knows a charge of an attempt whose session is not in our rows. The workflow queries it next. */
export async function recordUnknownSession(
  statements: Statements,
  { payment, attempt }: { readonly payment: string; readonly attempt: string },
): Promise<void> {
  await statements.execute(
    `with tried as (update payment_attempts set status = 'UNKNOWN', updated_at = now() where reference = ? and ${UNOPENED})
     update payments set status = 'PENDING', next_sweep_at = ${SWEEP_AFTER_EXPIRY}, updated_at = now()
     where reference = ? and status in ('CREATED', 'PENDING')`,
    [attempt, payment],
  );
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

interface WaitingRow {
  id: string;
  attempt_id: string;
  signature_valid: boolean;
  raw_payload: string;
}

/**
 * Loads what a query needs. It first allows the next signal and reads afterwards, so that a callback arriving from now on is not missed: the second
 * statement sees everything that was committed before it.
 *
 * @throws MissingRow if the scope has no such payment
 */
export async function takeUpQuestion(statements: Statements, reference: string): Promise<Question> {
  const [[payment], [asked]] = await Promise.all([
    statements.execute<PaymentRow[]>(
      `update payments p set callback_signalled_at = null where p.reference = ? returning ${PAYMENT_COLUMNS}`,
      [reference],
    ),
    statements.execute<{ attempts: AttemptRow[]; callbacks: WaitingRow[]; newest: string | null }[]>(
      `select
         (select coalesce(json_agg(t order by t.number), '[]') from (
           select number, ${ATTEMPT_COLUMNS} from payment_attempts where payment_id = p.id) t) as attempts,
         (select coalesce(json_agg(c order by c.signature_valid desc, c.id desc), '[]') from (
           select id, attempt_id, signature_valid, raw_payload from gateway_callbacks where payment_id = p.id and consumed_at is null
           order by signature_valid desc, id desc limit ?) c) as callbacks,
         (select max(id) from gateway_callbacks where payment_id = p.id and consumed_at is null) as newest
       from payments p where p.reference = ?`,
      [CALLBACKS_READ_MAX, reference],
    ),
  ]);
  if (payment === undefined || asked === undefined) {
    throw new MissingRow('payment', reference);
  }
  const callbacks = asked.callbacks.map((row) => ({
    id: BigInt(row.id),
    attemptId: BigInt(row.attempt_id),
    signatureValid: row.signature_valid,
    rawPayload: row.raw_payload,
  }));
  return {
    payment: paymentOf(payment),
    attempts: asked.attempts.map(attemptOf),
    callbacks,
    newestCallbackId: BigInt(asked.newest ?? 0),
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
  await statements.execute(
    `with answered as (
       update payment_attempts set status = ?, gateway_txn_id = coalesce(?, gateway_txn_id), validation_id = coalesce(?, validation_id),
         gross_minor = coalesce(?, gross_minor), fee_minor = coalesce(?, fee_minor), net_text = coalesce(?, net_text),
         evidence = coalesce(?, evidence), query_again_at = coalesce(?::timestamptz, query_again_at), confirmed_at = case when ? then now() else confirmed_at end, updated_at = now()
       where reference = ? and status <> 'CONFIRMED')
     ${CONSUME_CALLBACKS}`,
    [
      answer.status,
      answer.gatewayTxnId ?? null,
      answer.validationId ?? null,
      answer.grossMinor ?? null,
      answer.feeMinor ?? null,
      answer.netText ?? null,
      answer.evidence ?? null,
      answer.queryAgainAt ?? null,
      answer.status === 'CONFIRMED',
      attempt,
      outcome,
      attempt,
      newestCallbackId,
      bigintArray(unanswered),
    ],
  );
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

/**
 * Ends an attempt without a charge and closes its callbacks, in one statement. From then on it can no longer be executed: `GatewayExecutions.begin`
 * is guarded by the same row.
 * @returns false, without any change, if another process has executed it in the meantime, the gateway has confirmed a charge, or the payer who was to
 * choose again has already chosen
 */
export async function recordUnpaidEnd(statements: Statements, end: UnpaidEnd): Promise<boolean> {
  const { attemptId, status, queryAgainAt, onlyUnexecuted, choosesAgain, newestCallbackId } = end;
  const [row] = await statements.execute<{ ended: boolean }[]>(
    `with ended as (
       update payment_attempts set status = ?, query_again_at = coalesce(?::timestamptz, query_again_at),
         superseded_at = case when ? then now() else superseded_at end, updated_at = now()
       where id = ? and status <> 'CONFIRMED' and (not ? or (execution_at_work_until is null and execution_doubt is null))
         and (not ? or superseded_at is null)
       returning payment_id),
     consumed as (
       update gateway_callbacks set outcome = case when signature_valid then 'ACCEPTED' else 'FORGED' end, consumed_at = now()
       where exists (select 1 from ended) and id = any(array(select id from gateway_callbacks
         where attempt_id = ? and consumed_at is null and id <= ? limit ${CONSUMED_MAX}))),
     asked_where as (
       update payments p set gateway = null, gateway_redirect_url = null, next_sweep_at = ${SWEEP_AFTER_EXPIRY}, updated_at = now()
       from ended where ? and p.id = ended.payment_id and p.status in ('CREATED', 'PENDING') and p.cancel_requested_at is null)
     select exists (select 1 from ended) as ended`,
    [
      status,
      queryAgainAt,
      choosesAgain,
      attemptId,
      onlyUnexecuted,
      choosesAgain,
      attemptId,
      newestCallbackId,
      choosesAgain,
    ],
  );
  return row?.ended === true;
}

/** Reports whether another attempt of the same payment was confirmed first. */
export function isOutrun(error: unknown): boolean {
  return Error.isError(error) && 'constraint' in error && error.constraint === 'payment_attempts_confirmed_key';
}
