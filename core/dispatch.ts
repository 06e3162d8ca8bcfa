import { invoiceNumber, type Numbered } from '../domain/invoice.ts';
import type { Mode } from '../domain/mode.ts';
import type { Money } from '../domain/money.ts';
import type { RefundStatus } from '../domain/refund.ts';
import type { ClockedWorkflow } from '../domain/test-clock.ts';
import type { InvoiceChange, InvoiceProgress } from '../workflows/messages/invoice.ts';
import type { CheckoutOpened } from '../workflows/messages/payment.ts';
import type { FailedFirstAttempt } from '../workflows/messages/webhook.ts';

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

/** The fields of a payment that its handle needs. */
export interface PaymentToStart extends Money, Omit<PaymentHandle, 'applicationName' | 'amount'> {}

/** Returns the handle with which a payment's workflow, or that of its unapplied money, is started and signalled. */
export function paymentHandleOf(payment: PaymentToStart, applicationName: string): PaymentHandle {
  const { reference, applicationId, mode, amountMinor, currency, gateway, invoiceId } = payment;
  return { reference, applicationId, applicationName, mode, amount: { amountMinor, currency }, gateway, invoiceId };
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

/** What is needed to start the import of a payout file. */
export interface PayoutFileHandle {
  readonly reference: string;
  readonly mode: Mode;
  /** Null for a bank statement, like `storeId`. */
  readonly gateway: string | null;
  readonly storeId: string | null;
  /** Of its bytes. */
  readonly digest: Uint8Array | null;
}

/** Starts and signals workflows from outside. Every method can be repeated: it finds a workflow that already runs. */
export interface Dispatch {
  /** How long an operator's request waits for a workflow to act on its decision. */
  readonly outcomeWaitMs: number;
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
  /** Starts the event's workflow if it does not run. It begins with the first attempt, or after one that failed. */
  startDelivery(event: EventHandle, failed?: FailedFirstAttempt): Promise<void>;
  /** Sends an event now, even if it was delivered or given up before. */
  resendDelivery(event: EventHandle): Promise<void>;
  /** Starts the reconciliation of a gateway's day if it does not run. */
  startReconciliation(run: {
    readonly mode: Mode;
    readonly gateway: string;
    readonly period: string;
    readonly operatorId: bigint | null;
  }): Promise<void>;
  /** Cancels it. Returns false if none runs. */
  cancelReconciliation(run: {
    readonly mode: Mode;
    readonly gateway: string;
    readonly period: string;
  }): Promise<boolean>;
  /** Starts the import of a payout file if it does not run. */
  startPayoutImport(file: PayoutFileHandle): Promise<void>;
  /** Reports whether the server can skip the time of a single workflow. */
  skipsTime(): Promise<boolean>;
  /**
   * Moves the clock of a running workflow forward, once for each id, and waits until it is there. Returns `skipping` if that takes longer, and
   * `not-running` if it has ended or was never started.
   */
  skipTime(
    workflow: { readonly workflow: ClockedWorkflow; readonly reference: string },
    skip: { readonly id: string; readonly byMs: number; readonly withinMs: number },
  ): Promise<'skipped' | 'skipping' | 'not-running'>;
  /** Makes the sweeper look at once, after rows became due. Returns false if it does not run; a worker starts it within a minute. */
  wakeSweeper(): Promise<boolean>;
  /** Returns the references of the workflows that ended abnormally since then, at most this many. */
  endedWorkflows(ended: { since: Date; max: number }): Promise<EndedWorkflows>;
}

/** References by kind. For an unapplied payment the reference is its attempt's. */
export interface EndedWorkflows {
  readonly payments: readonly string[];
  readonly invoices: readonly string[];
  readonly unappliedPayments: readonly string[];
}
