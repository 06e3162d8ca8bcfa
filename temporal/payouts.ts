import type { Client } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Dispatch } from '../core/dispatch.ts';
import {
  PAYOUT_FILE_MEMO,
  SEARCH_ATTRIBUTES,
  TASK_QUEUES,
  WORKFLOW_TYPES,
  workflowIds,
} from '../workflows/messages/names.ts';
import type { PayoutImportInput } from '../workflows/messages/payout-import.ts';

export function payoutDispatch(client: Client): Pick<Dispatch, 'startPayoutImport'> {
  return {
    async startPayoutImport({ reference, mode, gateway, storeId, digest }) {
      const input: PayoutImportInput = { reference };
      await client.workflow.start(WORKFLOW_TYPES.payoutImport, {
        workflowId: workflowIds.payoutImport(reference),
        taskQueue: TASK_QUEUES.maintenance,
        workflowIdConflictPolicy: 'USE_EXISTING',
        // The row decides: an import that has ended stays as it is.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        args: [input],
        ...(digest === null
          ? {}
          : { memo: { [PAYOUT_FILE_MEMO]: { storeId, sha256: Buffer.from(digest).toString('hex') } } }),
        typedSearchAttributes: new TypedSearchAttributes([
          { key: SEARCH_ATTRIBUTES.mode, value: mode },
          { key: SEARCH_ATTRIBUTES.reference, value: reference },
          ...(gateway === null ? [] : [{ key: SEARCH_ATTRIBUTES.gateway, value: gateway }]),
        ]),
        staticSummary: gateway === null ? `Bank statement (${mode})` : `Payout file of ${gateway} (${mode})`,
      });
    },
  };
}
