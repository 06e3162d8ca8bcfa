import type { Database } from '../../database/connection.ts';
import { Payment } from '../../database/entities/payment.ts';
import type { Dispatch, PaymentHandle } from '../../temporal/dispatch.ts';

/**
 * What becomes of a checkout: the gateway opens it, opens it slowly, refuses it for good, does not answer in time; or the
 * whole call never comes back, as when this process dies.
 */
export type Opening = 'opens' | 'opens slowly' | 'refuses' | 'times out' | 'never comes back';

/** Stands where Temporal, worker and gateway stand: it writes to the payment's row what the workflow would. */
export interface FakeDispatch extends Dispatch {
  opening: Opening;
  /** Runs when the session is open, before the API hears of it. */
  afterOpening: () => Promise<void>;
  /** References of the payments whose session was asked for, as often as it was. */
  readonly asked: string[];
  /** References of the payments whose workflow was told of a callback, or of a payer who came back. */
  readonly signalled: string[];
  /** Attempts that payers have chosen, and payments whose payers have chosen the same again. */
  readonly chosen: string[];
  readonly chosenAgain: string[];
  /** Sessions that the gateway has opened: one a payment, however often it was asked. */
  readonly sessions: Set<string>;
  /** Ids of the events that were to be sent again. */
  readonly resent: string[];
  /** What invoices' workflows were told. */
  readonly told: string[];
  /** Types of events whose delivery was started. */
  readonly delivered: string[];
}

export function createFakeDispatch(database: Database): FakeDispatch {
  const notNeeded = (): never => {
    throw new Error('the API under test does not need this');
  };
  const dispatch: FakeDispatch = {
    opening: 'opens',
    afterOpening: () => Promise.resolve(),
    asked: [],
    signalled: [],
    chosen: [],
    chosenAgain: [],
    sessions: new Set(),
    resent: [],
    told: [],
    delivered: [],
    async openCheckout(payment) {
      dispatch.asked.push(payment.reference);
      switch (dispatch.opening) {
        case 'times out':
          throw new Error('the checkout was not opened in time');
        case 'never comes back':
          return new Promise(() => undefined);
        case 'refuses':
          await endAsFailed(database, payment);
          return { status: 'FAILED' };
        case 'opens slowly':
        case 'opens': {
          await pause(dispatch.opening === 'opens slowly' ? 300 : 5);
          dispatch.sessions.add(payment.reference);
          await openSession(database, payment);
          await dispatch.afterOpening();
          return { status: 'PENDING' };
        }
      }
    },
    async chooseGateway(payment, { attemptReference }) {
      dispatch.chosen.push(attemptReference);
      if (dispatch.opening === 'times out') {
        throw new Error('the checkout was not opened in time');
      }
      await openSession(database, payment);
      return { status: 'PENDING' };
    },
    signalChoice: (reference) => {
      dispatch.chosenAgain.push(reference);
      return Promise.resolve(true);
    },
    startPayment: notNeeded,
    signalCallback(reference) {
      dispatch.signalled.push(reference);
      return Promise.resolve(true);
    },
    signalCancel: () => Promise.resolve(true),
    startUnappliedPayment: notNeeded,
    startRefund: () => Promise.resolve('running'),
    notifyInvoice: (_invoice, change) => {
      dispatch.told.push(change);
      return Promise.resolve();
    },
    rescheduleInvoice: () =>
      Promise.resolve({ status: 'ISSUED', paused: false, nextNoticeAt: null, paidInstallments: 0, installments: 0 }),
    signalReviewDecision: () => Promise.resolve(),
    decideUnappliedPayment: () => Promise.resolve(),
    signalRefundEnded: () => Promise.resolve(true),
    startDelivery: (event) => {
      dispatch.delivered.push(event.type);
      return Promise.resolve();
    },
    resendDelivery: (event) => {
      dispatch.resent.push(event.eventId);
      return Promise.resolve();
    },
  };
  return dispatch;
}

export const GATEWAY_PAGE = 'https://gateway.example/session/1';

/** A payment whose payer has not chosen waits for him without a page. */
async function openSession(database: Database, payment: PaymentHandle): Promise<void> {
  await database.withScope(payment, (em) =>
    em.execute(
      `update payments set status = 'PENDING', gateway_redirect_url = case when gateway is null then null else ? end
       where reference = ? and status in ('CREATED', 'PENDING') and gateway_redirect_url is null`,
      [GATEWAY_PAGE, payment.reference],
    ),
  );
}

async function endAsFailed(database: Database, payment: PaymentHandle): Promise<void> {
  await database.withScope(payment, (em) =>
    em.nativeUpdate(
      Payment,
      { reference: payment.reference, status: 'CREATED' },
      { status: 'FAILED', endedAt: new Date(), failureCode: 'GATEWAY_REFUSED_SESSION' },
    ),
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
