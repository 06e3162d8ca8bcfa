import { jsonBuildObject } from 'kysely/helpers/postgres';
import { earlier, NO_MEMBERS, now } from '../../../database/expressions.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { attemptJson, attemptOf, type AttemptRecord } from './attempt-record.ts';
import { PAYMENT, type PaymentRecord } from './payments.ts';

/** A stored callback. Its claims only say where to look. */
export interface WaitingCallback {
  readonly id: bigint;
  readonly attemptId: bigint;
  readonly signatureValid: boolean;
  readonly rawPayload: string;
}

/** What a query to the gateway needs. */
export interface QueriedPayment {
  readonly payment: PaymentRecord;
  readonly attempts: readonly AttemptRecord[];
  /** Signed ones first, so that a flood of forged callbacks cannot displace them. */
  readonly callbacks: readonly WaitingCallback[];
  /** The newest callback at the time the query was prepared. */
  readonly newestCallbackId: bigint;
}

const CALLBACKS_READ_MAX = 50;

const READ_QUERIED = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .select((eb) => [
      eb
        .selectFrom('payment_attempts as t')
        .select((t) => t.fn.coalesce(t.fn.jsonAgg(attemptJson(t)).orderBy('t.number'), NO_MEMBERS).as('attempts'))
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
              NO_MEMBERS,
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
 * Loads what a query needs.
 * @throws MissingRow if the scope has no such payment
 */
export async function readForQuery(statements: Statements, reference: string): Promise<QueriedPayment> {
  const read = await READ_QUERIED.first(statements, { reference });
  if (read === undefined) {
    throw new MissingRow('payment', reference);
  }
  const { attempts, callbacks, newest, ...payment } = read;
  return {
    payment,
    attempts: (attempts ?? []).map(attemptOf),
    callbacks: (callbacks ?? []).map(({ id, attemptId, ...callback }) => ({
      ...callback,
      id: BigInt(id),
      attemptId: BigInt(attemptId),
    })),
    newestCallbackId: newest ?? 0n,
  };
}

/** As long as between two signals of signed callbacks, so that a flood of them does not fill the history. */
const PAUSE = '5 seconds';

const ALLOW_NEXT_SIGNAL = statement((db, $: Given<{ reference: string; newestCallbackId: bigint }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('payments as p')
        .select('p.id')
        .where('p.reference', '=', $('reference'))
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('gateway_callbacks as c')
              .select('c.id')
              .whereRef('c.paymentId', '=', 'p.id')
              .where('c.consumedAt', 'is', null)
              .where('c.signatureValid', '=', true)
              .where('c.id', '>', $('newestCallbackId'))
              .where((c) =>
                c.or([
                  c('p.lastSignalledAt', 'is', null),
                  c('p.lastSignalledAt', '<', earlier(PAUSE)),
                  c('c.attemptId', 'is distinct from', c.ref('p.lastSignalledAttemptId')),
                ]),
              ),
          ),
        ),
    )
    .with('allowed', (q) =>
      q
        .updateTable('payments as p')
        .set((eb) => ({
          callbackSignalledAt: null,
          lastSignalledAt: eb
            .case()
            .when(eb.exists(eb.selectFrom('due').select('due.id')))
            .then(now)
            .else(eb.ref('p.lastSignalledAt'))
            .end(),
        }))
        .where('p.reference', '=', $('reference'))
        .returning('p.id'),
    )
    .selectNoFrom((eb) => eb.exists(eb.selectFrom('due').select('due.id')).$castTo<boolean>().as('more')),
);

/**
 * Allows the next signal after a query that did not end the payment; what ends it allows the signal itself. Until then none is sent, so this returns
 * whether a signed callback has arrived since the query was prepared that would have been signalled otherwise. The sweeper handles the others, also those
 * that came within the pause after the last signal, and unsigned ones, which are signalled once a minute at most.
 */
export async function allowNextSignal(
  statements: Statements,
  queried: { readonly reference: string; readonly newestCallbackId: bigint },
): Promise<boolean> {
  return (await ALLOW_NEXT_SIGNAL.first(statements, queried))?.more === true;
}
