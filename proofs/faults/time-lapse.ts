import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { errorCode } from '../../scripts/shared/error-code.ts';
import { wakeSignal } from '../../workflows/messages/loop.ts';
import { LOOP_IDS } from '../../workflows/messages/names.ts';
import type { Owner } from './owner.ts';

/**
 * Lets time pass where everything only waits, so that a round does not last as long as the product's pauses. It only moves clocks: timers fire early,
 * rows come due, and work that a killed process had taken or that a cut link had lost is timed out. It performs no step of the product.
 */
export interface TimeLapse {
  /** Advances a workflow's clock, or ends the pause or the time limit of the activity that it waits for. Does nothing for an ended workflow. */
  forward(workflowId: string, byMs: number): Promise<void>;
  /** Makes everything due that rows wait for, then runs the sweeper. */
  rows(): Promise<void>;
  /** Makes the next query of closed attempts due at gateways without notices, then runs the sweeper. */
  lateQueries(): Promise<void>;
  /** Ages every operator's last password entry beyond the limit for sensitive actions. */
  forgetPasswords(): Promise<void>;
  /** Makes the sealer pass. */
  seal(): Promise<void>;
  close(): Promise<void>;
}

export interface LapseSettings {
  readonly owner: Owner;
  readonly address: string;
  readonly namespace: string;
  /** Returns whether a worker's process has ended and will not finish its work. */
  readonly isDead: (pid: number) => boolean;
}

const GRPC_NOT_FOUND = 5;
const STARTED = 2;
const SCHEDULED = 1;
const RETRY_MS = 50;
const LOST_AFTER_MS = 6_000;

export async function openTimeLapse({ owner, address, namespace, isDead }: LapseSettings): Promise<TimeLapse> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  const seenStarted = new Map<string, number>();
  /** The worker is dead or never got the activity over a cut link. Once the faults are over, no activity of Lenden takes this long. */
  const isLost = (workflowId: string, { id, attempt, workerPid }: PendingActivity): boolean => {
    const key = `${workflowId} ${id} ${attempt}`;
    const sinceMs = seenStarted.get(key) ?? Date.now();
    seenStarted.set(key, sinceMs);
    return (workerPid !== null && isDead(workerPid)) || Date.now() - sinceMs > LOST_AFTER_MS;
  };
  const forward = async (workflowId: string, byMs: number): Promise<void> => {
    const pending = await pendingActivities(client, workflowId);
    if (pending === null) {
      return;
    }
    if (pending.length === 0) {
      await comeCloser(owner, { workflowId, byMs });
      await advance(client, { workflowId, byMs });
      return;
    }
    for (const activity of pending) {
      if (activity.state === STARTED && isLost(workflowId, activity)) {
        await timeOut(client, { workflowId, activityId: activity.id });
      } else if (activity.state === SCHEDULED && activity.waitsForRetry) {
        await retryNow(client, { workflowId, activityId: activity.id });
      }
    }
  };
  /** A loop that was terminated is started again by a worker. */
  const wake = (loopId: string): Promise<void> =>
    unlessEnded(() => client.workflow.getHandle(loopId).signal(wakeSignal));
  return {
    forward: (workflowId, byMs) => unlessEnded(() => forward(workflowId, byMs)),
    async rows() {
      for (const sql of COME_DUE) {
        await owner.run(sql);
      }
      await wake(LOOP_IDS.sweep);
    },
    async lateQueries() {
      await owner.run('update payment_attempts set query_again_at = now() where query_again_at > now()');
      await wake(LOOP_IDS.sweep);
    },
    async forgetPasswords() {
      await owner.run(`update operator_sessions set reauthenticated_at = now() - interval '6 minutes'`);
    },
    seal: () => wake(LOOP_IDS.sealLedger),
    close: () => connection.close(),
  };
}

/** Moves the row's deadline closer by the same time, because a workflow's timers only wake it up and the row decides what has expired. */
async function comeCloser(owner: Owner, { workflowId, byMs }: { workflowId: string; byMs: number }): Promise<void> {
  const [kind = '', reference = ''] = workflowId.split(':', 2);
  const sql = COME_CLOSER[kind];
  if (sql !== undefined) {
    await owner.run(sql, [byMs, reference]);
  }
}

const COME_CLOSER: Readonly<Record<string, string>> = {
  payment: `update payments set expires_at = expires_at - ?::float8 * interval '1 millisecond'
    where reference = ? and status in ('CREATED', 'PENDING')`,
  refund: `update refunds set approval_due_at = approval_due_at - ?::float8 * interval '1 millisecond'
    where reference = ? and status = 'AWAITING_APPROVAL'`,
};

/** Makes rows look as if more than a minute had passed since their last recorded event. */
const COME_DUE = [
  `update payments set next_sweep_at = least(next_sweep_at, now()),
     callback_signalled_at = callback_signalled_at - interval '70 seconds',
     last_signalled_at = last_signalled_at - interval '70 seconds',
     last_unsigned_signalled_at = last_unsigned_signalled_at - interval '70 seconds'
   where status in ('CREATED', 'PENDING')`,
  `update payment_attempts set execution_at_work_until = execution_at_work_until - interval '70 seconds'
   where execution_at_work_until is not null`,
  `update gateway_callbacks set next_sweep_at = now() where consumed_at is null and next_sweep_at > now()`,
  `update refunds set next_sweep_at = least(next_sweep_at, now()), queried_at = queried_at - interval '70 seconds'
   where status in ('AWAITING_APPROVAL', 'PENDING')`,
  `update decisions set next_sweep_at = now() where consumed_at is null and next_sweep_at > now()`,
  `update invoices set next_sweep_at = now() where next_sweep_at between now() and now() + interval '6 minutes'`,
  `update webhook_events set next_sweep_at = now() where delivery_status in ('PENDING', 'RETRYING') and next_sweep_at > now()`,
  `update webhook_endpoints set circuit_open_until = now() - interval '1 second' where circuit_open_until > now()`,
  `update idempotency_keys set lease_until = now() where response_status is null and lease_until > now()`,
] as const;

interface PendingActivity {
  readonly id: string;
  readonly state: number;
  readonly attempt: number;
  readonly waitsForRetry: boolean;
  /** The SDK names a worker `pid@host`. */
  readonly workerPid: number | null;
}

async function pendingActivities(client: Client, workflowId: string): Promise<PendingActivity[] | null> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  if (raw.workflowExecutionInfo?.closeTime) {
    return null;
  }
  return (raw.pendingActivities ?? []).map((activity) => {
    const pid = Number(/^(\d+)@/.exec(activity.lastWorkerIdentity ?? '')?.[1]);
    const next = activity.nextAttemptScheduleTime;
    return {
      id: activity.activityId ?? '',
      state: activity.state ?? 0,
      attempt: activity.attempt ?? 0,
      waitsForRetry: next !== null && next !== undefined && tsToMs(next) > Date.now(),
      workerPid: Number.isInteger(pid) ? pid : null,
    };
  });
}

async function advance(client: Client, { workflowId, byMs }: { workflowId: string; byMs: number }): Promise<void> {
  await client.workflowService.updateWorkflowExecutionOptions({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
    updateMask: { paths: ['time_skipping_config'] },
    workflowExecutionOptions: {
      timeSkippingConfig: { enabled: true, fastForwardConfig: { id: randomUUID(), duration: msToTs(byMs) } },
    },
  });
}

interface OneActivity {
  readonly workflowId: string;
  readonly activityId: string;
}

/** Times out an activity whose worker is dead. The server would otherwise notice only at the end of the time limit. */
async function timeOut(client: Client, { workflowId, activityId }: OneActivity): Promise<void> {
  await client.workflowService.updateActivityOptions({
    namespace: client.options.namespace,
    execution: { workflowId },
    id: activityId,
    updateMask: { paths: ['start_to_close_timeout'] },
    activityOptions: { startToCloseTimeout: msToTs(100) },
  });
}

/** Shortens the pauses between attempts from now on. The original limits, including the number of attempts, apply again. */
async function retryNow(client: Client, { workflowId, activityId }: OneActivity): Promise<void> {
  const activity = { namespace: client.options.namespace, execution: { workflowId }, id: activityId };
  await client.workflowService.updateActivityOptions({ ...activity, restoreOriginal: true });
  await client.workflowService.updateActivityOptions({
    ...activity,
    updateMask: { paths: ['retry_policy.initial_interval', 'retry_policy.maximum_interval'] },
    activityOptions: { retryPolicy: { initialInterval: msToTs(RETRY_MS), maximumInterval: msToTs(RETRY_MS) } },
  });
}

async function unlessEnded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (errorCode(error) !== GRPC_NOT_FOUND && !(error instanceof Error && error.name === 'WorkflowNotFoundError')) {
      throw error;
    }
  }
}
