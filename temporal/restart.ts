import type { Client } from '@temporalio/client';
import { WORKFLOW_TYPES } from '../workflows/messages/names.ts';
import { callbackSignal } from '../workflows/messages/payment.ts';
import { paymentStart, refundStart, type PaymentHandle, type RefundHandle } from './dispatch.ts';

/**
 * After a restore the row is older than whatever its workflow knows, and a completed workflow has ended something that the row calls open. So
 * one that runs is ended and one that has ended counts for nothing: a fresh run begins with the row. For `npm run restore` alone; everywhere
 * else a completed workflow never runs twice.
 */
const FROM_THE_ROW = {
  workflowIdConflictPolicy: 'TERMINATE_EXISTING',
  workflowIdReusePolicy: 'ALLOW_DUPLICATE',
} as const;

/** Starts the payment from its row, and has its gateway asked at once: the payer may have paid before the database was set back. */
export async function restartPayment(client: Client, payment: PaymentHandle): Promise<void> {
  const handle = await client.workflow.start(WORKFLOW_TYPES.payment, { ...paymentStart(payment), ...FROM_THE_ROW });
  await handle.signal(callbackSignal, NO_CALLBACK);
}

/** No callback is behind this signal; the gateway is asked all the same. */
const NO_CALLBACK = '0';

/** Starts the refund from its row. */
export async function restartRefund(client: Client, refund: RefundHandle): Promise<void> {
  await client.workflow.start(WORKFLOW_TYPES.refund, { ...refundStart(refund), ...FROM_THE_ROW });
}
