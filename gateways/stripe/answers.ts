import { z } from 'zod';
import { toDecimalText } from '../../domain/money.ts';
import { GatewayFailure, type AttemptAnswer, type Charge } from '../port.ts';
import { fromStripeAmount } from './units.ts';

const BalanceTransaction = z.looseObject({ currency: z.string(), fee: z.number(), net: z.number() });

const LatestCharge = z.looseObject({
  id: z.string().min(1),
  status: z.string(),
  amount: z.number(),
  currency: z.string(),
  captured: z.boolean().nullish(),
  balance_transaction: z.union([BalanceTransaction, z.string()]).nullish(),
  outcome: z.looseObject({ risk_level: z.string().nullish() }).nullish(),
});

const PaymentIntent = z.looseObject({
  id: z.string().min(1),
  status: z.string(),
  last_payment_error: z.looseObject({}).nullish(),
  latest_charge: z.union([LatestCharge, z.string()]).nullish(),
});

/** A checkout session with its intent, charge and balance transaction expanded. */
export const SessionAnswer = z.looseObject({
  id: z.string().min(1),
  client_reference_id: z.string().nullish(),
  status: z.string().nullish(),
  payment_status: z.string(),
  amount_total: z.number().nullish(),
  currency: z.string().nullish(),
  url: z.string().nullish(),
  payment_intent: z.union([PaymentIntent, z.string()]).nullish(),
});
export type SessionAnswer = z.infer<typeof SessionAnswer>;

export const RefundAnswer = z.looseObject({
  id: z.string().min(1),
  status: z.string().nullish(),
  amount: z.number(),
  currency: z.string(),
  payment_intent: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});
export type RefundAnswer = z.infer<typeof RefundAnswer>;

export function isPaid({ status, payment_status: paymentStatus }: SessionAnswer): boolean {
  return status === 'complete' && paymentStatus === 'paid';
}

/** Returns the state of a session. The payer may be trying to pay in an open one; only closing it rules that out. */
export function stateOf(session: SessionAnswer, evidence: string): AttemptAnswer {
  switch (session.status) {
    case 'open':
      return { kind: 'not-started' };
    case 'expired':
      return { kind: 'expired' };
    case 'complete':
      return isPaid(session) ? { kind: 'charged', charge: chargeFrom(session, evidence) } : standingOfUnpaid(session);
    default:
      return { kind: 'unknown', note: 'UNKNOWN_STATUS' };
  }
}

/** A complete session without money: its payment method pays later, or has failed. */
function standingOfUnpaid({ payment_status: paymentStatus, payment_intent: intent }: SessionAnswer): AttemptAnswer {
  if (paymentStatus !== 'unpaid') {
    return { kind: 'unknown', note: 'UNKNOWN_PAYMENT_STATUS' };
  }
  const { status = '', last_payment_error: error = null } = typeof intent === 'object' && intent !== null ? intent : {};
  const failed = (status === 'requires_payment_method' && error !== null) || status === 'canceled';
  return { kind: failed ? 'failed' : 'in-progress' };
}

/** Source: Stripe's risk levels of a charge; `highest` is blocked by default, `elevated` is for a manual review. */
const RISKY: ReadonlySet<string> = new Set(['elevated', 'highest']);

/**
 * Builds a charge from a session's answer. No answer names the account: the query's credentials identify it. The fee is known if the account settles
 * in the payer's currency. Otherwise, or if Stripe has not posted it yet or states more than was charged, it is known only with the settlement.
 * @throws GatewayFailure `ambiguous` if a paid session shows no successful charge
 */
export function chargeFrom(session: SessionAnswer, evidence: string): Charge {
  const intent = session.payment_intent;
  const charge = typeof intent === 'object' && intent !== null ? intent.latest_charge : null;
  if (typeof intent !== 'object' || intent === null || typeof charge !== 'object' || charge === null) {
    throw new GatewayFailure('ambiguous', 'the gateway reports a session as paid but shows no charge');
  }
  if (intent.status !== 'succeeded' || charge.status !== 'succeeded' || charge.captured === false) {
    throw new GatewayFailure('ambiguous', 'the gateway reports a session as paid but its charge has not succeeded');
  }
  const currency = charge.currency.toUpperCase();
  const orderCurrency = (session.currency ?? '').toUpperCase();
  const booked = charge.balance_transaction;
  const plain = typeof booked === 'object' && booked !== null && booked.currency === charge.currency ? booked : null;
  // The ledger rejects a fee above its charge. Money that has moved must not wait for that.
  const known = plain !== null && plain.fee <= charge.amount ? plain : null;
  return {
    validationId: session.id,
    gatewayTxnId: intent.id,
    attemptReference: session.client_reference_id ?? '',
    storeId: null,
    orderAmountMinor: fromStripeAmount(session.amount_total ?? -1, orderCurrency),
    orderCurrency,
    grossMinor: fromStripeAmount(charge.amount, currency),
    currency,
    feeMinor: (known === null ? null : fromStripeAmount(known.fee, currency)) ?? 0n,
    netText: known === null ? '' : netText(known.net, currency),
    riskFlagged: RISKY.has(charge.outcome?.risk_level ?? ''),
    evidence,
  };
}

function netText(net: number, currency: string): string {
  const amountMinor = fromStripeAmount(net, currency);
  return amountMinor === null ? '' : toDecimalText({ amountMinor, currency });
}
