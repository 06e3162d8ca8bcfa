import { WithStartWorkflowOperation, type Client, type WorkflowStartOptions } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { Dispatch, PaymentHandle } from '../core/dispatch.ts';
import { TASK_QUEUES, WORKFLOW_TYPES, workflowIds } from '../workflows/messages/names.ts';
import {
  callbackSignal,
  cancelRequestedSignal,
  CHECKOUT_OPENED_UPDATE_ID,
  checkoutOpenedUpdate,
  gatewayChosenSignal,
  gatewayChosenUpdate,
  type CheckoutOpened,
  type PaymentWorkflowInput,
} from '../workflows/messages/payment.ts';
import { decisionSignal } from '../workflows/messages/refund.ts';
import { moneyAttributes, moneySummary } from './attributes.ts';
import { failAfter, failWhenUnreachable } from './reachable.ts';
import { reachesRunning, runningOrCompleted } from './running.ts';

type PaymentDispatch = Pick<
  Dispatch,
  | 'openCheckout'
  | 'chooseGateway'
  | 'startPayment'
  | 'signalCallback'
  | 'signalCancel'
  | 'signalChoice'
  | 'signalReviewDecision'
>;

export function paymentDispatch(client: Client): PaymentDispatch {
  const handle = (reference: string) => client.workflow.getHandle(workflowIds.payment(reference));
  return {
    openCheckout: (payment, wait) =>
      updateWithStart(client, payment, { update: checkoutOpenedUpdate, updateId: CHECKOUT_OPENED_UPDATE_ID, ...wait }),
    chooseGateway: (payment, { attemptReference, ...wait }) =>
      updateWithStart(client, payment, { update: gatewayChosenUpdate, updateId: attemptReference, ...wait }),
    startPayment: (payment) =>
      runningOrCompleted(() => client.workflow.start(WORKFLOW_TYPES.payment, paymentStart(payment))),
    signalCallback: (reference, callbackId) =>
      reachesRunning(() => handle(reference).signal(callbackSignal, callbackId.toString())),
    signalCancel: (reference) => reachesRunning(() => handle(reference).signal(cancelRequestedSignal)),
    signalChoice: (reference) => reachesRunning(() => handle(reference).signal(gatewayChosenSignal)),
    async signalReviewDecision(payment, decisionId) {
      await client.workflow.signalWithStart(WORKFLOW_TYPES.payment, {
        ...paymentStart(payment),
        signal: decisionSignal,
        signalArgs: [decisionId.toString()],
      });
    },
  };
}

/** Returns the options with which every caller starts a payment's workflow. */
export function paymentStart(
  payment: PaymentHandle,
): WorkflowStartOptions & { args: [PaymentWorkflowInput]; staticSummary: string } {
  return {
    workflowId: workflowIds.payment(payment.reference),
    taskQueue: TASK_QUEUES.payments,
    workflowIdConflictPolicy: 'USE_EXISTING',
    // A workflow that was terminated by hand can be resumed; a completed one never runs again.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    args: [
      {
        reference: payment.reference,
        applicationId: payment.applicationId.toString(),
        mode: payment.mode,
        ...(typeof payment.invoiceId === 'bigint' ? { paysInvoice: true } : {}),
      },
    ],
    typedSearchAttributes: moneyAttributes(payment, { status: 'PENDING', waitsFor: 'payer' }),
    staticSummary: moneySummary(payment),
  };
}

interface AwaitedUpdate {
  readonly update: typeof checkoutOpenedUpdate;
  readonly updateId: string;
  readonly timeoutMs: number;
  readonly unreachableMs: number;
}

async function updateWithStart(
  client: Client,
  payment: PaymentHandle,
  { update, updateId, timeoutMs, unreachableMs }: AwaitedUpdate,
): Promise<CheckoutOpened> {
  const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOW_TYPES.payment, {
    ...paymentStart(payment),
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  // The start's own promise rejects together with the update's; only the latter is awaited.
  startWorkflowOperation.workflowHandle().catch(() => undefined);
  const opened = client.withDeadline(Date.now() + timeoutMs, () =>
    client.workflow.executeUpdateWithStart<Workflow, CheckoutOpened, []>(update, {
      startWorkflowOperation,
      updateId,
    }),
  );
  opened.catch(() => undefined);
  return Promise.race([opened, failWhenUnreachable(client, unreachableMs), failAfter(timeoutMs)]);
}
