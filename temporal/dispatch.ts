import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { TypedSearchAttributes, type Workflow } from '@temporalio/common';
import { toDecimalText, toJsonInteger, type Money } from '../domain/money.ts';
import type { Mode } from '../domain/mode.ts';
import { SEARCH_ATTRIBUTES, TASK_QUEUES, WORKFLOW_TYPES, workflowIds } from '../workflows/messages/names.ts';
import {
  callbackSignal,
  cancelRequestedSignal,
  CHECKOUT_OPENED_UPDATE_ID,
  checkoutOpenedUpdate,
  type CheckoutOpened,
  type PaymentWorkflowInput,
} from '../workflows/messages/payment.ts';

/** What a start needs to know of a payment: ids, codes and amounts, nothing of the payer. */
export interface PaymentHandle {
  readonly paymentId: bigint;
  readonly reference: string;
  readonly applicationId: bigint;
  readonly applicationName: string;
  readonly mode: Mode;
  readonly amount: Money;
  readonly gateway: string;
}

export interface EventHandle {
  readonly eventId: string;
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly type: string;
  readonly reference: string;
}

/** How workflows are started and signalled from outside. Everything here may be repeated: it finds what runs already. */
export interface Dispatch {
  /** Starts the payment unless it runs, and waits until its checkout is open or its end is known. Rejects when that takes too long. */
  openCheckout(payment: PaymentHandle, wait: { timeoutMs: number; unreachableMs: number }): Promise<CheckoutOpened>;
  /** Starts the payment unless it runs. `completed` when its workflow has ended for good. */
  startPayment(payment: PaymentHandle): Promise<'running' | 'completed'>;
  /** False when no workflow listens: it ended, or was never started. */
  signalCallback(reference: string, callbackId: bigint): Promise<boolean>;
  signalCancel(reference: string): Promise<boolean>;
  /** Starts or wakes the late payment of an attempt. */
  startLatePayment(payment: PaymentHandle, late: { attemptReference: string; callbackId: bigint }): Promise<void>;
  startDelivery(event: EventHandle): Promise<void>;
}

const READY = 2;

export function createDispatch(client: Client): Dispatch {
  return {
    openCheckout: (payment, wait) => openCheckout(client, payment, wait),
    async startPayment(payment) {
      try {
        await client.workflow.start(WORKFLOW_TYPES.payment, paymentStart(payment));
        return 'running';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) {
          return 'completed';
        }
        throw error;
      }
    },
    signalCallback: (reference, callbackId) =>
      listening(() =>
        client.workflow.getHandle(workflowIds.payment(reference)).signal(callbackSignal, callbackId.toString()),
      ),
    signalCancel: (reference) =>
      listening(() => client.workflow.getHandle(workflowIds.payment(reference)).signal(cancelRequestedSignal)),
    async startLatePayment(payment, { attemptReference, callbackId }) {
      const { args, ...options } = paymentStart(payment);
      await client.workflow.signalWithStart(WORKFLOW_TYPES.latePayment, {
        ...options,
        workflowId: workflowIds.latePayment(attemptReference),
        // Unlike a payment, the question may be asked again after it was answered: money can come later still, and is booked once.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        args: [{ ...args[0], attemptReference }],
        staticSummary: `Money after the end? ${options.staticSummary}`,
        signal: callbackSignal,
        signalArgs: [callbackId.toString()],
      });
    },
    async startDelivery(event) {
      const start = client.workflow.start(WORKFLOW_TYPES.webhook, {
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
      });
      await start;
    },
  };
}

function paymentStart(
  payment: PaymentHandle,
): WorkflowStartOptions & { args: [PaymentWorkflowInput]; staticSummary: string } {
  return {
    workflowId: workflowIds.payment(payment.reference),
    taskQueue: TASK_QUEUES.payments,
    workflowIdConflictPolicy: 'USE_EXISTING',
    // One that was terminated by hand can be resumed; one that completed never runs twice.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    args: [
      {
        paymentId: payment.paymentId.toString(),
        reference: payment.reference,
        applicationId: payment.applicationId.toString(),
        mode: payment.mode,
      },
    ],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.app, value: payment.applicationId.toString() },
      { key: SEARCH_ATTRIBUTES.mode, value: payment.mode },
      { key: SEARCH_ATTRIBUTES.reference, value: payment.reference },
      { key: SEARCH_ATTRIBUTES.gateway, value: payment.gateway },
      { key: SEARCH_ATTRIBUTES.amountMinor, value: toJsonInteger(payment.amount.amountMinor) },
      { key: SEARCH_ATTRIBUTES.status, value: 'OPEN' },
    ]),
    staticSummary: `${toDecimalText(payment.amount)} ${payment.amount.currency} for ${payment.applicationName} through ${payment.gateway} (${payment.mode})`,
  };
}

async function openCheckout(
  client: Client,
  payment: PaymentHandle,
  { timeoutMs, unreachableMs }: { timeoutMs: number; unreachableMs: number },
): Promise<CheckoutOpened> {
  const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOW_TYPES.payment, {
    ...paymentStart(payment),
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  // The start's own promise rejects together with the update's; only the latter is awaited.
  startWorkflowOperation.workflowHandle().catch(() => undefined);
  const opened = client.withDeadline(Date.now() + timeoutMs, () =>
    client.workflow.executeUpdateWithStart<Workflow, CheckoutOpened, []>(checkoutOpenedUpdate, {
      startWorkflowOperation,
      updateId: CHECKOUT_OPENED_UPDATE_ID,
    }),
  );
  opened.catch(() => undefined);
  return Promise.race([opened, failWhenUnreachable(client, unreachableMs), failAfter(timeoutMs)]);
}

/** gRPC waits patiently for a server that is away; a caller of the API should not. */
async function failWhenUnreachable(client: Client, afterMs: number): Promise<never> {
  await pause(afterMs);
  const { connection } = client;
  if ('client' in connection && connection.client instanceof Object && 'getChannel' in connection.client) {
    const { getChannel } = connection.client;
    const channel: unknown = typeof getChannel === 'function' ? getChannel.call(connection.client) : undefined;
    if (hasConnectivity(channel) && channel.getConnectivityState(true) !== READY) {
      throw new Error('Temporal cannot be reached');
    }
  }
  return new Promise(() => undefined);
}

function hasConnectivity(channel: unknown): channel is { getConnectivityState(tryToConnect: boolean): number } {
  return typeof channel === 'object' && channel !== null && 'getConnectivityState' in channel;
}

async function failAfter(timeoutMs: number): Promise<never> {
  await pause(timeoutMs);
  throw new Error('the checkout was not opened in time');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

async function listening(signal: () => Promise<void>): Promise<boolean> {
  try {
    await signal();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      return false;
    }
    throw error;
  }
}
