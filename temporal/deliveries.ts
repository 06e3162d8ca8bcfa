import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Dispatch, EventHandle } from '../core/dispatch.ts';
import { SEARCH_ATTRIBUTES, TASK_QUEUES, WORKFLOW_TYPES, workflowIds } from '../workflows/messages/names.ts';
import { resendSignal, type FailedFirstAttempt, type WebhookWorkflowInput } from '../workflows/messages/webhook.ts';

export function deliveryDispatch(client: Client): Pick<Dispatch, 'startDelivery' | 'resendDelivery'> {
  return {
    async startDelivery(event, failed) {
      await client.workflow.start(WORKFLOW_TYPES.webhook, deliveryStart(event, failed));
    },
    async resendDelivery(event) {
      await client.workflow.signalWithStart(WORKFLOW_TYPES.webhook, {
        ...deliveryStart(event),
        signal: resendSignal,
        signalArgs: [],
      });
    },
  };
}

function deliveryStart(
  event: EventHandle,
  failed?: FailedFirstAttempt,
): WorkflowStartOptions & { args: [WebhookWorkflowInput] } {
  const { eventId, mode } = event;
  const applicationId = event.applicationId.toString();
  return {
    workflowId: workflowIds.webhook(eventId),
    taskQueue: TASK_QUEUES.webhooks,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ eventId, applicationId, mode, ...(failed === undefined ? {} : { failed }) }],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.app, value: applicationId },
      { key: SEARCH_ATTRIBUTES.mode, value: mode },
      { key: SEARCH_ATTRIBUTES.reference, value: event.reference },
    ]),
    staticSummary: `${event.type} for ${event.reference}`,
  };
}
