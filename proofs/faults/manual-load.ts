import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { parseJson } from './application.ts';
import type { Answer } from './journal.ts';
import { isHeard, type Desk, type Desks } from './operators.ts';
import type { Errand } from './plan.ts';

const AGAIN_MS = 300;
/** Maximum number of reads, both for pending submissions and for the result of a decision. */
const TURNS_MAX = 40;

const Submission = z.object({
  id: z.int(),
  status: z.enum(['WAITING', 'CONFIRMED', 'REJECTED', 'CORRECTED']),
  amountMinor: z.int(),
  storeId: z.string(),
  code: z.string(),
  transaction: z.string(),
});
/** A payer's submission as operators see it. */
export type SubmissionView = z.infer<typeof Submission>;
const OneSubmission = z.object({ data: Submission });
const Submissions = z.object({ data: z.array(Submission) });
export const SUBMISSION_STATUSES = Submission.shape.status.options;

export function submissionIn({ text }: Pick<Answer, 'text'>): SubmissionView | null {
  const parsed = OneSubmission.safeParse(parseJson(text));
  return parsed.success ? parsed.data.data : null;
}

export function submissionsIn({ text }: Pick<Answer, 'text'>): readonly SubmissionView[] | null {
  const parsed = Submissions.safeParse(parseJson(text));
  return parsed.success ? parsed.data.data : null;
}

/** A manual payment that operators have to decide on. */
export interface ByHand {
  readonly errand: Errand;
  readonly paymentId: number;
  /** How many people it may need. Two if there is a threshold, because all amounts that one operator has decided count together. */
  readonly people: 1 | 2;
  readonly closed: () => boolean;
}

type Word = 'confirm' | 'reject';

/** Returns the lowest threshold. Applications of one mode share the installation's account, so each threshold applies to all of them. */
export function strictestThreshold(thresholds: readonly (number | null)[]): number | null {
  const set = thresholds.filter((threshold) => threshold !== null);
  return set.length === 0 ? null : Math.min(...set);
}

/** Returns how many people a payment needs by its amount alone, regardless of what else they have decided. */
export function peopleFor(thresholdMinor: number | null, amountMinor: number): 1 | 2 {
  return thresholdMinor !== null && amountMinor > thresholdMinor ? 2 : 1;
}

/** Does what operators do during the faults, once the payer has submitted. Some decisions are left for later. */
export async function decideByHand(desks: Desks, hand: ByHand): Promise<void> {
  switch (hand.errand.manual) {
    case 'confirmed-at-expiry':
    case 'rejected-at-expiry':
      return;
    case 'dropped':
      return drop(desks, hand);
    default:
      return decideAll(desks, hand);
  }
}

/** Decides everything that is still pending. */
export async function decideTheRest(desks: Desks, hand: ByHand): Promise<void> {
  const word: Word = hand.errand.manual === 'rejected-at-expiry' ? 'reject' : 'confirm';
  for (let turns = 0; turns < TURNS_MAX && !hand.closed(); turns += 1) {
    const waiting = await look(desks.finance, hand, turns);
    if (waiting?.length === 0) {
      return;
    }
    for (const submission of waiting ?? []) {
      await together(desks, hand, { submission, word });
    }
  }
}

async function decideAll(desks: Desks, hand: ByHand): Promise<void> {
  const { manual } = hand.errand;
  let rejected = 0;
  for (let turns = 0; turns < TURNS_MAX && !hand.closed(); turns += 1) {
    const waiting = await look(desks.finance, hand, turns);
    if (waiting?.length === 0 && !(manual === 'corrected' && rejected === 1)) {
      return;
    }
    for (const submission of waiting ?? []) {
      if (manual === 'torn' && turns === 0) {
        await torn(desks, hand, submission);
      } else if (manual === 'confirmed-at-once' || manual === 'shared') {
        await atOnce(desks, hand, submission);
      } else if (manual === 'rejected' || (manual === 'corrected' && rejected === 0)) {
        await together(desks, hand, { submission, word: 'reject' });
        rejected += 1;
      } else {
        await together(desks, hand, { submission, word: 'confirm' });
      }
    }
    await sleep(AGAIN_MS);
  }
}

/** Returns null if no API answered. */
async function look(
  desk: Desk,
  { errand, paymentId }: ByHand,
  turn: number,
): Promise<readonly SubmissionView[] | null> {
  const answer = await desk.ask(errand, turn % 2 === 0 ? errand.firstApi : other(errand.firstApi), {
    kind: 'manual-look',
    method: 'GET',
    path: `/admin/manual-payments?paymentId=${paymentId}`,
    subjectId: null,
  });
  return answer.status === 200 ? submissionsIn(answer) : null;
}

interface Deciding {
  readonly submission: SubmissionView;
  readonly word: Word;
}

/**
 * As many people as needed decide one after the other. The last one repeats the decision at the other API, as if unsure that it was received. If the
 * transaction has paid for something else, the submission is rejected.
 */
async function together(desks: Desks, hand: ByHand, { submission, word }: Deciding): Promise<void> {
  const people = [desks.finance, desks.second].slice(0, hand.people);
  for (const desk of people) {
    if ((await say(desk, hand, { submission, word }))?.text.includes('confirmed another') === true) {
      return together(desks, hand, { submission, word: 'reject' });
    }
  }
  await say(people.at(-1) ?? desks.finance, hand, { submission, word, api: other(hand.errand.firstApi) });
}

/** Three people decide at both APIs at once, one of them twice. */
async function atOnce(desks: Desks, hand: ByHand, submission: SubmissionView): Promise<void> {
  const words = await Promise.all(
    [desks.finance, desks.second, desks.admin, desks.finance].map((desk, index) =>
      say(desk, hand, { submission, word: 'confirm', api: index % 2 === 0 ? 0 : 1 }),
    ),
  );
  if (words.some((answer) => answer?.text.includes('confirmed another') === true)) {
    await together(desks, hand, { submission, word: 'reject' });
  }
}

/** One operator confirms while another one rejects. */
async function torn(desks: Desks, hand: ByHand, submission: SubmissionView): Promise<void> {
  await Promise.all([
    say(desks.finance, hand, { submission, word: 'confirm', api: 0 }),
    say(desks.second, hand, { submission, word: 'reject', api: 1 }),
  ]);
}

/** An operator decides and disconnects before the answer arrives. No one repeats the decision for now. */
async function drop(desks: Desks, hand: ByHand): Promise<void> {
  const [submission] = (await look(desks.finance, hand, 0)) ?? [];
  if (submission !== undefined) {
    await ask(desks.finance, hand, { submission, word: 'confirm', api: hand.errand.firstApi, timeoutMs: DROPPED_MS });
  }
}

const DROPPED_MS = 30;

/** Sends a decision until it is accepted or refused. */
async function say(desk: Desk, hand: ByHand, said: Deciding & { readonly api?: 0 | 1 }): Promise<Answer | null> {
  const { firstApi } = hand.errand;
  for (let tries = 0; ; tries += 1) {
    const first = said.api ?? firstApi;
    const answer = await ask(desk, hand, { ...said, api: tries % 2 === 0 ? first : other(first) });
    if (isHeard(answer)) {
      return answer;
    }
    if (hand.closed()) {
      return null;
    }
    await sleep(AGAIN_MS);
  }
}

function ask(
  desk: Desk,
  { errand }: ByHand,
  { submission: { id }, word, api, timeoutMs }: Deciding & { readonly api: 0 | 1; readonly timeoutMs?: number },
): Promise<Answer> {
  return desk.ask(errand, api, {
    kind: `manual-${word}`,
    method: 'POST',
    path: `/admin/manual-payments/${id}/decision`,
    body: { decision: word, reason: 'looked into the account' },
    subjectId: id,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

function other(api: 0 | 1): 0 | 1 {
  return api === 0 ? 1 : 0;
}

/** Reads everything that the payer submitted, as operators see it at the end. */
export async function lookAtSubmissions(desk: Desk, errand: Errand, paymentId: number): Promise<void> {
  for (const status of SUBMISSION_STATUSES) {
    for (let tries = 0; tries < TURNS_MAX; tries += 1) {
      const answer = await desk.ask(errand, tries % 2 === 0 ? errand.firstApi : other(errand.firstApi), {
        kind: 'manual-end',
        method: 'GET',
        path: `/admin/manual-payments?paymentId=${paymentId}&status=${status}`,
        subjectId: null,
      });
      if (answer.status === 200) {
        break;
      }
      await sleep(AGAIN_MS);
    }
  }
}
