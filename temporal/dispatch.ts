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

/** What a start needs to know of a payment: ids, codes and amounts, nothing of the payer. */
export interface PaymentHandle {
  readonly reference: string;
  readonly applicationId: bigint;
  readonly applicationName: string;
  readonly mode: Mode;
  readonly amount: Money;
  /** Null until the payer has chosen. */
  readonly gateway?: string | null | undefined;
  /** The invoice that it pays, if any: its workflow locks that first. */
  readonly invoiceId?: bigint | null | undefined;
}

/** What a start needs to know of an invoice. */
export interface InvoiceHandle {
  readonly reference: string;
  readonly applicationId: bigint;
  readonly applicationName: string;
  readonly mode: Mode;
  /** As it is shown; null of a draft. */
  readonly number: string | null;
  /** Its total. */
  readonly amount: Money;
}

/** What of an invoice's row its handle is made of. */
export interface InvoiceToNotify extends Numbered {
  readonly reference: string;
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly totalMinor: bigint;
  readonly currency: string;
}

/** An invoice as its workflow is started and told by. */
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

/** What a start needs to know of a refund. */
export interface RefundHandle {
  readonly reference: string;
  readonly applicationId: bigint;
  readonly applicationName: string;
  readonly mode: Mode;
  readonly amount: Money;
  readonly gateway: string;
  readonly awaitsApproval: boolean;
  /** It had succeeded and is doubted: its workflow runs once more, until people have decided. */
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

/** How workflows are started and signalled from outside. Everything here may be repeated: it finds what runs already. */
export interface Dispatch {
  /** Starts the payment unless it runs, and waits until its checkout is open or its end is known. Rejects when that takes too long. */
  openCheckout(payment: PaymentHandle, wait: { timeoutMs: number; unreachableMs: number }): Promise<CheckoutOpened>;
  /** Starts the payment unless it runs. `completed` when its workflow has ended for good. */
  startPayment(payment: PaymentHandle): Promise<'running' | 'completed'>;
  /** False when no workflow listens: it ended, or was never started. */
  signalCallback(reference: string, callbackId: bigint): Promise<boolean>;
  signalCancel(reference: string): Promise<boolean>;
  /**
   * The payer has chosen a gateway: starts the payment unless it runs, and waits until that page was tried to be opened. Rejects when that takes
   * too long. Repeated for one attempt it is one message.
   */
  chooseGateway(
    payment: PaymentHandle,
    choice: { attemptReference: string; timeoutMs: number; unreachableMs: number },
  ): Promise<CheckoutOpened>;
  /** The same without waiting. */
  signalChoice(reference: string): Promise<boolean>;
  /** Starts or wakes the unapplied payment of an attempt. */
  startUnappliedPayment(payment: PaymentHandle, late: { attemptReference: string; callbackId: bigint }): Promise<void>;
  /** A refund of an attempt's unapplied money has ended. False when no workflow listens. */
  signalRefundEnded(attemptReference: string): Promise<boolean>;
  /** Starts the refund unless it runs; with a decision's id also wakes it. `completed` when its workflow has ended for good. */
  startRefund(refund: RefundHandle, decisionId?: bigint): Promise<'running' | 'completed'>;
  /** An operator has decided about a payment under review: wakes its workflow, or starts it again. */
  signalReviewDecision(payment: PaymentHandle, decisionId: bigint): Promise<void>;
  /** An operator has decided about unapplied money: wakes the unapplied payment of its attempt, or starts it again. */
  decideUnappliedPayment(payment: PaymentHandle, late: { attemptReference: string; decisionId: bigint }): Promise<void>;
  /** Starts the invoice unless it runs, and tells it that its row has changed. */
  notifyInvoice(invoice: InvoiceHandle, change: InvoiceChange): Promise<void>;
  /** Tells it that its due dates have changed, and waits until it goes by them. Rejects when that takes too long. */
  rescheduleInvoice(invoice: InvoiceHandle, wait: { timeoutMs: number }): Promise<InvoiceProgress>;
  startDelivery(event: EventHandle): Promise<void>;
  /** Sends an event now, also when it was delivered or given up before. */
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

/** How a payment's workflow is started, whoever starts it. */
export function paymentStart(
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
    // One that was paid may be due again after a refund.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ reference, applicationId: applicationId.toString(), mode }],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.app, value: applicationId.toString() },
      { key: SEARCH_ATTRIBUTES.mode, value: mode },
      { key: SEARCH_ATTRIBUTES.reference, value: reference },
      { key: SEARCH_ATTRIBUTES.amountMinor, value: toJsonInteger(amount.amountMinor) },
      { key: SEARCH_ATTRIBUTES.status, value: 'ISSUED' },
    ]),
    // What `npm run restore` moves the counter past, when the invoice's row is lost: the number was told to a customer.
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
  return `${toDecimalText(amount)} ${amount.currency} for ${applicationName} through ${gateway ?? 'a gateway that the payer chooses'} (${mode})`;
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
    // Unlike a payment, the question may be asked again after it was answered: money can come later still, and is booked once.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ ...args[0], attemptReference }],
    staticSummary: `Money after the end? ${options.staticSummary}`,
    signal,
    signalArgs,
  });
}

/** How a refund's workflow is started, whoever starts it. */
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
