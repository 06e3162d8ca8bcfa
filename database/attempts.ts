import type { AttemptStatus } from '../domain/payment.ts';
import type { CustomerDefaults } from './entities/application.ts';
import type { CallbackOutcome } from './entities/payment.ts';
import { bigintArray, CONSUME_CALLBACKS, CONSUMED_MAX, consumeCallbacks } from './gateway-callbacks.ts';
import { MissingRow } from './missing-row.ts';
import { PAYMENT_COLUMNS, paymentOf, type PaymentRecord, type PaymentRow } from './payments.ts';
import { instant } from './read-row.ts';
import type { Statements } from './statements.ts';

/** A payment whose workflow is at work is swept when it should have ended. */
const SWEEP_AFTER_EXPIRY = `greatest(now() + interval '5 minutes', expires_at + interval '1 minute')`;

/** One session at a gateway, as the steps of a payment need it. */
export interface AttemptRecord {
  readonly id: bigint;
  readonly reference: string;
  readonly gateway: string;
  readonly storeId: string;
  /** The credentials of that store, sealed; null where they are the environment's. */
  readonly sealedSecret: string | null;
  readonly status: AttemptStatus;
  readonly sessionKey: string | null;
  /** The payer has gone on to another gateway. */
  readonly superseded: boolean;
  /** Null while no session is known. */
  readonly openedAt: Date | null;
  /** The database's time as the row was read: gateways know of no test clock. */
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

/** What opening a checkout starts from. */
export interface CheckoutStart {
  readonly payment: PaymentRecord;
  readonly applicationName: string;
  readonly customerDefaults: CustomerDefaults;
  /** The newest attempt, or null when none was written. */
  readonly attempt: AttemptRecord | null;
  /** Attempts that the payer has left for another gateway, and whose pages are open as far as we know. */
  readonly leftOpen: readonly AttemptRecord[];
  /** The store that operators chose for this application or for all; null where none is. */
  readonly storeChosen: string | null;
  /** Callbacks that no question to the gateway has taken up. */
  readonly waitingCallbacks: number;
  /** The gateway has confirmed a charge of one of its attempts, which is not booked yet. */
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

/** @throws MissingRow when the scope has no such payment */
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

/** The first attempt of a payment whose creator could not write it. A duplicate that was faster leaves its own, which is answered. */
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

/** The payer has not chosen yet, or what was chosen cannot be had: the page asks (again). */
export async function recordChoosing(statements: Statements, reference: string): Promise<void> {
  await statements.execute(
    `update payments set status = 'PENDING', next_sweep_at = ${SWEEP_AFTER_EXPIRY}, updated_at = now()
     where reference = ? and status in ('CREATED', 'PENDING') and gateway is null`,
    [reference],
  );
}

/** The chosen gateway will never open this session: the payer chooses again. */
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

/** Public references: while the gateway was asked the database may have been set back to an older state, which gives numbers out again. */
export interface TriedAttempt {
  readonly payment: string;
  readonly attempt: string;
}

export interface OpenedSession extends TriedAttempt {
  readonly sessionKey: string;
  /** Null where our own page is all there is. */
  readonly gatewayUrl: string | null;
  /** How long the payer has from now on at least, whatever is left of the payment's time. */
  readonly payWithinMinutes: number;
}

const PAYABLE_UNTIL = `greatest(p.expires_at, lenden_now(p.clock_offset) + ?::integer * interval '1 minute')`;

/** A worker that stood still may wake after another has done its work, and must not undo it. */
const UNOPENED = `status in ('CREATED', 'UNKNOWN') and session_key is null`;

/**
 * The session exists: the payer may go there. A payment that has ended meanwhile stays ended, and a payer who has gone on to another attempt is
 * not led back. The page and the session's key are written together or not at all: when two workers have opened one attempt, the page of the
 * session that is not asked about stays unknown to everybody, so that nobody can pay there. Answers when the payment expires now; null when it
 * was not the one that opened it.
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

/** The gateway opened nothing that we know of: it refused, or its answer was lost. */
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

/** What a callback says and whether its signature holds; what it claims is only a hint where to look. */
export interface WaitingCallback {
  readonly id: bigint;
  readonly attemptId: bigint;
  readonly signatureValid: boolean;
  readonly rawPayload: string;
}

/** What a question to the gateway starts from. */
export interface Question {
  readonly payment: PaymentRecord;
  readonly attempts: readonly AttemptRecord[];
  /** Signed ones first, so that a flood of forged ones hides none of them. */
  readonly callbacks: readonly WaitingCallback[];
  /** The newest callback that had arrived when the question was prepared. */
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
 * Opens the way for the next signal before anything is read, so that a callback which comes from here on is not overlooked: the second
 * statement sees what was committed before it began.
 *
 * @throws MissingRow when the scope has no such payment
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

/** What the gateway said of an attempt. Absent members leave their columns as they are. */
export interface AttemptAnswerRecord {
  readonly status: AttemptStatus;
  readonly gatewayTxnId?: string | null;
  readonly validationId?: string | null;
  readonly grossMinor?: bigint | null;
  readonly feeMinor?: bigint | null;
  readonly netText?: string | null;
  readonly evidence?: string | null;
  /** When the gateway is asked about it once more although it is closed. */
  readonly queryAgainAt?: Date | null;
}

export interface AnsweredQuestion {
  /** Its public reference: while the gateway was asked the database may have been set back to an older state. */
  readonly attempt: string;
  /** Null when the gateway did not say anything plainly: the attempt stays as it is. */
  readonly answer: AttemptAnswerRecord | null;
  /** What becomes of the callbacks that were the reason to ask: every one up to `newestCallbackId`, read or not, but for `unanswered`. */
  readonly outcome: CallbackOutcome;
  readonly newestCallbackId: bigint;
  /** Callbacks that the answer says nothing about: somebody else asks. */
  readonly unanswered: readonly bigint[];
}

/**
 * Writes down what the gateway said and closes the callbacks of the attempt that had arrived when it was asked, in one statement. An
 * attempt that is confirmed stays so, whatever a worker that stood still has heard before.
 * @throws a unique violation (23505) when the validation id belongs to another attempt, or when another attempt of the payment was confirmed
 * meanwhile (`isOutrun`)
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
   * The gateway did not say plainly that nothing was taken, but nothing can be without our word: it ends only where that was never given.
   */
  readonly onlyUnexecuted: boolean;
  /** The payer may try another way: the attempt is left, and the page asks where. */
  readonly choosesAgain: boolean;
  readonly newestCallbackId: bigint;
}

/**
 * Ends an attempt without a charge and closes its callbacks, in one statement. From then on its money is moved by no word of ours: the guard is
 * in the row that permits an execution (`GatewayExecutions.begin`).
 * @returns false, and nothing is changed, when another process has executed it meanwhile, the gateway has confirmed a charge, or the payer who
 * was to choose again has done so
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

/** Another attempt of the same payment was confirmed first. */
export function isOutrun(error: unknown): boolean {
  return Error.isError(error) && 'constraint' in error && error.constraint === 'payment_attempts_one_confirmed';
}
