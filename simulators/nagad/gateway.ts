import { merged } from '../kit/scripts.ts';
import type { GatewayCore } from '../kit/gateway.ts';
import { newChallenge, newIssuerReference, newPaymentReference } from './identifiers.ts';
import type { Keys } from './keys.ts';
import type { Merchant } from './merchants.ts';
import { formatAmount, parseAmount } from './money.ts';
import { scriptOfAmount, scriptOfWallet } from './scripts.ts';
import type { Ending, Script } from './scripts.ts';
import { orderKey } from './state.ts';
import type { Entry, Order, Purchase, State } from './state.ts';

/** The running gateway: its state and its logs. */
export type Gateway = GatewayCore<State, Entry> & {
  merchants: readonly Merchant[];
  keys: Keys;
};

/** The messages that the payer and the merchant get about an ending. The first is from captures; the simulator invents the others. */
export const endingMessages: Readonly<Record<Ending, string>> = {
  Success: 'Successful Transaction',
  Aborted: 'Aborted by the customer',
  Cancelled: 'Order cancelled',
  Failed: 'Transaction failed',
};

/** Returns all orders under a merchant's order id, oldest first. */
export function ordersOf(gateway: Gateway, of: { merchantId: string; orderId: string }): Order[] {
  return (gateway.state.byOrderId.get(orderKey(of)) ?? []).flatMap((ref) => gateway.state.orders.get(ref) ?? []);
}

export function createOrder(
  gateway: Gateway,
  { merchantId, orderId, script }: { merchantId: string; orderId: string; script: Script },
): Order {
  const now = Date.now();
  const ref = newPaymentReference({ atMs: now, merchantId, orderId });
  gateway.record({
    type: 'order',
    order: {
      ref,
      merchantId,
      orderId,
      challenge: newChallenge(),
      createdAt: now,
      expiresAt: now + (script.orderTtlMs ?? gateway.state.settings.orderTtlMs),
      script,
      stage: 'Initiated',
    },
  });
  const made = gateway.state.orders.get(ref);
  if (!made) {
    throw new Error('The order that was just made is gone');
  }
  return made;
}

/** Returns an order's script from its complete call on. Scripts set through the control API take precedence over the one picked by the amount. */
export function scriptAtCompletion(order: Order, amount: string): Script {
  return merged(scriptOfAmount(amount), order.script);
}

export function completeOrder(gateway: Gateway, { order, purchase }: { order: Order; purchase: Purchase }): void {
  const script = scriptAtCompletion(order, purchase.amount);
  const expiresAt = purchase.completedAt + (script.orderTtlMs ?? gateway.state.settings.orderTtlMs);
  gateway.record({ type: 'purchase', ref: order.ref, purchase, script, expiresAt });
}

/** Applies the payer's confirmation: the order ends at once or is in progress. */
export function confirmPayment(gateway: Gateway, { order, mobile }: { order: Order; mobile: string }): void {
  if (order.outcome || order.stage === 'InProgress') {
    return;
  }
  const script = merged(scriptOfWallet(mobile), order.script);
  gateway.record({ type: 'order_script', ref: order.ref, script });
  if (script.when === 'late' || script.when === 'never') {
    const chargeDueAt = Date.now() + gateway.state.settings.lateChargeMs;
    const due = script.when === 'late' ? { chargeDueAt } : {};
    gateway.record({ type: 'stage', ref: order.ref, stage: 'InProgress', mobile, ...due });
    return;
  }
  gateway.record({ type: 'stage', ref: order.ref, stage: 'InProgress', mobile });
  finishOrder(gateway, { order, status: script.pay ?? 'Success' });
}

/** Ends an order. Does nothing if it has already ended, so that a page submitted twice charges once. */
export function finishOrder(
  gateway: Gateway,
  { order, status, message = endingMessages[status] }: { order: Order; status: Ending; message?: string },
): void {
  if (order.outcome) {
    return;
  }
  const charged = status === 'Success';
  const asked = order.purchase?.amount ?? '';
  const outcome = {
    status,
    at: Date.now(),
    message,
    issuerRef: charged ? newIssuerReference() : '',
    amount: charged ? chargedAmount({ asked, less: order.script.chargeLess }) : asked,
  };
  gateway.record({ type: 'outcome', ref: order.ref, outcome });
  recordCharge(gateway, order);
}

/** Ends what is due: orders that expired before the payer confirmed, and the delayed charge of an order in progress. */
export function advanceIfDue(gateway: Gateway, order: Order): void {
  if (order.outcome) {
    return;
  }
  if (order.chargeDueAt !== undefined && Date.now() >= order.chargeDueAt) {
    finishOrder(gateway, { order, status: order.script.pay ?? 'Success' });
  } else if (isOver(order) && order.stage !== 'InProgress' && gateway.state.settings.expiredAs === 'Aborted') {
    finishOrder(gateway, { order, status: 'Aborted', message: 'The payment window is over' });
  }
}

/** Returns whether it is too late for the payer to start. */
export function isOver(order: Order): boolean {
  return Date.now() >= order.expiresAt;
}

/** Writes the charge log's line for a charge. The log ignores known ids, so a repetition after a crash is safe. */
export function recordCharge(gateway: Pick<Gateway, 'charges'>, { outcome, purchase, ...order }: Order): void {
  if (outcome?.status === 'Success' && purchase) {
    gateway.charges.add({
      kind: 'charge',
      gateway: 'nagad',
      id: order.ref,
      at: new Date(outcome.at).toISOString(),
      storeId: order.merchantId,
      tranId: order.orderId,
      valId: order.ref,
      bankTranId: outcome.issuerRef,
      amount: formatAmount(parseAmount(outcome.amount) ?? 0n),
      currency: 'BDT',
      requestedAmount: purchase.amount,
      requestedCurrency: 'BDT',
    });
  }
}

/** Returns the amount as the merchant wrote it. If the script charges less, the result has the same number of decimals. */
function chargedAmount({ asked, less }: { asked: string; less: string | undefined }): string {
  if (less === undefined) {
    return asked;
  }
  const amount = (parseAmount(asked) ?? 0n) - (parseAmount(less) ?? 0n);
  const decimals = asked.split('.')[1]?.length ?? 0;
  const written = formatAmount(amount < 0n ? 0n : amount);
  return amount % 100n === 0n && decimals === 0 ? written.replace('.00', '') : written;
}
