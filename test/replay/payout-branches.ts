import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createPayoutActivities } from '../../activities/payouts.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { createDispatch } from '../../temporal/dispatch.ts';
import { WORKFLOWS } from '../../worker/workflow-bundle.ts';
import { TASK_QUEUES, workflowIds } from '../../workflows/messages/names.ts';
import { openPayoutWorld, type PayoutWorld } from '../core/payouts/payout-world.ts';
import { connectTestTemporal, createTestNamespace, type TestTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';

/** The real worker code for imports on a real Postgres and a real Temporal server. */
export interface PayoutRecorder {
  readonly world: PayoutWorld;
  readonly temporal: TestTemporal;
  /** References of files whose import begins and then only sends heartbeats. */
  readonly held: Set<string>;
  close(): Promise<void>;
}

export async function openPayoutRecorder(): Promise<PayoutRecorder> {
  const namespace = await createTestNamespace();
  const temporal = await connectTestTemporal({ timeSkipping: false, namespace });
  const world = await openPayoutWorld();
  const held = new Set<string>();
  const activities = createPayoutActivities({
    database: world.database,
    calendar: calendarIn(BUSINESS_TIME_ZONE),
    log: pino({ level: 'silent' }),
  });
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace,
    ...WORKFLOWS,
    taskQueue: TASK_QUEUES.maintenance,
    activities: {
      ...activities,
      async importPayoutFile(input: { reference: string }) {
        while (held.has(input.reference)) {
          Context.current().heartbeat();
          await Context.current().sleep(50);
        }
        return activities.importPayoutFile(input);
      },
      // The runs that follow an import are recorded elsewhere.
      openReconciliation: () => Promise.resolve('run_of_the_day'),
      fetchPayouts: () => Promise.resolve(0),
      advanceReconciliation: () => Promise.resolve({ goesOn: false, step: 'done', linesDone: 0, movementsDone: 0 }),
    },
    // Cancellation arrives with the answer to a heartbeat.
    maxHeartbeatThrottleInterval: 100,
    defaultHeartbeatThrottleInterval: 100,
  });
  const running = worker.run();
  return {
    world,
    temporal,
    held,
    async close() {
      worker.shutdown();
      await running;
      await temporal.close();
      await world.close();
    },
  };
}

const FILE = 'payout,id,gross,fee,at,day,text\nP1,a,100.00,2.50,2026-11-01 10:00,2026-11-03,\nP1,b,none,,,,\n';

async function begin({ temporal }: PayoutRecorder, reference: string): Promise<WorkflowHandle> {
  await createDispatch(temporal.client).startPayoutImport({
    reference,
    mode: 'LIVE',
    gateway: 'sslcommerz',
    storeId: 'teststore',
    digest: null,
  });
  return temporal.client.workflow.getHandle(workflowIds.payoutImport(reference));
}

/** One run for each path that an import can take. */
export const PAYOUT_BRANCHES: Readonly<Record<string, (recorder: PayoutRecorder) => Promise<History>>> = {
  async 'payout-import-succeeds'(recorder) {
    const { reference } = await recorder.world.upload(FILE);
    const handle = await begin(recorder, reference);
    await handle.result();
    return handle.fetchHistory();
  },
  async 'payout-import-refused'(recorder) {
    const { reference } = await recorder.world.upload('other,columns\n1,2\n');
    const handle = await begin(recorder, reference);
    await handle.result();
    return handle.fetchHistory();
  },
  async 'payout-import-cancelled'(recorder) {
    const { reference } = await recorder.world.upload(`${FILE}P2,c,1.00,,,,\n`);
    recorder.held.add(reference);
    const handle = await begin(recorder, reference);
    await until(async () => Boolean((await handle.describe()).raw.pendingActivities?.[0]?.lastHeartbeatTime));
    await handle.cancel();
    await handle.result().catch(() => undefined);
    return handle.fetchHistory();
  },
  async 'payout-import-row-missing'(recorder) {
    // The row was lost when an older database was restored.
    const handle = await begin(recorder, 'pof_0000000000000000000000');
    await handle.result().catch(() => undefined);
    return handle.fetchHistory();
  },
  async 'payout-import-resumed'(recorder) {
    // The workflow was lost in the middle; the file's row says where the next one goes on.
    const { reference } = await recorder.world.upload(`${FILE}P3,d,2.00,,,2026-11-03,\n`);
    recorder.held.add(reference);
    const lost = await begin(recorder, reference);
    await until(async () => Boolean((await lost.describe()).raw.pendingActivities?.[0]?.lastHeartbeatTime));
    await lost.terminate();
    recorder.held.delete(reference);
    const handle = await begin(recorder, reference);
    await handle.result();
    return handle.fetchHistory();
  },
};
