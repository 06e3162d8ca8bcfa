import { z } from 'zod';
import type { EntityManager } from '../../database/connection.ts';
import { addDays } from '../../domain/plain-date.ts';
import { RUN_STEPS, type RunStep } from '../../domain/payouts/reconciliation.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { payoutFindingsOf } from '../ledger/verify/verify-payouts.ts';
import { bookTransfers } from './book-transfers.ts';
import { judgeBatch } from './judge-batch.ts';
import { type Judging, judgingOf, type RunDependencies } from './judging.ts';
import { keepCases } from './store/cases.ts';
import { findLinesById, linesOfPeriod, openResults, unjudgedLines } from './store/lines.ts';
import { movementsOfDay, MOVEMENT_SOURCES } from './store/movements.ts';
import { type Advance, advanceTo, beginAgain, endRun, findRun, lockRun, type RunRow } from './store/runs.ts';

/** How many lines or movements one transaction judges. */
const BATCH_MAX = 2_000;

/** What a run has done so far, and whether it goes on. */
export interface RunProgress {
  readonly goesOn: boolean;
  readonly step: RunStep;
  readonly linesDone: number;
  readonly movementsDone: number;
}

/** Where a step goes on. */
const Position = z.strictObject({
  phase: z.string(),
  after: z.string().regex(/^\d+$/),
});
type Position = z.infer<typeof Position>;

/**
 * Does the next part of a run, in one transaction that also notes where the run goes on. So a process that dies loses at most the part, and doing it again
 * changes nothing.
 */
export async function advanceRun(deps: RunDependencies, reference: string): Promise<RunProgress> {
  const { database, calendar, gateways } = deps;
  return database.withSystem(async (em) => {
    const run = await lockRun(em, reference);
    if (run === null || run.state !== 'RUNNING') {
      return progressOf(run);
    }
    const done = await doPart(em, run, await judgingOf(em, { calendar, gateways }, run.gateway));
    if (done === 'went-on') {
      return progressOf(await findRun(em, reference));
    }
    await advanceTo(em, run.id, done);
    return progressOf({
      ...run,
      step: done.step,
      linesDone: run.linesDone + done.lines,
      movementsDone: run.movementsDone + done.movements,
    });
  });
}

/** Ends a run that an operator has stopped. What it has found stays. */
export async function cancelRun({ database }: Pick<CoreDependencies, 'database'>, reference: string): Promise<void> {
  await database.withSystem((em) =>
    endRun(em, reference, { state: 'CANCELLED', ledgerBalanced: null, problem: 'cancelled by an operator' }),
  );
}

function progressOf(run: RunRow | null): RunProgress {
  return {
    goesOn: run?.state === 'RUNNING',
    step: run?.step ?? 'done',
    linesDone: run?.linesDone ?? 0,
    movementsDone: run?.movementsDone ?? 0,
  };
}

/** `went-on`: the run's row says already where it goes on, or how it ended. */
type Done = Advance | 'went-on';

async function doPart(em: EntityManager, run: RunRow, judging: Judging): Promise<Done> {
  switch (run.step) {
    case 'fetching':
      return next(run.step);
    case 'matching':
      return matchPart(em, run, judging);
    case 'looking':
      return lookPart(em, run, judging);
    case 'opening-cases':
      await keepCases(em, run);
      return next(run.step);
    case 'checking':
      return checkPart(em, run);
    case 'done':
      return complete(em, run, run);
  }
}

function next(step: RunStep, done: { readonly lines: number; readonly movements: number } = NOTHING): Advance {
  return { step: RUN_STEPS[RUN_STEPS.indexOf(step) + 1] ?? 'done', position: null, ...done };
}

const NOTHING = { lines: 0, movements: 0 } as const;

/** First what no run has judged, then the day's lines again, then what is still open, of any age. */
const PHASES = ['unjudged', 'period', 'open'] as const;

async function matchPart(em: EntityManager, run: RunRow, judging: Judging): Promise<Advance> {
  const { phase, after } = positionOf(run, PHASES[0]);
  const page = { mode: run.mode, gateway: run.gateway, after: BigInt(after), limit: BATCH_MAX };
  const base = { mode: run.mode, gateway: run.gateway, runId: run.id, ...judging };
  const open = phase === 'open' ? await openResults(em, page) : [];
  const lines =
    phase === 'unjudged'
      ? await unjudgedLines(em, page)
      : phase === 'period'
        ? await linesOfPeriod(em, { ...page, period: run.period })
        : await findLinesById(em, {
            ...page,
            ids: open.flatMap(({ lineId, keys }) => (keys.length === 0 ? (lineId ?? []) : [])),
          });
  const rows = phase === 'open' ? open : lines;
  if (rows.length > 0) {
    await judgeBatch(em, { ...base, lines, references: open.flatMap(({ keys }) => keys) });
  }
  const last = rows.at(-1);
  // What was judged as new is not counted again as one of the day.
  const done = { lines: phase === 'period' ? rows.length : 0, movements: 0 };
  if (last !== undefined && rows.length === BATCH_MAX) {
    return { step: 'matching', position: textOf({ phase, after: last.id.toString() }), ...done };
  }
  const following = PHASES[PHASES.findIndex((name) => name === phase) + 1];
  return following === undefined
    ? next('matching', done)
    : { step: 'matching', position: textOf({ phase: following, after: '0' }), ...done };
}

/** Looks for the day's payments and refunds that no line has explained, and judges again the refunds that people ended by their word. */
async function lookPart(em: EntityManager, run: RunRow, judging: Judging): Promise<Advance> {
  const { phase, after } = positionOf(run, MOVEMENT_SOURCES[0]);
  const source = MOVEMENT_SOURCES.find((name) => name === phase) ?? MOVEMENT_SOURCES[0];
  const { calendar } = judging;
  const movements = await movementsOfDay(em, source, {
    mode: run.mode,
    gateway: run.gateway,
    from: calendar.startOf(run.period),
    before: calendar.startOf(addDays(run.period, 1)),
    after: BigInt(after),
    limit: BATCH_MAX,
  });
  if (movements.length > 0) {
    await judgeBatch(em, {
      mode: run.mode,
      gateway: run.gateway,
      runId: run.id,
      ...judging,
      lines: [],
      references: movements.map(({ reference }) => reference),
    });
  }
  const done = { lines: 0, movements: source === 'refunds-by-word' ? 0 : movements.length };
  const last = movements.at(-1);
  if (last !== undefined && movements.length === BATCH_MAX) {
    return { step: 'looking', position: textOf({ phase: source, after: last.id.toString() }), ...done };
  }
  const following = MOVEMENT_SOURCES[MOVEMENT_SOURCES.indexOf(source) + 1];
  return following === undefined
    ? next('looking', done)
    : { step: 'looking', position: textOf({ phase: following, after: '0' }), ...done };
}

async function checkPart(em: EntityManager, run: RunRow): Promise<Done> {
  if ((await bookTransfers(em, run)) > 0) {
    return { step: 'checking', position: null, ...NOTHING };
  }
  const findings = await payoutFindingsOf(em, run);
  return complete(em, run, {
    ledgerBalanced: findings.length === 0,
    problem: findings[0]?.what ?? run.problem,
  });
}

/** Ends a run, unless somebody has asked for the day meanwhile. The row is locked, so a request comes either before the end or after it. */
async function complete(
  em: EntityManager,
  { id, reference, again }: RunRow,
  { ledgerBalanced, problem }: Pick<RunRow, 'ledgerBalanced' | 'problem'>,
): Promise<Done> {
  if (again) {
    await beginAgain(em, id);
  } else {
    await endRun(em, reference, { state: 'COMPLETED', ledgerBalanced, problem });
  }
  return 'went-on';
}

function positionOf({ position }: RunRow, first: string): Position {
  return position === null ? { phase: first, after: '0' } : Position.parse(JSON.parse(position));
}

function textOf(position: Position): string {
  return JSON.stringify(position);
}
