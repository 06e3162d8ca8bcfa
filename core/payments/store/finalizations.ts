import { sql, type Expression, type QueryCreator } from 'kysely';
import { FIRST_LATE_QUERY_MINUTES } from '../../../domain/late-queries.ts';
import { isOpen, statusesBefore, type PaymentStatus, type FinalStatus } from '../../../domain/payment.ts';
import { later, now } from '../../../database/expressions.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
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
const ENDED = { endedAt: now, updatedAt: now, reviewReason: null, reviewSince: null } as const;

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

const END_PAID = statement((db, $: Given<End & { invoiceDueMinor: bigint | null }>) =>
  db
    .with('ended', (q) =>
      q
        .updateTable('payments as p')
        .from('payment_attempts as c')
        .set((eb) => ({
          ...ENDED,
          status: 'SUCCEEDED',
          failureCode: $('failureCode'),
          eventSequence: eb('p.eventSequence', '+', 1),
          paidAt: now,
          gateway: eb.ref('c.gateway'),
          gatewayTxnId: eb.ref('c.gatewayTxnId'),
          feeMinor: eb.ref('c.feeMinor'),
          overpaymentMinor: sql<bigint>`greatest(${eb.ref('p.amountMinor')} - coalesce(${$('invoiceDueMinor')}::bigint, ${eb.ref('p.amountMinor')}), 0)`,
        }))
        .whereRef('c.paymentId', '=', 'p.id')
        .where('c.status', '=', 'CONFIRMED')
        .where('p.reference', '=', $('reference'))
        .where('p.status', 'in', statusesBefore('SUCCEEDED'))
        .returning(PAYMENT)
        .returning([
          'c.grossMinor as chargeGrossMinor',
          'c.feeMinor as chargeFeeMinor',
          'c.gatewayTxnId as chargeTxnId',
          'c.gateway as chargeGateway',
        ]),
    )
    .with('queriedAgain', (q) => planQuery(q, $('silentGateways')))
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
  if (row === undefined) {
    return null;
  }
  const { chargeGrossMinor, chargeFeeMinor, chargeTxnId, chargeGateway, ...payment } = row;
  if (chargeGrossMinor === null || chargeFeeMinor === null || chargeTxnId === null) {
    throw new TypeError(`the confirmed attempt of ${reference} lacks the charge's data`);
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
  /** The event of the end, until its delivery is finished. */
  readonly waitingEventId: string | null;
}

const READ_ENDED = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('payments as p')
    .leftJoin('webhook_events as e', (join) =>
      join
        .onRef('e.paymentId', '=', 'p.id')
        .on('e.sequence', '=', 1)
        .on('e.deliveryStatus', 'in', ['PENDING', 'RETRYING']),
    )
    .select(['p.status', 'e.eventId as waitingEventId'])
    .where('p.reference', '=', $('reference')),
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
