import { expressionBuilder } from 'kysely';
import { jsonBuildObject } from 'kysely/helpers/postgres';
import { isOpen, type AttemptStatus } from '../../../domain/payment.ts';
import { later, now, rowOf, timeOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { lockPayment } from './locks.ts';

/** Payers may change their minds. This stops programs that switch forever. */
export const CHOICES_MAX = 10;

export interface GatewayChoice {
  readonly paymentId: bigint;
  readonly gateway: string;
  /** The gateway's order id for a new attempt, if one is started. */
  readonly reference: string;
  /** The environment's store, used if operators have chosen none. */
  readonly storeId: string | null;
}

export type ChoiceOutcome =
  /** A new attempt waits to be opened; `reference` names it. */
  | { readonly kind: 'chosen'; readonly reference: string }
  /** The payer chose the same gateway again: that attempt continues. */
  | { readonly kind: 'kept'; readonly reference: string }
  /** No choice is possible: the payment has ended or expired, is under review, or is being paid. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'not-offered' }
  | { readonly kind: 'too-often' };

const OPENABLE: readonly AttemptStatus[] = ['CREATED', 'UNKNOWN', 'OPEN'];

const READ_CHOICE = statement((db, $: Given<{ paymentId: bigint; gateway: string; storeId: string | null }>) =>
  db
    .selectFrom('payments as p')
    .select((eb) => [
      'p.status',
      eb
        .or([
          eb('p.reviewReason', 'is not', null),
          eb('p.cancelRequestedAt', 'is not', null),
          eb('p.expiresAt', '<=', timeOf(eb.ref('p.clockOffset'))),
        ])
        .$castTo<boolean>()
        .as('closed'),
      eb
        .and([
          eb(eb.cast<string>($('gateway'), 'text'), '=', eb.fn<string>('any', ['p.gatewayChoices'])),
          eb(
            eb.fn.coalesce(
              eb.fn<string | null>('lenden_store_for', ['p.applicationId', 'p.mode', $('gateway')]),
              eb.cast<string | null>($('storeId'), 'text'),
            ),
            'is not',
            null,
          ),
        ])
        .$castTo<boolean | null>()
        .as('offered'),
      eb
        .selectFrom('payment_attempts as t')
        .select((t) => t.cast<number>(t.fn.countAll(), 'integer').as('attempts'))
        .whereRef('t.paymentId', '=', 'p.id')
        .as('attempts'),
      eb
        .selectFrom('payment_attempts as t')
        .select((t) =>
          jsonBuildObject({
            reference: t.ref('t.reference'),
            gateway: t.ref('t.gateway'),
            status: t.ref('t.status'),
            superseded: t('t.supersededAt', 'is not', null).$castTo<boolean>(),
          }).as('newest'),
        )
        .whereRef('t.paymentId', '=', 'p.id')
        .orderBy('t.number', 'desc')
        .limit(1)
        .as('newest'),
    ])
    .where('p.id', '=', $('paymentId')),
);

const CHOOSE = statement((db, $: Given<GatewayChoice & { number: number }>) =>
  db
    .with('left_behind', (q) =>
      q
        .updateTable('payment_attempts')
        .set({ supersededAt: now, updatedAt: now })
        .where('paymentId', '=', $('paymentId'))
        .where('supersededAt', 'is', null),
    )
    .with('begun', (q) => {
      const source = q.selectFrom('payments as p').where('p.id', '=', $('paymentId'));
      const eb = expressionBuilder(source);
      const row = rowOf('payment_attempts', {
        applicationId: eb.ref('p.applicationId'),
        mode: eb.ref('p.mode'),
        paymentId: eb.ref('p.id'),
        number: eb.cast<number>($('number'), 'integer'),
        reference: $('reference'),
        gateway: eb.cast<string>($('gateway'), 'text'),
        storeId: eb.fn
          .coalesce(
            eb.fn<string | null>('lenden_store_for', ['p.applicationId', 'p.mode', $('gateway')]),
            eb.cast<string | null>($('storeId'), 'text'),
          )
          .$notNull(),
      });
      return q.insertInto('payment_attempts').columns(row.columns).expression(source.select(row.values));
    })
    .updateTable('payments')
    .set({ gateway: $('gateway'), gatewayRedirectUrl: null, nextSweepAt: later('30 seconds'), updatedAt: now })
    .where('id', '=', $('paymentId')),
);

/**
 * Records where the payer wants to pay: a new attempt, whose session the workflow opens, replaces the previous one. The row is locked first and read
 * in a separate statement, so that the later of two browser tabs sees the other's attempt. Must be called in a transaction.
 */
export async function chooseGateway(statements: Statements, choice: GatewayChoice): Promise<ChoiceOutcome> {
  const { gateway, reference } = choice;
  await lockPayment(statements, choice.paymentId);
  const row = await READ_CHOICE.first(statements, choice);
  if (row === undefined) {
    throw new Error('the payment does not exist in this scope');
  }
  const { newest } = row;
  const undecided = newest === null || newest.superseded || OPENABLE.includes(newest.status);
  if (!isOpen(row.status) || row.closed || !undecided) {
    return { kind: 'closed' };
  }
  if (row.offered !== true) {
    return { kind: 'not-offered' };
  }
  if (newest !== null && newest.gateway === gateway && !newest.superseded) {
    return { kind: 'kept', reference: newest.reference };
  }
  const attempts = row.attempts ?? 0;
  if (attempts >= CHOICES_MAX) {
    return { kind: 'too-often' };
  }
  await CHOOSE.all(statements, { ...choice, number: attempts + 1 });
  return { kind: 'chosen', reference };
}
