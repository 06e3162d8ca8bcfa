import { sql, type Expression, type QueryCreator } from 'kysely';
import { FIRST_LATE_QUERY_MINUTES } from '../../../domain/late-queries.ts';
import { isOpen, statusesBefore, type PaymentStatus, type FinalStatus } from '../../../domain/payment.ts';
import { later, now } from '../../../database/expressions.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { closeCallbacks, type ClosedCallbacks } from '../../gateway-callbacks/store/closing.ts';
import { answerColumns, writtenAnswer, type ConfirmedQuery, type WrittenAnswer } from './answers.ts';
import { PAYMENT, type PaymentRecord } from './payments.ts';

export interface PaymentEnd {
  readonly reference: string;
  readonly status: FinalStatus;
  readonly failureCode: string | null;
  /** The amount due of its invoice; anything paid beyond it is overpayment. Null for a payment without an invoice. */
  readonly invoiceDueMinor: bigint | null;
  /** Gateways that send no notification of a charge. */
  readonly silentGateways: readonly string[];
}

export interface ConfirmedCharge {
  readonly gateway: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly gatewayTxnId: string;
}

export interface FinalizedPayment {
  readonly payment: PaymentRecord;
  /** The charge that the gateway confirmed; null unless the payment succeeded. */
  readonly charge: ConfirmedCharge | null;
}

interface End {
  readonly reference: string;
  readonly failureCode: string | null;
  readonly silentGateways: readonly string[];
}

/** What every end of a payment writes. */
const ENDED = {
  endedAt: now,
  updatedAt: now,
  reviewReason: null,
  reviewSince: null,
  callbackSignalledAt: null,
} as const;

/**
 * Plans a late query together with the end of the payment. Its workflow ends too, so money paid later on a page that stayed open at a gateway without
 * notifications would otherwise never be noticed.
 */
function planQuery(q: QueryCreator<Tables & { ended: { id: bigint } }>, silentGateways: Expression<readonly string[]>) {
  return q
    .updateTable('payment_attempts as t')
    .from('ended')
    .set({ queryAgainAt: later(`${FIRST_LATE_QUERY_MINUTES} minutes`), updatedAt: now })
    .whereRef('t.paymentId', '=', 'ended.id')
    .where('t.status', 'in', ['OPEN', 'UNKNOWN'])
    .where('t.openedAt', 'is not', null)
    .where('t.queryAgainAt', 'is', null)
    .where('t.gateway', '=', (eb) => eb.fn.any(silentGateways));
}

const endUnpaid = (status: Exclude<FinalStatus, 'SUCCEEDED'>) =>
  statement((db, $: Given<End>) =>
    db
      .with('ended', (q) =>
        q
          .updateTable('payments as p')
          .set((eb) => ({
            ...ENDED,
            status,
            failureCode: $('failureCode'),
            eventSequence: eb('p.eventSequence', '+', 1),
          }))
          .where('p.reference', '=', $('reference'))
          .where('p.status', 'in', statusesBefore(status))
          .returning(PAYMENT),
      )
      .with('queriedAgain', (q) => planQuery(q, $('silentGateways')))
      .selectFrom('ended')
      .selectAll(),
  );

const END_UNPAID = { FAILED: endUnpaid('FAILED'), CANCELLED: endUnpaid('CANCELLED'), EXPIRED: endUnpaid('EXPIRED') };

/** What a success writes, from the confirmed attempt `c`. */
function paidBy($: Given<{ failureCode: string | null; invoiceDueMinor: bigint | null }>) {
  return {
    ...ENDED,
    status: 'SUCCEEDED',
    failureCode: $('failureCode'),
    eventSequence: sql<number>`${sql.ref('p.eventSequence')} + 1`,
    paidAt: now,
    gateway: sql<string>`${sql.ref('c.gateway')}`,
    gatewayTxnId: sql<string | null>`${sql.ref('c.gatewayTxnId')}`,
    feeMinor: sql<bigint | null>`${sql.ref('c.feeMinor')}`,
    overpaymentMinor: sql<bigint>`greatest(${sql.ref('p.amountMinor')} - coalesce(${$('invoiceDueMinor')}::bigint, ${sql.ref('p.amountMinor')}), 0)`,
  } as const;
}

const CHARGE = [
  'c.grossMinor as chargeGrossMinor',
  'c.feeMinor as chargeFeeMinor',
  'c.gatewayTxnId as chargeTxnId',
  'c.gateway as chargeGateway',
] as const;

const END_PAID = statement((db, $: Given<End & { invoiceDueMinor: bigint | null }>) =>
  db
    .with('ended', (q) =>
      q
        .updateTable('payments as p')
        .from('payment_attempts as c')
        .set(paidBy($))
        .whereRef('c.paymentId', '=', 'p.id')
        .where('c.status', '=', 'CONFIRMED')
        .where('p.reference', '=', $('reference'))
        .where('p.status', 'in', statusesBefore('SUCCEEDED'))
        .returning(PAYMENT)
        .returning(CHARGE),
    )
    .with('queriedAgain', (q) => planQuery(q, $('silentGateways')))
    .selectFrom('ended')
    .selectAll(),
);

type Confirmed = End & { invoiceDueMinor: bigint | null } & WrittenAnswer & ClosedCallbacks;

/**
 * Locks the payment before its attempt, as everybody does. Other attempts are planned in the same statement, so it leaves out the confirmed one: a
 * statement can change a row only once.
 */
const END_CONFIRMED = statement((db, $: Given<Confirmed>) =>
  db
    .with('locked', (q) =>
      q
        .selectFrom('payments')
        .select('id')
        .where('reference', '=', $('reference'))
        .where('status', 'in', statusesBefore('SUCCEEDED'))
        .where('reviewReason', 'is', null)
        .forUpdate(),
    )
    .with('confirmed', (q) =>
      q
        .updateTable('payment_attempts as t')
        .from('locked')
        .set(answerColumns($))
        .whereRef('t.paymentId', '=', 'locked.id')
        .where('t.reference', '=', $('attempt'))
        .where('t.status', '<>', 'CONFIRMED')
        .returning(['t.paymentId', 't.gateway', 't.gatewayTxnId', 't.grossMinor', 't.feeMinor']),
    )
    .with('closed', (q) =>
      closeCallbacks(q, $).where((eb) => eb.exists(q.selectFrom('confirmed').select('confirmed.paymentId'))),
    )
    .with('ended', (q) =>
      q
        .updateTable('payments as p')
        .from('confirmed as c')
        .set(paidBy($))
        .whereRef('c.paymentId', '=', 'p.id')
        .returning(PAYMENT)
        .returning(CHARGE),
    )
    .with('queriedAgain', (q) => planQuery(q, $('silentGateways')).where('t.reference', '<>', $('attempt')))
    .selectFrom('ended')
    .selectAll(),
);

/** A charge may be confirmed although its page was never recorded, because the gateway's answer was lost: the payer was there all the same. */
const BEGIN_CHARGED = statement((db, $: Given<{ reference: string }>) =>
  db
    .updateTable('payments as p')
    .from('payment_attempts as c')
    .set({ status: 'PENDING', updatedAt: now })
    .whereRef('c.paymentId', '=', 'p.id')
    .where('c.status', '=', 'CONFIRMED')
    .where('p.reference', '=', $('reference'))
    .where('p.status', 'in', statusesBefore('PENDING'))
    .returning('p.id'),
);

/**
 * Checks and changes the status in one statement, so that only one caller gets the row; the others get null. A payment succeeds only through an
 * attempt that the gateway confirmed, whose charge is returned with the row. The same statement plans the first late query about its pages that are
 * still open at gateways without notifications.
 */
export async function endPayment(
  statements: Statements,
  { reference, status, failureCode, invoiceDueMinor, silentGateways }: PaymentEnd,
): Promise<FinalizedPayment | null> {
  const end = { reference, failureCode, silentGateways };
  if (status !== 'SUCCEEDED') {
    const payment = await END_UNPAID[status].first(statements, end);
    return payment === undefined ? null : { payment, charge: null };
  }
  const charge = { ...end, invoiceDueMinor };
  const row =
    (await END_PAID.first(statements, charge)) ??
    ((await BEGIN_CHARGED.first(statements, { reference })) && (await END_PAID.first(statements, charge)));
  return row === undefined ? null : withCharge(row);
}

/**
 * Records the charge that the gateway confirmed for an attempt, closes its callbacks, and ends the payment, in one statement. Returns null, without
 * any change, unless the payment is pending and not under review, and the attempt not confirmed yet.
 * @throws a unique violation (23505) as `recordAnswer` does
 */
export async function endConfirmed(
  statements: Statements,
  {
    end: { reference, invoiceDueMinor, silentGateways },
    answered: { attempt, answer, outcome, newestCallbackId, unanswered },
  }: {
    readonly end: Pick<PaymentEnd, 'reference' | 'invoiceDueMinor' | 'silentGateways'>;
    readonly answered: ConfirmedQuery;
  },
): Promise<FinalizedPayment | null> {
  const row = await END_CONFIRMED.first(statements, {
    reference,
    failureCode: null,
    invoiceDueMinor,
    silentGateways,
    attempt,
    outcome,
    newestCallbackId,
    unanswered,
    ...writtenAnswer(answer),
  });
  return row === undefined ? null : withCharge(row);
}

function withCharge(row: RowOf<typeof END_PAID>): FinalizedPayment {
  const { chargeGrossMinor, chargeFeeMinor, chargeTxnId, chargeGateway, ...payment } = row;
  if (chargeGrossMinor === null || chargeFeeMinor === null || chargeTxnId === null) {
    throw new TypeError(`the confirmed attempt of ${payment.reference} lacks the charge's data`);
  }
  return {
    payment,
    charge: {
      gateway: chargeGateway,
      grossMinor: chargeGrossMinor,
      feeMinor: chargeFeeMinor,
      gatewayTxnId: chargeTxnId,
    },
  };
}

export interface EndedPayment {
  readonly status: PaymentStatus;
}

const READ_ENDED = statement((db, $: Given<{ reference: string }>) =>
  db.selectFrom('payments').select('status').where('reference', '=', $('reference')),
);

/**
 * Returns the state of a payment that another process has ended. Throws if it is still open.
 *
 * @throws MissingRow if the scope has no such payment
 */
export async function readEnded(statements: Statements, reference: string): Promise<EndedPayment> {
  const ended = await READ_ENDED.first(statements, { reference });
  if (ended === undefined) {
    throw new MissingRow('payment', reference);
  }
  if (isOpen(ended.status)) {
    throw new Error('the payment is open, but none of its attempts is confirmed');
  }
  return ended;
}
