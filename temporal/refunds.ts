import type { Client, WorkflowStartOptions } from '@temporalio/client';
import type { Dispatch, RefundHandle } from '../core/dispatch.ts';
import { TASK_QUEUES, WORKFLOW_TYPES, workflowIds } from '../workflows/messages/names.ts';
import { decisionSignal, type RefundWorkflowInput } from '../workflows/messages/refund.ts';
import { moneyAttributes, moneySummary } from './attributes.ts';
import { runningOrCompleted } from './running.ts';

export function refundDispatch(client: Client): Pick<Dispatch, 'startRefund'> {
  return {
    startRefund: (refund, decisionId) => {
      const options = refundStart(refund);
      return runningOrCompleted(() =>
        decisionId === undefined
          ? client.workflow.start(WORKFLOW_TYPES.refund, options)
          : client.workflow.signalWithStart(WORKFLOW_TYPES.refund, {
              ...options,
              signal: decisionSignal,
              signalArgs: [decisionId.toString()],
            }),
      );
    },
  };
}

/** Returns the options with which every caller starts a refund's workflow. */
export function refundStart(refund: RefundHandle): WorkflowStartOptions & { args: [RefundWorkflowInput] } {
  return {
    workflowId: workflowIds.refund(refund.reference),
    taskQueue: TASK_QUEUES.payments,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: refund.doubted === true ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
    args: [
      {
        reference: refund.reference,
        applicationId: refund.applicationId.toString(),
        mode: refund.mode,
      },
    ],
    typedSearchAttributes: moneyAttributes(
      refund,
      refund.awaitsApproval
        ? { status: 'AWAITING_APPROVAL', waitsFor: 'approval' }
        : { status: 'PENDING', waitsFor: 'gateway' },
    ),
    staticSummary: `Refund of ${moneySummary(refund)}`,
  };
}
