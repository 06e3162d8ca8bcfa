import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { parseJson } from './application.ts';
import type { Answer } from './journal.ts';
import { isHeard, type Desk, type Desks } from './operators.ts';
import type { Errand } from './plan.ts';

const AGAIN_MS = 300;
/** So many looks: of what waits, and of what comes of a word. */
const TURNS_MAX = 40;

const Submission = z.object({
  id: z.int(),
  status: z.enum(['WAITING', 'CONFIRMED', 'REJECTED', 'CORRECTED']),
  amountMinor: z.int(),
  storeId: z.string(),
  code: z.string(),
  transaction: z.string(),
});
/** What a payer has written of his transaction, as operators see it. */
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

/** A payment by hand that operators have before them. */
export interface ByHand {
  readonly errand: Errand;
  readonly paymentId: number;
  /** How many people it may need: by the sum of what one of them has decided, two, once there is a threshold. */
  readonly people: 1 | 2;
  readonly closed: () => boolean;
}

type Word = 'confirm' | 'reject';

/** Applications of one mode share the installation's account, so each of their thresholds binds all of them. */
export function strictestThreshold(thresholds: readonly (number | null)[]): number | null {
  const set = thresholds.filter((threshold) => threshold !== null);
  return set.length === 0 ? null : Math.min(...set);
}

/** Above its account's threshold a payment needs two people by itself, whatever else they have decided. */
export function peopleFor(thresholdMinor: number | null, amountMinor: number): 1 | 2 {
  return thresholdMinor !== null && amountMinor > thresholdMinor ? 2 : 1;
}

/** What operators do while the faults last, once the payer has written; some of it they leave for later. */
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

/** Whatever still waits is decided, whoever began with it. */
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

/** Null when nobody could be asked. */
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
 * As many people as it takes, one after the other, and the last one once more at the other api, since he was not sure that he was heard.
 * Where the transaction has paid for something else, it is rejected.
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

/** Three people at both apis, and one of them twice. */
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

/** One says yes while another one says no. */
async function torn(desks: Desks, hand: ByHand, submission: SubmissionView): Promise<void> {
  await Promise.all([
    say(desks.finance, hand, { submission, word: 'confirm', api: 0 }),
    say(desks.second, hand, { submission, word: 'reject', api: 1 }),
  ]);
}

/** An operator says his word and is gone before he is answered; nobody says it again for now. */
async function drop(desks: Desks, hand: ByHand): Promise<void> {
  const [submission] = (await look(desks.finance, hand, 0)) ?? [];
  if (submission !== undefined) {
    await ask(desks.finance, hand, { submission, word: 'confirm', api: hand.errand.firstApi, timeoutMs: DROPPED_MS });
  }
}

const DROPPED_MS = 30;

/** Says it until it is heard or refused. */
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

/** Everything that the payer has written, as operators see it at the end. */
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
