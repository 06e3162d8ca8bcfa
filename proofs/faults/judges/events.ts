import type { Delivery, Evidence } from '../evidence.ts';
import { together, type Judge } from './judge.ts';
import { coursesOf, endOf, FINAL, type Course } from './payments.ts';
import { FINAL_REFUND, isLate, refundCoursesOf, type RefundCourse } from './refunds.ts';

/** I8. */
export const oneEventForEachEnd: Judge = (evidence) => together(eventsOfPayments(evidence), eventsOfRefunds(evidence));

/** Each ended payment has one event id with one body, correctly signed, at the right receiver, with the right final status. */
const eventsOfPayments: Judge = (evidence) => {
  const listening = coursesOf(evidence).filter(
    ({ errand }) => errand.contract === 'native' && receiverOf(evidence, errand.app) !== null,
  );
  const ended = listening.filter(({ last }) => last !== null && FINAL.has(last.status));
  return {
    judged: ended.length,
    violations: [
      ...ended.flatMap((course) => eventOf(evidence, course)),
      ...evidence.deliveries
        .filter(({ signatureValid }) => !signatureValid)
        .map(({ id, receiver }) => `event ${id} came to receiver ${receiver} without a valid signature`),
      ...listening
        .filter((course) => !ended.includes(course))
        .flatMap(({ errand, last }) =>
          evidence.deliveries.some(({ reference }) => reference === last?.reference)
            ? [`${errand.mark} (${last?.reference}) has an event, but has not ended`]
            : [],
        ),
    ],
  };
};

function eventOf(evidence: Evidence, { errand, last }: Course): string[] {
  const own = evidence.deliveries.filter(
    ({ reference, type }) => reference === last?.reference && type !== 'payment.refunded',
  );
  const end = last === null ? '' : endOf(last);
  const ids = new Set(own.map(({ id }) => id));
  const bodies = new Set(own.map(({ body }) => body));
  const name = `${errand.mark} (${last?.reference})`;
  if (ids.size === 0) {
    return [`${name} ended ${end}, and its receiver was never told`];
  }
  return [
    ...(ids.size > 1
      ? [`${name} has ${ids.size} events: ${own.map(({ id, type }) => `${type} ${id}`).join(', ')}`]
      : []),
    ...(bodies.size > ids.size ? [`${name}: one event came with different bodies`] : []),
    ...(own.every(({ status, type }) => status === end && type === `payment.${status.toLowerCase()}`)
      ? []
      : [`${name} ended ${end}, its event says ${own.map(({ type }) => type).join(', ')}`]),
    ...(own.every(({ receiver }) => receiver === receiverOf(evidence, errand.app))
      ? []
      : [`${name}: an event came to the wrong receiver`]),
  ];
}

export function receiverOf({ apps }: Evidence, app: number): number | null {
  return apps.find(({ index }) => index === app)?.receiver ?? null;
}

/** Each ended refund has its own event. Each refund of a part of the payment also has an event of the payment. */
const eventsOfRefunds: Judge = (evidence) => {
  const listening = refundCoursesOf(evidence).filter(({ errand }) => receiverOf(evidence, errand.app) !== null);
  return {
    judged: listening.reduce((sum, { givings }) => sum + givings.length, 0),
    violations: listening.flatMap((course) => [
      ...endsOf(evidence, course),
      ...changesOf(evidence, course),
      ...unappliedOf(evidence, course),
    ]),
  };
};

function endsOf(evidence: Evidence, { errand, givings }: RefundCourse): string[] {
  return givings.flatMap(({ view }) => {
    const own = evidence.deliveries.filter(({ refundId, type }) => refundId === view.id && type.startsWith('refund.'));
    const name = `refund ${view.id} (${view.reason ?? errand.mark})`;
    if (!FINAL_REFUND.has(view.status)) {
      return own.length === 0 ? [] : [`${name} has an event, but has not ended`];
    }
    const isRight = ({ status, type, receiver }: Delivery): boolean =>
      status === view.status &&
      type === `refund.${status.toLowerCase()}` &&
      receiver === receiverOf(evidence, errand.app);
    return (
      oneEach(own, tellsOfRefunds(errand) ? 1 : 0, name) ??
      (own.every(isRight) ? [] : [`${name} ended ${view.status}, its event says otherwise`])
    );
  });
}

/** OwnPay's contract has no event for refunds, so its receivers get none. */
function tellsOfRefunds({ contract }: RefundCourse['errand']): boolean {
  return contract === 'native';
}

function changesOf({ deliveries }: Evidence, { errand, last, givings }: RefundCourse): string[] {
  const moved = givings.filter((giving) => giving.view.status === 'SUCCEEDED' && !isLate(giving));
  const own = deliveries.filter(({ reference, type }) => reference === last?.reference && type === 'payment.refunded');
  const name = `${errand.mark} (${last?.reference})`;
  const told = own.filter(({ status }) => status === last?.status);
  return (
    oneEach(own, tellsOfRefunds(errand) ? moved.length : 0, name) ??
    (own.length === 0 || told.length > 0 ? [] : [`${name} is ${last?.status}, and no payment.refunded says so`])
  );
}

/** Each refunded unapplied payment has exactly one event. */
function unappliedOf({ deliveries }: Evidence, { errand, last, givings }: RefundCourse): string[] {
  const given = givings.filter((giving) => giving.view.status === 'SUCCEEDED' && isLate(giving));
  const own = deliveries.filter(
    ({ paymentId, type }) => paymentId === last?.id && type === 'unapplied_payment.refunded',
  );
  const name = `unapplied money of ${errand.mark} (${last?.reference})`;
  return oneEach(own, tellsOfRefunds(errand) ? given.length : 0, name) ?? [];
}

/** Returns null if there are as many events as expected, each with one body. */
function oneEach(own: readonly Delivery[], wanted: number, name: string): string[] | null {
  const ids = new Set(own.map(({ id }) => id));
  const bodies = new Set(own.map(({ body }) => body));
  return ids.size === wanted && bodies.size === ids.size
    ? null
    : [`${name} has ${ids.size} events with ${bodies.size} bodies, not ${wanted}`];
}
