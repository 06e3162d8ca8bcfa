import type { Evidence } from '../evidence.ts';
import type { Answer } from '../journal.ts';
import { CREATION_REFUSED, REFUSING_SCRIPTS } from '../dials.ts';
import { isBillSettled } from '../load.ts';
import { isFinalAnswer } from '../refund-load.ts';
import type { Errand } from '../plan.ts';
import type { Judge } from './judge.ts';
import { coursesOf, endOf, type Course } from './payments.ts';
import { FINAL_REFUND, givingsOf, nameOf, type Giving } from './refunds.ts';

/** Outcomes at the gateway that end a payment without money, and the payment status that each allows. */
const ENDS: Readonly<Record<string, string>> = {
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
  UNATTEMPTED: 'EXPIRED',
  EXPIRED: 'EXPIRED',
};

/**
 * I9. After the faults, everything has ended in agreement with the gateway's records. An end without money must come from the gateway or the payer.
 * Money leads to a success, a review, or an unapplied payment if the payer had cancelled.
 */
export const everythingComesToItsEnd: Judge = (evidence) => {
  const courses = coursesOf(evidence);
  const givings = givingsOf(evidence);
  return {
    judged: courses.length + givings.length + evidence.workflows.length,
    violations: [
      ...evidence.unsettled.map(({ what, waited }) => `${waited} is stuck: ${what}`),
      ...courses.flatMap((course) => [...neverAnswered(evidence, course), ...wrongEnd(course)]),
      ...givings.flatMap((giving) => wrongRefundEnd(evidence, giving)),
      ...refundsNeverAnswered(evidence),
      ...evidence.workflows.flatMap(({ id, status, taskFailures }) => [
        ...taskFailures.map((failure) => `${id} had a failing workflow task: ${failure}`),
        ...(['FAILED', 'TIMED_OUT', 'TERMINATED', 'CANCELLED'].includes(status) ? [`${id} ended as ${status}`] : []),
      ]),
    ],
  };
};

/** After the faults every key was sent once more, and a healthy service must answer it. */
function neverAnswered({ answers }: Evidence, course: Course): string[] {
  const { errand } = course;
  const kinds: ReadonlySet<string> = new Set(['create', 'repeat', 'intent', 'intent-repeat']);
  const own = answers.filter(({ mark, kind }) => mark === errand.mark && kinds.has(kind));
  const answered = own.some(
    (answer) =>
      answer.status === 201 ||
      (answer.status === 502 && (CREATION_REFUSED.has(errand.script ?? '') || isRepeatRefused(course))) ||
      (errand.bill !== null && isBillSettled(answer)),
  );
  const states = own.map(({ status }) => status ?? 'none').join(', ');
  return answered ? [] : [`${errand.mark} was never answered with a payment: ${states}`];
}

/** Nagad accepts no order id twice, so an order whose page address was lost in an answer can never be paid. */
function isRepeatRefused({ last, sessions }: Course): boolean {
  const isNotStarted = sessions.some(({ gateway, outcome }) => gateway === 'nagad' && outcome === null);
  return isNotStarted && last !== null && last.redirectUrl === null;
}

/** Returns whether the payment may have been cancelled. */
function isCalledOff({ act, manual, bill }: Errand): boolean {
  const cancels = act === 'cancel-on-our-page' || act === 'cancel-then-pay' || act === 'cancel-then-pay-unseen';
  // A payment of more than remains due on its invoice is cancelled too.
  return cancels || manual === 'called-off' || bill !== null;
}

function wrongEnd(course: Course): string[] {
  const { errand, last, sessions, charges } = course;
  if (last === null) {
    return [];
  }
  const name = `${last.reference} (${errand.mark}, ${errand.script ?? errand.act})`;
  if (last.review !== null) {
    // If an answer was lost and the gateway does not tell how the payment ended, an operator has to look it up.
    const isUnsaid = sessions.some(({ outcome, outcomeIsSaid }) => outcome !== null && !outcomeIsSaid);
    return last.review.reason === 'GATEWAY_UNREACHABLE' && !isUnsaid
      ? [`${name} is left to a person as unreachable, and its gateway said how it ended`]
      : [];
  }
  const calledOff = isCalledOff(errand);
  if (charges.length > 0) {
    const held =
      (last.status === 'CANCELLED' && calledOff) || (last.status === 'EXPIRED' && errand.act === 'pay-after-expiry');
    return endOf(last) === 'SUCCEEDED' || held ? [] : [`${name} was charged and is ${last.status}`];
  }
  const outcomes = sessions.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]));
  switch (endOf(last)) {
    case 'FAILED':
      return outcomes.includes('FAILED') || CREATION_REFUSED.has(errand.script ?? '') || isRepeatRefused(course)
        ? []
        : [`${name} is FAILED, and the gateway never said so`];
    case 'CANCELLED':
      return outcomes.includes('CANCELLED') || calledOff ? [] : [`${name} is CANCELLED, and nobody called it off`];
    case 'EXPIRED': {
      if (outcomes.includes('PROCESSING')) {
        return [`${name} is EXPIRED, and its gateway is at work on it`];
      }
      const said = sessions.flatMap(({ outcome, outcomeIsSaid }) => (outcomeIsSaid ? (outcome ?? []) : []));
      // If the payer can choose, another gateway may still accept what one gateway has refused.
      const isChoosing = (errand.gateways?.length ?? 1) > 1;
      const told = isChoosing ? undefined : said.find((outcome) => outcome in ENDS && ENDS[outcome] !== 'EXPIRED');
      return told === undefined ? [] : [`${name} is EXPIRED, the gateway had it ${told}`];
    }
    case 'SUCCEEDED':
      // Checked by I3.
      return [];
    default:
      return [`${name} is still ${last.status}`];
  }
}

/** If nothing else is refunded, the balance is no reason for a refusal. */
function refundsNeverAnswered({ answers, errands }: Evidence): string[] {
  const alone = new Set(errands.flatMap(({ mark, refund }) => (refund === 'part' || refund === 'whole' ? [mark] : [])));
  const keys = new Map(
    answers.flatMap(({ kind, refund, mark }) => (kind === 'refund' && refund !== undefined ? [[refund, mark]] : [])),
  );
  return [...keys].flatMap(([key, mark]) => {
    const own = answers.filter(({ kind, refund }) => refund === key && (kind === 'refund' || kind === 'refund-repeat'));
    const states = own.map(({ status }) => status ?? 'none').join(', ');
    const isAnswered = alone.has(mark) ? own.some(({ status }) => status === 201) : own.some(isFinalAnswer);
    return isAnswered ? [] : [`${key} was never answered with a refund: ${states}`];
  });
}

/** A refund has ended in agreement with the gateway's records, or is in review because of what they say. */
function wrongRefundEnd(evidence: Evidence, giving: Giving): string[] {
  const { view, booked, errand } = giving;
  const name = `${nameOf(giving)} of ${errand.script ?? 'a plain payment'}`;
  const isTaken = ({ kind, status, desk }: Answer): boolean =>
    (kind === 'approve' || kind === 'reject') && status === 200 && desk?.subjectId === view.id;
  // Nagad has no refunds, so a refund of an unapplied payment there is refused without a query.
  const isAtNagad = giving.name?.gateway === 'nagad';
  const refuses =
    booked === null ? isAtNagad || REFUSING_SCRIPTS.has(errand.script ?? '') : booked.outcome === 'failed';
  if (!FINAL_REFUND.has(view.status)) {
    return isPutBeforeAPerson(evidence, giving, refuses)
      ? []
      : [`${name} is still ${view.status} (${view.review?.reason ?? 'no review'})`];
  }
  switch (view.failureCode) {
    case null:
      return view.status === 'SUCCEEDED' ? [] : [`${name} is ${view.status} without a reason`];
    case 'GATEWAY_REFUSED_REFUND':
      return refuses ? [] : [`${name} is FAILED, and the gateway never refused it`];
    case 'OPERATOR_FOUND_NOT_REFUNDED':
      return spoken(evidence, view.id, 'unrefunded') >= 2 ? [] : [`${name} is FAILED by the word of fewer than two`];
    case 'APPROVER_REJECTED':
      return spoken(evidence, view.id, 'reject') >= 1 ? [] : [`${name} is REJECTED, and nobody rejected it`];
    case 'APPROVAL_EXPIRED':
      return evidence.answers.some(isTaken) ? [`${name} expired, and a word about it had been taken`] : [];
    default:
      return [`${name} is ${view.status} as ${view.failureCode}`];
  }
}

function isPutBeforeAPerson({ restored }: Evidence, { view, booked, name }: Giving, refuses: boolean): boolean {
  switch (view.status === 'PENDING' ? view.review?.reason : undefined) {
    case 'GATEWAY_CANCELLED':
      return booked?.outcome === 'cancelled';
    case 'STUCK_AT_GATEWAY':
      return booked !== null && booked.outcome === null;
    case 'REFUSED_AFTER_DOUBT':
      return refuses;
    case 'PAID_BACK_BY_HAND':
      return name?.gateway === 'manual';
    case 'REJECTED_AFTER_DOUBT':
      return restored !== null;
    default:
      return false;
  }
}

/** Returns how many different operators made this decision. */
function spoken({ answers }: Evidence, refundId: number, ...kinds: readonly Answer['kind'][]): number {
  return new Set(
    answers.flatMap(({ kind, desk }) =>
      kinds.includes(kind) && desk?.subjectId === refundId ? [desk.operatorId] : [],
    ),
  ).size;
}
