import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { TypedSearchAttributes, type Workflow } from '@temporalio/common';
import { toDecimalText, toJsonInteger, type Money } from '../domain/money.ts';
import { invoiceNumber, type Numbered } from '../domain/invoice.ts';
import type { Mode } from '../domain/mode.ts';
import type { RefundStatus } from '../domain/refund.ts';
import {
  dueDatesChangedUpdate,
  invoiceChangedSignal,
  type InvoiceChange,
  type InvoiceProgress,
  type InvoiceWorkflowInput,
} from '../workflows/messages/invoice.ts';
import { refundEndedSignal } from '../workflows/messages/unapplied-payment.ts';
import {
  INVOICE_NUMBER_MEMO,
  SEARCH_ATTRIBUTES,
  TASK_QUEUES,
  WORKFLOW_TYPES,
  workflowIds,
} from '../workflows/messages/names.ts';
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
import { resendSignal, type WebhookWorkflowInput } from '../workflows/messages/webhook.ts';
import { decisionSignal, type RefundWorkflowInput } from '../workflows/messages/refund.ts';

/** What is needed to start a payment's workflow: ids, codes and amounts, without the payer's data. */
export interface PaymentHandle {
  readonly reference: string;
  readonly applicationId: bigint;
  readonly applicationName: string;
  readonly mode: Mode;
  readonly amount: Money;
  /** Null until the payer has chosen. */
  readonly gateway?: string | null | undefined;
  /** The invoice that it pays, if any. The payment's workflow locks it first. */
  readonly invoiceId?: bigint | null | undefined;
}

/** What is needed to start an invoice's workflow. */
export interface InvoiceHandle {
  readonly reference: string;
  readonly applicationId: bigint;
  readonly applicationName: string;
  readonly mode: Mode;
  /** The displayed number; null for a draft. */
  readonly number: string | null;
  /** The invoice's total. */
  readonly amount: Money;
}

/** The fields of an invoice's row that its handle needs. */
export interface InvoiceToNotify extends Numbered {
  readonly reference: string;
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly totalMinor: bigint;
  readonly currency: string;
}

/** Returns the handle with which an invoice's workflow is started and notified. */
export function invoiceHandleOf(invoice: InvoiceToNotify, applicationName: string): InvoiceHandle {
  const { reference, applicationId, mode, totalMinor: amountMinor, currency } = invoice;
  const number = invoiceNumber(invoice);
  return { reference, applicationId, applicationName, mode, number, amount: { amountMinor, currency } };
}

export interface EventHandle {
  readonly eventId: string;
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly type: string;
  readonly reference: string;
}

/** What is needed to start a refund's workflow. */
export interface RefundHandle {
  readonly reference: string;
  readonly applicationId: bigint;
  readonly applicationName: string;
  readonly mode: Mode;
  readonly amount: Money;
  readonly gateway: string;
  readonly awaitsApproval: boolean;
  /** Set when the success of a refund is in doubt: its workflow runs again until operators have decided. */
  readonly doubted?: boolean;
}

export function refundHandleOf(
  refund: Omit<RefundHandle, 'applicationName' | 'amount' | 'awaitsApproval'> & {
    readonly amountMinor: bigint;
    readonly currency: string;
    readonly status: RefundStatus;
  },
  applicationName: string,
): RefundHandle {
  const { reference, applicationId, mode, amountMinor, currency, gateway, status } = refund;
  const awaitsApproval = status === 'AWAITING_APPROVAL';
  const amount = { amountMinor, currency };
  const doubted = status === 'SUCCEEDED';
  return { reference, applicationId, applicationName, mode, amount, gateway, awaitsApproval, doubted };
}

/** Starts and signals workflows from outside. Every method can be repeated: it finds a workflow that already runs. */
export interface Dispatch {
  /** Starts the payment if it does not run, and waits until its checkout is open or the payment has ended. Rejects after the timeout. */
  openCheckout(payment: PaymentHandle, wait: { timeoutMs: number; unreachableMs: number }): Promise<CheckoutOpened>;
  /** Starts the payment if it does not run. Returns `completed` if its workflow has ended for good. */
  startPayment(payment: PaymentHandle): Promise<'running' | 'completed'>;
  /** Returns false if no workflow runs: it has ended or was never started. */
  signalCallback(reference: string, callbackId: bigint): Promise<boolean>;
  signalCancel(reference: string): Promise<boolean>;
  /**
   * Notifies the workflow that the payer has chosen a gateway. Starts the payment if it does not run, and waits until the workflow has tried to open
   * that gateway's page. Rejects after the timeout. Repeated calls for one attempt count once.
   */
  chooseGateway(
    payment: PaymentHandle,
    choice: { attemptReference: string; timeoutMs: number; unreachableMs: number },
  ): Promise<CheckoutOpened>;
  /** Signals a running workflow that the payer has chosen a gateway, without waiting. Returns false if no workflow runs. */
  signalChoice(reference: string): Promise<boolean>;
  /** Starts or wakes the workflow of an attempt's unapplied payment. */
  startUnappliedPayment(payment: PaymentHandle, late: { attemptReference: string; callbackId: bigint }): Promise<void>;
  /** Notifies it that a refund of an attempt's unapplied payment has ended. Returns false if no workflow runs. */
  signalRefundEnded(attemptReference: string): Promise<boolean>;
  /** Starts the refund if it does not run; with a decision's id, also wakes it. Returns `completed` if its workflow has ended for good. */
  startRefund(refund: RefundHandle, decisionId?: bigint): Promise<'running' | 'completed'>;
  /** Wakes or restarts the workflow of a payment under review after an operator's decision. */
  signalReviewDecision(payment: PaymentHandle, decisionId: bigint): Promise<void>;
  /** Wakes or restarts the workflow of an attempt's unapplied payment after an operator's decision. */
  decideUnappliedPayment(payment: PaymentHandle, late: { attemptReference: string; decisionId: bigint }): Promise<void>;
  /** Starts the invoice if it does not run, and notifies it that its row has changed. */
  notifyInvoice(invoice: InvoiceHandle, change: InvoiceChange): Promise<void>;
  /** Notifies the invoice that its due dates have changed, and waits until it uses them. Rejects after the timeout. */
  rescheduleInvoice(invoice: InvoiceHandle, wait: { timeoutMs: number }): Promise<InvoiceProgress>;
  startDelivery(event: EventHandle): Promise<void>;
  /** Sends an event now, even if it was delivered or given up before. */
  resendDelivery(event: EventHandle): Promise<void>;
}

const READY = 2;

export function createDispatch(client: Client): Dispatch {
  return {
    openCheckout: (payment, wait) =>
      updateWithStart(client, payment, { update: checkoutOpenedUpdate, updateId: CHECKOUT_OPENED_UPDATE_ID, ...wait }),
    chooseGateway: (payment, { attemptReference, ...wait }) =>
      updateWithStart(client, payment, { update: gatewayChosenUpdate, updateId: attemptReference, ...wait }),
    signalChoice: (reference) =>
      listening(() => client.workflow.getHandle(workflowIds.payment(reference)).signal(gatewayChosenSignal)),
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
    startUnappliedPayment: (payment, { attemptReference, callbackId }) =>
      signalUnappliedPayment(client, payment, {
        attemptReference,
        signal: callbackSignal,
        signalArgs: [callbackId.toString()],
      }),
    decideUnappliedPayment: (payment, { attemptReference, decisionId }) =>
      signalUnappliedPayment(client, payment, {
        attemptReference,
        signal: decisionSignal,
        signalArgs: [decisionId.toString()],
      }),
    signalRefundEnded: (attemptReference) =>
      listening(() =>
        client.workflow.getHandle(workflowIds.unappliedPayment(attemptReference)).signal(refundEndedSignal),
      ),
    async signalReviewDecision(payment, decisionId) {
      await client.workflow.signalWithStart(WORKFLOW_TYPES.payment, {
        ...paymentStart(payment),
        signal: decisionSignal,
        signalArgs: [decisionId.toString()],
      });
    },
    startRefund: (refund, decisionId) => startRefund(client, refund, decisionId),
    async notifyInvoice(invoice, change) {
      await client.workflow.signalWithStart(WORKFLOW_TYPES.invoice, {
        ...invoiceStart(invoice),
        signal: invoiceChangedSignal,
        signalArgs: [change],
      });
    },
    rescheduleInvoice: (invoice, { timeoutMs }) => {
      const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOW_TYPES.invoice, {
        ...invoiceStart(invoice),
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      startWorkflowOperation.workflowHandle().catch(() => undefined);
      return client.withDeadline(Date.now() + timeoutMs, () =>
        client.workflow.executeUpdateWithStart<Workflow, InvoiceProgress, []>(dueDatesChangedUpdate, {
          startWorkflowOperation,
        }),
      );
    },
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
    typedSearchAttributes: attributesOf(payment, 'OPEN'),
    staticSummary: summaryOf(payment),
  };
}

function invoiceStart(invoice: InvoiceHandle): WorkflowStartOptions & { args: [InvoiceWorkflowInput] } {
  const { reference, applicationId, applicationName, mode, number, amount } = invoice;
  return {
    workflowId: workflowIds.invoice(reference),
    taskQueue: TASK_QUEUES.payments,
    workflowIdConflictPolicy: 'USE_EXISTING',
    // A paid invoice can become due again after a refund.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ reference, applicationId: applicationId.toString(), mode }],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.app, value: applicationId.toString() },
      { key: SEARCH_ATTRIBUTES.mode, value: mode },
      { key: SEARCH_ATTRIBUTES.reference, value: reference },
      { key: SEARCH_ATTRIBUTES.amountMinor, value: toJsonInteger(amount.amountMinor) },
      { key: SEARCH_ATTRIBUTES.status, value: 'ISSUED' },
    ]),
    // `npm run restore` moves the counter past this number if the invoice's row is lost, because a customer has seen the number.
    ...(number === null ? {} : { memo: { [INVOICE_NUMBER_MEMO]: number } }),
    staticSummary: `Invoice ${number ?? ''}: ${toDecimalText(amount)} ${amount.currency} for ${applicationName} (${mode})`,
  };
}

/** Until the payer has chosen. */
const UNDECIDED_GATEWAY = 'undecided';

type Moved = Omit<PaymentHandle, 'invoiceId'>;

function attributesOf(moved: Moved, status: 'OPEN' | 'AWAITING_APPROVAL'): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: SEARCH_ATTRIBUTES.app, value: moved.applicationId.toString() },
    { key: SEARCH_ATTRIBUTES.mode, value: moved.mode },
    { key: SEARCH_ATTRIBUTES.reference, value: moved.reference },
    { key: SEARCH_ATTRIBUTES.gateway, value: moved.gateway ?? UNDECIDED_GATEWAY },
    { key: SEARCH_ATTRIBUTES.amountMinor, value: toJsonInteger(moved.amount.amountMinor) },
    { key: SEARCH_ATTRIBUTES.status, value: status },
  ]);
}

function summaryOf({ amount, applicationName, gateway, mode }: Moved): string {
  return `${toDecimalText(amount)} ${amount.currency} for ${applicationName} through ${gateway ?? 'a gateway chosen by the payer'} (${mode})`;
}

interface LateSignal {
  readonly attemptReference: string;
  readonly signal: typeof callbackSignal | typeof decisionSignal;
  readonly signalArgs: [string];
}

async function signalUnappliedPayment(
  client: Client,
  payment: PaymentHandle,
  { attemptReference, signal, signalArgs }: LateSignal,
): Promise<void> {
  const { args, ...options } = paymentStart(payment);
  await client.workflow.signalWithStart(WORKFLOW_TYPES.unappliedPayment, {
    ...options,
    workflowId: workflowIds.unappliedPayment(attemptReference),
    // Unlike a payment's workflow, this one may run again after it has completed: more money can arrive later, and each charge is posted only once.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ ...args[0], attemptReference }],
    staticSummary: `Unapplied payment? ${options.staticSummary}`,
    signal,
    signalArgs,
  });
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
    typedSearchAttributes: attributesOf(refund, refund.awaitsApproval ? 'AWAITING_APPROVAL' : 'OPEN'),
    staticSummary: `Refund of ${summaryOf(refund)}`,
  };
}

async function startRefund(
  client: Client,
  refund: RefundHandle,
  decisionId: bigint | undefined,
): Promise<'running' | 'completed'> {
  const options = refundStart(refund);
  try {
    if (decisionId === undefined) {
      await client.workflow.start(WORKFLOW_TYPES.refund, options);
    } else {
      await client.workflow.signalWithStart(WORKFLOW_TYPES.refund, {
        ...options,
        signal: decisionSignal,
        signalArgs: [decisionId.toString()],
      });
    }
    return 'running';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return 'completed';
    }
    throw error;
  }
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

/** Rejects if the server is unreachable after a while. gRPC would wait much longer than a caller of the API should. */
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
