import { everyLineIsJudgedOnce, payoutsAreBookedOnce } from '../../faults/judges/payouts.ts';
import { differencesOf } from '../../kills/books.ts';
import { WORKFLOW_TYPES } from '../../../workflows/messages/names.ts';
import type { PayoutStoryEvidence } from './evidence.ts';

/** What a judge sees: a story, and the same one told without disturbances. */
export interface PayoutCase {
  readonly told: PayoutStoryEvidence;
  readonly undisturbed: PayoutStoryEvidence;
  /** Whether every row has to be equal, not only the verdicts. */
  readonly orderly: boolean;
  /** Every row after all days were run once more. */
  readonly again: PayoutStoryEvidence['everyRow'];
}

const DIFFERENCES_MAX = 3;
const ENDED: ReadonlySet<string> = new Set(['IMPORTED', 'REFUSED', 'CANCELLED']);

/** Each returns its violations in words. */
export const PAYOUT_JUDGES = {
  'lines-stored-once': ({ told: { paidOut, stored } }) =>
    [...new Set([...paidOut.keys(), ...stored.keys()])]
      .filter((name) => paidOut.get(name) !== stored.get(name))
      .map(
        (name) =>
          `the line ${name} was paid out ${paidOut.get(name) ?? 0} times and is stored ${stored.get(name) ?? 0} times`,
      ),

  'rows-told': ({ told: { files } }) =>
    files
      .filter(({ state }) => state === 'IMPORTED')
      .filter(({ rows, rowsRead, rowsTold }) => rows !== rowsRead || rows !== rowsTold)
      .map(({ reference, ...counts }) => `the file ${reference} tells ${JSON.stringify(counts)}`),

  'one-state-each': ({ told: { payouts } }) => everyLineIsJudgedOnce(onlyPayouts(payouts)).violations,

  'booked-once': ({ told: { payouts } }) => payoutsAreBookedOnce(onlyPayouts(payouts)).violations,

  'payouts-add-up': ({ told: { sums } }) =>
    sums
      .filter(
        ({ linesMinor, labelledMinor, summedMinor, bankMinor, entriesMinor }) =>
          linesMinor !== summedMinor ||
          linesMinor !== labelledMinor ||
          (entriesMinor !== null && entriesMinor !== bankMinor),
      )
      .map(({ payout, ...minor }) => `the payout ${payout} has ${JSON.stringify(minor)}`),

  'ledger-verified': ({ told: { verified } }) => verified,

  'everything-ends': ({ told: { files, runningRuns, workflows, restless } }) => [
    ...restless,
    ...files
      .filter(({ state }) => !ENDED.has(state))
      .map(({ reference, state }) => `the file ${reference} is ${state}`),
    ...runningRuns.map((run) => `the run of ${run}, has not ended`),
    ...workflows.filter(({ status }) => status === 'running').map(({ workflowId }) => `${workflowId} runs`),
  ],

  'imports-outlive-runs': ({ told: { workflows } }) =>
    workflows
      .filter(
        ({ type, status, cancelRequested }) =>
          type === WORKFLOW_TYPES.payoutImport && !cancelRequested && status !== 'completed',
      )
      .map(({ workflowId, status }) => `${workflowId} ended as ${status}, and nobody asked it to stop`),

  'same-verdicts': ({ told, undisturbed }) =>
    differencesOf(undisturbed.verdicts, told.verdicts).slice(0, DIFFERENCES_MAX),

  'same-rows': ({ told, undisturbed, orderly }) =>
    orderly ? differencesOf(undisturbed.everyRow, told.everyRow).slice(0, DIFFERENCES_MAX) : [],

  'runs-repeat': ({ told, again }) => differencesOf(told.everyRow, again).slice(0, DIFFERENCES_MAX),

  simulation: ({ told: { wrong }, undisturbed }) => [...wrong, ...undisturbed.wrong],
} as const satisfies Readonly<Record<string, (evidence: PayoutCase) => readonly string[]>>;

export type PayoutJudgeName = keyof typeof PAYOUT_JUDGES;

export interface PayoutViolation {
  readonly judge: PayoutJudgeName;
  readonly what: string;
}

export function judgePayouts(evidence: PayoutCase): PayoutViolation[] {
  return (Object.keys(PAYOUT_JUDGES) as PayoutJudgeName[]).flatMap((judge) =>
    PAYOUT_JUDGES[judge](evidence).map((what) => ({ judge, what })),
  );
}

function onlyPayouts(payouts: PayoutStoryEvidence['payouts']) {
  return { payouts } as unknown as Parameters<typeof everyLineIsJudgedOnce>[0];
}
