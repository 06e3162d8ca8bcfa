import { readNowOf } from '../../../database/clock.ts';
import type { Payment } from '../../../database/entities/payment.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { ENGLISH, type ExplanationWords } from '../../../domain/explanation-words.ts';
import { explain, type PaymentSituation, type Situation } from '../../../domain/explanation.ts';
import type { OpenDecision } from '../../../domain/open-decision.ts';
import type { DeliverySituation } from '../../../domain/open-deliveries.ts';
import type { RefundSituation } from '../../../domain/open-refunds.ts';
import { newestSubmission } from '../../manual-payments/store/newest-submission.ts';
import { timelineOf, type TimedPayment, type TimelineEntry } from '../timeline.ts';
import { readCourse, type Course } from './course.ts';

/** What the explanation needs of a payment's row. */
type Explained = TimedPayment & Pick<Payment, 'id' | 'gateway' | 'expiresAt'>;

/** A payment's state in words, and its timeline. */
export interface Explanation extends Situation {
  readonly timeline: readonly TimelineEntry[];
}

const UNCONSUMED = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('gateway_callbacks')
    .select('id')
    .where('paymentId', '=', $('paymentId'))
    .where('consumedAt', 'is', null)
    .limit(1),
);

/** Explains a payment. Application, operator and support see the same text. */
export async function explainPayment(
  statements: Statements,
  payment: Explained,
  words: ExplanationWords = ENGLISH,
): Promise<Explanation> {
  const unconsumed = await UNCONSUMED.first(statements, { paymentId: payment.id });
  const now = await readNowOf(statements, payment.id);
  const course = await readCourse(statements, payment.id);
  const decisions = course.decisions.filter(({ consumedAt }) => consumedAt === null);
  const became = new Set(course.unapplied.map(({ status }) => status));
  const submission = payment.status === 'PENDING' ? await newestSubmission(statements, payment.id) : null;
  const known: PaymentSituation = {
    status: payment.status,
    expiresAt: payment.expiresAt,
    now,
    reviewReason: payment.reviewReason ?? null,
    failureCode: payment.failureCode ?? null,
    asking: unconsumed !== undefined || payment.cancelRequestedAt instanceof Date,
    heldLate: became.has('HELD'),
    unappliedMoney: (['REFUNDING', 'KEPT', 'REFUNDED'] as const).find((status) => became.has(status)) ?? null,
    choosing: typeof payment.gateway !== 'string',
    submission,
    decision: openDecision(decisions.find(({ kind }) => kind === kindOfDecision({ became, submission }))),
    refunds: course.refunds.map((refund) =>
      refundOf(refund, openDecision(decisions.find(({ refundId }) => refundId === refund.id))),
    ),
    disputes: course.disputes.map(({ amountMinor, currency, status, respondBy }) => ({
      money: { amountMinor, currency },
      status,
      respondBy,
    })),
    deliveries: course.events.map(deliveryOf),
  };
  const situation = explain(known, words);
  return { ...situation, timeline: timelineOf(payment, course) };
}

function kindOfDecision({
  became,
  submission,
}: {
  readonly became: ReadonlySet<string>;
  readonly submission: PaymentSituation['submission'];
}): Course['decisions'][number]['kind'] {
  if (became.has('HELD')) {
    return 'unapplied-payment';
  }
  return submission === null ? 'review' : 'manual';
}

function openDecision(row: Course['decisions'][number] | undefined): OpenDecision | null {
  return row === undefined
    ? null
    : { decision: row.decision, needsAnother: row.needsSecond && row.secondedAt === null };
}

function refundOf(
  { amountMinor, currency, status, unappliedPaymentId, reviewReason, approvalDueAt }: Course['refunds'][number],
  decision: OpenDecision | null,
): RefundSituation {
  return {
    money: { amountMinor, currency },
    status,
    ofUnapplied: unappliedPaymentId !== null,
    reviewReason,
    approvalDueAt,
    decision,
  };
}

function deliveryOf({
  type,
  deliveryStatus: status,
  attempts,
  lastError,
  nextAttemptAt,
  nextSweepAt,
  url,
  disabledAt,
  circuitOpenUntil,
  readAt: now,
}: Course['events'][number]): DeliverySituation {
  return {
    type,
    status,
    attempts,
    lastError,
    nextAttemptAt,
    recovering: nextSweepAt !== null,
    hasUrl: url !== null,
    disabled: disabledAt !== null,
    circuitOpenUntil,
    now,
  };
}
