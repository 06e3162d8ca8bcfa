import { setTimeout as sleep } from 'node:timers/promises';
import { readNow } from '../../database/clock.ts';
import type { Mode } from '../../domain/mode.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { countResults, type ListedRun, newestRun, type ResultCounts } from './store/result-list.ts';

/** After so long, the answer has the counts so far. Proxies often give up after 30 seconds. */
const ANSWER_WITHIN_MS = 25_000;
const LOOK_EVERY_MS = 250;

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

/** Starts a run for each gateway and waits for their end, for a while. Runs that are running already are not started twice. */
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
    return readNow(em);
  });
  for (const gateway of gateways) {
    await deps.dispatch.startReconciliation({ mode, gateway, period, operatorId: caller.operator.id });
  }
  for (;;) {
    const runs = await deps.database.withOperator(caller.view, async (em) => {
      const found: ListedRun[] = [];
      for (const gateway of gateways) {
        const run = await newestRun(em, { mode, gateway, period, since });
        found.push(...(run === null ? [] : [run]));
      }
      return found;
    });
    const ended = runs.length === gateways.length && runs.every(({ state }) => state !== 'RUNNING');
    if (ended || Date.now() >= answerAtMs) {
      const counts = await deps.database.withOperator(caller.view, (em) =>
        countResults(em, { mode, period, gateways }),
      );
      return { runs, counts };
    }
    await sleep(LOOK_EVERY_MS);
  }
}
