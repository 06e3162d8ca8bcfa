import type { RecordedCharge, RecordedSession } from '../booked.ts';
import type { Answer } from '../journal.ts';
import { submissionsIn, type SubmissionView } from '../manual-load.ts';

/** A submission of a manual payment, as operators see it at the end. */
export interface RecordedSubmission extends SubmissionView {
  readonly mark: string;
}

/** Returns the final state of each submission, from the operators' journal. */
export function submissionsOf(answers: readonly Answer[]): RecordedSubmission[] {
  const known = new Map<number, RecordedSubmission>();
  for (const answer of answers) {
    const seen = answer.kind === 'manual-end' && answer.status === 200 ? (submissionsIn(answer) ?? []) : [];
    seen.forEach((submission) => known.set(submission.id, { ...submission, mark: answer.mark }));
  }
  return [...known.values()];
}

/** Returns a transaction number in the form in which numbers are compared: its letters and digits in upper case. */
export function comparedTransaction(text: string): string {
  return text.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}

/**
 * Returns the operators' decisions in the form of a gateway's records. An order is an attempt with a submission; a charge is a confirmed submission.
 */
export function readByHand(answers: readonly Answer[]): { sessions: RecordedSession[]; charges: RecordedCharge[] } {
  const submissions = submissionsOf(answers);
  const codes = [...new Set(submissions.map(({ code }) => code))];
  const confirmed = submissions.filter(({ status }) => status === 'CONFIRMED');
  return {
    sessions: codes.flatMap((code) => {
      const [first] = submissions.filter((one) => one.code === code);
      const isPaid = confirmed.some((one) => one.code === code);
      return first === undefined ? [] : [sessionOf(first, isPaid)];
    }),
    charges: confirmed.map(({ code, transaction, amountMinor }) => ({
      gateway: 'manual',
      tranId: code,
      valId: comparedTransaction(transaction),
      atMs: 0,
      amountMinor: String(amountMinor),
    })),
  };
}

function sessionOf({ code, storeId, mark }: RecordedSubmission, isPaid: boolean): RecordedSession {
  return {
    gateway: 'manual',
    key: code,
    tranId: code,
    storeId,
    mark,
    outcome: isPaid ? 'VALID' : null,
    outcomeIsSaid: true,
    notified: [],
    unsent: 0,
  };
}
