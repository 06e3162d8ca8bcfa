import { ApplicationFailure, Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createReconciliationActivities } from '../../activities/reconciliation.ts';
import { askAgain } from '../../core/reconciliation/store/runs.ts';
import { createDispatch } from '../../temporal/dispatch.ts';
import { WORKFLOWS } from '../../worker/workflow-bundle.ts';
import { TASK_QUEUES, WORKFLOW_TYPES, workflowIds } from '../../workflows/messages/names.ts';
import type { ReconciliationActivities } from '../../workflows/messages/reconciliation.ts';
import { payPayment } from '../core/ledger/ledger-fixture.ts';
import {
  CALENDAR,
  GATEWAY,
  openReconciliation,
  type ReconciliationWorld,
} from '../core/reconciliation/reconciliation-world.ts';
import { registryOf } from '../support/gateways.ts';
import { connectTestTemporal, createTestNamespace, type TestTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';

/** What the recorder does instead of a step of a run. */
interface Interference {
  /** So many parts of a run do nothing before it goes on. */
  idleParts: number;
  /** A part begins and then only sends heartbeats. */
  held: boolean;
  gatewayIsAway: boolean;
}

/** The real worker code for runs on a real Postgres and a real Temporal server. */
export interface ReconciliationRecorder {
  readonly world: ReconciliationWorld;
  readonly temporal: TestTemporal;
  readonly interference: Interference;
  close(): Promise<void>;
}

export async function openReconciliationRecorder(): Promise<ReconciliationRecorder> {
  const namespace = await createTestNamespace();
  const temporal = await connectTestTemporal({ timeSkipping: false, namespace });
  const world = await openReconciliation();
  const interference: Interference = { idleParts: 0, held: false, gatewayIsAway: false };
  const activities = createReconciliationActivities({
    database: world.ledger.database,
    calendar: CALENDAR,
    gateways: registryOf(),
    log: pino({ level: 'silent' }),
  });
  const interfered: ReconciliationActivities = {
    ...activities,
    fetchPayouts(reference) {
      if (interference.gatewayIsAway) {
        const failure = ApplicationFailure.nonRetryable('the gateway does not answer', 'GATEWAY_UNAVAILABLE');
        // The paths of this machine.
        delete failure.stack;
        throw failure;
      }
      return activities.fetchPayouts(reference);
    },
    async advanceReconciliation(reference) {
      while (interference.held) {
        Context.current().heartbeat();
        await Context.current().sleep(50);
      }
      if (interference.idleParts > 0) {
        interference.idleParts -= 1;
        return { goesOn: true, step: 'matching', linesDone: 0, movementsDone: 0 };
      }
      return activities.advanceReconciliation(reference);
    },
  };
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace,
    ...WORKFLOWS,
    taskQueue: TASK_QUEUES.maintenance,
    activities: interfered,
    // Cancellation arrives with the answer to a heartbeat.
    maxHeartbeatThrottleInterval: 100,
    defaultHeartbeatThrottleInterval: 100,
  });
  const running = worker.run();
  return {
    world,
    temporal,
    interference,
    async close() {
      worker.shutdown();
      await running;
      await temporal.close();
      await world.close();
    },
  };
}

const OPERATOR = 1n;

/** A payment whose line has another amount, and a line of nobody, so that every step has something to do. */
async function trade({ ledger, applicationId, addLines }: ReconciliationWorld): Promise<void> {
  const { attemptReference } = await payPayment(ledger.database, { applicationId });
  await addLines([
    { gatewayTxnId: `B${attemptReference}`, attemptReference, grossMinor: 9_000n },
    { gatewayTxnId: 'B-foreign', grossMinor: 500n },
  ]);
}

/** Starts a run of a day that no other branch runs. */
async function begin({ temporal, world }: ReconciliationRecorder, period = world.today()): Promise<WorkflowHandle> {
  await world.ledger.asOwner((em) =>
    em.execute(
      `insert into operators (id, email, name, password_hash) overriding system value
       values (?::bigint, 'finance@example.com', 'Finance', 'x') on conflict do nothing`,
      [OPERATOR],
    ),
  );
  const run = { mode: 'TEST', gateway: GATEWAY, period } as const;
  await createDispatch(temporal.client).startReconciliation({ ...run, operatorId: OPERATOR });
  return temporal.client.workflow.getHandle(workflowIds.reconciliation(run));
}

async function untilHeld(handle: WorkflowHandle): Promise<void> {
  await until(async () => Boolean((await handle.describe()).raw.pendingActivities?.[0]?.lastHeartbeatTime));
}

/** One run for each path that a reconciliation can take. */
export const RECONCILIATION_BRANCHES: Readonly<Record<string, (recorder: ReconciliationRecorder) => Promise<History>>> =
  {
    async 'reconciliation-completes'(recorder) {
      await trade(recorder.world);
      const handle = await begin(recorder);
      await handle.result();
      return handle.fetchHistory();
    },
    async 'reconciliation-gateway-away'(recorder) {
      recorder.interference.gatewayIsAway = true;
      const handle = await begin(recorder, '2026-11-01');
      await handle.result();
      recorder.interference.gatewayIsAway = false;
      return handle.fetchHistory();
    },
    async 'reconciliation-cancelled'(recorder) {
      recorder.interference.held = true;
      const handle = await begin(recorder, '2026-11-02');
      await untilHeld(handle);
      await handle.cancel();
      await handle.result().catch(() => undefined);
      recorder.interference.held = false;
      return handle.fetchHistory();
    },
    async 'reconciliation-resumed'(recorder) {
      // The first run is lost with its workflow; its row says where the next one goes on.
      recorder.interference.held = true;
      const lost = await begin(recorder, '2026-11-03');
      await untilHeld(lost);
      await lost.terminate();
      recorder.interference.held = false;
      const handle = await begin(recorder, '2026-11-03');
      await handle.result();
      return handle.fetchHistory();
    },
    async 'reconciliation-continued-as-new'(recorder) {
      recorder.interference.idleParts = 40;
      const handle = await begin(recorder, '2026-11-04');
      const { runId } = await handle.describe();
      await handle.result();
      return recorder.temporal.client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
    },
    async 'reconciliation-asked-again'(recorder) {
      // Somebody asks for the day while it runs, so the run begins once more.
      recorder.interference.held = true;
      const handle = await begin(recorder, '2026-11-05');
      await untilHeld(handle);
      await recorder.world.ledger.database.withSystem((em) =>
        askAgain(em, { mode: 'TEST', gateway: GATEWAY, period: '2026-11-05' }),
      );
      recorder.interference.held = false;
      await handle.result();
      return handle.fetchHistory();
    },
    async 'reconciliation-scheduled'(recorder) {
      return scheduled(recorder, 'bkash');
    },
    async 'reconciliation-scheduled-while-running'(recorder) {
      // Somebody has started the same day by hand.
      recorder.interference.held = true;
      const yesterday = await createReconciliationActivities({
        database: recorder.world.ledger.database,
        calendar: CALENDAR,
        gateways: registryOf(),
        log: pino({ level: 'silent' }),
      }).dayToReconcile();
      const byHand = await begin(recorder, yesterday);
      await untilHeld(byHand);
      const history = await scheduled(recorder, GATEWAY);
      recorder.interference.held = false;
      await byHand.result();
      return history;
    },
  };

async function scheduled({ temporal }: ReconciliationRecorder, gateway: string): Promise<History> {
  const handle = await temporal.client.workflow.start(WORKFLOW_TYPES.scheduledReconciliation, {
    workflowId: `scheduled:${gateway}`,
    taskQueue: TASK_QUEUES.maintenance,
    args: [{ mode: 'TEST', gateway }],
  });
  await handle.result();
  return handle.fetchHistory();
}
