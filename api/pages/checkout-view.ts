import type { EntityManager } from '../../database/connection.ts';
import { GatewayCallback, PaymentAttempt } from '../../database/entities/payment.ts';
import type { PaymentRecord } from '../../database/payments.ts';
import type { PublicPayment } from '../../database/public-references.ts';
import { refundedOf } from '../../database/refunds.ts';
import { listUnapplied } from '../../database/unapplied-payments.ts';
import type { AttemptStatus, PaymentStatus } from '../../domain/payment.ts';
import { checkoutPath } from '../../domain/payment-view.ts';
import type { UnappliedFacts } from '../../domain/unapplied-payment.ts';
import type { CheckoutState, UnappliedMoney } from '../../web/checkout/view.ts';

/** The gateway has said how an attempt went. */
const DECIDED: readonly AttemptStatus[] = ['CONFIRMED', 'REFUSED', 'FAILED', 'CANCELLED', 'CLOSED'];

export interface Shown extends Pick<PublicPayment, 'payment' | 'receiptsEnabled'> {
  readonly choosing?: {
    readonly options: readonly { readonly name: string; readonly label: string }[];
    /** The payer wants to choose again. */
    readonly again: boolean;
  };
  /** Where the payer pays on our own page: how it stands. */
  readonly ownPage?: (otherWaysPath: string | null) => Promise<CheckoutState | null>;
}

const UNPAID_AS = { FAILED: 'failed', CANCELLED: 'cancelled', EXPIRED: 'expired' } as const;

/** What the page shows of a payment. It is built from rows only, so it is right whatever runs or does not. */
export async function checkoutState(em: EntityManager, shown: Shown): Promise<CheckoutState> {
  const { payment, receiptsEnabled } = shown;
  const at = payment.endedAt ?? payment.updatedAt;
  const status: PaymentStatus = payment.status;
  switch (status) {
    case 'CREATED':
      return { kind: 'opening', since: payment.createdAt };
    case 'PENDING':
      return pendingState(em, shown);
    case 'FAILED':
    case 'CANCELLED':
    case 'EXPIRED':
      return (
        (await unappliedMoneyState(em, payment)) ?? {
          kind: UNPAID_AS[status],
          at,
          invoicePaid: await isInvoicePaid(em, payment),
        }
      );
    case 'SUCCEEDED':
      return {
        kind: 'succeeded',
        receipt: receiptOf(payment, receiptsEnabled),
        unapplied: await unappliedMoney(em, payment),
        searchingSince: await secondChargeQueriedSince(em, payment),
      };
    case 'PARTIALLY_REFUNDED':
      return {
        kind: 'partially_refunded',
        receipt: receiptOf(payment, receiptsEnabled),
        refundedMinor: await refundedOf(em, payment.id),
        unapplied: await unappliedMoney(em, payment),
      };
    case 'REFUNDED':
      return {
        kind: 'refunded',
        receipt: receiptOf(payment, receiptsEnabled),
        refundedMinor: payment.amountMinor,
        unapplied: await unappliedMoney(em, payment),
      };
  }
}

/** Whether the payment was for an invoice that other payments have paid. */
async function isInvoicePaid(em: EntityManager, { invoiceId }: PaymentRecord): Promise<boolean> {
  if (typeof invoiceId !== 'bigint') {
    return false;
  }
  const paid = await em.execute<unknown[]>(`select 1 from invoices where id = ? and status = 'PAID'`, [invoiceId]);
  return paid.length > 0;
}

/**
 * Of a payment that ended unpaid: money that arrived all the same, or news of some that the gateway is being asked about. Whoever has paid is
 * never told to pay again; whoever cancelled or was declined is not told of money, though that news may still wait to be taken up. Null where there is neither.
 */
async function unappliedMoneyState(em: EntityManager, payment: PaymentRecord): Promise<CheckoutState | null> {
  const [first, ...others] = await unappliedMoney(em, payment);
  if (first !== undefined) {
    return { kind: 'unapplied', money: [first, ...others] };
  }
  const news = { paymentId: payment.id, consumedAt: null, claimsNoMoney: false };
  const [newest] = await em.find(GatewayCallback, news, { orderBy: { id: 'desc' }, limit: 1 });
  return newest === undefined ? null : { kind: 'confirming', since: newest.createdAt, cause: 'late' };
}

/**
 * Where the payer could choose among gateways, two tabs may have been paid: since when news of an attempt that did not settle the payment waits
 * for the gateway's answer, or null.
 */
async function secondChargeQueriedSince(
  em: EntityManager,
  { id, gatewayChoices }: PaymentRecord,
): Promise<Date | null> {
  if ((gatewayChoices ?? []).length < 2) {
    return null;
  }
  const [news] = await em.execute<{ since: string }[]>(
    `select c.created_at as since from gateway_callbacks c join payment_attempts t on t.id = c.attempt_id
     where c.payment_id = ? and c.consumed_at is null and not c.claims_no_money and t.status <> 'CONFIRMED' order by c.id desc limit 1`,
    [id],
  );
  return news === undefined ? null : new Date(news.since);
}

const SHOWN_AS = { HELD: 'held', REFUNDING: 'refunding', REFUNDED: 'refunded', KEPT: 'kept' } as const;

async function unappliedMoney(em: EntityManager, { id }: PaymentRecord): Promise<UnappliedMoney[]> {
  return (await listUnapplied(em, id)).map(shownUnapplied);
}

export function shownUnapplied({ status, amountMinor, currency, createdAt }: UnappliedFacts): UnappliedMoney {
  return { status: SHOWN_AS[status], amountMinor, currency, receivedAt: createdAt };
}

async function pendingState(em: EntityManager, { payment, choosing, ownPage }: Shown): Promise<CheckoutState> {
  if (payment.reviewSince instanceof Date) {
    return { kind: 'review', since: payment.reviewSince };
  }
  const [newest] = await em.find(GatewayCallback, { paymentId: payment.id }, { orderBy: { id: 'desc' }, limit: 1 });
  if (newest !== undefined && !(newest.consumedAt instanceof Date)) {
    return { kind: 'confirming', since: newest.createdAt, cause: 'payment' };
  }
  // What the gateway said is written a moment before the end is booked; in between there is nothing left to offer the payer.
  const decided = { $or: [{ status: 'CONFIRMED' as const }, { status: { $in: [...DECIDED] }, supersededAt: null }] };
  if ((await em.count(PaymentAttempt, { paymentId: payment.id, ...decided })) > 0) {
    return { kind: 'confirming', since: newest?.createdAt ?? payment.updatedAt, cause: 'payment' };
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
      triedUnpaid: typeof payment.gateway !== 'string' && newest !== undefined,
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
    returnedUnpaid: newest !== undefined || payment.ledOnAt instanceof Date,
  };
}

/** How long the gateway's answer usually takes: meanwhile a payer who was there before is not offered to pay. */
const USUAL_ANSWER_MS = 5_000;

/** The gateway has just been asked, perhaps for a payer who has paid and came back without a callback. */
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
