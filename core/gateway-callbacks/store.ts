import { sql, type Expression, type RawBuilder } from 'kysely';
import type { Mode } from '../../domain/mode.ts';
import type { PaymentStatus } from '../../domain/payment.ts';
import type { Database, Scope } from '../../database/connection.ts';
import type { CallbackKind, CallbackOutcome } from '../../database/entities/payment.ts';
import { earlier, minus, now, plus, span } from '../../database/expressions.ts';
import type { Statements } from '../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../database/typed-statements.ts';
import { closeCallbacks, CONSUMED_MAX, type ClosedCallbacks } from './closing.ts';

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

interface NamedAttempt extends Scope {
  readonly attemptId: bigint;
  readonly paymentId: bigint;
  readonly storeId: string;
  readonly storeSecret: string | null;
}

const FIND_ATTEMPT = statement((db, $: Given<{ gateway: string; reference: string }>) =>
  db
    .selectFrom(sql<NamedAttempt>`lenden_find_attempt(${$('gateway')}, ${$('reference')})`.as('a'))
    .select([
      'a.attemptId',
      'a.paymentId',
      'a.applicationId',
      'a.mode',
      'a.storeId',
      'a.storeSecret',
      now.as('foundAt'),
    ]),
);

export async function findAttempt(
  database: Database,
  gateway: string,
  reference: string,
): Promise<FoundAttempt | null> {
  const found = await FIND_ATTEMPT.lookup(database, { gateway, reference });
  if (found === undefined) {
    return null;
  }
  const { applicationId, mode, storeId, storeSecret, ...ids } = found;
  return { ...ids, scope: { applicationId, mode }, store: { storeId, sealedSecret: storeSecret } };
}

const KEEP_UNMATCHED = statement((db, $: Given<ReceivedCallback>) =>
  db
    .insertInto('gateway_callbacks')
    .values({
      mode: $('mode'),
      gateway: $('gateway'),
      reference: $('reference'),
      kind: $('kind'),
      signatureValid: $('signatureValid'),
      outcome: 'UNMATCHED',
      note: $('note'),
      rawPayload: $('rawPayload'),
      digest: $('digest'),
      consumedAt: now,
    })
    .onConflict((conflict) => conflict.doNothing()),
);

/** Stores a callback that names none of our attempts, as evidence that no application can read. */
export async function keepUnmatched(database: Database, callback: ReceivedCallback): Promise<void> {
  await KEEP_UNMATCHED.lookup(database, callback);
}

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

/** Per attempt, as long as no signature proves that the gateway sent them. */
const UNSIGNED_KEPT_MAX = 100;

const LOCK_PAYMENT = statement((db, $: Given<{ paymentId: bigint }>) =>
  db.selectFrom('payments').select('id').where('id', '=', $('paymentId')).forUpdate(),
);

const FIND_EQUAL = statement((db, $: Given<Pick<ReceivedCallback, 'gateway' | 'mode' | 'kind' | 'digest'>>) =>
  db
    .selectFrom('gateway_callbacks')
    .select('id')
    .where('gateway', '=', $('gateway'))
    .where('mode', '=', $('mode'))
    .where('kind', '=', $('kind'))
    .where('digest', '=', $('digest')),
);

const COUNT_UNSIGNED = statement((db, $: Given<{ attemptId: bigint }>) =>
  db
    .updateTable('payment_attempts')
    .set((eb) => ({ unsignedCallbacks: eb('unsignedCallbacks', '+', 1) }))
    .where('id', '=', $('attemptId'))
    .returning('unsignedCallbacks'),
);

/**
 * Counts an unsigned callback of an attempt, each payload once, and returns whether to store it. The payment is locked first, so that concurrent
 * callbacks are counted one after the other.
 */
export async function countUnsigned(
  statements: Statements,
  callback: ReceivedCallback,
  { attemptId, paymentId }: AttemptIds,
): Promise<'kept' | 'counted'> {
  await LOCK_PAYMENT.all(statements, { paymentId });
  if ((await FIND_EQUAL.first(statements, callback)) !== undefined) {
    return 'kept';
  }
  const attempt = await COUNT_UNSIGNED.first(statements, { attemptId });
  return (attempt?.unsignedCallbacks ?? 0) <= UNSIGNED_KEPT_MAX ? 'kept' : 'counted';
}

/** What the caller of a callback needs to know of its payment `p`, application `a` and attempt `t`. */
const OF_PAYMENT = [
  'p.reference',
  'p.status',
  'a.name as applicationName',
  'p.amountMinor',
  'p.currency',
  'p.invoiceId',
  't.reference as attemptReference',
] as const;

/** Whether a time lies this far back, or is unknown. */
function isPast(column: Expression<Date | null>, since: Expression<Date>): RawBuilder<boolean> {
  return sql<boolean>`(${column} is null or ${column} < ${since})`;
}

const PASS_UNKEPT = statement((db, $: Given<Pick<AttemptIds, 'attemptId' | 'paymentId'>>) =>
  db
    .with('signalled', (q) =>
      q
        .updateTable('payments')
        .set({ callbackSignalledAt: now, lastUnsignedSignalledAt: now })
        .where('id', '=', $('paymentId'))
        .where((eb) => isPast(eb.ref('callbackSignalledAt'), earlier('1 minute')))
        .where((eb) => isPast(eb.ref('lastSignalledAt'), earlier('1 minute')))
        .where((eb) => isPast(eb.ref('lastUnsignedSignalledAt'), earlier('1 minute')))
        .returning('id'),
    )
    .selectFrom('payments as p')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .innerJoin('payment_attempts as t', 't.paymentId', 'p.id')
    .select(OF_PAYMENT)
    .select((eb) => [
      eb.case().when('t.status', '=', 'CONFIRMED').then(eb.ref('t.validationId')).end().as('finalizedBy'),
      eb.exists(eb.selectFrom('signalled').select('signalled.id')).$castTo<boolean>().as('signal'),
    ])
    .where('p.id', '=', $('paymentId'))
    .where('t.id', '=', $('attemptId')),
);

/** Handles a callback that is no longer stored. The payment's workflow is still signalled, at most once a minute, and the browser is redirected. */
export async function passUnkept(
  statements: Statements,
  { attemptId, paymentId }: Pick<AttemptIds, 'attemptId' | 'paymentId'>,
): Promise<KeptCallback> {
  const row = await PASS_UNKEPT.first(statements, { attemptId, paymentId });
  return keptOf(row === undefined ? undefined : { ...row, callbackId: 0n, consumed: false });
}

const NEWEST_ATTEMPT = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('payment_attempts')
    .select('id')
    .where('paymentId', '=', $('paymentId'))
    .orderBy('number', 'desc')
    .limit(1),
);

/** Requests a query of the gateway when a payer who was sent there opens our page again. It is limited like an unsigned callback. */
export async function askForPayer(statements: Statements, paymentId: bigint): Promise<KeptCallback | null> {
  const newest = await NEWEST_ATTEMPT.first(statements, { paymentId });
  return newest === undefined ? null : passUnkept(statements, { attemptId: newest.id, paymentId });
}

/** When the sweeper handles a callback without a signal of its own, or whose signal was lost. */
const SWEPT_AFTER_SECONDS = { signed: 10, unsigned: 60 } as const;

/**
 * For how long a signal suppresses others of the same attempt. The browser's return arrives just after the IPN, which has already triggered the
 * query.
 */
const SIGNAL_PAUSE_SECONDS = { signed: 5, unsigned: 60 } as const;

interface Keeping extends ReceivedCallback, Scope {
  readonly paymentId: bigint;
  readonly attemptId: bigint;
  readonly sweptAfterSeconds: number;
  readonly pauseSeconds: number;
}

const KEEP = statement((db, $: Given<Keeping>) =>
  db
    .with('kept', (q) =>
      q
        .insertInto('gateway_callbacks')
        .values({
          applicationId: $('applicationId'),
          mode: $('mode'),
          paymentId: $('paymentId'),
          attemptId: $('attemptId'),
          gateway: $('gateway'),
          reference: $('reference'),
          kind: $('kind'),
          signatureValid: $('signatureValid'),
          note: $('note'),
          rawPayload: $('rawPayload'),
          digest: $('digest'),
          claimsNoMoney: $('claimsNoMoney'),
          nextSweepAt: plus(now, span($('sweptAfterSeconds'), 'second')),
        })
        .onConflict((conflict) =>
          conflict
            .columns(['gateway', 'mode', 'kind', 'digest'])
            .doUpdateSet((eb) => ({ repeats: eb('gateway_callbacks.repeats', '+', 1) })),
        )
        .returning((eb) => ['id', eb('consumedAt', 'is not', null).$castTo<boolean>().as('consumed')]),
    )
    .with('signalled', (q) =>
      q
        .updateTable('payments')
        .set((eb) => ({
          callbackSignalledAt: now,
          lastSignalledAt: eb.case().when($('signatureValid')).then(now).else(eb.ref('lastSignalledAt')).end(),
          lastSignalledAttemptId: eb
            .case()
            .when($('signatureValid'))
            .then($('attemptId'))
            .else(eb.ref('lastSignalledAttemptId'))
            .end(),
          lastUnsignedSignalledAt: eb
            .case()
            .when($('signatureValid'))
            .then(eb.ref('lastUnsignedSignalledAt'))
            .else(now)
            .end(),
        }))
        .where('id', '=', $('paymentId'))
        .where((eb) =>
          eb
            .selectFrom('kept')
            .select((kept) => kept.not('kept.consumed').as('fresh'))
            .$castTo<{ fresh: boolean }>(),
        )
        .where((eb) => isPast(eb.ref('callbackSignalledAt'), earlier('1 minute')))
        .where((eb) =>
          eb.or([
            isPast(eb.ref('lastSignalledAt'), minus(now, span($('pauseSeconds'), 'second'))),
            eb.and([$('signatureValid'), eb('lastSignalledAttemptId', 'is distinct from', $('attemptId'))]),
          ]),
        )
        .where((eb) => eb.or([$('signatureValid'), isPast(eb.ref('lastUnsignedSignalledAt'), earlier('1 minute'))]))
        .returning('id'),
    )
    .selectFrom('payments as p')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .innerJoin('payment_attempts as t', 't.paymentId', 'p.id')
    .innerJoin('kept', (join) => join.onTrue())
    .select(OF_PAYMENT)
    .select((eb) => [
      'kept.id as callbackId',
      'kept.consumed',
      eb.case().when('t.status', '=', 'CONFIRMED').then(eb.ref('t.validationId')).end().as('finalizedBy'),
      eb.exists(eb.selectFrom('signalled').select('signalled.id')).$castTo<boolean>().as('signal'),
    ])
    .where('p.id', '=', $('paymentId'))
    .where('t.id', '=', $('attemptId')),
);

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
  const kept = await KEEP.first(statements, {
    ...callback,
    ...scope,
    attemptId,
    paymentId,
    sweptAfterSeconds: SWEPT_AFTER_SECONDS[trust],
    pauseSeconds: SIGNAL_PAUSE_SECONDS[trust],
  });
  return keptOf(kept);
}

function keptOf(row: RowOf<typeof KEEP> | undefined): KeptCallback {
  if (row === undefined) {
    throw new Error('a callback was not stored');
  }
  const { callbackId, consumed, attemptReference, finalizedBy, signal, ...payment } = row;
  return { callbackId, consumed, attemptReference, finalizedBy, signal, payment };
}

const CLOSE = statement((db, $: Given<{ id: bigint; outcome: CallbackOutcome }>) =>
  db
    .updateTable('gateway_callbacks')
    .set({ outcome: $('outcome'), consumedAt: now })
    .where('id', '=', $('id'))
    .where('consumedAt', 'is', null),
);

/** Records the outcome of a callback that needs no query. */
export async function closeCallback(
  statements: Statements,
  callbackId: bigint,
  outcome: CallbackOutcome,
): Promise<void> {
  await CLOSE.all(statements, { id: callbackId, outcome });
}

const REOPEN_DOUBTED = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .updateTable('gateway_callbacks')
    .set({ outcome: 'RECEIVED', consumedAt: null, nextSweepAt: now })
    .where('paymentId', '=', $('paymentId'))
    .where('outcome', '=', 'MISMATCH'),
);

/**
 * Reopens callbacks of charges that put a payment under review and did not finalize it in the end. They must be queried again, since that money may
 * be unapplied now. The sweeper handles them, and closes the one that did finalize the payment.
 */
export async function reopenDoubted(statements: Statements, paymentId: bigint): Promise<void> {
  await REOPEN_DOUBTED.all(statements, { paymentId });
}

/** Limit of statements for one attempt. The sweeper handles what a flood leaves beyond it. */
const CONSUMING_MAX = 200;

const NEWEST_OPEN = statement((db, $: Given<{ attempt: string }>) =>
  db
    .selectFrom('gateway_callbacks as c')
    .innerJoin('payment_attempts as t', 't.id', 'c.attemptId')
    .select((eb) => eb.fn.max('c.id').as('id'))
    .where('t.reference', '=', $('attempt'))
    .where('c.consumedAt', 'is', null),
);

const CLOSE_AND_COUNT = statement((db, $: Given<ClosedCallbacks>) =>
  db
    .with('consumed', (q) => closeCallbacks(q, $).returning('id'))
    .selectFrom('consumed')
    .select((eb) => eb.cast<number>(eb.fn.countAll(), 'integer').as('count')),
);

/**
 * Closes all callbacks of an attempt that have arrived, read or not, because they will not lead to a query. Uses as many statements as needed, each
 * in its own transaction.
 */
export async function consumeAllCallbacks(
  database: Database,
  scope: Scope,
  { attempt, outcome }: { readonly attempt: string; readonly outcome: CallbackOutcome },
): Promise<void> {
  const newest = await database.inOneTrip(scope, (statements) => NEWEST_OPEN.first(statements, { attempt }));
  const newestCallbackId = newest?.id ?? null;
  if (newestCallbackId === null) {
    return;
  }
  let closed = CONSUMED_MAX;
  for (let times = 0; closed === CONSUMED_MAX && times < CONSUMING_MAX; times += 1) {
    const consumed = await database.inOneTrip(scope, (statements) =>
      CLOSE_AND_COUNT.first(statements, { attempt, outcome, newestCallbackId, unanswered: [] }),
    );
    closed = consumed?.count ?? 0;
  }
}
