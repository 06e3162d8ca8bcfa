import type { Database } from '../../database/connection.ts';
import type { Dispatch, PaymentHandle } from '../../core/dispatch.ts';

/**
 * The outcome of a checkout: the gateway opens it, opens it slowly, refuses it permanently or does not answer in time; or the call never returns, as
 * when the process dies.
 */
export type Opening = 'opens' | 'opens slowly' | 'refuses' | 'times out' | 'never comes back';

/** Replaces Temporal, the worker and the gateway. It writes what the workflow would write to the payment's row. */
export interface FakeDispatch extends Dispatch {
  opening: Opening;
  /** Runs after the session is open and before the API learns of it. */
  afterOpening: () => Promise<void>;
  /** References of the payments whose session was requested, one entry for each request. */
  readonly asked: string[];
  /** References of the payments whose workflow was signalled about a callback or a returning payer. */
  readonly signalled: string[];
  /** Attempts that payers have chosen, and below, payments whose payers chose the same gateway again. */
  readonly chosen: string[];
  readonly chosenAgain: string[];
  /** Sessions that the gateway has opened: one for each payment, however often it was requested. */
  readonly sessions: Set<string>;
  /** Ids of the events that were to be resent. */
  readonly resent: string[];
  /** The signals that invoices' workflows received. */
  readonly told: string[];
  /** Types of the events whose delivery was started. */
  readonly delivered: string[];
  /** References of the payout files whose import was started. */
  readonly imports: string[];
  /** Whether the Temporal server can skip time, and below, what was skipped, such as `payment:pay_… by 3600 s`. */
  canSkipTime: boolean;
  readonly skipped: string[];
  /** How often the sweeper was woken. */
  wakes: number;
}

export function createFakeDispatch(database: Database): FakeDispatch {
  const notNeeded = (): never => {
    throw new Error('the API under test does not need this');
  };
  const dispatch: FakeDispatch = {
    // No workflow runs, so nothing acts on a decision.
    outcomeWaitMs: 0,
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
    imports: [],
    canSkipTime: true,
    skipped: [],
    wakes: 0,
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
    endedWorkflows: notNeeded,
    startReconciliation: () => Promise.resolve(),
    cancelReconciliation: () => Promise.resolve(false),
    startPayoutImport: ({ reference }) => {
      dispatch.imports.push(reference);
      return Promise.resolve();
    },
    skipsTime: () => Promise.resolve(dispatch.canSkipTime),
    skipTime: ({ workflow, reference }, { byMs }) => {
      dispatch.skipped.push(`${workflow}:${reference} by ${byMs / 1_000} s`);
      return Promise.resolve('skipped');
    },
    wakeSweeper: () => {
      dispatch.wakes += 1;
      return Promise.resolve(true);
    },
  };
  return dispatch;
}

export const GATEWAY_PAGE = 'https://gateway.example/session/1';

/** A payment without a chosen gateway becomes PENDING without a page. */
async function openSession(database: Database, payment: PaymentHandle): Promise<void> {
  await database.withScope(payment, (statements) =>
    statements.execute(
      `update payments set status = 'PENDING', gateway_redirect_url = case when gateway is null then null else ? end
       where reference = ? and status in ('CREATED', 'PENDING') and gateway_redirect_url is null`,
      [GATEWAY_PAGE, payment.reference],
    ),
  );
}

async function endAsFailed(database: Database, payment: PaymentHandle): Promise<void> {
  await database.withScope(payment, (statements) =>
    statements.execute(
      `update payments set status = 'FAILED', ended_at = now(), failure_code = 'GATEWAY_REFUSED_SESSION', updated_at = now()
       where reference = ? and status = 'CREATED'`,
      [payment.reference],
    ),
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
