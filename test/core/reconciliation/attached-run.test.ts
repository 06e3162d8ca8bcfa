import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { advanceRun } from '../../../core/reconciliation/advance-run.ts';
import { startRuns } from '../../../core/reconciliation/start-runs.ts';
import { findRun, openRun } from '../../../core/reconciliation/store/runs.ts';
import { createDispatch } from '../../../temporal/dispatch.ts';
import { openReconciliationRecorder, type ReconciliationRecorder } from '../../replay/reconciliation-branches.ts';
import { registryOf } from '../../support/gateways.ts';
import { until } from '../../support/until.ts';
import { CALENDAR, GATEWAY } from './reconciliation-world.ts';

const OPERATOR = 1n;
const REFERENCE = 'rec_0000000000000000000000';
let recorder: ReconciliationRecorder;

beforeAll(async () => {
  recorder = await openReconciliationRecorder();
  await recorder.world.ledger.asOwner((em) =>
    em.execute(
      `insert into operators (id, email, name, password_hash) overriding system value values (?::bigint, 'f@example.com', 'F', 'x')`,
      [OPERATOR],
    ),
  );
}, 60_000);
afterAll(() => recorder.close());

function startDay() {
  const { world, temporal } = recorder;
  return startRuns(
    { database: world.ledger.database, dispatch: createDispatch(temporal.client) },
    {
      view: 'every-app',
      actor: { type: 'USER', id: OPERATOR, name: 'F' },
      operator: { id: OPERATOR },
      grants: [],
    },
    { mode: 'TEST', period: world.today(), gateways: [GATEWAY] },
  );
}

test('a line that comes while a run is past its step is in the answer to whoever asks for the day again', async () => {
  // A person uploads a file, asks, and would otherwise read that its lines are missing.
  const { world, interference } = recorder;
  const { database } = world.ledger;
  await world.addLines([{ gatewayTxnId: 'B-first', grossMinor: 100n }]);
  const day = { mode: 'TEST', gateway: GATEWAY, period: world.today() } as const;
  await database.withSystem((em) => openRun(em, { ...day, reference: REFERENCE, operatorId: null }));
  const deps = { database, calendar: CALENDAR, gateways: registryOf() };
  while ((await advanceRun(deps, REFERENCE)).step !== 'checking') {
    // Until the run has judged all lines.
  }
  interference.held = true;
  await createDispatch(recorder.temporal.client).startReconciliation({ ...day, operatorId: OPERATOR });
  await world.addLines([{ gatewayTxnId: 'B-second', grossMinor: 200n }]);
  const asked = startDay();
  await until(async () => (await database.withSystem((em) => findRun(em, REFERENCE)))?.again === true);
  interference.held = false;
  const { counts, runs } = await asked;
  expect(counts).toMatchObject({ missingInternal: 2 });
  expect(runs).toMatchObject([{ reference: REFERENCE, state: 'COMPLETED', linesDone: 2 }]);
  expect((await world.cases()).map(({ reason, amount }) => `${reason} ${amount}`).sort()).toEqual([
    'MISSING_INTERNALLY 100',
    'MISSING_INTERNALLY 200',
  ]);
}, 60_000);

test('nobody asks, and a run begins once only', async () => {
  // A run that began again by itself would never end.
  const run = await recorder.world.run(recorder.world.today());
  const again = await recorder.world.run(recorder.world.today());
  expect(again.parts).toBe(run.parts);
});
