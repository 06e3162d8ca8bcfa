import type { GatewayCore } from '../kit/gateway.ts';
import type { Code } from './codes.ts';
import { newTrxId } from './identifiers.ts';
import type { Merchant } from './merchants.ts';
import { formatAmount, parseAmount } from './money.ts';
import type { Entry, Payment, Refund, State } from './state.ts';
import { invoiceKey } from './state.ts';
import { declinedWallets } from './wallets.ts';

/** The running gateway: its state, its logs and its notifications. */
export type Gateway = GatewayCore<State, Entry> & {
  merchants: readonly Merchant[];
  /** Posts the notice of a completed payment. */
  notify(payment: Payment): void;
};

/** Returns all payments under a merchant's invoice number, oldest first. */
export function paymentsOf({ state }: Gateway, of: { username: string; invoice: string }): Payment[] {
  return (state.byInvoice.get(invoiceKey(of)) ?? []).flatMap((id) => state.payments.get(id) ?? []);
}

/**
 * Executes a payment that the payer has agreed to, and moves the money at most once. A wallet that cannot pay, or a script, ends the payment as
 * failed. Returns the code of the refusal, or undefined when the payment is complete.
 */
export function executePayment(gateway: Gateway, payment: Payment): Code | undefined {
  const { settings } = gateway.state;
  expireIfDue(gateway, payment);
  if (payment.end) {
    return payment.end.status === 'Completed' ? settings.repeatedCode : '2056';
  }
  if (!payment.verified) {
    return settings.prematureCode;
  }
  const declined = payment.script.declinedBy ?? declinedWallets[payment.verified.wallet];
  if (declined !== undefined) {
    endPayment(gateway, payment, { status: 'Failed', code: declined });
    return declined;
  }
  const less = parseAmount(payment.script.chargeLess ?? '0') ?? 0n;
  const amount = (parseAmount(payment.amount) ?? 0n) - less;
  const end = { status: 'Completed', at: Date.now(), trxId: newTrxId(), amount: formatAmount(amount) } as const;
  gateway.record({ type: 'ended', id: payment.id, end });
  recordCharge(gateway, payment);
  gateway.notify(payment);
  return undefined;
}

/** Ends a payment without moving money. Does nothing if the payment has already ended. */
export function endPayment(
  gateway: Gateway,
  payment: Payment,
  end: { status: 'Cancelled' | 'Failed' | 'Expired'; code?: Code },
): void {
  if (!payment.end) {
    gateway.record({ type: 'ended', id: payment.id, end: { ...end, at: Date.now() } });
  }
}

export function expireIfDue(gateway: Gateway, payment: Payment): void {
  if (Date.now() >= payment.expiresAt) {
    endPayment(gateway, payment, { status: 'Expired' });
  }
}

/** Writes the charge log's line for a charge. The log ignores known ids, so a repetition after a crash is safe. */
export function recordCharge(gateway: Pick<Gateway, 'charges'>, payment: Payment): void {
  if (payment.end?.status === 'Completed') {
    gateway.charges.add({
      kind: 'charge',
      ...chargeIdentity(payment, payment.end.trxId),
      id: payment.end.trxId,
      at: new Date(payment.end.at).toISOString(),
      amount: payment.end.amount,
      requestedAmount: payment.amount,
      requestedCurrency: payment.currency,
    });
  }
}

export function recordRefund(gateway: Pick<Gateway, 'charges' | 'state'>, refund: Refund): void {
  const payment = gateway.state.payments.get(refund.paymentId);
  if (payment?.end?.status !== 'Completed') {
    return;
  }
  const line = {
    ...chargeIdentity(payment, payment.end.trxId),
    at: new Date(refund.at).toISOString(),
    amount: refund.amount,
    refundRefId: refund.trxId,
    refundTransId: refund.sku,
  };
  gateway.charges.add({ kind: 'refund', ...line, id: refund.trxId });
  gateway.charges.add({ kind: 'refund_outcome', ...line, id: `${refund.trxId}-ended`, status: 'refunded' });
}

function chargeIdentity(payment: Payment, trxId: string) {
  return {
    gateway: 'bkash',
    storeId: payment.username,
    tranId: payment.invoice,
    valId: payment.id,
    bankTranId: trxId,
    currency: payment.currency,
  };
}
