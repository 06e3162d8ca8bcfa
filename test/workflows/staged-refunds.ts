import { Worker } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { refundReference } from '../../domain/references.ts';
import type { Dispatch, RefundHandle } from '../../core/dispatch.ts';
import { createDispatch } from '../../temporal/dispatch.ts';
import { WORKFLOWS } from '../../worker/workflow-bundle.ts';
import { TASK_QUEUES, workflowIds } from '../../workflows/messages/names.ts';
import {
  refundProgressQuery,
  type RefundActivities,
  type RefundAnswer,
  type RefundDecisionInput,
  type RefundEndInput,
  type RefundProgress,
  type RefundState,
  type RefundWorkflowInput,
} from '../../workflows/messages/refund.ts';
import { connectTestTemporal, createTestNamespace } from '../support/temporal.ts';

/** The results of the activities. `call` counts from 1, including retries. */
export interface RefundScript {
  readonly stand?: (call: number) => RefundState | Promise<RefundState>;
  readonly drive?: (call: number) => RefundAnswer | Promise<RefundAnswer>;
  readonly decide?: (call: number, input: RefundDecisionInput) => RefundState | Promise<RefundState>;
  readonly end?: (call: number, input: RefundEndInput) => Promise<RefundEndInput['status']> | RefundEndInput['status'];
}

export interface StagedRefund {
  readonly refund: RefundHandle;
  readonly asked: {
    readonly stand: RefundWorkflowInput[];
    readonly drive: number[];
    readonly decide: RefundDecisionInput[];
    readonly end: RefundEndInput[];
    readonly reviews: string[];
    readonly reminders: RefundWorkflowInput[];
  };
  handle(): WorkflowHandle;
  progress(): Promise<RefundProgress>;
}

export interface RefundTheatre {
  readonly skipping: Dispatch;
  readonly realTime: Dispatch;
  stage(script?: RefundScript): StagedRefund;
  close(): Promise<void>;
}

/** The refund workflow on the real server, under its real name, with scripted activities. */
export async function openRefundTheatre(): Promise<RefundTheatre> {
  const namespace = await createTestNamespace();
  const skipping = await connectTestTemporal({ timeSkipping: true, namespace });
  const realTime = await connectTestTemporal({ timeSkipping: false, namespace });
  const stages = new Map<string, { staged: StagedRefund; script: RefundScript }>();
  const worker = await Worker.create({
    connection: skipping.nativeConnection,
    namespace,
    taskQueue: TASK_QUEUES.payments,
    ...WORKFLOWS,
    activities: scriptedActivities(stages),
  });
  const running = worker.run();
  return {
    skipping: createDispatch(skipping.client),
    realTime: createDispatch(realTime.client),
    stage(script = {}) {
      const refund: RefundHandle = {
        reference: refundReference(),
        applicationId: 7n,
        applicationName: 'Shop',
        mode: 'TEST',
        amount: { amountMinor: 2_500n, currency: 'BDT' },
        gateway: 'sslcommerz',
        awaitsApproval: false,
      };
      const handle = (): WorkflowHandle => realTime.client.workflow.getHandle(workflowIds.refund(refund.reference));
      const staged: StagedRefund = {
        refund,
        asked: { stand: [], drive: [], decide: [], end: [], reviews: [], reminders: [] },
        handle,
        progress: () => handle().query(refundProgressQuery),
      };
      stages.set(refund.reference, { staged, script });
      return staged;
    },
    async close() {
      worker.shutdown();
      await running;
      await skipping.close();
      await realTime.close();
    },
  };
}

function scriptedActivities(
  stages: ReadonlyMap<string, { staged: StagedRefund; script: RefundScript }>,
): RefundActivities {
  const stageOf = ({ reference }: RefundWorkflowInput) => {
    const stage = stages.get(reference);
    if (stage === undefined) {
      throw new Error(`nothing is staged for ${reference}`);
    }
    return stage;
  };
  return {
    async readRefund(input) {
      const { staged, script } = stageOf(input);
      const call = staged.asked.stand.push(input);
      return script.stand?.(call) ?? { kind: 'pending' };
    },
    async driveRefund(input) {
      const { staged, script } = stageOf(input);
      const call = staged.asked.drive.push(Date.now());
      return script.drive?.(call) ?? { kind: 'refunded' };
    },
    async decideRefund(input) {
      const { staged, script } = stageOf(input);
      const call = staged.asked.decide.push(input);
      return script.decide?.(call, input) ?? { kind: 'pending' };
    },
    async endRefund(input) {
      const { staged, script } = stageOf(input);
      const call = staged.asked.end.push(input);
      return script.end?.(call, input) ?? input.status;
    },
    markRefundForReview(input) {
      stageOf(input).staged.asked.reviews.push(input.reason);
      return Promise.resolve();
    },
    remindOfApproval(input) {
      stageOf(input).staged.asked.reminders.push(input);
      return Promise.resolve();
    },
  };
}
