import type { EntityManager, Scope } from '../../database/connection.ts';
import {
  auditSignalWithoutDecision,
  consumeDecision,
  takeUnappliedDecisions,
  type DecisionRecord,
} from '../decisions/store/decisions.ts';
import { Application } from '../../database/entities/application.ts';
import { GatewayCallback, UnappliedPayment, Payment, PaymentAttempt } from '../../database/entities/payment.ts';
import { consumeAllCallbacks, consumeCallbacks } from '../gateway-callbacks/store/closing.ts';
import { sealedSecretOf } from '../gateways/store/stores.ts';
import { lockInvoicePaidBy } from '../invoices/store/invoices.ts';
import { postTransaction } from '../ledger/store.ts';
import { lockPayment } from '../payments/store/locks.ts';
import { MissingRow } from '../../database/missing-row.ts';
import { refundUnappliedMoney, type RefundRecord } from '../refunds/store/refunds.ts';
import type { Statements } from '../../database/statements.ts';
import { isCurrency } from '../../domain/currency.ts';
import { unappliedPaymentKept, unappliedPaymentReceipt } from '../../domain/ledger.ts';
import { isOpen, isPaid } from '../../domain/payment.ts';
import { refundReference } from '../../domain/references.ts';
import { GatewayFailure, type Charge, type Gateway } from '../../gateways/port.ts';
import { refundBoundsIn } from '../../gateways/refund-bounds.ts';
import { describeError } from '../../runtime/logger.ts';
import { refundHandleOf } from '../dispatch.ts';
import type {
  UnappliedDecisionInput,
  UnappliedPaymentInput,
  UnappliedPaymentResult,
} from '../../workflows/messages/unapplied-payment.ts';
import { findAttemptOfPayment, keepHeld, moneyOfAttempt, noteTakenUp } from './store/unapplied-payments.ts';
import type { UnappliedStatus } from '../../domain/unapplied-payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { followUp, type FollowUp } from '../follow-up.ts';
import { applyKept } from '../invoices/apply-payment.ts';
import { scopeOf } from '../scope.ts';
import { recheckRefunds } from '../refunds/recheck-refunds.ts';
import { recordUnapplied } from './unapplied-event.ts';

/** More charges than this under one reference are unlikely. The rest is found by the next callback's query. */
const CHARGES_A_PASS_MAX = 5;

/**
 * Queries the gateway for charges of an attempt that are not recorded yet and posts each to suspense, once. Throws if the gateway cannot be queried.
 */
export async function recordUnappliedPayment(
  deps: CoreDependencies,
  input: UnappliedPaymentInput,
): Promise<UnappliedPaymentResult> {
  const scope = scopeOf(input);
  const { payment, gateway } = await readAtGateway(deps, input);
  if (isOpen(payment.status)) {
    // The payment had ended, and is open again because an older database was restored. Its own workflow queries the gateway, and one charge must not
    // be posted twice.
    return readUnappliedPayment(deps, input);
  }
  for (let charges = 0; charges < CHARGES_A_PASS_MAX; charges += 1) {
    const asked = await deps.database.withScope(scope, (em) =>
      takeUp(em, { input, gateway, settled: isPaid(payment.status) }),
    );
    if (asked.failedRefunds.length > 0) {
      const { name: applicationName } = await deps.database.withScope(scope, (em) =>
        em.findOneOrFail(Application, { id: scope.applicationId }),
      );
      const gatewayRefundIds = asked.failedRefunds;
      const { reference: paymentReference } = input;
      await recheckRefunds(deps, { scope, gateway, paymentReference, gatewayRefundIds, applicationName });
    }
    const answer = await gateway.queryAttempt(asked.handle);
    if (answer.kind === 'in-progress' || answer.kind === 'unknown') {
      throw new GatewayFailure('ambiguous', 'the gateway does not report whether money moved');
    }
    // For `with-operator`, the operator's decision wakes this workflow again.
    const charge = answer.kind === 'charged' ? answer.charge : null;
    const booked = await deps.database.withScope(scope, async (em) => {
      // Lock order: callbacks before the payment, as when a callback is stored.
      await consumeCallbacks(
        em,
        { attempt: input.attemptReference, upTo: asked.newestCallbackId },
        charge === null ? 'IGNORED' : 'LATE',
      );
      return charge === null ? null : book(deps, em, { input, charge });
    });
    if (booked !== null) {
      const { refund, applicationName, followUps } = booked;
      await startRefunds(deps, refund === null ? [] : [refund], applicationName);
      await followUp(deps, input, followUps);
    }
    if (charge === null) {
      break;
    }
  }
  return readUnappliedPayment(deps, input);
}

/** Returns the state of an attempt's money from its rows, and records that its workflow is running. */
export async function readUnappliedPayment(
  { database }: CoreDependencies,
  input: UnappliedPaymentInput,
): Promise<UnappliedPaymentResult> {
  const [money] = await database.inOneTrip(scopeOf(input), (statements) =>
    Promise.all([moneyOfAttempt(statements, input), noteTakenUp(statements, input)]),
  );
  return money === null
    ? { kind: 'nothing' }
    : { kind: KIND_OF[money.status], amountMinor: money.amountMinor.toString(), currency: money.currency };
}

const KIND_OF = { HELD: 'held', REFUNDING: 'refunding', REFUNDED: 'refunded', KEPT: 'kept' } as const satisfies Record<
  UnappliedStatus,
  UnappliedPaymentResult['kind']
>;

async function readAtGateway(
  { database, gateways }: CoreDependencies,
  input: UnappliedPaymentInput,
): Promise<{ payment: Payment; gateway: Gateway }> {
  const scope = scopeOf(input);
  return database.withScope(scope, async (em) => {
    const { storeId, gateway: name, paymentId } = await findAttempt(em, input);
    const payment = await em.findOneOrFail(Payment, { id: paymentId });
    const sealedSecret = await sealedSecretOf(em, scope, { gateway: name, storeId });
    const gateway = gateways.open(name, payment.mode, { storeId, sealedSecret });
    if (gateway === undefined) {
      throw new GatewayFailure('unauthorized', 'the store of this payment is not configured');
    }
    return { payment, gateway };
  });
}

/**
 * Reads the attempt by its reference. Every transaction reads it again, because an older database may have been restored while the gateway was
 * queried.
 *
 * @throws MissingRow if the scope has no such attempt of that payment
 */
async function findAttempt(
  em: EntityManager,
  { reference, attemptReference }: UnappliedPaymentInput,
): Promise<PaymentAttempt> {
  const payment = await em.findOne(Payment, { reference });
  if (payment === null) {
    throw new MissingRow('payment', reference);
  }
  const attempt = await em.findOne(PaymentAttempt, { reference: attemptReference, paymentId: payment.id });
  if (attempt === null) {
    throw new MissingRow('attempt', attemptReference);
  }
  return attempt;
}

/** Carries out the operators' decisions on an attempt's unapplied money: refund it, or let the application keep it. The rows are authoritative. */
export async function decideUnappliedPayment(
  deps: CoreDependencies,
  input: UnappliedDecisionInput,
): Promise<UnappliedPaymentResult> {
  const scope = scopeOf(input);
  const { refunds, applicationName, followUps } = await deps.database.inTransaction(scope, async (statements) => {
    const invoice = await lockInvoicePaidBy(statements, scope, input.reference);
    const attempt = await findAttemptOfPayment(statements, input);
    if (attempt === null) {
      throw new MissingRow('attempt', input.attemptReference);
    }
    const { paymentId } = attempt;
    await lockPayment(statements, paymentId);
    const decisions = await takeUnappliedDecisions(statements, attempt.id);
    if (decisions.length === 0) {
      const target = { targetType: 'payment', targetId: paymentId, paymentId, claimed: input.decisionIds } as const;
      await auditSignalWithoutDecision(statements, { scope, ...target });
    }
    const started: RefundRecord[] = [];
    const following: FollowUp[] = [];
    for (const decision of decisions) {
      const refund =
        decision.decision === 'refund' ? await refundUnapplied(deps, statements, { scope, decision }) : null;
      if (refund !== null) {
        started.push(refund);
      }
      const kept = decision.decision === 'keep' && (await keep(statements, decision));
      if (kept && invoice !== null) {
        following.push(
          ...(await applyKept(deps, statements, { invoice, unappliedPaymentId: decision.unappliedPaymentId })),
        );
      }
      if (kept && decision.unappliedPaymentId !== null) {
        const { unappliedPaymentId } = decision;
        const event = { paymentId, unappliedPaymentId, type: 'unapplied_payment.kept' } as const;
        following.push(...(await recordUnapplied(deps, statements, event)));
      }
      await consumeDecision(statements, decision.id, refund !== null ? 'REFUNDING' : kept ? 'KEPT' : 'NOT_POSSIBLE');
    }
    return { refunds: started, applicationName: attempt.applicationName, followUps: following };
  });
  await startRefunds(deps, refunds, applicationName);
  await followUp(deps, input, followUps);
  return readUnappliedPayment(deps, input);
}

function refundUnapplied(
  deps: CoreDependencies,
  statements: Statements,
  { scope, decision }: { readonly scope: Scope; readonly decision: DecisionRecord },
): Promise<RefundRecord | null> {
  if (decision.unappliedPaymentId === null) {
    throw new Error('a decision about an unapplied payment does not refer to one');
  }
  return refundUnappliedMoney(statements, {
    scope,
    unappliedPaymentId: decision.unappliedPaymentId,
    reference: refundReference(),
    reason: decision.reason,
    creator: { type: 'USER', operatorId: decision.operatorId },
    boundsOf: refundBoundsIn(deps.gateways),
  });
}

/** Moves the money from suspense to `app:payable`. Returns false if it is no longer held. */
async function keep(statements: Statements, { unappliedPaymentId }: DecisionRecord): Promise<boolean> {
  const kept = unappliedPaymentId === null ? null : await keepHeld(statements, unappliedPaymentId);
  if (kept === null) {
    return false;
  }
  await postTransaction(statements, unappliedPaymentKept(kept));
  return true;
}

async function startRefunds(
  deps: CoreDependencies,
  refunds: readonly RefundRecord[],
  applicationName: string,
): Promise<void> {
  for (const refund of refunds) {
    await deps.dispatch.startRefund(refundHandleOf(refund, applicationName)).catch((error: unknown) => {
      deps.log.warn(
        { refund: refund.reference, error: describeError(error) },
        'refund not started; the sweeper retries',
      );
    });
  }
}

/**
 * Closes an attempt's callbacks and raises an alert if the gateway does not say whether money moved. Nothing was posted, and the gateway will not be
 * queried until a new callback arrives, so an operator has to look at the gateway's dashboard.
 */
export async function parkUnappliedPayment(deps: CoreDependencies, input: UnappliedPaymentInput): Promise<void> {
  const { reference: attempt } = await deps.database.withScope(scopeOf(input), (em) => findAttempt(em, input));
  await consumeAllCallbacks(deps.database, scopeOf(input), { attempt, outcome: 'MISMATCH' });
  deps.log.error(
    { payment: input.reference, attempt: input.attemptReference, alert: 'unapplied-payment-unclear' },
    'the gateway does not report whether money moved; an operator must find out',
  );
}

interface Asking {
  readonly input: UnappliedPaymentInput;
  readonly gateway: Gateway;
  /** Whether a charge finalized the payment. Only then is a confirmed attempt's charge already posted. */
  readonly settled: boolean;
}

async function takeUp(em: EntityManager, { input, gateway, settled }: Asking) {
  const attempt = await findAttempt(em, input);
  const booked = await em.find(UnappliedPayment, { attemptId: attempt.id });
  if (booked.some(({ nextSweepAt }) => nextSweepAt instanceof Date)) {
    // Keeps the sweeper from starting this workflow again, however long the gateway does not answer.
    await noteTakenUp(em, input);
  }
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
  // A hint may be forged. It only costs a query and decides nothing.
  const failedRefunds = callbacks.flatMap(({ rawPayload }) => gateway.parseCallback(rawPayload).claimedRefundId ?? []);
  return {
    failedRefunds: [...new Set(failedRefunds)],
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
  readonly input: UnappliedPaymentInput;
  readonly charge: Charge;
}

async function book(
  deps: CoreDependencies,
  em: EntityManager,
  { input, charge }: LateCharge,
): Promise<RecordedMoney | null> {
  const attempt = await findAttempt(em, input);
  const { grossMinor, feeMinor, currency, validationId, gatewayTxnId, evidence } = charge;
  if (
    charge.attemptReference !== attempt.reference ||
    (charge.storeId !== null && charge.storeId !== attempt.storeId) ||
    grossMinor === null ||
    grossMinor === 0n ||
    !isCurrency(currency)
  ) {
    throw new GatewayFailure('ambiguous', 'the gateway confirms a charge that cannot be posted');
  }
  const { applicationId, mode } = scopeOf(input);
  const posted = await postTransaction(
    em,
    unappliedPaymentReceipt({
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
    return null;
  }
  const unappliedPaymentId = await em.insert(UnappliedPayment, {
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
    { payment: input.reference, attempt: attempt.reference, alert: 'unapplied-payment' },
    'unapplied payment held in suspense',
  );
  const application = await em.findOneOrFail(Application, { id: applicationId });
  const givesBack = application.unappliedPaymentPolicy === 'REFUND';
  const refund = givesBack
    ? await refundUnappliedMoney(em, {
        scope: { applicationId, mode },
        unappliedPaymentId,
        reference: refundReference(),
        reason: 'Unapplied payment',
        creator: { type: 'SYSTEM' },
        boundsOf: refundBoundsIn(deps.gateways),
      })
    : null;
  const followUps = await recordUnapplied(deps, em, {
    paymentId: attempt.paymentId,
    unappliedPaymentId,
    type: 'unapplied_payment.received',
  });
  return { refund, applicationName: application.name, followUps };
}

interface RecordedMoney {
  /** Set if the application's policy refunds unapplied money automatically. */
  readonly refund: RefundRecord | null;
  readonly applicationName: string;
  readonly followUps: readonly FollowUp[];
}
