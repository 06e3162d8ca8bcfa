import { comparedTransaction, submissionsOf, type RecordedSubmission } from '../books/manual.ts';
import type { Evidence } from '../evidence.ts';
import type { Answer } from '../journal.ts';
import { peopleFor, strictestThreshold, submissionIn } from '../manual-load.ts';
import { together, type Judge } from './judge.ts';
import { coursesOf, PAID } from './payments.ts';

/** I21. The authority is the operators' own journal, because a manual payment has no gateway to ask. */
export const paidByTheWordOfPeople: Judge = (evidence) =>
  together(everyWordIsKept(evidence), everySubmissionIsKept(evidence), paidAsConfirmed(evidence));

const WORDS = { CONFIRMED: 'manual-confirm', REJECTED: 'manual-reject' } as const;

/** A submission is decided once, by as many people as it needs, and every answer that reported a final decision is still true. */
const everyWordIsKept: Judge = (evidence) => {
  const submissions = submissionsOf(evidence.answers);
  return {
    judged: submissions.length,
    violations: [
      ...submissions.flatMap((submission) => [...unspoken(evidence, submission), ...taken(evidence, submission)]),
      ...usedTwice(evidence, submissions),
    ],
  };
};

function unspoken(
  { answers, apps, errands }: Evidence,
  { id, mark, status, amountMinor }: RecordedSubmission,
): string[] {
  if (status !== 'CONFIRMED' && status !== 'REJECTED') {
    return [];
  }
  const app = errands.find((errand) => errand.mark === mark)?.app;
  const account = apps.find(({ index }) => index === app)?.store;
  const sharing = apps.filter(({ store }) => store === account).map(({ thresholdMinor }) => thresholdMinor);
  const needed = peopleFor(strictestThreshold(sharing), amountMinor);
  const own = answers.filter(({ kind, desk }) => kind === WORDS[status] && desk?.subjectId === id);
  // Decisions sent after an answer has reported the outcome did not contribute to it.
  const toldAtMs = Math.min(
    ...own.filter((answer) => submissionIn(answer)?.status === status).map(({ answeredAtMs }) => answeredAtMs),
  );
  const people = new Set(
    own.flatMap(({ desk, sentAtMs }) => (desk !== undefined && sentAtMs < toldAtMs ? [desk.operatorId] : [])),
  );
  return people.size >= needed
    ? []
    : [`${mark}: submission ${id} is ${status} by the word of ${people.size}, and needs ${needed}`];
}

function taken({ answers }: Evidence, { id, mark, status }: RecordedSubmission): string[] {
  const told = new Set(
    answers
      .filter((answer) => isWord(answer) && answer.status === 200 && answer.desk?.subjectId === id)
      .map((answer) => submissionIn(answer)?.status ?? 'nothing'),
  );
  return [...told]
    .filter((said) => said !== 'WAITING' && said !== status)
    .map((said) => `${mark}: submission ${id} was answered as ${said}, and is ${status}`);
}

function isWord({ kind }: Answer): boolean {
  return kind === WORDS.CONFIRMED || kind === WORDS.REJECTED;
}

/** One transaction into one account may confirm only one payment. */
function usedTwice({ errands, apps }: Evidence, submissions: readonly RecordedSubmission[]): string[] {
  const accountOf = (mark: string): string => {
    const app = errands.find((errand) => errand.mark === mark)?.app;
    return apps.find(({ index }) => index === app)?.store ?? '';
  };
  const uses = submissions
    .filter(({ status }) => status === 'CONFIRMED')
    .map(({ mark, transaction }) => `${comparedTransaction(transaction)} at ${accountOf(mark)}`);
  return [...new Set(uses.filter((use, index) => uses.indexOf(use) !== index))].map(
    (use) => `the transaction ${use} is confirmed more than once`,
  );
}

/** Operators find every submission that the page showed to its payer as received. */
const everySubmissionIsKept: Judge = ({ answers }) => {
  const kept = new Set(submissionsOf(answers).map(({ mark, transaction }) => `${mark} ${transaction}`));
  const shown = answers.filter(({ kind, status }) => kind === 'submission' && status === 200);
  return {
    judged: shown.length,
    violations: shown
      .filter(({ mark, text }) => !kept.has(`${mark} ${text}`))
      .map(({ mark, text }) => `${mark}: its payer was shown ${text} as told, and no operator finds it`),
  };
};

/** If a payment can only be made manually, it succeeded exactly when operators confirmed it, and they confirmed it once. */
const paidAsConfirmed: Judge = (evidence) => {
  const confirmed = submissionsOf(evidence.answers).filter(({ status }) => status === 'CONFIRMED');
  const courses = coursesOf(evidence).filter(
    ({ errand, last }) => last !== null && errand.visits.length === 1 && errand.visits[0] === 'manual',
  );
  return {
    judged: courses.length,
    violations: courses.flatMap(({ errand, last }) => {
      const times = confirmed.filter(({ mark }) => mark === errand.mark).length;
      const wanted = last !== null && PAID.has(last.status) ? 1 : 0;
      return times === wanted ? [] : [`${errand.mark} is ${last?.status}, and operators confirmed it ${times} times`];
    }),
  };
};
