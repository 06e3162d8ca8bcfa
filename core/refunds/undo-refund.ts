import { readInvoice } from '../invoices/store/invoices.ts';
import { invoiceRulesOf } from '../invoices/store/invoice-overpayment.ts';
import { postReversal } from '../ledger/store.ts';
import { undoRefundRow } from './store/refund-ends.ts';
import type { RefundRecord } from './store/refunds.ts';
import type { Statements } from '../../database/statements.ts';
import { appliedOf } from '../../domain/invoice-due.ts';
import { refundPosting } from '../../domain/ledger.ts';
import { refundView } from '../../domain/refund-view.ts';
import { invoiceHandleOf } from '../dispatch.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { FollowUp } from '../follow-up.ts';
import { raisePaid } from '../invoices/apply-payment.ts';
import type { InvoiceRecord } from '../invoices/store/invoices.ts';
import { recordPaymentEvent } from '../payments/payment-event.ts';
import { recordUnappliedEvent } from '../unapplied-payments/unapplied-event.ts';
import { deliveryFollowUps } from '../webhooks/deliveries.ts';

export interface UndoneRefund {
  readonly refund: RefundRecord;
  /** The invoice of its payment, locked; null if there is none. */
  readonly invoice: InvoiceRecord | null;
}

/**
 * Reverses a refund that counted as successful, after operators found that the payer did not receive it. The refund becomes FAILED, its ledger
 * transaction is reversed, and the payment, unapplied money and invoice return to their earlier state. Returns null if the invoice was paid in
 * another way or voided since, because the money could then not be applied.
 */
export async function undoRefund(
  deps: CoreDependencies,
  statements: Statements,
  { refund, invoice: before }: UndoneRefund,
): Promise<FollowUp[] | null> {
  const { applicationId, mode, currency, gateway, reference, amountMinor, unappliedPaymentId } = refund;
  const scope = { applicationId, mode };
  const invoice = refund.reopensInvoice && before !== null ? await readInvoice(statements, scope, before.id) : null;
  if (invoice !== null && !takesBack(invoice, amountMinor)) {
    return null;
  }
  const undone = await undoRefundRow(statements, refund);
  if (undone === null) {
    return [];
  }
  const ofUnapplied = unappliedPaymentId !== null;
  await postReversal(
    statements,
    refundPosting({ applicationId, mode, currency, gateway, reference, amountMinor, late: ofUnapplied }),
  );
  const { eventSequence } = undone.payment;
  const event = { applicationId, mode, reference: undone.payment.reference };
  const failed = await recordPaymentEvent(statements, undone.payment, {
    type: 'refund.failed',
    sequence: eventSequence - (ofUnapplied ? 1 : 0),
    data: refundView(undone.refund),
    refund: undone.refund,
  });
  const followUps = deliveryFollowUps(deps, { ...event, type: 'refund.failed' }, failed);
  if (unappliedPaymentId !== null) {
    // The application was notified that the money was refunded. It is still here and needs another decision.
    const held = { unappliedPaymentId, type: 'unapplied_payment.received', sequence: eventSequence } as const;
    followUps.push(
      ...deliveryFollowUps(
        deps,
        { ...event, type: held.type },
        await recordUnappliedEvent(statements, undone.payment, held),
      ),
    );
  }
  deps.log.info({ refund: reference, application: applicationId.toString() }, 'refund undone');
  if (invoice === null) {
    return followUps;
  }
  const { applicationName } = await invoiceRulesOf(statements, scope);
  const handle = invoiceHandleOf(invoice, applicationName);
  return [...followUps, ...(await raisePaid(deps, statements, { invoice, appliedMinor: amountMinor, handle }))];
}

function takesBack(invoice: InvoiceRecord, amountMinor: bigint): boolean {
  const payable = invoice.status === 'ISSUED' || invoice.status === 'PARTIALLY_PAID';
  return payable && appliedOf(invoice, amountMinor) === amountMinor;
}
