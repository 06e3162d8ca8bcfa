import { closeReviewDecision } from '../decisions/store/taken-decisions.ts';
import { reopenDoubted } from '../gateway-callbacks/store/closing.ts';
import type { InvoiceRecord } from '../invoices/store/invoices.ts';
import { postTransaction } from '../ledger/store.ts';
import { endPayment, readEnded, type FinalizedPayment } from './store/finalizations.ts';
import type { Statements } from '../../database/statements.ts';
import { dueMinorOf } from '../../domain/invoice-due.ts';
import { paymentPosting } from '../../domain/ledger.ts';
import { canBecome, type FinalStatus } from '../../domain/payment.ts';
import { paymentView } from '../../domain/payment-view.ts';
import type { EventType } from '../../domain/webhook.ts';
import type { FinalizeInput } from '../../workflows/messages/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { applyPayment, lockInvoiceOf, noteUnpaidAttempt } from '../invoices/apply-payment.ts';
import { followUp, type FollowUp } from '../follow-up.ts';
import { recordPaymentEvent } from './payment-event.ts';
import { endOf } from './open-checkout.ts';
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
    invoiceDueMinor: invoice === null ? null : dueMinorOf(invoice),
    silentGateways: silentOf(deps),
  });
  if (finalized === null) {
    return alreadyFinalized(deps, statements, input);
  }
  if (input.decisionId !== undefined) {
    const { reference: payment, decisionId, status: outcome } = input;
    await closeReviewDecision(statements, { payment, decisionId, outcome });
    if (input.status === 'SUCCEEDED') {
      await reopenDoubted(statements, finalized.payment.id);
    }
  }
  const { payment } = finalized;
  if (typeof payment.invoiceId === 'bigint' && invoice === null) {
    // Finalizing it would apply money to an invoice that is not locked.
    throw new Error('a payment of an invoice was started without the invoice');
  }
  const [, event] = await Promise.all([
    postCharge(statements, finalized),
    recordPaymentEvent(statements, payment, {
      type: EVENT_OF[input.status],
      sequence: payment.eventSequence,
      data: paymentView(payment, deps.webUrl),
    }),
  ]);
  const ofInvoice = invoice === null ? [] : await notifyInvoice(deps, statements, { invoice, finalized });
  deps.log.info(
    { payment: payment.reference, application: payment.applicationId.toString(), status: input.status },
    'payment finalized',
  );
  return {
    status: input.status,
    followUps: [
      ...(event === null || event.parked ? [] : [deliveryOf(deps, input, { ...event, status: input.status })]),
      ...ofInvoice,
    ],
  };
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

function deliveryOf(
  deps: CoreDependencies,
  input: FinalizeInput,
  { eventId, status }: { readonly eventId: string; readonly status: FinalStatus },
): FollowUp {
  const event = { eventId, ...scopeOf(input), type: EVENT_OF[status], reference: input.reference };
  return { what: 'delivery', about: { event: eventId }, start: () => deps.dispatch.startDelivery(event) };
}

/** Posts the confirmed charge. A payment is never marked paid without the gateway's confirmation in the attempt's row. */
async function postCharge(statements: Statements, { payment, charge }: FinalizedPayment): Promise<void> {
  if (charge !== null) {
    const { applicationId, mode, currency, reference, overpaymentMinor } = payment;
    await postTransaction(
      statements,
      paymentPosting({ applicationId, mode, currency, reference, overpaymentMinor, ...charge }),
    );
  }
}

async function alreadyFinalized(
  deps: CoreDependencies,
  statements: Statements,
  input: FinalizeInput,
): Promise<Outcome> {
  const ended = await readEnded(statements, input.reference);
  const status = endOf(ended);
  const { waitingEventId: eventId } = ended;
  return { status, followUps: eventId === null ? [] : [deliveryOf(deps, input, { eventId, status })] };
}
