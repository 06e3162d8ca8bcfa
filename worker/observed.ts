import type { InjectedSinks, WorkerInterceptors } from '@temporalio/worker';
import type { WorkflowInfo } from '@temporalio/workflow';
import { z } from 'zod';
import type { Telemetry } from '../runtime/telemetry.ts';
import { subjectOf } from '../temporal/observed.ts';
import { WORKFLOW_TYPES } from '../workflows/messages/names.ts';
import type { TelemetrySinks, WorkflowEnd } from '../workflows/messages/telemetry.ts';

/**
 * Returns interceptors and sinks with which activities continue their workflow's trace, and the results of activities and the ends of workflows are
 * counted.
 */
export function observeWorker(telemetry: Telemetry): {
  interceptors: WorkerInterceptors;
  sinks: InjectedSinks<TelemetrySinks>;
} {
  const sinks = {
    telemetry: { workflowEnded: { fn: (info: WorkflowInfo, end: WorkflowEnd) => ended(telemetry, info, end) } },
  };
  if (!telemetry.on) {
    return { interceptors: {}, sinks };
  }
  const activity = [
    ...telemetry.activityInterceptors,
    ({ info }: { info: { readonly activityType: string } }) => ({
      inbound: {
        async execute<Input extends { readonly args: readonly unknown[] }>(
          input: Input,
          next: (input: Input) => Promise<unknown>,
        ): Promise<unknown> {
          telemetry.annotate(subjectOf(input.args[0]));
          const result = await next(input);
          answered(telemetry, info.activityType, result);
          return result;
        },
      },
    }),
  ];
  return { interceptors: { activity }, sinks };
}

const Answer = z.object({ kind: z.string() });
const Swept = z.object({ actions: z.record(z.string(), z.number()) });

function answered(telemetry: Telemetry, activity: string, result: unknown): void {
  const kind = Answer.safeParse(result).data?.kind;
  if (kind !== undefined) {
    telemetry.annotate({ 'lenden.outcome': kind });
  }
  if (activity === 'deliverWebhook' && kind !== undefined) {
    telemetry.count('lenden.webhook.attempts', { 'lenden.outcome': kind });
  }
  if (activity === 'sweep') {
    for (const [action, number] of Object.entries(Swept.safeParse(result).data?.actions ?? {})) {
      telemetry.count('lenden.sweeper.actions', { action }, number);
    }
  }
}

function ended(telemetry: Telemetry, info: WorkflowInfo, end: WorkflowEnd): void {
  const failed = end.outcome === 'failed';
  const subject = subjectOf(end.input);
  if (info.workflowType === WORKFLOW_TYPES.payment && !failed) {
    telemetry.count('lenden.payments.ended', { status: end.outcome, mode: subject['lenden.mode'] ?? 'unknown' });
  }
  if (end.parent !== null) {
    telemetry.recordRun({
      name: `RunWorkflow:${info.workflowType}`,
      parent: end.parent,
      spanId: end.spanId,
      startedAtMs: info.runStartTime.getTime(),
      endedAtMs: end.endedAtMs,
      attributes: {
        ...subject,
        'lenden.outcome': end.outcome,
        temporalWorkflowId: info.workflowId,
        run_id: info.runId,
      },
      failed,
    });
  }
}
