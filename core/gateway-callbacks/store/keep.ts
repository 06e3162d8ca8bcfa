import { sql, type Expression, type RawBuilder } from 'kysely';
import type { Mode } from '../../../domain/mode.ts';
import type { PaymentStatus } from '../../../domain/payment.ts';
import type { Database, Scope } from '../../../database/connection.ts';
import type { CallbackKind } from '../../../database/entities/payment.ts';
import { earlier, minus, now, plus, span } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { AttemptIds } from './found-attempt.ts';

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

const KEEP_UNMATCHED = statement((db, $: Given<ReceivedCallback & { outcome: 'UNMATCHED' | 'NOTICED' }>) =>
  db
    .insertInto('gateway_callbacks')
    .values({
      mode: $('mode'),
      gateway: $('gateway'),
      reference: $('reference'),
      kind: $('kind'),
      signatureValid: $('signatureValid'),
      outcome: $('outcome'),
      note: $('note'),
      rawPayload: $('rawPayload'),
      digest: $('digest'),
      consumedAt: now,
    })
    .onConflict((conflict) => conflict.doNothing()),
);

/** Stores a callback that names none of our attempts, as evidence that no application can read. `NOTICED`: it is about a payout or a dispute. */
export async function keepUnmatched(
  database: Database,
  callback: ReceivedCallback,
  outcome: 'UNMATCHED' | 'NOTICED' = 'UNMATCHED',
): Promise<void> {
  await KEEP_UNMATCHED.lookup(database, { ...callback, outcome });
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

/** What the caller of a callback needs to know of its payment `p`, application `a` and attempt `t`. */
export const OF_PAYMENT = [
  'p.reference',
  'p.status',
  'a.name as applicationName',
  'p.amountMinor',
  'p.currency',
  'p.invoiceId',
  't.reference as attemptReference',
] as const;

/** Whether a time lies this far back, or is unknown. */
export function isPast(column: Expression<Date | null>, since: Expression<Date>): RawBuilder<boolean> {
  return sql<boolean>`(${column} is null or ${column} < ${since})`;
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

export function keptOf(row: RowOf<typeof KEEP> | undefined): KeptCallback {
  if (row === undefined) {
    throw new Error('a callback was not stored');
  }
  const { callbackId, consumed, attemptReference, finalizedBy, signal, ...payment } = row;
  return { callbackId, consumed, attemptReference, finalizedBy, signal, payment };
}
