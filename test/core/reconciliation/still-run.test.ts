import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { CoreDependencies } from '../../../core/dependencies.ts';
import type { Dispatch } from '../../../core/dispatch.ts';
import { openRun } from '../../../core/reconciliation/store/runs.ts';
import { stillRuns } from '../../../core/reconciliation/sweep.ts';
import { runSweep } from '../../../core/sweep/engine.ts';
import { GATEWAY, openReconciliation, type ReconciliationWorld } from './reconciliation-world.ts';

type Started = Parameters<Dispatch['startReconciliation']>[0];

const MODE = 'TEST';
const PERIOD = '2026-11-03';
let world: ReconciliationWorld;

beforeAll(async () => {
  world = await openReconciliation();
});
afterAll(() => world.close());

function sweepWith(dispatch: Pick<Dispatch, 'startReconciliation'>): Promise<number> {
  const { database } = world.ledger;
  const deps = { database, dispatch, log: pino({ level: 'silent' }) } as unknown as CoreDependencies;
  return runSweep(deps, stillRuns(deps));
}

test('a run whose workflow is gone goes on', async () => {
  // Its row is written by a try that its workflow had given up, or the workflow was terminated. Nobody else would ever end it.
  const started: Started[] = [];
  const dispatch = {
    startReconciliation: (run: Started) => {
      started.push(run);
      return Promise.resolve();
    },
  };
  const { database } = world.ledger;
  const run = { reference: 'rec_0000000000000000000000', mode: MODE, gateway: GATEWAY, period: PERIOD } as const;
  await database.withSystem((em) => openRun(em, { ...run, operatorId: null }));
  expect(await sweepWith(dispatch)).toBe(0);

  await database.withSystem((em) =>
    em.execute(`update reconciliation_runs set updated_at = now() - interval '11 minutes'`),
  );
  expect(await sweepWith(dispatch)).toBe(1);
  expect(started).toEqual([{ mode: MODE, gateway: GATEWAY, period: PERIOD, operatorId: null }]);
  expect(await sweepWith(dispatch)).toBe(0);
});

test('a run that has ended is left alone', async () => {
  // Its day would be matched again for nothing.
  await world.run(PERIOD);
  await world.ledger.database.withSystem((em) =>
    em.execute(`update reconciliation_runs set updated_at = now() - interval '1 day'`),
  );
  const dispatch = { startReconciliation: () => Promise.reject(new Error('nothing is to be started')) };
  expect(await sweepWith(dispatch)).toBe(0);
});
