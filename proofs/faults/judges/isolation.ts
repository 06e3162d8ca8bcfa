import type { Evidence } from '../evidence.ts';
import type { Judge } from './judge.ts';
import { coursesOf } from './payments.ts';

/** I10. Requests for other applications' payments answer 404, and no bytes sent to one tenant name another tenant's payment. */
export const nothingForeignIsSeen: Judge = (evidence) => ({
  judged: evidence.foreignReads.length,
  violations: [
    ...evidence.foreignReads
      .filter(({ status }) => status !== 404)
      .map(({ by, of, status }) => `${by} asked for ${of} and was answered ${status ?? 'nothing'}`),
    ...foreignBytes(evidence),
  ],
});

function foreignBytes(evidence: Evidence): string[] {
  const courses = coursesOf(evidence).flatMap(({ errand, last }) =>
    last === null ? [] : [{ app: errand.app, reference: last.reference }],
  );
  const texts = [
    ...evidence.answers.map(({ app, text, mark }) => ({ app, text, where: `an answer about ${mark}` })),
    ...[...evidence.deliveries, ...evidence.ownpayDeliveries].flatMap(({ receiver, body, id }) =>
      evidence.apps
        .filter((app) => app.receiver === receiver)
        .map(({ index }) => ({ app: index, text: body, where: `event ${id}` })),
    ),
  ];
  return texts.flatMap(({ app, text, where }) =>
    courses
      .filter((course) => course.app !== app && text.includes(course.reference))
      .map(({ reference }) => `${where} for application ${app} names ${reference} of another one`),
  );
}

/** I11. */
export const noSecretIsTold: Judge = ({ canaries, searched }) => ({
  judged: searched,
  violations: canaries.flatMap(({ name, seenIn }) => seenIn.map((place) => `${name} is in ${place}`)),
});
