import { setTimeout as sleep } from 'node:timers/promises';
import { readNow } from '../../database/clock.ts';
import type { Mode } from '../../domain/mode.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { countResults, type ListedRun, newestRun, type ResultCounts } from './store/result-list.ts';
import { askAgain } from './store/runs.ts';

/** After so long, the answer has the counts so far. Proxies often give up after 30 seconds. */
const ANSWER_WITHIN_MS = 25_000;
const LOOK_EVERY_MS = 250;
const LOOKS_BEFORE_START = 4;

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch'>;

export interface RunsToStart {
  readonly mode: Mode;
  readonly period: PlainDate;
  readonly gateways: readonly string[];
  /** How long the caller waits for the end of the runs. */
  readonly waitMs?: number;
}

export interface StartedRuns {
  readonly runs: readonly ListedRun[];
  readonly counts: ResultCounts;
}

/**
 * Starts a run for each gateway and waits for their end, for a while. A run that is running already begins once more before it ends, so that the answer
 * has what came meanwhile.
 */
export async function startRuns(
  deps: Dependencies,
  caller: ActingOperator,
  { mode, period, gateways, waitMs = ANSWER_WITHIN_MS }: RunsToStart,
): Promise<StartedRuns> {
  const answerAtMs = Date.now() + waitMs;
  const since = await deps.database.withOperator(caller.view, async (em) => {
    await recordAudit(em, {
      actor: caller.actor,
      action: 'reconciliation.started',
      target: { type: 'reconciliation', id: period },
      after: { mode, gateways },
    });
    for (const gateway of gateways) {
      await askAgain(em, { mode, gateway, period });
    }
    return readNow(em);
  });
  let missing = gateways;
  for (let looks = 0; ; looks += 1) {
    // A workflow whose run has ended may not have, and is no new run. So one that does not show is started again.
    if (looks % LOOKS_BEFORE_START === 0) {
      for (const gateway of missing) {
        await deps.dispatch.startReconciliation({ mode, gateway, period, operatorId: caller.operator.id });
      }
    }
    const runs = await deps.database.withOperator(caller.view, async (em) => {
      const found: ListedRun[] = [];
      for (const gateway of gateways) {
        const run = await newestRun(em, { mode, gateway, period, since });
        found.push(...(run === null ? [] : [run]));
      }
      return found;
    });
    missing = gateways.filter((gateway) => !runs.some((run) => run.gateway === gateway));
    const ended = missing.length === 0 && runs.every(({ state }) => state !== 'RUNNING');
    if (ended || Date.now() >= answerAtMs) {
      const counts = await deps.database.withOperator(caller.view, (em) =>
        countResults(em, { mode, period, gateways }),
      );
      return { runs, counts };
    }
    await sleep(LOOK_EVERY_MS);
  }
}
