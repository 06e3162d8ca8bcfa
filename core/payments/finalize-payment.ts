import { closeReviewDecision } from '../decisions/store/taken-decisions.ts';
import { reopenDoubted } from '../gateway-callbacks/store/closing.ts';
import type { InvoiceRecord } from '../invoices/store/invoices.ts';
import { postTransaction } from '../ledger/store.ts';
import type { ConfirmedQuery } from './store/answers.ts';
import { postAndRecord } from './store/posted-charge.ts';
import { recordEvent, type NewEvent, type RecordedEvent } from '../webhooks/store/events.ts';
import { endConfirmed, endPayment, readEnded, type FinalizedPayment } from './store/finalizations.ts';
import type { Statements } from '../../database/statements.ts';
import { dueMinorOf } from '../../domain/invoice-due.ts';
import { paymentPosting } from '../../domain/ledger.ts';
import { canBecome, type FinalStatus } from '../../domain/payment.ts';
import { paymentView } from '../../domain/payment-view.ts';
import type { EventType } from '../../domain/webhook.ts';
import type { FinalizeInput, PaymentWorkflowInput } from '../../workflows/messages/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { applyPayment, lockInvoiceOf, noteUnpaidAttempt } from '../invoices/apply-payment.ts';
import { followUp, type FollowUp } from '../follow-up.ts';
import { deliveryFollowUps } from '../webhooks/deliveries.ts';
import { newPaymentEvent } from './payment-event.ts';
import { endOf } from './end-of.ts';
import { scopeOf } from '../scope.ts';

const EVENT_OF: Readonly<Record<FinalStatus, EventType>> = {
  SUCCEEDED: 'payment.succeeded',
  FAILED: 'payment.failed',
  CANCELLED: 'payment.cancelled',
  EXPIRED: 'payment.expired',
};

/**
 * Finalizes a payment in one transaction: status by guarded update, ledger, event and the amount applied to its invoice. Run twice, or by two workers
 * at once, it changes nothing more and returns the stored status. Follow-ups start after the commit; if that fails, the sweeper starts them.
 */
export async function finalizePayment(deps: CoreDependencies, input: FinalizeInput): Promise<FinalStatus> {
  const { status, followUps } = await deps.database.withScope(scopeOf(input), (statements) =>
    finalizeRow(deps, statements, input),
  );
  await followUp(deps, input, followUps);
  return status;
}

/**
 * Records a confirmed charge and finalizes its payment, in one transaction. Returns false, without any change, if the payment is not simply waiting
 * for this charge: it has ended, is under review, or its page was never recorded. The caller then records the charge and leaves the end to
 * `finalizePayment`.
 * @throws a unique violation (23505) as `recordAnswer` does
 */
export async function finalizeConfirmed(
  deps: CoreDependencies,
  input: PaymentWorkflowInput,
  answered: ConfirmedQuery,
): Promise<boolean> {
  const outcome = await deps.database.withScope(scopeOf(input), async (statements) => {
    const invoice = await lockInvoiceOf(statements, input);
    const end = { reference: input.reference, invoiceDueMinor: dueOf(invoice), silentGateways: silentOf(deps) };
    const finalized = await endConfirmed(statements, { end, answered });
    return finalized === null
      ? null
      : recordEnd(deps, statements, { input: { ...input, status: 'SUCCEEDED' }, invoice, finalized });
  });
  if (outcome === null) {
    return false;
  }
  await followUp(deps, input, outcome.followUps);
  return true;
}

interface Outcome {
  readonly status: FinalStatus;
  readonly followUps: readonly FollowUp[];
}

async function finalizeRow(deps: CoreDependencies, statements: Statements, input: FinalizeInput): Promise<Outcome> {
  if (!canBecome('PENDING', input.status)) {
    throw new RangeError(`a payment cannot end as ${input.status}`);
  }
  const invoice = await lockInvoiceOf(statements, input);
  const finalized = await endPayment(statements, {
    reference: input.reference,
    status: input.status,
    failureCode: input.failureCode ?? null,
    invoiceDueMinor: dueOf(invoice),
    silentGateways: silentOf(deps),
  });
  if (finalized === null) {
    return alreadyFinalized(statements, input);
  }
  if (input.decisionId !== undefined) {
    const { reference: payment, decisionId, status: outcome } = input;
    await closeReviewDecision(statements, { payment, decisionId, outcome });
    if (input.status === 'SUCCEEDED') {
      await reopenDoubted(statements, finalized.payment.id);
    }
  }
  return recordEnd(deps, statements, { input, invoice, finalized });
}

interface End {
  readonly input: FinalizeInput;
  /** Locked; its state before the payment's end. */
  readonly invoice: InvoiceRecord | null;
  readonly finalized: FinalizedPayment;
}

/** Records what follows from the end of a payment: ledger, event and its invoice. */
async function recordEnd(
  deps: CoreDependencies,
  statements: Statements,
  { input, invoice, finalized }: End,
): Promise<Outcome> {
  const { payment } = finalized;
  if (typeof payment.invoiceId === 'bigint' && invoice === null) {
    // Finalizing it would apply money to an invoice that is not locked.
    throw new Error('a payment of an invoice was started without the invoice');
  }
  const event = await newPaymentEvent(statements, payment, {
    type: EVENT_OF[input.status],
    sequence: payment.eventSequence,
    data: paymentView(payment, deps.webUrl),
  });
  const recorded = await postCharge(statements, finalized, event);
  const ofInvoice = invoice === null ? [] : await notifyInvoice(deps, statements, { invoice, finalized });
  deps.log.info(
    { payment: payment.reference, application: payment.applicationId.toString(), status: input.status },
    'payment finalized',
  );
  return {
    status: input.status,
    followUps: [
      ...deliveryFollowUps(
        deps,
        { ...scopeOf(input), type: EVENT_OF[input.status], reference: input.reference },
        recorded,
      ),
      ...ofInvoice,
    ],
  };
}

function dueOf(invoice: InvoiceRecord | null): bigint | null {
  return invoice === null ? null : dueMinorOf(invoice);
}

/** Returns the gateways that send no notification of a charge. */
function silentOf({ gateways }: CoreDependencies): string[] {
  return gateways.names.filter((name) => gateways.capabilities(name)?.notifies === false);
}

function notifyInvoice(
  deps: CoreDependencies,
  statements: Statements,
  { invoice, finalized }: { readonly invoice: InvoiceRecord; readonly finalized: FinalizedPayment },
): Promise<FollowUp[]> {
  return finalized.charge === null
    ? noteUnpaidAttempt(deps, statements, invoice)
    : applyPayment(deps, statements, { invoice, payment: finalized.payment });
}

/**
 * Posts the confirmed charge and records the event, if there are such. A payment is never marked paid without the gateway's confirmation in the
 * attempt's row.
 */
async function postCharge(
  statements: Statements,
  { payment, charge }: FinalizedPayment,
  event: NewEvent | null,
): Promise<RecordedEvent | null> {
  if (charge === null) {
    return event === null ? null : recordEvent(statements, event);
  }
  const { applicationId, mode, currency, reference, overpaymentMinor } = payment;
  const transaction = paymentPosting({ applicationId, mode, currency, reference, overpaymentMinor, ...charge });
  if (event === null) {
    await postTransaction(statements, transaction);
    return null;
  }
  return postAndRecord(statements, { transaction, event });
}

/** Starts nothing: the run that ended the payment may still deliver its event, and if it died, the sweeper starts the delivery. */
async function alreadyFinalized(statements: Statements, { reference }: FinalizeInput): Promise<Outcome> {
  return { status: endOf(await readEnded(statements, reference)), followUps: [] };
}
