import type { Mode } from '../../domain/mode.ts';
import type { PaymentStatus } from '../../domain/payment.ts';
import type { Database, Scope } from '../../database/connection.ts';
import type { CallbackKind, CallbackOutcome } from '../../database/entities/payment.ts';
import { instant } from '../../database/read-row.ts';
import type { Statements } from '../../database/statements.ts';

export interface ReceivedCallback {
  readonly gateway: string;
  readonly mode: Mode;
  readonly kind: CallbackKind;
  readonly reference: string | null;
  readonly signatureValid: boolean;
  readonly note: string | null;
  /** Whether it says itself that nothing was paid. */
  readonly claimsNoMoney: boolean;
  readonly rawPayload: string;
  readonly digest: Buffer;
}

export interface AttemptIds {
  readonly scope: Scope;
  readonly attemptId: bigint;
  readonly paymentId: bigint;
}

/** An attempt found for a callback, with the store whose signature the callback must carry. */
export interface FoundAttempt extends AttemptIds {
  /** The database's time of the lookup. */
  readonly foundAt: Date;
  readonly store: { readonly storeId: string; readonly sealedSecret: string | null };
}

interface FoundRow {
  attempt_id: string;
  payment_id: string;
  application_id: string;
  mode: Mode;
  store_id: string;
  store_secret: string | null;
  found_at: string;
}

export async function findAttempt(
  database: Database,
  gateway: string,
  reference: string,
): Promise<FoundAttempt | null> {
  const [found] = await database.lookup<FoundRow>('select a.*, now() as found_at from lenden_find_attempt(?, ?) a', [
    gateway,
    reference,
  ]);
  return found === undefined
    ? null
    : {
        scope: { applicationId: BigInt(found.application_id), mode: found.mode },
        attemptId: BigInt(found.attempt_id),
        paymentId: BigInt(found.payment_id),
        foundAt: instant(found.found_at),
        store: { storeId: found.store_id, sealedSecret: found.store_secret },
      };
}

/** Stores a callback that names none of our attempts, as evidence that no application can read. */
export async function keepUnmatched(database: Database, callback: ReceivedCallback): Promise<void> {
  await database.lookup(
    `insert into gateway_callbacks (mode, gateway, reference, kind, signature_valid, outcome, note, raw_payload, digest, consumed_at)
     values (?, ?, ?, ?, ?, 'UNMATCHED', ?, ?, ?, now()) on conflict do nothing`,
    [
      callback.mode,
      callback.gateway,
      callback.reference,
      callback.kind,
      callback.signatureValid,
      callback.note,
      callback.rawPayload,
      callback.digest,
    ],
  );
}

const KEPT_COLUMNS = `p.reference, p.status, a.name as application_name, p.amount_minor, p.currency, p.invoice_id,
       t.reference as attempt_reference, case when t.status = 'CONFIRMED' then t.validation_id end as finalized_by,
       exists(select 1 from signalled) as signal`;

export interface KeptCallback {
  /** 0 if the callback was only counted, not stored. */
  readonly callbackId: bigint;
  readonly consumed: boolean;
  readonly payment: {
    readonly reference: string;
    readonly status: PaymentStatus;
    readonly applicationName: string;
    readonly amountMinor: bigint;
    readonly currency: string;
    readonly invoiceId: bigint | null;
  };
  readonly attemptReference: string;
  /** The validation id of the charge that finalized the payment through this attempt, or null. */
  readonly finalizedBy: string | null;
  /** Whether the caller must send a signal; false if another one is on its way. */
  readonly signal: boolean;
}

interface KeptRow {
  callback_id: string;
  consumed: boolean;
  reference: string;
  status: PaymentStatus;
  application_name: string;
  amount_minor: string;
  currency: string;
  invoice_id: string | null;
  attempt_reference: string;
  finalized_by: string | null;
  signal: boolean;
}

/** Per attempt, as long as no signature proves that the gateway sent them. */
const UNSIGNED_KEPT_MAX = 100;

/**
 * Counts an unsigned callback of an attempt, each payload once, and returns whether to store it. The payment is locked first, so that concurrent
 * callbacks are counted one after the other.
 */
export async function countUnsigned(
  statements: Statements,
  { gateway, mode, kind, digest }: ReceivedCallback,
  { attemptId, paymentId }: AttemptIds,
): Promise<'kept' | 'counted'> {
  await statements.execute('select id from payments where id = ? for update', [paymentId]);
  const known = await statements.execute<object[]>(
    'select id from gateway_callbacks where gateway = ? and mode = ? and kind = ? and digest = ?',
    [gateway, mode, kind, digest],
  );
  if (known.length > 0) {
    return 'kept';
  }
  const [attempt] = await statements.execute<{ unsigned_callbacks: number }[]>(
    'update payment_attempts set unsigned_callbacks = unsigned_callbacks + 1 where id = ? returning unsigned_callbacks',
    [attemptId],
  );
  return (attempt?.unsigned_callbacks ?? 0) <= UNSIGNED_KEPT_MAX ? 'kept' : 'counted';
}

/** Handles a callback that is no longer stored. The payment's workflow is still signalled, at most once a minute, and the browser is redirected. */
export async function passUnkept(
  statements: Statements,
  { attemptId, paymentId }: Pick<AttemptIds, 'attemptId' | 'paymentId'>,
): Promise<KeptCallback> {
  const [row] = await statements.execute<KeptRow[]>(
    `with signalled as (
       update payments set callback_signalled_at = now(), last_unsigned_signalled_at = now()
       where id = ? and (callback_signalled_at is null or callback_signalled_at < now() - interval '1 minute')
         and (last_signalled_at is null or last_signalled_at < now() - interval '1 minute')
         and (last_unsigned_signalled_at is null or last_unsigned_signalled_at < now() - interval '1 minute')
       returning id)
     select '0' as callback_id, false as consumed, ${KEPT_COLUMNS}
     from payments p join applications a on a.id = p.application_id join payment_attempts t on t.payment_id = p.id
     where p.id = ? and t.id = ?`,
    [paymentId, paymentId, attemptId],
  );
  return keptOf(row);
}

/** Requests a query of the gateway when a payer who was sent there opens our page again. It is limited like an unsigned callback. */
export async function askForPayer(statements: Statements, paymentId: bigint): Promise<KeptCallback | null> {
  const [newest] = await statements.execute<{ id: string }[]>(
    'select id from payment_attempts where payment_id = ? order by number desc limit 1',
    [paymentId],
  );
  return newest === undefined ? null : passUnkept(statements, { attemptId: BigInt(newest.id), paymentId });
}

/** When the sweeper handles a callback without a signal of its own, or whose signal was lost. */
const SWEPT_AFTER_SECONDS = { signed: 10, unsigned: 60 } as const;

/**
 * For how long a signal suppresses others of the same attempt. The browser's return arrives just after the IPN, which has already triggered the
 * query.
 */
const SIGNAL_PAUSE_SECONDS = { signed: 5, unsigned: 60 } as const;

/**
 * Stores a callback as evidence; identical bytes only increase its counter. At most one signal per payment is on its way. Callbacks without a valid
 * signature cause at most one a minute and never delay signed ones, so a flood cannot fill the workflow's history. The guards are columns of the
 * updated row, so that concurrent callbacks evaluate them one after the other.
 */
export async function keepCallback(
  statements: Statements,
  callback: ReceivedCallback,
  { scope, attemptId, paymentId }: AttemptIds,
): Promise<KeptCallback> {
  const trust = callback.signatureValid ? 'signed' : 'unsigned';
  const [row] = await statements.execute<KeptRow[]>(
    `with kept as (
       insert into gateway_callbacks as c (application_id, mode, payment_id, attempt_id, gateway, reference, kind, signature_valid, note,
         raw_payload, digest, claims_no_money, next_sweep_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, now() + ? * interval '1 second')
       on conflict (gateway, mode, kind, digest) do update set repeats = c.repeats + 1
       returning id, consumed_at is not null as consumed),
     signalled as (
       update payments set callback_signalled_at = now(),
         last_signalled_at = case when ? then now() else last_signalled_at end,
         last_signalled_attempt_id = case when ? then ? else last_signalled_attempt_id end,
         last_unsigned_signalled_at = case when ? then last_unsigned_signalled_at else now() end
       where id = ? and (select not consumed from kept) and (callback_signalled_at is null or callback_signalled_at < now() - interval '1 minute')
         and (last_signalled_at is null or last_signalled_at < now() - ? * interval '1 second'
           or (? and last_signalled_attempt_id is distinct from ?))
         and (? or last_unsigned_signalled_at is null or last_unsigned_signalled_at < now() - interval '1 minute')
       returning id)
     select kept.id as callback_id, kept.consumed, ${KEPT_COLUMNS}
     from kept, payments p join applications a on a.id = p.application_id join payment_attempts t on t.payment_id = p.id
     where p.id = ? and t.id = ?`,
    [
      scope.applicationId,
      scope.mode,
      paymentId,
      attemptId,
      callback.gateway,
      callback.reference,
      callback.kind,
      callback.signatureValid,
      callback.note,
      callback.rawPayload,
      callback.digest,
      callback.claimsNoMoney,
      SWEPT_AFTER_SECONDS[trust],
      callback.signatureValid,
      callback.signatureValid,
      attemptId,
      callback.signatureValid,
      paymentId,
      SIGNAL_PAUSE_SECONDS[trust],
      callback.signatureValid,
      attemptId,
      callback.signatureValid,
      paymentId,
      attemptId,
    ],
  );
  return keptOf(row);
}

function keptOf(row: KeptRow | undefined): KeptCallback {
  if (row === undefined) {
    throw new Error('a callback was not stored');
  }
  return {
    callbackId: BigInt(row.callback_id),
    consumed: row.consumed,
    payment: {
      reference: row.reference,
      status: row.status,
      applicationName: row.application_name,
      amountMinor: BigInt(row.amount_minor),
      currency: row.currency,
      invoiceId: row.invoice_id === null ? null : BigInt(row.invoice_id),
    },
    attemptReference: row.attempt_reference,
    finalizedBy: row.finalized_by,
    signal: row.signal,
  };
}

/** Records the outcome of a callback that needs no query. */
export async function closeCallback(
  statements: Statements,
  callbackId: bigint,
  outcome: CallbackOutcome,
): Promise<void> {
  await statements.execute(
    'update gateway_callbacks set outcome = ?, consumed_at = now() where id = ? and consumed_at is null',
    [outcome, callbackId],
  );
}

/** A limit, since the payment is locked during the statement. */
export const CONSUMED_MAX = 500;

/**
 * Values: outcome, the attempt's reference, the id of the newest callback to close, the ids of those that stay open. Callbacks beyond the limit wait
 * for the next query, which the sweeper triggers.
 */
export const CONSUME_CALLBACKS = `update gateway_callbacks set outcome = case when signature_valid then ? else 'FORGED' end, consumed_at = now()
     where id = any(array(select id from gateway_callbacks where attempt_id = (select id from payment_attempts where reference = ?)
        and consumed_at is null and id <= ? and id <> all(?::bigint[])
       limit ${CONSUMED_MAX}))`;

/**
 * Reopens callbacks of charges that put a payment under review and did not finalize it in the end. They must be queried again, since that money may
 * be unapplied now. The sweeper handles them, and closes the one that did finalize the payment.
 */
export async function reopenDoubted(statements: Statements, paymentId: bigint): Promise<void> {
  await statements.execute(
    `update gateway_callbacks set outcome = 'RECEIVED', consumed_at = null, next_sweep_at = now() where payment_id = ? and outcome = 'MISMATCH'`,
    [paymentId],
  );
}

export interface ConsumedCallbacks {
  /** Its public reference. */
  readonly attempt: string;
  readonly upTo: bigint;
  readonly unanswered?: readonly bigint[];
}

/**
 * Closes the callbacks of an attempt that had arrived before the query, read or not, except those that the answer does not cover. Later ones wait for
 * the next query.
 */
export async function consumeCallbacks(
  statements: Statements,
  { attempt, upTo, unanswered = [] }: ConsumedCallbacks,
  outcome: CallbackOutcome,
): Promise<void> {
  await statements.execute(CONSUME_CALLBACKS, [outcome, attempt, upTo, bigintArray(unanswered)]);
}

/** Limit of statements for one attempt. The sweeper handles what a flood leaves beyond it. */
const CONSUMING_MAX = 200;

/**
 * Closes all callbacks of an attempt that have arrived, read or not, because they will not lead to a query. Uses as many statements as needed, each
 * in its own transaction.
 */
export async function consumeAllCallbacks(
  database: Database,
  scope: Scope,
  { attempt, outcome }: { readonly attempt: string; readonly outcome: CallbackOutcome },
): Promise<void> {
  const [newest] = await database.inOneTrip(scope, (statements) =>
    statements.execute<{ id: string | null }[]>(
      `select max(c.id) as id from gateway_callbacks c join payment_attempts t on t.id = c.attempt_id
       where t.reference = ? and c.consumed_at is null`,
      [attempt],
    ),
  );
  const upTo = newest?.id ?? null;
  let closed = upTo === null ? 0 : CONSUMED_MAX;
  for (let times = 0; closed === CONSUMED_MAX && times < CONSUMING_MAX; times += 1) {
    const [consumed] = await database.inOneTrip(scope, (statements) =>
      statements.execute<{ count: number }[]>(
        `with consumed as (${CONSUME_CALLBACKS} returning 1) select count(*)::integer as count from consumed`,
        [outcome, attempt, upTo, bigintArray([])],
      ),
    );
    closed = consumed?.count ?? 0;
  }
}

/** Returns an array as one value. MikroORM would expand a JavaScript array into several. */
export function bigintArray(values: readonly bigint[]): string {
  return `{${values.join(',')}}`;
}
