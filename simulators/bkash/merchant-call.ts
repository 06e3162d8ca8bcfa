import type { Gateway } from './gateway.ts';
import type { Merchant } from './merchants.ts';
import type { Payment } from './state.ts';

/** A call of a merchant that has sent a valid token and app key. */
export type MerchantCall = { gateway: Gateway; merchant: Merchant; body: Readonly<Record<string, unknown>> };

/** Returns the merchant's own payment, or undefined for any other payment. */
export function findPayment({ gateway, merchant, body }: MerchantCall): Payment | undefined {
  const payment = gateway.state.payments.get(String(body['paymentID'] ?? ''));
  return payment?.username === merchant.username ? payment : undefined;
}

export function callOn(payment: Payment) {
  const finished = payment.verified !== undefined || payment.end !== undefined;
  return { scope: payment.id, script: payment.script, finished };
}
