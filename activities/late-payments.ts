import type { EntityManager } from '../database/connection.ts';
import { GatewayCallback, LatePayment, Payment, PaymentAttempt } from '../database/entities/payment.ts';
import { consumeCallbacks } from '../database/gateway-callbacks.ts';
import { postTransaction } from '../database/ledger.ts';
import { isCurrency } from '../domain/currency.ts';
import { latePaymentReceipt } from '../domain/ledger.ts';
import { isPaid } from '../domain/payment.ts';
import { GatewayFailure, type Charge, type Gateway } from '../gateways/port.ts';
import type { LatePaymentInput, LatePaymentResult } from '../workflows/messages/late-payment.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { scopeOf } from './payments/scope.ts';

/** More charges than this under one reference are no accident; the rest is found when the next callback asks again. */
const CHARGES_A_PASS_MAX = 5;

/** Asks the gateway for charges of an attempt that are not booked yet and posts each to suspense, once. Throws when it cannot be asked. */
export async function bookLatePayment(deps: ActivityDependencies, input: LatePaymentInput): Promise<LatePaymentResult> {
  const scope = scopeOf(input);
  const payment = await deps.database.withScope(scope, (em) =>
    em.findOneOrFail(Payment, { id: BigInt(input.paymentId) }),
  );
  const gateway = deps.gateways.get(payment.gateway, payment.mode);
  if (gateway === undefined) {
    throw new GatewayFailure('unauthorized', 'the gateway of this payment is not configured');
  }
  for (let charges = 0; charges < CHARGES_A_PASS_MAX; charges += 1) {
    const asked = await deps.database.withScope(scope, (em) =>
      takeUp(em, { input, gateway, settled: isPaid(payment.status) }),
    );
    const answer = await gateway.askAttempt(asked.handle);
    if (answer.kind === 'in-progress' || answer.kind === 'unknown') {
      throw new GatewayFailure('ambiguous', 'the gateway does not say whether money moved');
    }
    const charge = answer.kind === 'charged' ? answer.charge : null;
    await deps.database.withScope(scope, async (em) => {
      if (charge !== null) {
        await book(deps, em, { input, attempt: asked.attempt, charge });
      }
      await consumeCallbacks(
        em,
        { attemptId: asked.attempt.id, upTo: asked.newestCallbackId },
        charge === null ? 'IGNORED' : 'LATE',
      );
    });
    if (charge === null) {
      break;
    }
  }
  return deps.database.withScope(scope, (em) => heldFor(em, input));
}

/** Nothing was booked, and nothing will be asked until a new callback comes: the alarm is what brings a person to look at the gateway's panel. */
export async function parkLatePayment(deps: ActivityDependencies, input: LatePaymentInput): Promise<void> {
  await deps.database.inOneTrip(scopeOf(input), (statements) =>
    statements.execute(
      `update gateway_callbacks set outcome = case when signature_valid then 'MISMATCH' else 'FORGED' end, consumed_at = now()
       where attempt_id = (select id from payment_attempts where reference = ?) and consumed_at is null`,
      [input.attemptReference],
    ),
  );
  deps.log.error(
    { payment: input.reference, attempt: input.attemptReference, alert: 'late-payment-unclear' },
    'the gateway does not say whether late money moved; an operator has to find out',
  );
}

interface Asking {
  readonly input: LatePaymentInput;
  readonly gateway: Gateway;
  /** Whether the payment was settled by a charge: only then is a confirmed attempt's charge booked already. */
  readonly settled: boolean;
}

async function takeUp(em: EntityManager, { input, gateway, settled }: Asking) {
  const attempt = await em.findOneOrFail(PaymentAttempt, { reference: input.attemptReference });
  const booked = await em.find(LatePayment, { attemptId: attempt.id });
  const callbacks = await em.find(
    GatewayCallback,
    { attemptId: attempt.id, consumedAt: null },
    { orderBy: { id: 'desc' }, limit: 50 },
  );
  const claims = callbacks
    .filter(({ signatureValid }) => signatureValid)
    .map(({ rawPayload }) => gateway.parseCallback(rawPayload));
  const known = booked.map(({ validationId }) => validationId);
  if (settled && attempt.status === 'CONFIRMED' && typeof attempt.validationId === 'string') {
    known.push(attempt.validationId);
  }
  const claimed =
    claims.find(({ claimedValidationId: id }) => id !== null && !known.includes(id))?.claimedValidationId ?? null;
  return {
    attempt,
    newestCallbackId: callbacks.reduce((newest, { id }) => (id > newest ? id : newest), 0n),
    handle: {
      attemptReference: attempt.reference,
      sessionKey: attempt.sessionKey ?? null,
      claimedValidationId: claimed,
      knownValidationIds: known,
    },
  };
}

interface LateCharge {
  readonly input: LatePaymentInput;
  readonly attempt: PaymentAttempt;
  readonly charge: Charge;
}

async function book(
  deps: ActivityDependencies,
  em: EntityManager,
  { input, attempt, charge }: LateCharge,
): Promise<void> {
  const { grossMinor, feeMinor, currency, validationId, gatewayTxnId, evidence } = charge;
  if (
    charge.attemptReference !== attempt.reference ||
    grossMinor === null ||
    grossMinor === 0n ||
    !isCurrency(currency)
  ) {
    throw new GatewayFailure('ambiguous', 'the gateway confirms a charge that cannot be booked as it stands');
  }
  const { applicationId, mode } = scopeOf(input);
  const posted = await postTransaction(
    em,
    latePaymentReceipt({
      applicationId,
      mode,
      currency,
      gateway: attempt.gateway,
      attemptReference: attempt.reference,
      validationId,
      grossMinor,
      feeMinor,
    }),
  );
  if (posted === 'already-posted') {
    return;
  }
  await em.insert(LatePayment, {
    applicationId,
    mode,
    paymentId: attempt.paymentId,
    attemptId: attempt.id,
    gateway: attempt.gateway,
    validationId,
    gatewayTxnId,
    evidence,
    grossMinor,
    feeMinor,
    currency,
    status: 'HELD',
  });
  deps.log.error(
    { payment: input.reference, attempt: attempt.reference, alert: 'late-payment' },
    'late money is held in suspense',
  );
}

async function heldFor(em: EntityManager, input: LatePaymentInput): Promise<LatePaymentResult> {
  const attempt = await em.findOneOrFail(PaymentAttempt, { reference: input.attemptReference });
  const held = await em.find(LatePayment, { attemptId: attempt.id, status: 'HELD' });
  const [first] = held;
  if (first === undefined) {
    return { kind: 'nothing' };
  }
  const sum = held.reduce((total, { grossMinor }) => total + grossMinor, 0n);
  return { kind: 'held', amountMinor: sum.toString(), currency: first.currency };
}
