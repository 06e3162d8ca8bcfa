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

/** A checkout session, with its intent, its charge and what was booked for that in place. */
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

/**
 * Reads an answer.
 * @throws GatewayFailure `ambiguous` where it is none that we know
 */
export function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new GatewayFailure('ambiguous', 'the gateway answered something that is not its protocol');
  }
  return parsed.data;
}

export function isPaid({ status, payment_status: paymentStatus }: SessionAnswer): boolean {
  return status === 'complete' && paymentStatus === 'paid';
}

/** How a session stands. One that is open may be in the middle of a try; only closing it makes sure that none goes through. */
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

/** Complete without money: a method by which it comes later, or not at all. */
function standingOfUnpaid({ payment_status: paymentStatus, payment_intent: intent }: SessionAnswer): AttemptAnswer {
  if (paymentStatus !== 'unpaid') {
    return { kind: 'unknown', note: 'UNKNOWN_PAYMENT_STATUS' };
  }
  const { status = '', last_payment_error: error = null } = typeof intent === 'object' && intent !== null ? intent : {};
  const failed = (status === 'requires_payment_method' && error !== null) || status === 'canceled';
  return { kind: failed ? 'failed' : 'in-progress' };
}

/** Source: Stripe's words for the risk of a charge; `highest` is blocked by default, `elevated` is for a person to look at. */
const RISKY: ReadonlySet<string> = new Set(['elevated', 'highest']);

/**
 * A charge from a session's answer. The credentials of the question bind the account, which no answer names. The fee is known where the
 * account settles in the payer's currency; elsewhere, where it is not booked yet, or where it is said to be more than was charged, only the
 * settlement tells it.
 * @throws GatewayFailure `ambiguous` when a paid session shows no charge that succeeded
 */
export function chargeFrom(session: SessionAnswer, evidence: string): Charge {
  const intent = session.payment_intent;
  const charge = typeof intent === 'object' && intent !== null ? intent.latest_charge : null;
  if (typeof intent !== 'object' || intent === null || typeof charge !== 'object' || charge === null) {
    throw new GatewayFailure('ambiguous', 'the gateway calls a session paid and shows no charge');
  }
  if (intent.status !== 'succeeded' || charge.status !== 'succeeded' || charge.captured === false) {
    throw new GatewayFailure('ambiguous', 'the gateway calls a session paid whose charge has not succeeded');
  }
  const currency = charge.currency.toUpperCase();
  const orderCurrency = (session.currency ?? '').toUpperCase();
  const booked = charge.balance_transaction;
  const plain = typeof booked === 'object' && booked !== null && booked.currency === charge.currency ? booked : null;
  // The ledger takes no fee beyond its charge; money that has moved must not wait for that.
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
