import type { EntityManager } from '../../database/connection.ts';
import { Application } from '../../database/entities/application.ts';
import { GatewayCallback, Payment, UnappliedPayment } from '../../database/entities/payment.ts';
import { isCurrency } from '../../domain/currency.ts';
import { unappliedPaymentReceipt } from '../../domain/ledger.ts';
import { isOpen, isPaid } from '../../domain/payment.ts';
import { refundReference } from '../../domain/references.ts';
import { GatewayFailure, type Charge, type Gateway } from '../../gateways/port.ts';
import { refundBoundsIn } from '../../gateways/refund-bounds.ts';
import type { UnappliedPaymentInput, UnappliedPaymentResult } from '../../workflows/messages/unapplied-payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { followUp, type FollowUp } from '../follow-up.ts';
import { consumeAllCallbacks, consumeCallbacks } from '../gateway-callbacks/store/closing.ts';
import { sealedSecretOf } from '../gateways/store/stores.ts';
import { postTransaction } from '../ledger/store.ts';
import { recheckRefunds } from '../refunds/recheck-refunds.ts';
import { refundUnappliedMoney } from '../refunds/store/new-refunds.ts';
import type { RefundRecord } from '../refunds/store/refunds.ts';
import { scopeOf } from '../scope.ts';
import { findAttempt, readUnappliedPayment } from './read-unapplied.ts';
import { startRefunds } from './start-refunds.ts';
import { recordWatched } from './store/unapplied-payments.ts';
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
    const query = await deps.database.withScope(scope, (em) =>
      prepareQuery(em, { input, gateway, paid: isPaid(payment.status) }),
    );
    if (query.failedRefunds.length > 0) {
      const { name: applicationName } = await deps.database.withScope(scope, (em) =>
        em.findOneOrFail(Application, { id: scope.applicationId }),
      );
      const gatewayRefundIds = query.failedRefunds;
      const { reference: paymentReference } = input;
      await recheckRefunds(deps, { scope, gateway, paymentReference, gatewayRefundIds, applicationName });
    }
    const answer = await gateway.queryAttempt(query.handle);
    if (answer.kind === 'in-progress' || answer.kind === 'unknown') {
      throw new GatewayFailure('ambiguous', 'the gateway does not report whether money moved');
    }
    // For `with-operator`, the operator's decision wakes this workflow again.
    const charge = answer.kind === 'charged' ? answer.charge : null;
    const recorded = await deps.database.withScope(scope, async (em) => {
      // Lock order: callbacks before the payment, as when a callback is stored.
      await consumeCallbacks(
        em,
        { attempt: input.attemptReference, upTo: query.newestCallbackId },
        charge === null ? 'IGNORED' : 'LATE',
      );
      return charge === null ? null : recordCharge(deps, em, { input, charge });
    });
    if (recorded !== null) {
      const { refund, applicationName, followUps } = recorded;
      await startRefunds(deps, refund === null ? [] : [refund], applicationName);
      await followUp(deps, input, followUps);
    }
    if (charge === null) {
      break;
    }
  }
  return readUnappliedPayment(deps, input);
}

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

interface Preparing {
  readonly input: UnappliedPaymentInput;
  readonly gateway: Gateway;
  /** Whether a charge finalized the payment. Only then is a confirmed attempt's charge already posted. */
  readonly paid: boolean;
}

/** Reads what a query about an attempt needs: what is posted already, and what its callbacks claim. */
async function prepareQuery(em: EntityManager, { input, gateway, paid }: Preparing) {
  const attempt = await findAttempt(em, input);
  const posted = await em.find(UnappliedPayment, { attemptId: attempt.id });
  if (posted.some(({ nextSweepAt }) => nextSweepAt instanceof Date)) {
    // Keeps the sweeper from starting this workflow again, however long the gateway does not answer.
    await recordWatched(em, input);
  }
  const callbacks = await em.find(
    GatewayCallback,
    { attemptId: attempt.id, consumedAt: null },
    { orderBy: { id: 'desc' }, limit: 50 },
  );
  const claims = callbacks
    .filter(({ signatureValid }) => signatureValid)
    .map(({ rawPayload }) => gateway.parseCallback(rawPayload));
  const known = posted.map(({ validationId }) => validationId);
  if (paid && attempt.status === 'CONFIRMED' && typeof attempt.validationId === 'string') {
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

interface UnappliedCharge {
  readonly input: UnappliedPaymentInput;
  readonly charge: Charge;
}

/** Posts a charge to suspense. Returns null if it is posted already. */
async function recordCharge(
  deps: CoreDependencies,
  em: EntityManager,
  { input, charge }: UnappliedCharge,
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
  const outcome = await postTransaction(
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
  if (outcome === 'already-posted') {
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
  const refundsAll = application.unappliedPaymentPolicy === 'REFUND';
  const refund = refundsAll
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
