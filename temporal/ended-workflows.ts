import type { Client } from '@temporalio/client';
import type { Dispatch, EndedWorkflows } from '../core/dispatch.ts';
import { WORKFLOW_TYPES } from '../workflows/messages/names.ts';

const KINDS: Readonly<Record<string, keyof EndedWorkflows>> = {
  [WORKFLOW_TYPES.payment]: 'payments',
  [WORKFLOW_TYPES.invoice]: 'invoices',
  [WORKFLOW_TYPES.unappliedPayment]: 'unappliedPayments',
};

const TYPES = Object.keys(KINDS)
  .map((type) => `'${type}'`)
  .join(', ');

export function endedWorkflowsDispatch(client: Client): Pick<Dispatch, 'endedWorkflows'> {
  return {
    async endedWorkflows({ since, max }) {
      const query = `WorkflowType in (${TYPES}) and ExecutionStatus in ('Terminated', 'Failed', 'TimedOut', 'Canceled') and CloseTime > '${since.toISOString()}'`;
      const ended = { payments: [] as string[], invoices: [] as string[], unappliedPayments: [] as string[] };
      let listed = 0;
      for await (const { type, workflowId } of client.workflow.list({ query, pageSize: max })) {
        const kind = KINDS[type];
        const [, reference] = workflowId.split(':', 2);
        if (kind !== undefined && reference !== undefined) {
          ended[kind].push(reference);
        }
        listed += 1;
        if (listed >= max) {
          break;
        }
      }
      return ended;
    },
  };
}
