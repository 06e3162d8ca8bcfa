import type { Mode } from '../domain/mode.ts';
import type { PaymentStatus } from '../domain/payment.ts';
import type { Database, Scope } from './connection.ts';
import type { CallbackKind, CallbackOutcome } from './entities/payment.ts';
import { instant } from './read-row.ts';
import type { Statements } from './statements.ts';

export interface ReceivedCallback {
  readonly gateway: string;
  readonly mode: Mode;
  readonly kind: CallbackKind;
  readonly reference: string | null;
  readonly signatureValid: boolean;
  readonly note: string | null;
  /** It says itself that nothing was paid. */
  readonly claimsNoMoney: boolean;
  readonly rawPayload: string;
  readonly digest: Buffer;
}

export interface AttemptIds {
  readonly scope: Scope;
  readonly attemptId: bigint;
  readonly paymentId: bigint;
}

/** An attempt as a callback finds it, with the store whose signature the callback must bear. */
export interface FoundAttempt extends AttemptIds {
  /** The database's time as it was found. */
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

/** A callback that names no attempt of ours: kept as evidence that no application can read. */
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
  /** 0 where the callback was counted, not kept. */
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
  /** The charge that settled the payment through this attempt, if it did. */
  readonly finalizedBy: string | null;
  /** Ours is the signal to send: no other is on its way. */
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

/** Of one attempt, as long as nobody has shown that the gateway sent them. */
const UNSIGNED_KEPT_MAX = 100;

/**
 * Counts an unsigned callback of an attempt, each payload once, and says whether it is one to be kept. The payment is locked first, as
 * everywhere, so that callbacks which come at the same moment are counted one after the other.
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

/** A callback that is not kept any more: the payment's workflow still hears of it, at most once a minute, and the browser is led on. */
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

/** Has the gateway asked for a payer who was led on to it and opens our page again, under the rules of a callback that nobody has signed. */
export async function askForPayer(statements: Statements, paymentId: bigint): Promise<KeptCallback | null> {
  const [newest] = await statements.execute<{ id: string }[]>(
    'select id from payment_attempts where payment_id = ? order by number desc limit 1',
    [paymentId],
  );
  return newest === undefined ? null : passUnkept(statements, { attemptId: BigInt(newest.id), paymentId });
}

/** When the sweeper looks at a callback that made no signal of its own, or whose signal was lost. */
const SWEPT_AFTER_SECONDS = { signed: 10, unsigned: 60 } as const;

/**
 * How long a signal keeps others of the same attempt from being sent: the return comes just after the IPN, and the first of them had the
 * gateway asked.
 */
const SIGNAL_PAUSE_SECONDS = { signed: 5, unsigned: 60 } as const;

/**
 * Stores a callback as evidence; the same bytes again only raise its counter. At most one signal is on its way for a payment, and callbacks
 * without a valid signature make at most one a minute and never hold up those with one, so a flood never reaches the workflow's history. The
 * guards are columns of the one updated row, so that callbacks which come at the same moment judge it one after the other.
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

/** Says what became of a callback that needs no question to the gateway. */
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

/** So many at once, since the payment is locked meanwhile. */
export const CONSUMED_MAX = 500;

/**
 * Values: outcome, the attempt's reference, id of the newest callback that is closed, ids of those that stay open. What is more than a statement closes
 * waits for the next question, which the sweeper sees to.
 */
export const CONSUME_CALLBACKS = `update gateway_callbacks set outcome = case when signature_valid then ? else 'FORGED' end, consumed_at = now()
     where id = any(array(select id from gateway_callbacks where attempt_id = (select id from payment_attempts where reference = ?)
        and consumed_at is null and id <= ? and id <> all(?::bigint[])
       limit ${CONSUMED_MAX}))`;

/**
 * Callbacks of charges that put a payment under review, and by which it was not settled in the end: they are to be asked about again, since
 * that money may be late now. The sweeper takes them up, and closes the one that did settle it.
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
 * Closes the callbacks of an attempt that had arrived when the gateway was asked, read or not, unless the answer says nothing about it.
 * Those that come later wait for the next question.
 */
export async function consumeCallbacks(
  statements: Statements,
  { attempt, upTo, unanswered = [] }: ConsumedCallbacks,
  outcome: CallbackOutcome,
): Promise<void> {
  await statements.execute(CONSUME_CALLBACKS, [outcome, attempt, upTo, bigintArray(unanswered)]);
}

/** At most so many statements for one attempt; what a flood brings beyond that is swept like what comes later. */
const CONSUMING_MAX = 200;

/**
 * Closes all callbacks of an attempt that have arrived, read or not, since nobody will ask because of them. As many statements as it takes,
 * each in a transaction of its own.
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

/** An array as one value, whichever way a statement is run: MikroORM would spread a JavaScript array. */
export function bigintArray(values: readonly bigint[]): string {
  return `{${values.join(',')}}`;
}
