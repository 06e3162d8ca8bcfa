import { decisionInWords, type OpenDecision } from './open-decision.ts';
import { openDeliveries, type DeliverySituation } from './open-deliveries.ts';
import { endedDisputes, openDisputes, type DisputeSituation, type OpenDispute } from './open-disputes.ts';
import { openRefunds, type OpenRefund, type RefundSituation } from './open-refunds.ts';
import { isOpen, statusAtEnd, type PaymentStatus, type ReviewReason } from './payment.ts';

export interface PaymentSituation {
  readonly status: PaymentStatus;
  readonly expiresAt: Date;
  readonly now: Date;
  readonly reviewReason: ReviewReason | null;
  readonly failureCode: string | null;
  /** Whether a callback or a cancel request is waiting for the gateway's answer. */
  readonly asking: boolean;
  readonly heldLate: boolean;
  /** The outcome of money that arrived after the payment had ended, if none of it is held any more; null if none arrived. */
  readonly unappliedMoney: 'REFUNDING' | 'KEPT' | 'REFUNDED' | null;
  /** Whether the payer still has to choose the gateway. */
  readonly choosing: boolean;
  /** What became of the transfer that the payer submitted last; null if they submitted none. */
  readonly submission: 'WAITING' | 'CONFIRMED' | 'REJECTED' | null;
  /** The open decision on its review, on its unapplied money or on the payer's submission. */
  readonly decision: OpenDecision | null;
  readonly refunds: readonly RefundSituation[];
  readonly disputes: readonly DisputeSituation[];
  readonly deliveries: readonly DeliverySituation[];
}

export interface Situation {
  readonly summary: string;
  readonly waitingFor: 'gateway-session' | 'payer' | 'gateway-answer' | 'operator' | 'nothing';
  readonly until: Date | null;
  readonly next: string;
}

const REVIEW_WORDS: Readonly<Record<ReviewReason, string>> = {
  AMOUNT_MISMATCH: 'the gateway confirmed a different amount',
  CURRENCY_MISMATCH: 'the gateway confirmed a different currency',
  REFERENCE_MISMATCH: 'the gateway confirmed a charge with a different reference',
  STORE_MISMATCH: 'the gateway confirmed a charge at a different store',
  RISK_FLAGGED: 'the gateway took the money but flagged the charge as risky',
  GATEWAY_UNREACHABLE: 'the gateway could not be reached for 72 hours after the payment expired',
  EVIDENCE_REUSED: "the gateway's confirmation was already used for another payment",
};

const REFUNDS_TOLD_MAX = 3;

/**
 * Explains a payment's state: what it waits for, until when, and what happens next, also with its open refunds, disputes and undelivered events. Application,
 * operator and support see the same text.
 */
export function explain(payment: PaymentSituation): Situation {
  const told = stateOf(payment);
  const refunds = openRefunds(payment.refunds);
  const disputes = openDisputes(payment.disputes, payment.now);
  const { waitingFor, until } =
    isOpen(payment.status) || told.waitingFor === 'operator' ? told : waitOf(told, [...refunds, ...disputes]);
  const others = [
    ...refundsInWords(refunds),
    ...disputes.map(({ next }) => next),
    ...openDeliveries(payment.deliveries),
  ];
  const isDone = waitingFor === 'nothing' && others.length === 0;
  return {
    summary: [told.summary, ...endedDisputes(payment.disputes)].join(' '),
    waitingFor,
    until,
    next: [...(isDone ? ['Nothing.'] : []), told.next, ...others].join(' '),
  };
}

type Wait = Pick<Situation, 'waitingFor' | 'until'>;

/** What an ended payment waits for: a person before the gateway, until the first of their deadlines. */
function waitOf(told: Wait, open: readonly (OpenRefund | OpenDispute)[]): Wait {
  const first = open.find((one) => one.waitingFor === 'operator') ?? open[0];
  if (first === undefined) {
    return told;
  }
  const { waitingFor } = first;
  const deadlines = open
    .filter((one) => one.waitingFor === waitingFor)
    .flatMap(({ until }) => (until === null ? [] : [until.getTime()]));
  return { waitingFor, until: deadlines.length === 0 ? null : new Date(Math.min(...deadlines)) };
}

function refundsInWords(refunds: readonly OpenRefund[]): string[] {
  const others = refunds.length - REFUNDS_TOLD_MAX;
  return [
    ...refunds.slice(0, REFUNDS_TOLD_MAX).map(({ next }) => next),
    ...(others > 0 ? [`${others} more ${others === 1 ? 'refund is' : 'refunds are'} open.`] : []),
  ];
}

/** The state of the payment itself. */
function stateOf(payment: PaymentSituation): Situation {
  if (payment.heldLate) {
    return still(
      `The payment ended as ${statusAtEnd(payment.status)}. Money that arrived later is held in suspense.`,
      'operator',
      ['An operator refunds or keeps the unapplied payment.', ...decidedSoFar(payment)].join(' '),
    );
  }
  if (payment.reviewReason !== null && isOpen(payment.status)) {
    return underReview(`Under review: ${REVIEW_WORDS[payment.reviewReason]}.`, payment);
  }
  if (payment.unappliedMoney !== null && endedUnpaid(payment.status)) {
    return unappliedMoney(payment, payment.unappliedMoney);
  }
  switch (payment.status) {
    case 'CREATED':
      return {
        summary: "The payment is created. The gateway's checkout is not open yet.",
        waitingFor: 'gateway-session',
        until: payment.expiresAt,
        next: 'Lenden tries to open the checkout until the payment expires.',
      };
    case 'PENDING':
      return pending(payment);
    case 'SUCCEEDED':
      return still(
        'The gateway confirmed the charge, and it is posted to the ledger.',
        'nothing',
        'The payment is final unless it is refunded.',
      );
    case 'FAILED':
      return still(
        `The payment failed and no money was taken (${payment.failureCode ?? 'declined'}).`,
        'nothing',
        'The payment is final. You can create a new one.',
      );
    case 'CANCELLED':
      return still(
        'The payer cancelled the payment. No money was taken.',
        'nothing',
        'The payment is final. You can create a new one.',
      );
    case 'EXPIRED':
      return still(
        'The payment expired and the gateway confirmed that no money was taken.',
        'nothing',
        'The payment is final. Money that arrives later is held as an unapplied payment.',
      );
    case 'PARTIALLY_REFUNDED':
      return still('A part of the payment was refunded.', 'nothing', 'The payment is final unless more is refunded.');
    case 'REFUNDED':
      return still('The payment was refunded in full.', 'nothing', 'The payment is final.');
  }
}

function endedUnpaid(status: PaymentStatus): boolean {
  return status === 'FAILED' || status === 'CANCELLED' || status === 'EXPIRED';
}

function decidedSoFar({ decision }: PaymentSituation): string[] {
  return decision === null ? [] : [decisionInWords(decision)];
}

/** Once the decision is made, only its execution is left. */
function underReview(summary: string, { decision }: PaymentSituation): Situation {
  if (decision !== null && !decision.needsAnother) {
    return still(summary, 'gateway-answer', decisionInWords(decision));
  }
  return still(
    summary,
    'operator',
    decision === null
      ? 'An operator accepts or rejects the payment. There is no deadline.'
      : `${decisionInWords(decision)} There is no deadline.`,
  );
}

/** Must not say that no money was taken: the payer paid, only too late. */
function unappliedMoney(
  { status, refunds }: PaymentSituation,
  became: NonNullable<PaymentSituation['unappliedMoney']>,
): Situation {
  const came = `The payment ended as ${status}. Money that arrived later`;
  switch (became) {
    case 'REFUNDING':
      return still(
        `${came} is being refunded.`,
        'gateway-answer',
        refunds.some(({ ofUnapplied }) => ofUnapplied)
          ? 'The payment is final.'
          : 'The refund runs automatically and ends when the gateway reports the outcome.',
      );
    case 'KEPT':
      return still(`${came} was kept.`, 'nothing', 'The payment is final.');
    case 'REFUNDED':
      return still(`${came} was refunded.`, 'nothing', 'The payment is final. You can create a new one.');
  }
}

function pending(payment: PaymentSituation): Situation {
  const { expiresAt, now, asking, choosing, submission } = payment;
  if (submission === 'WAITING') {
    // Also after the expiry: the payer may have paid, and only a person can find out.
    return submitted(payment);
  }
  if (expiresAt <= now) {
    return {
      summary: 'The payment has expired. Lenden queries the gateway for the outcome.',
      waitingFor: 'gateway-answer',
      until: new Date(expiresAt.getTime() + 72 * 3_600_000),
      next: "The gateway's answer decides the outcome. If it cannot be reached for 72 hours, an operator decides.",
    };
  }
  return asking
    ? {
        summary: 'A callback or a cancellation was received. Lenden queries the gateway to confirm it.',
        waitingFor: 'gateway-answer',
        until: expiresAt,
        next: "The gateway's answer decides the outcome. A callback alone is never trusted.",
      }
    : {
        summary: unfinished({ choosing, submission }),
        waitingFor: 'payer',
        until: expiresAt,
        next: 'The payer pays or cancels. Otherwise Lenden queries the gateway one last time and the payment expires.',
      };
}

function unfinished({ choosing, submission }: Pick<PaymentSituation, 'choosing' | 'submission'>): string {
  if (choosing) {
    return 'The payer has not chosen a gateway yet.';
  }
  return submission === 'REJECTED'
    ? 'The transfer that the payer submitted was not found. The payer can correct its transaction number.'
    : 'The checkout is open. The payer has not finished.';
}

function submitted(payment: PaymentSituation): Situation {
  return still(
    'The payer has submitted a transfer, which nobody has confirmed yet.',
    'operator',
    [
      'An operator compares it with the account statement, then confirms or rejects it. There is no deadline.',
      ...decidedSoFar(payment),
    ].join(' '),
  );
}

function still(summary: string, waitingFor: Situation['waitingFor'], next: string): Situation {
  return { summary, waitingFor, until: null, next };
}
