import type { ExplanationWords } from './explanation-words.ts';
import type { Money } from './money.ts';
import { decisionInWords, type OpenDecision } from './open-decision.ts';
import type { RefundReviewReason, RefundStatus } from './refund.ts';

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

/** What an operator's decision on a refund under review says of it. */
const FINDINGS: Readonly<Record<string, string>> = { approve: 'retry', accept: 'refunded', reject: 'not-refunded' };

/** Explains the refunds that are open. Those that wait for a person come first. */
export function openRefunds(refunds: readonly RefundSituation[], words: ExplanationWords): OpenRefund[] {
  const open = refunds.map((refund) => openRefund(refund, words)).filter((refund) => refund !== null);
  return [
    ...open.filter(({ waitingFor }) => waitingFor === 'operator'),
    ...open.filter(({ waitingFor }) => waitingFor !== 'operator'),
  ];
}

function openRefund(refund: RefundSituation, words: ExplanationWords): OpenRefund | null {
  if (refund.reviewReason !== null) {
    return underReview(refund, refund.reviewReason, words);
  }
  switch (refund.status) {
    case 'AWAITING_APPROVAL':
      return awaitingApproval(refund, words);
    case 'PENDING':
      return { waitingFor: 'gateway-answer', until: null, next: words.refundAtGateway(nameOf(refund, words)) };
    case 'SUCCEEDED':
    case 'FAILED':
    case 'REJECTED':
      return null;
  }
}

function underReview(refund: RefundSituation, reason: RefundReviewReason, words: ExplanationWords): OpenRefund {
  const { decision } = refund;
  const next =
    decision === null
      ? words.refundReviewNext
      : decisionInWords({ ...decision, decision: FINDINGS[decision.decision] ?? decision.decision }, words);
  return {
    waitingFor: waitsFor(decision),
    until: null,
    next: `${words.refundUnderReview(nameOf(refund, words), reason)} ${next}`,
  };
}

function awaitingApproval(refund: RefundSituation, words: ExplanationWords): OpenRefund {
  const { approvalDueAt, decision } = refund;
  const name = nameOf(refund, words);
  return decision === null
    ? { waitingFor: 'operator', until: approvalDueAt, next: words.refundAwaits(name, approvalDueAt) }
    : {
        waitingFor: waitsFor(decision),
        until: approvalDueAt,
        next: `${words.refundAwaited(name)} ${decisionInWords(decision, words)}`,
      };
}

/** Once the decision is made, only its execution is left. */
function waitsFor(decision: OpenDecision | null): OpenRefund['waitingFor'] {
  return decision === null || decision.needsAnother ? 'operator' : 'gateway-answer';
}

function nameOf({ money, ofUnapplied }: RefundSituation, words: ExplanationWords): string {
  return words.refund(money, ofUnapplied);
}
