import type { Statements } from '../../../database/statements.ts';
import { earlier, now } from '../../../database/expressions.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { RunState, RunStep } from '../../../domain/payouts/reconciliation.ts';
import type { AtGateway } from './movements.ts';

/** What a run matches: one gateway, mode and day. */
export interface Matched extends AtGateway {
  readonly period: string;
}

const OPEN = statement((db, $: Given<Matched & { reference: string; operatorId: bigint | null }>) =>
  db
    .insertInto('reconciliation_runs')
    .values({
      reference: $('reference'),
      mode: $('mode'),
      gateway: $('gateway'),
      period: $('period'),
      startedByOperatorId: $('operatorId'),
    })
    .onConflict((conflict) =>
      conflict.columns(['mode', 'gateway', 'period']).where('state', '=', 'RUNNING').doNothing(),
    ),
);
const RUN = [
  'id',
  'reference',
  'mode',
  'gateway',
  'period',
  'state',
  'step',
  'position',
  'linesDone',
  'movementsDone',
  'ledgerBalanced',
  'problem',
  'again',
  'startedByOperatorId',
  'createdAt',
  'endedAt',
] as const;
const RUNNING = statement((db, $: Given<Matched>) =>
  db
    .selectFrom('reconciliation_runs')
    .select(RUN)
    .where('mode', '=', $('mode'))
    .where('gateway', '=', $('gateway'))
    .where('period', '=', $('period'))
    .where('state', '=', 'RUNNING'),
);

export type RunRow = RowOf<typeof RUNNING>;

/** Returns the run that is running, or begins one. */
export async function openRun(
  statements: Statements,
  { reference, operatorId, ...matched }: Matched & { readonly reference: string; readonly operatorId: bigint | null },
): Promise<RunRow> {
  await OPEN.all(statements, { ...matched, reference, operatorId });
  const run = await RUNNING.first(statements, matched);
  if (run === undefined) {
    throw new Error('the run ended while it was opened');
  }
  return run;
}

const FIND = statement((db, $: Given<{ reference: string }>) =>
  db.selectFrom('reconciliation_runs').select(RUN).where('reference', '=', $('reference')),
);
const LOCK = statement((db, $: Given<{ reference: string }>) =>
  db.selectFrom('reconciliation_runs').select(RUN).where('reference', '=', $('reference')).forUpdate(),
);

export async function findRun(statements: Statements, reference: string): Promise<RunRow | null> {
  return (await FIND.first(statements, { reference })) ?? null;
}

/** Locks the run until the transaction ends, so that two processes never do the same step at once. */
export async function lockRun(statements: Statements, reference: string): Promise<RunRow | null> {
  return (await LOCK.first(statements, { reference })) ?? null;
}

const ADVANCE = statement(
  (db, $: Given<{ id: bigint; step: RunStep; position: string | null; lines: number; movements: number }>) =>
    db
      .updateTable('reconciliation_runs')
      .set((eb) => ({
        step: $('step'),
        position: $('position'),
        linesDone: eb('linesDone', '+', $('lines')),
        movementsDone: eb('movementsDone', '+', $('movements')),
        updatedAt: now,
      }))
      .where('id', '=', $('id'))
      .where('state', '=', 'RUNNING'),
);

/** Where a run goes on, and what it has done since. */
export interface Advance {
  readonly step: RunStep;
  readonly position: string | null;
  readonly lines: number;
  readonly movements: number;
}

export async function advanceTo(statements: Statements, id: bigint, advance: Advance): Promise<void> {
  await ADVANCE.all(statements, { id, ...advance });
}

const ASK_AGAIN = statement((db, $: Given<Matched>) =>
  db
    .updateTable('reconciliation_runs')
    .set({ again: true, updatedAt: now })
    .where('mode', '=', $('mode'))
    .where('gateway', '=', $('gateway'))
    .where('period', '=', $('period'))
    .where('state', '=', 'RUNNING'),
);

/** Has the run that is running, if one is, begin once more before it ends: it may have passed what is new. */
export async function askAgain(statements: Statements, { mode, gateway, period }: Matched): Promise<void> {
  await ASK_AGAIN.all(statements, { mode, gateway, period });
}

const BEGIN_AGAIN = statement((db, $: Given<{ id: bigint }>) =>
  db
    .updateTable('reconciliation_runs')
    .set({
      step: 'fetching',
      position: null,
      linesDone: 0,
      movementsDone: 0,
      problem: null,
      again: false,
      updatedAt: now,
    })
    .where('id', '=', $('id'))
    .where('state', '=', 'RUNNING'),
);

/** Lets a run begin once more. What it has found stays. */
export async function beginAgain(statements: Statements, id: bigint): Promise<void> {
  await BEGIN_AGAIN.all(statements, { id });
}

const TAKE_STILL = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('reconciliation_runs')
        .select('id')
        .where('state', '=', 'RUNNING')
        .where('updatedAt', '<=', earlier('10 minutes'))
        .orderBy('updatedAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('reconciliation_runs as r')
    .from('due')
    .set({ updatedAt: now })
    .whereRef('r.id', '=', 'due.id')
    .returning(['r.reference', 'r.mode', 'r.gateway', 'r.period', 'r.startedByOperatorId']),
);

export type StillRun = RowOf<typeof TAKE_STILL>;

/** Takes runs that make no progress, and postpones their next check by ten minutes. */
export function takeStillRuns(statements: Statements, max: number): Promise<StillRun[]> {
  return TAKE_STILL.all(statements, { max });
}

const NOTE_PROBLEM = statement((db, $: Given<{ reference: string; problem: string }>) =>
  db
    .updateTable('reconciliation_runs')
    .set({ problem: $('problem'), updatedAt: now })
    .where('reference', '=', $('reference'))
    .where('state', '=', 'RUNNING'),
);

/** Notes what a run has to go on without. */
export async function noteProblem(statements: Statements, reference: string, problem: string): Promise<void> {
  await NOTE_PROBLEM.all(statements, { reference, problem });
}

interface RunEnd {
  readonly state: Exclude<RunState, 'RUNNING'>;
  readonly ledgerBalanced: boolean | null;
  readonly problem: string | null;
}

const END = statement((db, $: Given<RunEnd & { reference: string }>) =>
  db
    .updateTable('reconciliation_runs')
    .set({
      state: $('state'),
      ledgerBalanced: $('ledgerBalanced'),
      problem: $('problem'),
      endedAt: now,
      updatedAt: now,
    })
    .where('reference', '=', $('reference'))
    .where('state', '=', 'RUNNING')
    .returning('id'),
);

/** Returns false if the run has ended already. */
export async function endRun(statements: Statements, reference: string, end: RunEnd): Promise<boolean> {
  return (await END.first(statements, { reference, ...end })) !== undefined;
}
