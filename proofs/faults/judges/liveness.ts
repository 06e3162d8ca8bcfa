import type { Evidence } from '../evidence.ts';
import type { Judge } from './judge.ts';
import { coursesOf, type Course } from './payments.ts';

/** Outcomes at the gateway that end a payment without money, and what it may be called then. */
const ENDS: Readonly<Record<string, string>> = {
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
  UNATTEMPTED: 'EXPIRED',
  EXPIRED: 'EXPIRED',
};

/**
 * I9. With the faults over, everything has ended, and as the gateway's books have it. An end without money needs the gateway's word or the
 * payer's own; money is a success, a review, or held because the payer had called the payment off himself.
 */
export const everythingComesToItsEnd: Judge = (evidence) => {
  const courses = coursesOf(evidence);
  return {
    judged: courses.length + evidence.workflows.length,
    violations: [
      ...evidence.unsettled.map(({ what, waited }) => `${waited} is stuck: ${what}`),
      ...courses.flatMap((course) => [...neverAnswered(evidence, course), ...wrongEnd(course)]),
      ...evidence.workflows.flatMap(({ id, status, taskFailures }) => [
        ...taskFailures.map((failure) => `${id} had a failing workflow task: ${failure}`),
        ...(['FAILED', 'TIMED_OUT', 'TERMINATED', 'CANCELLED'].includes(status) ? [`${id} ended as ${status}`] : []),
      ]),
    ],
  };
};

/** After the faults every key was sent once more: a healthy service answers it. */
function neverAnswered({ answers }: Evidence, { errand }: Course): string[] {
  const own = answers.filter(({ mark, kind }) => mark === errand.mark && (kind === 'create' || kind === 'repeat'));
  const answered = own.some(({ status }) => status === 201 || (status === 502 && errand.script === 'session-failed'));
  const states = own.map(({ status }) => status ?? 'none').join(', ');
  return answered ? [] : [`${errand.mark} was never answered with a payment: ${states}`];
}

function wrongEnd({ errand, last, sessions, charges }: Course): string[] {
  if (last === null || last.review !== null) {
    return [];
  }
  const name = `${last.reference} (${errand.mark}, ${errand.script ?? errand.act})`;
  const calledOff = errand.act === 'cancel-on-our-page' || errand.act === 'cancel-then-pay';
  if (charges.length > 0) {
    const held = last.status === 'CANCELLED' && calledOff;
    return last.status === 'SUCCEEDED' || held ? [] : [`${name} was charged and is ${last.status}`];
  }
  const outcomes = sessions.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]));
  switch (last.status) {
    case 'FAILED':
      return outcomes.includes('FAILED') || errand.script === 'session-failed'
        ? []
        : [`${name} is FAILED, and the gateway never said so`];
    case 'CANCELLED':
      return outcomes.includes('CANCELLED') || calledOff ? [] : [`${name} is CANCELLED, and nobody called it off`];
    case 'EXPIRED': {
      const told = outcomes.find((outcome) => outcome in ENDS && ENDS[outcome] !== 'EXPIRED');
      return told === undefined ? [] : [`${name} is EXPIRED, the gateway had it ${told}`];
    }
    case 'SUCCEEDED':
      // I3's business.
      return [];
    default:
      return [`${name} is still ${last.status}`];
  }
}
