import type { Client } from '@temporalio/client';
import type { Dispatch } from '../core/dispatch.ts';
import { deliveryDispatch } from './deliveries.ts';
import { endedWorkflowsDispatch } from './ended-workflows.ts';
import { invoiceDispatch } from './invoices.ts';
import { loopDispatch } from './loops.ts';
import { paymentDispatch } from './payments.ts';
import { reconciliationDispatch } from './reconciliation.ts';
import { payoutDispatch } from './payouts.ts';
import { refundDispatch } from './refunds.ts';
import { clockDispatch } from './time-skipping.ts';
import { unappliedPaymentDispatch } from './unapplied-payments.ts';

/** Workflows usually act on a signal within this time. */
const OUTCOME_WAIT_MS = 2_500;

/** Starts and signals workflows at a Temporal server. */
export function createDispatch(client: Client): Dispatch {
  return {
    outcomeWaitMs: OUTCOME_WAIT_MS,
    ...paymentDispatch(client),
    ...unappliedPaymentDispatch(client),
    ...refundDispatch(client),
    ...invoiceDispatch(client),
    ...deliveryDispatch(client),
    ...payoutDispatch(client),
    ...endedWorkflowsDispatch(client),
    ...clockDispatch(client),
    ...loopDispatch(client),
    ...reconciliationDispatch(client),
  };
}
