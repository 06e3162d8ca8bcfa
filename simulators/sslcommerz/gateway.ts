import type { GatewayCore } from '../kit/gateway.ts';
import { newGatewayId, newSessionKey } from './identifiers.ts';
import { feeBpsAmex, feeBpsOrdinary, formatAmount, formatStoreAmount, parseAmount, storeAmountOf } from './money.ts';
import type { PayOutcome, Script } from './scripts.ts';
import type { SessionParameters, SessionTerms } from './session-request.ts';
import { tranKey } from './state.ts';
import type { Entry, Outcome, Refund, Session, State } from './state.ts';
import type { Store } from './stores.ts';

/** The running gateway: its state, its logs and its notifications. */
export type Gateway = GatewayCore<State, Entry> & {
  stores: readonly Store[];
  /** Sends the IPN of an outcome. */
  notify(session: Session): void;
};

/** Returns the last session created under a merchant's transaction id. */
export function latestSession(
  gateway: Gateway,
  { storeId, tranId }: { storeId: string; tranId: string },
): Session | undefined {
  const key = gateway.state.byTranId.get(tranKey({ storeId, tranId }))?.at(-1);
  return key === undefined ? undefined : gateway.state.sessions.get(key);
}

/** Returns all sessions under a merchant's transaction id, oldest first. */
export function sessionsOf(gateway: Gateway, { storeId, tranId }: { storeId: string; tranId: string }): Session[] {
  const keys = gateway.state.byTranId.get(tranKey({ storeId, tranId })) ?? [];
  return keys.flatMap((key) => gateway.state.sessions.get(key) ?? []);
}

export function isCharged(gateway: Gateway, of: { storeId: string; tranId: string }): boolean {
  return sessionsOf(gateway, of).some((session) => session.outcome?.status === 'VALID');
}

/** Creates a session. The caller has already checked the terms. */
export function createSession(
  gateway: Gateway,
  {
    storeId,
    parameters,
    terms,
    script,
  }: { storeId: string; parameters: SessionParameters; terms: SessionTerms; script: Script },
): Session {
  const now = Date.now();
  const text = (name: string): string => parameters[name] ?? '';
  const session: Session = {
    key: newSessionKey(),
    storeId,
    tranId: text('tran_id'),
    amount: formatAmount(terms.amount),
    currency: terms.currency,
    currencyAmount: formatAmount(terms.currencyAmount),
    rate: terms.rate,
    values: { a: text('value_a'), b: text('value_b'), c: text('value_c'), d: text('value_d') },
    urls: { success: text('success_url'), fail: text('fail_url'), cancel: text('cancel_url'), ipn: text('ipn_url') },
    multiCardName: text('multi_card_name'),
    productName: text('product_name'),
    script,
    createdAt: now,
    expiresAt: now + (script.sessionTtlMs ?? gateway.state.settings.sessionTtlMs),
  };
  gateway.record({ type: 'session', session });
  return gateway.state.sessions.get(session.key) ?? session;
}

/** Ends a session. Does nothing if it has already ended, so that a page submitted twice charges once. */
export function finishSession(
  gateway: Gateway,
  { session, status, instrument, error }: { session: Session; status: PayOutcome; instrument: string; error: string },
): void {
  if (session.outcome) {
    return;
  }
  const outcome = makeOutcome({ session, status, instrument, error });
  gateway.record({ type: 'outcome', key: session.key, outcome });
  recordCharge(gateway, session.key);
  gateway.notify(session);
}

/** Ends an expired session, as UNATTEMPTED if the payer only looked at the page. */
export function expireIfDue(gateway: Gateway, session: Session): void {
  if (!session.outcome && Date.now() >= session.expiresAt) {
    const looked = session.openedAt !== undefined && session.channelAt === undefined;
    finishSession(gateway, {
      session,
      status: looked ? 'UNATTEMPTED' : 'EXPIRED',
      instrument: '',
      error: looked ? errorTexts.UNATTEMPTED : errorTexts.EXPIRED,
    });
  }
}

/** The texts of the field `error`. The first, third and fifth are from captures. */
export const errorTexts: Readonly<Record<PayOutcome, string>> = {
  VALID: '',
  FAILED: 'Declined by the issuer',
  CANCELLED: 'Cancelled by User',
  EXPIRED: 'The payment window timed out',
  UNATTEMPTED: 'Customer did not choose to pay any channel',
};

/** Returns whether the session expired without anyone opening the page. Notices and queries then show no attempt. */
export function isNotStarted(session: Session): boolean {
  return session.openedAt === undefined && session.outcome?.status === 'EXPIRED';
}

/** Writes the charge log's line for a charge. The log ignores known ids, so a repetition after a crash is safe. */
export function recordCharge(gateway: Pick<Gateway, 'state' | 'charges'>, key: string): void {
  const session = gateway.state.sessions.get(key);
  const outcome = session?.outcome;
  if (session && outcome?.status === 'VALID') {
    gateway.charges.add({
      kind: 'charge',
      ...chargeIdentity({ session, outcome }),
      id: outcome.valId,
      at: new Date(outcome.at).toISOString(),
      amount: outcome.amount,
      storeAmount: outcome.storeAmount,
      requestedAmount: session.currencyAmount,
      requestedCurrency: session.currency,
    });
  }
}

export function recordRefund(gateway: Pick<Gateway, 'state' | 'charges'>, refund: Refund): void {
  const session = gateway.state.sessions.get(refund.sessionKey);
  const outcome = session?.outcome;
  if (!session || !outcome) {
    return;
  }
  const line = {
    ...chargeIdentity({ session, outcome }),
    amount: refund.amount,
    refundRefId: refund.refId,
    refundTransId: refund.transId,
  };
  gateway.charges.add({ kind: 'refund', ...line, id: refund.refId, at: new Date(refund.acceptedAt).toISOString() });
  if (refund.endedAt !== undefined) {
    const at = new Date(refund.endedAt).toISOString();
    gateway.charges.add({ kind: 'refund_outcome', ...line, id: `${refund.refId}-ended`, at, status: refund.ends });
  }
}

function chargeIdentity({ session, outcome }: { session: Session; outcome: Outcome }) {
  return {
    gateway: 'sslcommerz',
    storeId: session.storeId,
    tranId: session.tranId,
    valId: outcome.valId,
    bankTranId: outcome.bankTranId,
    currency: 'BDT',
  };
}

function makeOutcome(given: { session: Session; status: PayOutcome; instrument: string; error: string }): Outcome {
  const { session, status } = given;
  const now = Date.now();
  const charged = status === 'VALID';
  const reachedBank = charged || status === 'FAILED';
  const amounts = charged ? chargedAmounts({ session, instrument: given.instrument }) : requestedAmounts(session);
  return {
    status,
    at: now,
    error: given.error,
    instrument: given.instrument,
    valId: charged ? newGatewayId(now) : '',
    bankTranId: reachedBank ? newGatewayId(now) : '',
    ...amounts,
  };
}

function requestedAmounts(session: Session) {
  return { amount: session.amount, currencyAmount: session.currencyAmount, storeAmount: '' };
}

function chargedAmounts({ session, instrument }: { session: Session; instrument: string }) {
  const less = parseAmount(session.script.chargeLess ?? '0') ?? 0n;
  const amount = atLeastZero((parseAmount(session.amount) ?? 0n) - less);
  const feeBps = instrument === 'amex' ? feeBpsAmex : feeBpsOrdinary;
  return {
    amount: formatAmount(amount),
    // In a foreign currency the merchant's amount is reduced by the same number, without conversion. Any wrong amount serves the purpose.
    currencyAmount: formatAmount(atLeastZero((parseAmount(session.currencyAmount) ?? 0n) - less)),
    storeAmount: formatStoreAmount(storeAmountOf({ amount, feeBps })),
  };
}

function atLeastZero(amount: bigint): bigint {
  return amount < 0n ? 0n : amount;
}
