import { z } from 'zod';
import { parseJson, refundsIn, type RefundView } from '../application.ts';
import type { Evidence } from '../evidence.ts';
import type { Answer } from '../journal.ts';
import type { Judge } from './judge.ts';
import { FINAL_REFUND, givingsOf, type Giving } from './refunds.ts';

const ASKED: ReadonlySet<Answer['kind']> = new Set(['refund', 'refund-repeat', 'desk-refund']);
const Late = z.object({ data: z.object({ status: z.string() }) });
const Decided = z.object({ data: z.object({ decision: z.string() }) });

/** I5 for refunds: what clients and operators were told with a 2xx. */
export const everyRefundAnswerIsKept: Judge = (evidence) => {
  const givings = givingsOf(evidence);
  const told = evidence.answers.filter(({ status }) => status === 200 || status === 201);
  const asked = told.filter(({ kind }) => ASKED.has(kind));
  const decided = told.filter(({ desk }) => desk !== undefined && desk.subjectId !== null);
  return {
    judged: asked.length + decided.length,
    violations: [
      ...asked.flatMap((answer) => keptRefund(givings, answer)),
      ...decided.flatMap((answer) => keptDecision(evidence, givings, answer)),
    ],
  };
};

function keptRefund(givings: readonly Giving[], answer: Answer): string[] {
  const told = refundsIn(answer)?.[0];
  if (told === undefined) {
    return [`${answer.mark}: a 201 whose body is no refund: ${answer.text.slice(0, 200)}`];
  }
  const kept = givings.find(({ view }) => view.id === told.id)?.view;
  const isSame = kept !== undefined && factsOf(kept) === factsOf(told) && told.reason === answer.refund;
  return isSame
    ? []
    : [`${answer.mark}: refund ${told.id} (${told.reason}) was acknowledged and is not there as it was`];
}

function factsOf({ paymentId, amountMinor, reason, createdBy }: RefundView): string {
  return JSON.stringify([paymentId, amountMinor, reason, createdBy]);
}

function keptDecision(evidence: Evidence, givings: readonly Giving[], { kind, desk, mark, text }: Answer): string[] {
  const view = givings.find((giving) => giving.view.id === desk?.subjectId)?.view;
  const forgotten = [
    `${mark}: ${kind} of ${desk?.subjectId} by operator ${desk?.operatorId} was taken and is not kept`,
  ];
  switch (kind) {
    case 'approve':
      return view?.approvedBy === `operator:${desk?.operatorId}` && view.status !== 'REJECTED' ? [] : forgotten;
    case 'reject':
      return view?.status === 'REJECTED' ? [] : forgotten;
    case 'unrefunded': {
      const decided = Decided.safeParse(parseJson(text));
      return decided.success && decided.data.data.decision === 'executed' && view?.status !== 'FAILED' ? forgotten : [];
    }
    case 'late-keep':
    case 'late-refund': {
      const late = Late.safeParse(parseJson(text));
      const status = late.success ? late.data.data.status : '';
      const kept = evidence.postings.some((posting) => posting.mark === mark && posting.kind === 'kept');
      const given = givings.some(({ name }) => name?.unappliedPaymentId === desk?.subjectId);
      return (status === 'KEPT' && !kept) || (status.startsWith('REFUND') && !given) ? forgotten : [];
    }
    default:
      return [];
  }
}

/** I6 for refunds. */
export const oneRefundForEachKey: Judge = (evidence) => {
  const givings = givingsOf(evidence);
  const keys = new Set(
    evidence.answers.flatMap(({ kind, refund }) => (kind === 'refund' && refund !== undefined ? [refund] : [])),
  );
  return {
    judged: keys.size,
    violations: [...keys].flatMap((key) => {
      const made = givings.filter(({ view }) => view.reason === key && view.createdBy === 'app');
      const own = evidence.answers.filter(({ refund }) => refund === key);
      const replies = own.filter(({ kind, status }) => ASKED.has(kind) && status === 201);
      const ids = new Set(replies.map((reply) => refundsIn(reply)?.[0]?.id));
      const replayed = new Set(replies.filter((reply) => reply.replayed).map(({ text }) => text));
      const others = own.filter(({ kind, status }) => kind === 'refund-other-body' && status !== null && status < 300);
      return [
        ...(made.length > 1 ? [`${key}: one key made ${made.length} refunds`] : []),
        ...(ids.size > 1 ? [`${key}: one key was answered with refunds ${[...ids].join(' and ')}`] : []),
        ...(replayed.size > 1 ? [`${key}: the replays of one key are not the same bytes`] : []),
        ...others.map(({ status }) => `${key}: another body under a used key was answered ${status}`),
      ];
    }),
  };
};

/** I7 for refunds. */
export const noRefundComesBack: Judge = ({ answers }) => {
  const seen = answers
    .filter(({ status, replayed }) => status !== null && status < 300 && !replayed)
    .flatMap((answer) => (refundsIn(answer) ?? []).map((view) => ({ answer, view })));
  const ends = seen.filter(({ view }) => FINAL_REFUND.has(view.status));
  return {
    judged: seen.length,
    violations: ends.flatMap((end) =>
      seen
        .filter(
          ({ answer, view }) =>
            view.id === end.view.id && answer.sentAtMs > end.answer.answeredAtMs && view.status !== end.view.status,
        )
        .slice(0, 1)
        .map(({ view }) => `refund ${view.id} (${view.reason}) was ${end.view.status} and then ${view.status}`),
    ),
  };
};
