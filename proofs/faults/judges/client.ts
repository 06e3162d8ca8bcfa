import { paymentIn, paymentsIn } from '../application.ts';
import type { Evidence } from '../evidence.ts';
import type { Answer } from '../journal.ts';
import { together, type Judge } from './judge.ts';
import type { Errand } from '../plan.ts';
import { FINAL, mayFollow, sightings } from './payments.ts';
import { everyRefundAnswerIsKept, noRefundComesBack, oneRefundForEachKey } from './refund-answers.ts';

/**
 * I5. Whatever was acknowledged is kept: answers to clients about payments and refunds, answers to operators about decisions, and accepted notices,
 * which the gateway does not send again.
 */
export const everyAnswerIsKept: Judge = (evidence) =>
  together(everyPaymentIsKept(evidence), everyNoticeIsKept(evidence), everyRefundAnswerIsKept(evidence));

/** I6. */
export const oneKeyOneEffect: Judge = (evidence) =>
  together(onePaymentForEachKey(evidence), oneRefundForEachKey(evidence));

/** I7. */
export const noWayBack: Judge = (evidence) => together(noPaymentComesBack(evidence), noRefundComesBack(evidence));

const everyNoticeIsKept: Judge = ({ sessions, keptNotices }) => {
  const kept = new Set(keptNotices);
  const taken = sessions.flatMap(({ mark, tranId, notified }) =>
    notified.map(({ digest }) => ({ mark, tranId, digest })),
  );
  return {
    judged: taken.length,
    violations: taken
      .filter(({ digest }) => !kept.has(digest))
      .map(({ mark, tranId }) => `${mark}: a notice about ${tranId} was answered 200 and is not stored`),
  };
};

/** Checks against the final list for the customer reference that only this errand uses. */
const everyPaymentIsKept: Judge = (evidence) => {
  const acknowledged = evidence.answers.filter(
    ({ kind, status }) => (kind === 'create' || kind === 'repeat') && status === 201,
  );
  return {
    judged: acknowledged.length,
    violations: acknowledged.flatMap((answer) => {
      const told = paymentIn(answer);
      const kept = lastList(evidence, answer.mark)?.find(({ id }) => id === told?.id);
      if (told === null) {
        return [`${answer.mark}: a 201 whose body is no payment: ${answer.text.slice(0, 200)}`];
      }
      return kept?.reference === told.reference && kept.amountMinor === told.amountMinor
        ? []
        : [`${answer.mark}: payment ${told.reference} was acknowledged and is not there any more`];
    }),
  };
};

function lastList({ answers }: Evidence, mark: string) {
  const list = answers
    .filter((answer) => answer.mark === mark && answer.kind === 'list' && answer.status === 200)
    .at(-1);
  return list === undefined ? undefined : (paymentsIn(list) ?? undefined);
}

const onePaymentForEachKey: Judge = (evidence) => {
  const judged = evidence.errands.filter(({ mark }) => lastList(evidence, mark) !== undefined);
  return {
    judged: judged.length,
    violations: judged.flatMap((errand) => [
      ...oneEffect(evidence, errand),
      ...oneReply(evidence, errand),
      ...otherBodies(evidence, errand),
    ]),
  };
};

function oneEffect(evidence: Evidence, { mark }: Errand): string[] {
  const made = lastList(evidence, mark) ?? [];
  return made.length > 1
    ? [`${mark}: one key made ${made.length} payments: ${made.map(({ reference }) => reference).join(', ')}`]
    : [];
}

function oneReply({ answers }: Evidence, { mark }: Errand): string[] {
  const replies = answers.filter(
    (answer) => answer.mark === mark && (answer.kind === 'create' || answer.kind === 'repeat') && answer.status === 201,
  );
  const ids = new Set(replies.map((reply) => paymentIn(reply)?.id));
  const replayed = new Set(replies.filter((reply) => reply.replayed).map(({ text }) => text));
  return [
    ...(ids.size > 1 ? [`${mark}: one key was answered with payments ${[...ids].join(' and ')}`] : []),
    ...(replayed.size > 1 ? [`${mark}: the replays of one key are not the same bytes`] : []),
  ];
}

/** Finds accepted requests with another body. They are sent only after the key's own request was answered. */
function otherBodies({ answers }: Evidence, { mark }: Errand): string[] {
  return answers
    .filter((answer) => answer.mark === mark && answer.kind === 'other-body' && isSuccess(answer))
    .map(({ status }) => `${mark}: another body under a used key was answered ${status}`);
}

function isSuccess({ status }: Answer): boolean {
  return status !== null && status < 300;
}

/** A query sent after a final state was seen must find the same state. */
const noPaymentComesBack: Judge = (evidence) => {
  const seen = evidence.errands.map((errand) => ({
    errand,
    seen: sightings(evidence, errand).filter(({ answer }) => !answer.replayed),
  }));
  return {
    judged: seen.reduce((sum, { seen: own }) => sum + own.length, 0),
    violations: seen.flatMap(({ errand, seen: own }) => {
      const ended = own.filter(({ payment }) => FINAL.has(payment.status));
      return ended.flatMap((end) =>
        own
          .filter(
            ({ answer, payment }) =>
              answer.sentAtMs > end.answer.answeredAtMs && !mayFollow(end.payment.status, payment.status),
          )
          .slice(0, 1)
          .map(
            ({ payment }) =>
              `${errand.mark} (${payment.reference}) was ${end.payment.status} and then ${payment.status}`,
          ),
      );
    }),
  };
};
