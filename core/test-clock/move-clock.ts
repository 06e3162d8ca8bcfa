import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scope } from '../../database/connection.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError } from '../../domain/errors.ts';
import { CLOCK_AHEAD_MAX_SECONDS, monthAfter, type ClockMove } from '../../domain/test-clock.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { wakeSweeper } from '../sweep/wake.ts';
import {
  bringForward,
  claimSkips,
  findClocked,
  insertSkips,
  lockClocks,
  moveClocks,
  nextAttemptInSeconds,
  readApprovalDue,
  readClocks,
  readSkips,
  settleSkips,
  type Clocked,
  type ClockedName,
  type Clocks,
  type Skip,
} from './store.ts';

export type TestClockDependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'log'>;

export type ClockAsk = ClockedName & { readonly forward: ClockMove };

export interface MovedClock {
  /** How far this call has moved it. */
  readonly movedSeconds: number;
  /** Of the payment or invoice, like `time`. */
  readonly aheadSeconds: number;
  readonly time: Date;
  /** How many workflows have not got there yet: something of them is still in progress. Asking again waits for them. */
  readonly workflowsBehind: number;
}

/** How long a call waits for the workflows, in all. */
const SKIP_WITHIN_MS = 10_000;
/** Longer, so that nobody else takes a skip that this process is at work on. */
const LEASE_SECONDS = 15;
/** How long a call waits for one before it that moves the same clock. Longer than the lease of one whose process has died. */
const TURN_WITHIN_MS = 18_000;
const TURN_PAUSE_MS = 200;

/** Throws NOT_SUPPORTED if the Temporal server cannot skip the time of a workflow, SERVICE_UNAVAILABLE if it cannot be asked. */
export async function requireSkipsTime({ dispatch }: Pick<CoreDependencies, 'dispatch'>): Promise<void> {
  if (!(await skipsTime({ dispatch }))) {
    throw new DomainError('NOT_SUPPORTED', 'the Temporal server of this installation cannot skip time');
  }
}

/** Throws SERVICE_UNAVAILABLE if the Temporal server cannot be asked. */
export function skipsTime({ dispatch }: Pick<CoreDependencies, 'dispatch'>): Promise<boolean> {
  return dispatch.skipsTime().catch(() => {
    throw new DomainError('SERVICE_UNAVAILABLE', 'Temporal cannot be reached', { retryAfterSeconds: 5 });
  });
}

/**
 * Moves the test clock of a TEST object forward: first the rows, in one transaction with what their workflows have to skip, then the workflows. If the
 * process dies in between, the rows say what is left, and asking again makes that first: an amount then counts from where the unfinished move began.
 * @throws DomainError INVALID_OPERATION_STATE for a LIVE object and for a target that it does not have, RESOURCE_NOT_FOUND, and as `requireSkipsTime`
 */
export async function moveClock(deps: TestClockDependencies, scope: Scope, ask: ClockAsk): Promise<MovedClock> {
  requireTest(scope);
  await requireSkipsTime(deps);
  const { skips, ...moved } = await takeTurn(() =>
    deps.database.withScope(scope, (statements) => moveRows(statements, scope, ask)),
  );
  wakeSweeper(deps);
  const made = await makeSkips(deps, skips);
  const left = skips.map(({ skipId }) => skipId).filter((skipId) => !made.includes(skipId));
  await deps.database.withScope(scope, (statements) => settleSkips(statements, { made, left }));
  const behind = new Set(skips.filter(({ skipId }) => left.includes(skipId)).map(keyOf));
  return { ...moved, workflowsBehind: behind.size };
}

/** Throws INVALID_OPERATION_STATE unless the mode is TEST. */
export function requireTest({ mode }: Pick<Scope, 'mode'>): void {
  if (mode !== 'TEST') {
    throw new DomainError('INVALID_OPERATION_STATE', 'only TEST objects have a clock that moves; this is LIVE');
  }
}

interface MovedRows extends Omit<MovedClock, 'workflowsBehind'> {
  readonly skips: readonly Skip[];
}

/** Returns null while another call moves the same clock. */
async function moveRows(statements: Statements, scope: Scope, ask: ClockAsk): Promise<MovedRows | null> {
  const clocked = await findClocked(statements, ask);
  const { reference } = clocked;
  const clocks = await lockClocks(statements, clocked);
  const unfinished = await readSkips(statements, clocks);
  if (unfinished.some(({ isClaimed }) => isClaimed)) {
    return null;
  }
  const already = unfinished
    .filter((skip) => skip.workflow === clocked.workflow && skip.reference === reference)
    .reduce((sum, { bySeconds }) => sum + bySeconds, 0);
  const bySeconds = await secondsTo(statements, { clocked, clocks, forward: ask.forward, already });
  if (bySeconds > 0) {
    const skips =
      clocked.object === 'delivery'
        ? await bringForward(statements, { ...clocks, eventId: reference, bySeconds })
        : await moveClocks(statements, clocks, { bySeconds, invoice: clocked.object === 'invoice' ? reference : null });
    await insertSkips(
      statements,
      scope,
      skips.map((skip) => ({ ...skip, skipId: randomUUID() })),
    );
  }
  await claimSkips(statements, clocks, LEASE_SECONDS);
  const { aheadSeconds, time } = await clockOf(statements, clocked);
  return { movedSeconds: bySeconds, aheadSeconds, time, skips: await readSkips(statements, clocks) };
}

interface Wanted {
  readonly clocked: Clocked;
  readonly clocks: Clocks;
  readonly forward: ClockMove;
  /** Seconds that an unfinished move has made, and that count. */
  readonly already: number;
}

async function secondsTo(statements: Statements, { clocked, clocks, forward, already }: Wanted): Promise<number> {
  const { time, expiresAt } = await clockOf(statements, clocked);
  const seconds = await wantedSeconds();
  // A delivery has no clock of its own that could be too far ahead.
  const rows = clocked.object === 'delivery' ? [] : await readClocks(statements, clocks);
  if (rows.some(({ aheadSeconds }) => aheadSeconds + seconds > CLOCK_AHEAD_MAX_SECONDS)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'a test clock is at most 366 days ahead');
  }
  return seconds;

  async function wantedSeconds(): Promise<number> {
    switch (forward) {
      case 'expiry': {
        const until = clocked.object === 'refund' ? await readApprovalDue(statements, clocked.reference) : expiresAt;
        return until === null || clocked.object === 'delivery'
          ? unlessUnfinished('does not expire')
          : secondsUntil(until);
      }
      case 'next-attempt': {
        const eventId = clocked.object === 'delivery' ? clocked.reference : null;
        const inSeconds = await nextAttemptInSeconds(statements, { ...clocks, eventId });
        return inSeconds ?? unlessUnfinished('has no delivery that waits for another attempt');
      }
      case 'month': {
        const began = new Date(time.getTime() - already * 1_000);
        return secondsUntil(monthAfter(began));
      }
      default:
        return Math.max(0, forward - already);
    }
  }

  function secondsUntil(until: Date): number {
    return Math.max(0, Math.ceil((until.getTime() - time.getTime()) / 1_000));
  }

  /** An unfinished move may have made what the target waited for. */
  function unlessUnfinished(why: string): number {
    if (already > 0) {
      return 0;
    }
    throw new DomainError('INVALID_OPERATION_STATE', `the ${clocked.object} ${why}`);
  }
}

/** The clock of the payment or invoice. */
async function clockOf(statements: Statements, { paymentId, invoiceId }: Clocked) {
  const [row] = await readClocks(statements, {
    paymentIds: paymentId === null ? [] : [paymentId],
    invoiceId: paymentId === null ? invoiceId : null,
  });
  if (row === undefined) {
    throw new Error('a clock has no row');
  }
  return row;
}

/** Waits for the call before this one, so that each moves the clock from where the last one left it. */
async function takeTurn<Result>(attempt: () => Promise<Result | null>): Promise<Result> {
  const givesUpAtMs = performance.now() + TURN_WITHIN_MS;
  for (;;) {
    const result = await attempt();
    if (result !== null) {
      return result;
    }
    if (performance.now() > givesUpAtMs) {
      throw new DomainError(
        'INVALID_OPERATION_STATE',
        'another request is moving this clock; ask again when it has ended',
      );
    }
    await sleep(TURN_PAUSE_MS);
  }
}

/** Makes the skips, those of one workflow one after the other. Returns the ids of those that were made, or that have no running workflow. */
async function makeSkips({ dispatch, log }: TestClockDependencies, skips: readonly Skip[]): Promise<string[]> {
  const byWorkflow = Map.groupBy(skips, keyOf);
  const endsAtMs = performance.now() + SKIP_WITHIN_MS;
  const made = await Promise.all(
    [...byWorkflow.values()].map(async (those) => {
      const done: string[] = [];
      for (const { skipId, workflow, reference, bySeconds } of those) {
        const skip = { id: skipId, byMs: bySeconds * 1_000, withinMs: Math.max(0, endsAtMs - performance.now()) };
        const outcome = await dispatch.skipTime({ workflow, reference }, skip).catch((error: unknown) => {
          log.warn({ workflow, reference, error: describeError(error) }, 'time not skipped; asking again does it');
          return 'skipping' as const;
        });
        if (outcome === 'skipping') {
          break;
        }
        done.push(skipId);
      }
      return done;
    }),
  );
  return made.flat();
}

function keyOf({ workflow, reference }: Pick<Skip, 'workflow' | 'reference'>): string {
  return `${workflow}:${reference}`;
}
