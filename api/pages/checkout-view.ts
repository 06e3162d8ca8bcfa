import type { Statements } from '../../database/statements.ts';
import { isInvoicePaid } from '../../core/invoices/store/payments-of-invoice.ts';
import { decidedAs, newestCallback, newestMoneyCallback } from '../../core/payments/store/checkout-progress.ts';
import { secondChargeQueriedSince } from '../../core/payments/store/payer-requests.ts';
import type { PaymentRecord } from '../../core/payments/store/payments.ts';
import type { PublicPayment } from '../../core/payments/store/public-references.ts';
import { refundedOf } from '../../core/refunds/store/refunds.ts';
import { listUnapplied } from '../../core/unapplied-payments/store/unapplied-payments.ts';
import type { PaymentStatus } from '../../domain/payment.ts';
import { checkoutPath } from '../../domain/payment-view.ts';
import type { UnappliedFacts } from '../../domain/unapplied-payment.ts';
import type { CheckoutState, UnappliedMoney } from '../../web/checkout/view.ts';

export interface Shown extends Pick<PublicPayment, 'payment' | 'receiptsEnabled'> {
  readonly choosing?: {
    readonly options: readonly { readonly name: string; readonly label: string }[];
    /** Whether the payer wants to choose again. */
    readonly again: boolean;
  };
  /** Returns the state of a payment made on our own page. */
  readonly ownPage?: (otherWaysPath: string | null) => Promise<CheckoutState | null>;
}

const UNPAID_AS = { FAILED: 'failed', CANCELLED: 'cancelled', EXPIRED: 'expired' } as const;

/** Returns what the page shows of a payment. It reads rows only, so it is right whether or not a workflow runs. */
export async function checkoutState(statements: Statements, shown: Shown): Promise<CheckoutState> {
  const { payment, receiptsEnabled } = shown;
  const at = payment.endedAt ?? payment.updatedAt;
  const status: PaymentStatus = payment.status;
  switch (status) {
    case 'CREATED':
      return { kind: 'opening', since: payment.createdAt };
    case 'PENDING':
      return pendingState(statements, shown);
    case 'FAILED':
    case 'CANCELLED':
    case 'EXPIRED':
      return (
        (await unappliedMoneyState(statements, payment)) ?? {
          kind: UNPAID_AS[status],
          at,
          invoicePaid: await isPaidOtherwise(statements, payment),
        }
      );
    case 'SUCCEEDED':
      return {
        kind: 'succeeded',
        receipt: receiptOf(payment, receiptsEnabled),
        unapplied: await unappliedMoney(statements, payment),
        searchingSince: await searchingSince(statements, payment),
      };
    case 'PARTIALLY_REFUNDED':
      return {
        kind: 'partially_refunded',
        receipt: receiptOf(payment, receiptsEnabled),
        refundedMinor: await refundedOf(statements, payment.id),
        unapplied: await unappliedMoney(statements, payment),
      };
    case 'REFUNDED':
      return {
        kind: 'refunded',
        receipt: receiptOf(payment, receiptsEnabled),
        refundedMinor: payment.amountMinor,
        unapplied: await unappliedMoney(statements, payment),
      };
  }
}

/** Returns whether the payment was for an invoice that other payments have paid. */
async function isPaidOtherwise(statements: Statements, { invoiceId }: PaymentRecord): Promise<boolean> {
  if (typeof invoiceId !== 'bigint') {
    return false;
  }
  return isInvoicePaid(statements, invoiceId);
}

/**
 * For a payment that ended unpaid: returns its unapplied payments, or a callback about money that the gateway is being queried about. Null if there
 * is neither. Payers who have paid must not be asked to pay again. Payers who cancelled or were declined see nothing about money, even if that
 * callback is not processed yet.
 */
async function unappliedMoneyState(statements: Statements, payment: PaymentRecord): Promise<CheckoutState | null> {
  const [first, ...others] = await unappliedMoney(statements, payment);
  if (first !== undefined) {
    return { kind: 'unapplied', money: [first, ...others] };
  }
  const newest = await newestMoneyCallback(statements, payment.id);
  return newest === null
    ? null
    : { kind: 'confirming', since: newest.createdAt, cause: 'late', gateway: newest.gateway };
}

/**
 * Where the payer could choose among gateways, two tabs may both have been paid. Returns the time of the newest callback of an attempt that did not
 * finalize the payment and still awaits the gateway's answer, or null.
 */
async function searchingSince(statements: Statements, { id, gatewayChoices }: PaymentRecord): Promise<Date | null> {
  if ((gatewayChoices ?? []).length < 2) {
    return null;
  }
  return secondChargeQueriedSince(statements, id);
}

const SHOWN_AS = { HELD: 'held', REFUNDING: 'refunding', REFUNDED: 'refunded', KEPT: 'kept' } as const;

async function unappliedMoney(statements: Statements, { id }: PaymentRecord): Promise<UnappliedMoney[]> {
  return (await listUnapplied(statements, id)).map(shownUnapplied);
}

export function shownUnapplied({ status, amountMinor, currency, createdAt }: UnappliedFacts): UnappliedMoney {
  return { status: SHOWN_AS[status], amountMinor, currency, receivedAt: createdAt };
}

async function pendingState(statements: Statements, { payment, choosing, ownPage }: Shown): Promise<CheckoutState> {
  if (payment.reviewSince instanceof Date) {
    return { kind: 'review', since: payment.reviewSince };
  }
  const newest = await newestCallback(statements, payment.id);
  if (newest !== null && newest.consumedAt === null) {
    const cause = newest.claimsNoMoney ? 'unpaid' : 'payment';
    return { kind: 'confirming', since: newest.createdAt, cause, gateway: newest.gateway };
  }
  // The gateway's answer is stored a moment before the payment is finalized. In between, the payer can do nothing.
  const decided = await decidedAs(statements, payment.id);
  if (decided !== null) {
    const cause = decided === 'unpaid' && newest?.claimsNoMoney === true ? 'unpaid' : 'payment';
    return { kind: 'confirming', since: newest?.createdAt ?? payment.updatedAt, cause };
  }
  if (payment.cancelRequestedAt instanceof Date) {
    return { kind: 'confirming', since: payment.cancelRequestedAt, cause: 'cancellation' };
  }
  if (isBeingQueried(payment)) {
    return { kind: 'confirming', since: payment.readAt, cause: 'payment' };
  }
  const choosable = choosing !== undefined && choosing.options.length > 0 ? choosing : null;
  const otherWaysPath = choosable === null ? null : `${checkoutPath(payment.reference)}?choose=1`;
  const own = choosable?.again === true ? null : ((await ownPage?.(otherWaysPath)) ?? null);
  if (own !== null) {
    return own;
  }
  if (payment.expiresAt <= payment.readAt) {
    return { kind: 'confirming', since: payment.expiresAt, cause: 'payment' };
  }
  if (choosable !== null && (choosable.again || typeof payment.gateway !== 'string')) {
    return {
      kind: 'choosing',
      expiresAt: payment.expiresAt,
      options: choosable.options,
      chooseAction: `${checkoutPath(payment.reference)}/gateway`,
      cancelAction: `${checkoutPath(payment.reference)}/cancel`,
      triedUnpaid: typeof payment.gateway !== 'string' && newest !== null,
      ledOn: typeof payment.gateway === 'string' && payment.ledOnAt instanceof Date,
    };
  }
  if (choosable !== null && typeof payment.gatewayRedirectUrl !== 'string') {
    return { kind: 'opening', since: payment.updatedAt, otherWaysPath };
  }
  return {
    kind: 'open',
    otherWaysPath,
    expiresAt: payment.expiresAt,
    continueAction: `${checkoutPath(payment.reference)}/continue`,
    cancelAction: `${checkoutPath(payment.reference)}/cancel`,
    returnedUnpaid: newest !== null || payment.ledOnAt instanceof Date,
  };
}

/** How long the gateway's answer usually takes. Until then, a payer who has been at the gateway is not offered to pay. */
const USUAL_ANSWER_MS = 5_000;

/** Returns whether the gateway has just been queried, perhaps for a payer who has paid and returned without a callback. */
function isBeingQueried({ ledOnAt, lastUnsignedSignalledAt: asked, readAt }: PaymentRecord): boolean {
  return (
    ledOnAt instanceof Date && asked instanceof Date && Math.abs(readAt.getTime() - asked.getTime()) < USUAL_ANSWER_MS
  );
}

function receiptOf(payment: PaymentRecord, receiptsEnabled: boolean) {
  return {
    paidAt: payment.paidAt ?? payment.updatedAt,
    receiptNumber: receiptsEnabled ? `R-${payment.id}` : null,
    receiptPath: receiptsEnabled ? `${checkoutPath(payment.reference)}/receipt` : null,
    gatewayTransactionId: payment.gatewayTxnId ?? null,
  };
}
