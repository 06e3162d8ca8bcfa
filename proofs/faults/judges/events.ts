import type { Evidence } from '../evidence.ts';
import type { Judge } from './judge.ts';
import { coursesOf, FINAL, type Course } from './payments.ts';

/** I8. One event id, one body under it, well signed, at the right receiver, and saying how the payment ended. */
export const oneEventForEachEnd: Judge = (evidence) => {
  const listening = coursesOf(evidence).filter(({ errand }) => receiverOf(evidence, errand.app) !== null);
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
  const own = evidence.deliveries.filter(({ reference }) => reference === last?.reference);
  const ids = new Set(own.map(({ id }) => id));
  const bodies = new Set(own.map(({ body }) => body));
  const name = `${errand.mark} (${last?.reference})`;
  if (ids.size === 0) {
    return [`${name} ended ${last?.status}, and its receiver was never told`];
  }
  return [
    ...(ids.size > 1
      ? [`${name} has ${ids.size} events: ${own.map(({ id, type }) => `${type} ${id}`).join(', ')}`]
      : []),
    ...(bodies.size > ids.size ? [`${name}: one event came with different bodies`] : []),
    ...(own.every(({ status, type }) => status === last?.status && type === `payment.${status.toLowerCase()}`)
      ? []
      : [`${name} ended ${last?.status}, its event says ${own.map(({ type }) => type).join(', ')}`]),
    ...(own.every(({ receiver }) => receiver === receiverOf(evidence, errand.app))
      ? []
      : [`${name}: an event came to the wrong receiver`]),
  ];
}

function receiverOf({ apps }: Evidence, app: number): number | null {
  return apps.find(({ index }) => index === app)?.receiver ?? null;
}
