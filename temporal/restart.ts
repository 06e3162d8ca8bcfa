import type { Client } from '@temporalio/client';
import { WORKFLOW_TYPES } from '../workflows/messages/names.ts';
import { callbackSignal } from '../workflows/messages/payment.ts';
import type { PaymentHandle, RefundHandle } from '../core/dispatch.ts';
import { paymentStart } from './payments.ts';
import { refundStart } from './refunds.ts';

/**
 * For `npm run restore` only; everywhere else a completed workflow never runs again. After a restore the row is older than its workflow's state, and
 * a completed workflow may belong to a row that is open again. Therefore a running workflow is terminated, a completed one is ignored, and a new run
 * starts from the row.
 */
const FROM_THE_ROW = {
  workflowIdConflictPolicy: 'TERMINATE_EXISTING',
  workflowIdReusePolicy: 'ALLOW_DUPLICATE',
} as const;

/** Starts the payment from its row and has its gateway queried at once: the payer may have paid before the database was restored. */
export async function restartPayment(client: Client, payment: PaymentHandle): Promise<void> {
  const handle = await client.workflow.start(WORKFLOW_TYPES.payment, { ...paymentStart(payment), ...FROM_THE_ROW });
  await handle.signal(callbackSignal, NO_CALLBACK);
}

/** No callback has this id; the workflow queries the gateway anyway. */
const NO_CALLBACK = '0';

export async function restartRefund(client: Client, refund: RefundHandle): Promise<void> {
  await client.workflow.start(WORKFLOW_TYPES.refund, { ...refundStart(refund), ...FROM_THE_ROW });
}
