import { ENGLISH, type ExplanationWords } from './explanation-words.ts';
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

const REFUNDS_TOLD_MAX = 3;

/**
 * Explains a payment's state: what it waits for, until when, and what happens next, also with its open refunds, disputes and undelivered events. Application,
 * operator and support see the same text.
 */
export function explain(payment: PaymentSituation, words: ExplanationWords = ENGLISH): Situation {
  const told = stateOf(payment, words);
  const refunds = openRefunds(payment.refunds, words);
  const disputes = openDisputes(payment.disputes, payment.now, words);
  const { waitingFor, until } =
    isOpen(payment.status) || told.waitingFor === 'operator' ? told : waitOf(told, [...refunds, ...disputes]);
  const others = [
    ...refundsInWords(refunds, words),
    ...disputes.map(({ next }) => next),
    ...openDeliveries(payment.deliveries, words),
  ];
  const isDone = waitingFor === 'nothing' && others.length === 0;
  return {
    summary: [told.summary, ...endedDisputes(payment.disputes, words)].join(' '),
    waitingFor,
    until,
    next: [...(isDone ? [words.nothing] : []), told.next, ...others].join(' '),
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

function refundsInWords(refunds: readonly OpenRefund[], words: ExplanationWords): string[] {
  const others = refunds.length - REFUNDS_TOLD_MAX;
  return [
    ...refunds.slice(0, REFUNDS_TOLD_MAX).map(({ next }) => next),
    ...(others > 0 ? [words.moreRefunds(others)] : []),
  ];
}

/** The state of the payment itself. */
function stateOf(payment: PaymentSituation, words: ExplanationWords): Situation {
  const { status, reviewReason, unappliedMoney } = payment;
  if (payment.heldLate) {
    const { summary, next } = words.held(statusAtEnd(status));
    return still('operator', { summary, next: [next, ...decidedSoFar(payment, words)].join(' ') });
  }
  if (reviewReason !== null && isOpen(status)) {
    return underReview(words.underReview(reviewReason), payment, words);
  }
  if (unappliedMoney !== null && (status === 'FAILED' || status === 'CANCELLED' || status === 'EXPIRED')) {
    return unapplied(payment, { status, became: unappliedMoney }, words);
  }
  switch (status) {
    case 'CREATED':
      return { ...words.created, waitingFor: 'gateway-session', until: payment.expiresAt };
    case 'PENDING':
      return pending(payment, words);
    case 'SUCCEEDED':
      return still('nothing', words.succeeded);
    case 'FAILED':
      return still('nothing', words.failed(payment.failureCode));
    case 'CANCELLED':
      return still('nothing', words.cancelled);
    case 'EXPIRED':
      return still('nothing', words.expired);
    case 'PARTIALLY_REFUNDED':
      return still('nothing', words.partiallyRefunded);
    case 'REFUNDED':
      return still('nothing', words.refunded);
  }
}

function decidedSoFar({ decision }: PaymentSituation, words: ExplanationWords): string[] {
  return decision === null ? [] : [decisionInWords(decision, words)];
}

/** Once the decision is made, only its execution is left. */
function underReview(summary: string, { decision }: PaymentSituation, words: ExplanationWords): Situation {
  if (decision === null) {
    return still('operator', { summary, next: words.reviewNext });
  }
  const next = decisionInWords(decision, words);
  return decision.needsAnother
    ? still('operator', { summary, next: `${next} ${words.noDeadline}` })
    : still('gateway-answer', { summary, next });
}

/** Must not say that no money was taken: the payer paid, only too late. */
function unapplied(
  { refunds }: PaymentSituation,
  {
    status,
    became,
  }: {
    readonly status: 'FAILED' | 'CANCELLED' | 'EXPIRED';
    readonly became: NonNullable<PaymentSituation['unappliedMoney']>;
  },
  words: ExplanationWords,
): Situation {
  switch (became) {
    case 'REFUNDING': {
      const { summary, next } = words.lateRefunding(status);
      const isToldByRefund = refunds.some(({ ofUnapplied }) => ofUnapplied);
      return still('gateway-answer', { summary, next: isToldByRefund ? words.final : next });
    }
    case 'KEPT':
      return still('nothing', words.lateKept(status));
    case 'REFUNDED':
      return still('nothing', words.lateRefunded(status));
  }
}

function pending(payment: PaymentSituation, words: ExplanationWords): Situation {
  const { expiresAt, now, asking, choosing, submission } = payment;
  if (submission === 'WAITING') {
    // Also after the expiry: the payer may have paid, and only a person can find out.
    const { summary, next } = words.submitted;
    return still('operator', { summary, next: [next, ...decidedSoFar(payment, words)].join(' ') });
  }
  if (expiresAt <= now) {
    const until = new Date(expiresAt.getTime() + 72 * 3_600_000);
    return { ...words.expiring, waitingFor: 'gateway-answer', until };
  }
  return asking
    ? { ...words.asking, waitingFor: 'gateway-answer', until: expiresAt }
    : {
        summary: unfinished({ choosing, submission }, words),
        waitingFor: 'payer',
        until: expiresAt,
        next: words.unfinishedNext,
      };
}

function unfinished(
  { choosing, submission }: Pick<PaymentSituation, 'choosing' | 'submission'>,
  words: ExplanationWords,
): string {
  if (choosing) {
    return words.choosing;
  }
  return submission === 'REJECTED' ? words.submissionRejected : words.unfinished;
}

function still(waitingFor: Situation['waitingFor'], told: Pick<Situation, 'summary' | 'next'>): Situation {
  return { ...told, waitingFor, until: null };
}
