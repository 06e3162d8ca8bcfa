import type { GatewayCore } from '../kit/gateway.ts';
import type { PayoutDesk } from '../kit/payouts/desk.ts';
import type { Account } from './accounts.ts';
import { bankAccounts, cards } from './cards.ts';
import type { Card } from './cards.ts';
import { ApiError } from './errors.ts';
import { newBalanceTransactionId, newChargeId, newIntentId, newRefundId } from './identifiers.ts';
import { converted, decimalText, rateBetween } from './money.ts';
import type { Entry, Intent, Refund, Session, State } from './state.ts';
import { referenceKey } from './state.ts';

/** The running gateway: its state, its logs and its events. */
export type Gateway = GatewayCore<State, Entry> & {
  accounts: readonly Account[];
  /** Idempotency keys whose first request is still in progress. */
  inProgress: Set<string>;
  /** Where payouts and disputes are. */
  desk: PayoutDesk;
  /** Creates an event of what has just happened to a payout or a dispute of an account. */
  tellAccount(account: string, type: string, object: Readonly<Record<string, unknown>>): void;
  /** Creates an event of what has just happened to a session, or to one of its refunds. */
  tell(type: string, session: Session, refund?: Refund): void;
  /** Returns the sum of the session's refunds, including those in progress. */
  refundedOf(session: Session): number;
};

/** Returns what an amount in a session's currency is worth in the currency in which its charge was settled. */
export function settledAmount({ charge, currency }: Session, amount: number): number {
  return charge?.rate === undefined
    ? amount
    : converted(amount, { from: currency, to: charge.settledIn, rate: charge.rate });
}

/** Returns all sessions under a merchant's reference, oldest first. */
export function sessionsOf({ state }: Gateway, of: { account: string; reference: string }): Session[] {
  return (state.byReference.get(referenceKey(of)) ?? []).flatMap((id) => state.sessions.get(id) ?? []);
}

/** The result of a payer's attempt. */
export type Tried = 'charged' | 'delayed' | 'confirm' | { declined: string };

const scriptedDelays = {
  'delayed-succeeds': 'succeeded',
  'delayed-fails': 'failed',
  'delayed-stays': 'stays',
} as const;

/** Pays by card. The card is charged or declined (the session then stays open), or the payer is asked to confirm. */
export function payByCard(gateway: Gateway, session: Session, number: string): Tried {
  const scripted = session.script.pay;
  if (scripted === 'expired') {
    expireSession(gateway, session);
    return { declined: 'This session has expired.' };
  }
  if (scripted !== undefined && scripted !== 'declined') {
    return payDelayed(gateway, session, scriptedDelays[scripted]);
  }
  const card = scripted === 'declined' ? cards['4000000000000002'] : cards[number];
  if (!card) {
    return { declined: 'Your card number is incorrect.' };
  }
  if (card.authenticates) {
    change(gateway, session, { confirming: number, intent: intentAs(session, 'requires_action') });
    return 'confirm';
  }
  return chargeCard(gateway, session, { card, number });
}

export function endConfirmation(gateway: Gateway, session: Session, agreed: boolean): Tried {
  const number = session.confirming ?? '';
  const card = cards[number];
  if (agreed && card) {
    return chargeCard(gateway, session, { card, number });
  }
  const message = 'We are unable to authenticate your payment method.';
  return declined(gateway, session, { code: 'payment_intent_authentication_failure', message });
}

function chargeCard(gateway: Gateway, session: Session, { card, number }: { card: Card; number: string }): Tried {
  if (card.declined) {
    return declined(gateway, session, card.declined);
  }
  const paidBy = { brand: card.brand, last4: number.slice(-4) };
  completeCharge(gateway, session, { card: paidBy, riskLevel: session.script.riskLevel ?? card.riskLevel ?? 'normal' });
  gateway.tell('checkout.session.completed', session);
  return 'charged';
}

function declined(gateway: Gateway, session: Session, lastError: NonNullable<Intent['lastError']>): Tried {
  const intent = { ...intentAs(session, 'requires_payment_method'), lastError };
  change(gateway, session, { intent, confirming: null });
  gateway.tell('payment_intent.payment_failed', session);
  return { declined: lastError.message };
}

/** Pays by bank account. The session completes at once, and it turns out later whether the money arrives. */
export function payByBank(gateway: Gateway, session: Session, account: string): Tried {
  const ends = bankAccounts[account];
  return ends === undefined ? { declined: 'That is no bank account.' } : payDelayed(gateway, session, ends);
}

function payDelayed(gateway: Gateway, session: Session, ends: 'succeeded' | 'failed' | 'stays'): Tried {
  const dueAt = ends === 'stays' ? null : Date.now() + gateway.state.settings.delayedAfterMs;
  const delayed = { dueAt, ends: ends === 'failed' ? 'failed' : 'succeeded' } as const;
  change(gateway, session, { status: 'complete', intent: { ...intentAs(session, 'processing'), delayed } });
  gateway.tell('checkout.session.completed', session);
  return 'delayed';
}

export function endDelayed(gateway: Gateway, session: Session, ends: 'succeeded' | 'failed'): void {
  if (session.intent?.status !== 'processing') {
    return;
  }
  if (ends === 'succeeded') {
    completeCharge(gateway, session, { card: null, riskLevel: 'not_assessed' });
    gateway.tell('checkout.session.async_payment_succeeded', session);
    return;
  }
  const lastError = { code: 'payment_method_provider_decline', message: 'The payment was declined by the bank.' };
  change(gateway, session, { intent: { ...intentAs(session, 'requires_payment_method'), lastError } });
  gateway.tell('checkout.session.async_payment_failed', session);
}

function completeCharge(
  gateway: Gateway,
  session: Session,
  by: { card: NonNullable<Session['charge']>['card']; riskLevel: string },
): void {
  const { feeBps, feeFixed } = gateway.state.settings;
  const { script } = session;
  const amount = session.amount - (script.chargeLess ?? 0);
  const settledIn = script.settlesIn ?? session.currency;
  const rate = settledIn === session.currency ? undefined : rateBetween(session.currency, settledIn);
  const settled = rate === undefined ? amount : converted(amount, { from: session.currency, to: settledIn, rate });
  change(gateway, session, {
    status: 'complete',
    paid: true,
    confirming: null,
    intent: intentAs(session, 'succeeded'),
    charge: {
      id: newChargeId(),
      at: Date.now(),
      amount,
      fee: Math.round((settled * feeBps) / 10_000) + feeFixed,
      balanceTransaction: script.feeUnknown ? null : newBalanceTransactionId(),
      settledIn,
      ...(rate === undefined ? {} : { rate }),
      ...by,
    },
  });
  recordCharge(gateway, session);
  gateway.tell('payment_intent.succeeded', session);
  gateway.tell('charge.succeeded', session);
}

/** Expires an open session. It can no longer take money. */
export function expireSession(gateway: Gateway, session: Session): void {
  if (session.status === 'open') {
    const canceled = session.intent ? { intent: intentAs(session, 'canceled') } : {};
    change(gateway, session, { status: 'expired', ...canceled });
    gateway.tell('checkout.session.expired', session);
  }
}

export function expireIfDue(gateway: Gateway, session: Session): void {
  if (Date.now() >= session.expiresAt) {
    expireSession(gateway, session);
  }
}

/** Applies everything that happens only because time passes: sessions expire, delayed money arrives or fails, refunds end. */
export function passTime(gateway: Gateway): void {
  const { state } = gateway;
  const now = Date.now();
  for (const id of state.unfinished) {
    const session = state.sessions.get(id);
    if (session?.status === 'open') {
      expireIfDue(gateway, session);
    } else if (session?.intent?.delayed && now >= (session.intent.delayed.dueAt ?? Infinity)) {
      endDelayed(gateway, session, session.intent.delayed.ends);
    }
  }
  for (const id of state.pendingRefunds) {
    const refund = state.refunds.get(id);
    if (refund && now >= (refund.dueAt ?? Infinity)) {
      endRefund(gateway, refund, refund.ends);
    }
  }
}

type RefundRequest = { amount: number | undefined; reason: string | null; metadata: Record<string, string> };

/** @throws ApiError when less than that amount is left to refund */
export function refundCharge(gateway: Gateway, session: Session, request: RefundRequest): Refund {
  const { charge, currency, script } = session;
  if (!charge) {
    throw new ApiError({
      code: 'payment_intent_unexpected_state',
      message: 'This PaymentIntent does not have a successful charge to refund.',
    });
  }
  const left = charge.amount - gateway.refundedOf(session);
  if (left <= 0) {
    throw new ApiError({ code: 'charge_already_refunded', message: `Charge ${charge.id} has already been refunded.` });
  }
  const amount = request.amount ?? left;
  if (amount > left) {
    const [asked, rest] = [amount, left].map((one) => decimalText(one, currency));
    throw new ApiError({
      param: 'amount',
      message: `Refund amount (${asked}) is greater than unrefunded amount on charge (${rest})`,
    });
  }
  const now = Date.now();
  const refund: Refund = {
    ...request,
    amount,
    id: newRefundId(),
    sessionId: session.id,
    at: now,
    status: script.refunds === undefined ? 'succeeded' : 'pending',
    dueAt:
      script.refunds === undefined || script.refunds === 'silent' ? null : now + gateway.state.settings.pendingRefundMs,
    ends: script.refunds === 'fails' ? 'failed' : 'succeeded',
  };
  gateway.record({ type: 'refund', refund });
  recordRefund(gateway, refund);
  gateway.tell('refund.created', session, refund);
  gateway.tell('charge.refunded', session);
  return refund;
}

export function endRefund(gateway: Gateway, refund: Refund, status: 'succeeded' | 'failed'): void {
  const session = gateway.state.sessions.get(refund.sessionId);
  // A bank may return a refund, so a refund that succeeded can still fail.
  const mayEnd = refund.status === 'pending' || (refund.status === 'succeeded' && status === 'failed');
  if (!mayEnd || !session) {
    return;
  }
  gateway.record({ type: 'refund_changed', id: refund.id, status });
  recordRefund(gateway, refund);
  gateway.tell('refund.updated', session, refund);
  if (status === 'failed') {
    gateway.tell('refund.failed', session, refund);
  }
}

/** Writes the charge log's line for a charge. The log ignores known ids, so a repetition after a crash is safe. */
export function recordCharge(gateway: Pick<Gateway, 'charges'>, session: Session): void {
  const { charge, currency } = session;
  if (charge) {
    gateway.charges.add({
      kind: 'charge',
      ...chargeIdentity(session),
      id: charge.id,
      at: new Date(charge.at).toISOString(),
      amount: decimalText(charge.amount, currency),
      ...(charge.settledIn === currency ? { storeAmount: decimalText(charge.amount - charge.fee, currency) } : {}),
      requestedAmount: decimalText(session.amount, currency),
      requestedCurrency: currency.toUpperCase(),
    });
  }
}

export function recordRefund(gateway: Pick<Gateway, 'charges' | 'state'>, refund: Refund): void {
  const session = gateway.state.sessions.get(refund.sessionId);
  if (!session?.charge) {
    return;
  }
  const line = {
    ...chargeIdentity(session),
    at: new Date(refund.at).toISOString(),
    amount: decimalText(refund.amount, session.currency),
    refundRefId: refund.id,
    refundTransId: refund.metadata['refund_reference'] ?? '',
  };
  gateway.charges.add({ kind: 'refund', ...line, id: refund.id });
  if (refund.status !== 'pending') {
    const status = refund.status === 'succeeded' ? 'refunded' : 'failed';
    gateway.charges.add({ kind: 'refund_outcome', ...line, id: `${refund.id}-ended`, status });
  }
}

function chargeIdentity(session: Session) {
  return {
    gateway: 'stripe',
    storeId: session.account,
    tranId: session.reference ?? '',
    valId: session.id,
    bankTranId: session.intent?.id ?? '',
    currency: session.currency.toUpperCase(),
  };
}

/** Returns the session's intent in a new state. The payer's first attempt creates the intent. */
function intentAs({ intent }: Session, status: Intent['status']): Intent {
  return { id: intent?.id ?? newIntentId(), createdAt: intent?.createdAt ?? Date.now(), status };
}

function change(gateway: Gateway, session: Session, changes: Partial<Session>): void {
  gateway.record({ type: 'session_changed', id: session.id, change: changes });
}
