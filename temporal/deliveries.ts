import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Dispatch, EventHandle } from '../core/dispatch.ts';
import { SEARCH_ATTRIBUTES, TASK_QUEUES, WORKFLOW_TYPES, workflowIds } from '../workflows/messages/names.ts';
import { resendSignal, type WebhookWorkflowInput } from '../workflows/messages/webhook.ts';

export function deliveryDispatch(client: Client): Pick<Dispatch, 'startDelivery' | 'resendDelivery'> {
  return {
    async startDelivery(event) {
      await client.workflow.start(WORKFLOW_TYPES.webhook, deliveryStart(event));
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

function deliveryStart(event: EventHandle): WorkflowStartOptions & { args: [WebhookWorkflowInput] } {
  return {
    workflowId: workflowIds.webhook(event.eventId),
    taskQueue: TASK_QUEUES.webhooks,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ eventId: event.eventId, applicationId: event.applicationId.toString(), mode: event.mode }],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.app, value: event.applicationId.toString() },
      { key: SEARCH_ATTRIBUTES.mode, value: event.mode },
      { key: SEARCH_ATTRIBUTES.reference, value: event.reference },
    ]),
    staticSummary: `${event.type} for ${event.reference}`,
  };
}
