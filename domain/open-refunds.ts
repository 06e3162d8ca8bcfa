import { toDecimalText, type Money } from './money.ts';
import { decisionInWords, type OpenDecision } from './open-decision.ts';
import type { RefundReviewReason, RefundStatus } from './refund.ts';
import { utcText } from './utc-text.ts';

export interface RefundSituation {
  readonly money: Money;
  readonly status: RefundStatus;
  /** Whether it returns money that no payment took. */
  readonly ofUnapplied: boolean;
  readonly reviewReason: RefundReviewReason | null;
  readonly approvalDueAt: Date | null;
  readonly decision: OpenDecision | null;
}

/** A refund that has not ended, or is under review again. */
export interface OpenRefund {
  readonly waitingFor: 'operator' | 'gateway-answer';
  readonly until: Date | null;
  readonly next: string;
}

const REVIEW_WORDS: Readonly<Record<RefundReviewReason, string>> = {
  GATEWAY_CANCELLED: 'the gateway says that it was cancelled',
  REFUSED_AFTER_DOUBT: 'its outcome at the gateway is unclear',
  STUCK_AT_GATEWAY: 'the gateway has not finished it for 30 days',
  REJECTED_AFTER_DOUBT: 'it was not approved, but the gateway may have it since before a restore',
  PAID_BACK_BY_HAND: 'the gateway makes no refunds, so an operator pays the money back by hand',
  FAILED_AFTER_SUCCESS: 'the gateway reports that it failed after it had succeeded',
};

/** What an operator's decision on a refund under review says of it. */
const FINDINGS: Readonly<Record<string, string>> = { approve: 'retry', accept: 'refunded', reject: 'not-refunded' };

/** Explains the refunds that are open. Those that wait for a person come first. */
export function openRefunds(refunds: readonly RefundSituation[]): OpenRefund[] {
  const open = refunds.map(openRefund).filter((refund) => refund !== null);
  return [
    ...open.filter(({ waitingFor }) => waitingFor === 'operator'),
    ...open.filter(({ waitingFor }) => waitingFor !== 'operator'),
  ];
}

function openRefund(refund: RefundSituation): OpenRefund | null {
  if (refund.reviewReason !== null) {
    return underReview(refund, refund.reviewReason);
  }
  switch (refund.status) {
    case 'AWAITING_APPROVAL':
      return awaitingApproval(refund);
    case 'PENDING':
      return {
        waitingFor: 'gateway-answer',
        until: null,
        next: `${nameOf(refund)} is at the gateway. Lenden queries it until it reports the outcome; after 30 days an operator decides.`,
      };
    case 'SUCCEEDED':
    case 'FAILED':
    case 'REJECTED':
      return null;
  }
}

function underReview(refund: RefundSituation, reason: RefundReviewReason): OpenRefund {
  const { decision } = refund;
  const next =
    decision === null
      ? 'Operators decide how it ended. There is no deadline.'
      : decisionInWords({ ...decision, decision: FINDINGS[decision.decision] ?? decision.decision });
  return {
    waitingFor: waitsFor(decision),
    until: null,
    next: `${nameOf(refund)} is under review: ${REVIEW_WORDS[reason]}. ${next}`,
  };
}

function awaitingApproval(refund: RefundSituation): OpenRefund {
  const { approvalDueAt, decision } = refund;
  if (decision !== null) {
    return {
      waitingFor: waitsFor(decision),
      until: approvalDueAt,
      next: `${nameOf(refund)} awaited approval. ${decisionInWords(decision)}`,
    };
  }
  const deadline = approvalDueAt === null ? '' : ` until ${utcText(approvalDueAt)}; then it is rejected`;
  return {
    waitingFor: 'operator',
    until: approvalDueAt,
    next: `${nameOf(refund)} awaits approval by a second person${deadline}.`,
  };
}

/** Once the decision is made, only its execution is left. */
function waitsFor(decision: OpenDecision | null): OpenRefund['waitingFor'] {
  return decision === null || decision.needsAnother ? 'operator' : 'gateway-answer';
}

function nameOf({ money, ofUnapplied }: RefundSituation): string {
  const amount = `${toDecimalText(money)} ${money.currency}`;
  return ofUnapplied ? `The refund of the unapplied ${amount}` : `The refund of ${amount}`;
}
