import { expressionBuilder, sql } from 'kysely';
import type { CustomerDefaults } from '../../../database/entities/application.ts';
import { NO_MEMBERS, now, rowOf } from '../../../database/expressions.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { attemptJson, attemptOf, type AttemptRecord } from './attempt-record.ts';
import { PAYMENT, type PaymentRecord } from './payments.ts';

/** A payment with the real time of the read; `readAt` is the time by its test clock. */
export interface StartingPayment extends PaymentRecord {
  readonly realReadAt: Date;
}

/** What opening a checkout needs. */
export interface CheckoutStart {
  readonly payment: StartingPayment;
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
      now.as('realReadAt'),
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
        .select((t) => t.fn.coalesce(t.fn.jsonAgg(attemptJson(t)).orderBy('t.number'), NO_MEMBERS).as('attempts'))
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
