import { earlier, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { lockPayment } from '../../payments/store/locks.ts';
import type { AttemptIds } from './found-attempt.ts';
import { isPast, keptOf, OF_PAYMENT, type KeptCallback, type ReceivedCallback } from './keep.ts';

/** Per attempt, as long as no signature proves that the gateway sent them. */
const UNSIGNED_KEPT_MAX = 100;

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
  await lockPayment(statements, paymentId);
  if ((await FIND_EQUAL.first(statements, callback)) !== undefined) {
    return 'kept';
  }
  const attempt = await COUNT_UNSIGNED.first(statements, { attemptId });
  return (attempt?.unsignedCallbacks ?? 0) <= UNSIGNED_KEPT_MAX ? 'kept' : 'counted';
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
export async function requestQueryForPayer(statements: Statements, paymentId: bigint): Promise<KeptCallback | null> {
  const newest = await NEWEST_ATTEMPT.first(statements, { paymentId });
  return newest === undefined ? null : passUnkept(statements, { attemptId: newest.id, paymentId });
}
