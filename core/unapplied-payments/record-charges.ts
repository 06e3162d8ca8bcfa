import type { Statements } from '../../database/statements.ts';
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
import { readUnappliedPayment } from './read-unapplied.ts';
import { startRefunds } from './start-refunds.ts';
import {
  holdCharge,
  listRecordedCharges,
  listUnconsumed,
  readQueriedAttempt,
  type QueriedAttempt,
} from './store/charges.ts';
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
  const {
    attempt: { paymentStatus, applicationName },
    gateway,
  } = await readAtGateway(deps, input);
  if (isOpen(paymentStatus)) {
    // The payment had ended, and is open again because an older database was restored. Its own workflow queries the gateway, and one charge must not
    // be posted twice.
    return readUnappliedPayment(deps, input);
  }
  for (let charges = 0; charges < CHARGES_A_PASS_MAX; charges += 1) {
    const query = await deps.database.withScope(scope, (statements) =>
      prepareQuery(statements, { input, gateway, paid: isPaid(paymentStatus) }),
    );
    if (query.failedRefunds.length > 0) {
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
    const recorded = await deps.database.withScope(scope, async (statements) => {
      // Lock order: callbacks before the payment, as when a callback is stored.
      await consumeCallbacks(
        statements,
        { attempt: input.attemptReference, upTo: query.newestCallbackId },
        charge === null ? 'IGNORED' : 'LATE',
      );
      return charge === null ? null : recordCharge(deps, statements, { input, charge });
    });
    if (recorded !== null) {
      const { refund, followUps } = recorded;
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
): Promise<{ attempt: QueriedAttempt; gateway: Gateway }> {
  const scope = scopeOf(input);
  return database.withScope(scope, async (statements) => {
    const attempt = await readQueriedAttempt(statements, input);
    const { storeId, gateway: name } = attempt;
    const sealedSecret = await sealedSecretOf(statements, scope, { gateway: name, storeId });
    const gateway = gateways.open(name, attempt.mode, { storeId, sealedSecret });
    if (gateway === undefined) {
      throw new GatewayFailure('unauthorized', 'the store of this payment is not configured');
    }
    return { attempt, gateway };
  });
}

/**
 * Closes an attempt's callbacks and raises an alert if the gateway does not say whether money moved. Nothing was posted, and the gateway will not be
 * queried until a new callback arrives, so an operator has to look at the gateway's dashboard.
 */
export async function parkUnappliedPayment(deps: CoreDependencies, input: UnappliedPaymentInput): Promise<void> {
  const { reference: attempt } = await deps.database.withScope(scopeOf(input), (statements) =>
    readQueriedAttempt(statements, input),
  );
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
async function prepareQuery(statements: Statements, { input, gateway, paid }: Preparing) {
  const attempt = await readQueriedAttempt(statements, input);
  const recorded = await listRecordedCharges(statements, attempt.id);
  if (recorded.some(({ nextSweepAt }) => nextSweepAt !== null)) {
    // Keeps the sweeper from starting this workflow again, however long the gateway does not answer.
    await recordWatched(statements, input);
  }
  const callbacks = await listUnconsumed(statements, attempt.id);
  const claims = callbacks
    .filter(({ signatureValid }) => signatureValid)
    .map(({ rawPayload }) => gateway.parseCallback(rawPayload));
  const known = recorded.map(({ validationId }) => validationId);
  if (paid && attempt.status === 'CONFIRMED' && attempt.validationId !== null) {
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
      sessionKey: attempt.sessionKey,
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
  statements: Statements,
  { input, charge }: UnappliedCharge,
): Promise<RecordedMoney | null> {
  const attempt = await readQueriedAttempt(statements, input);
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
    statements,
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
  const unappliedPaymentId = await holdCharge(statements, {
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
  });
  deps.log.error(
    { payment: input.reference, attempt: attempt.reference, alert: 'unapplied-payment' },
    'unapplied payment held in suspense',
  );
  const refundsAll = attempt.unappliedPaymentPolicy === 'REFUND';
  const refund = refundsAll
    ? await refundUnappliedMoney(statements, {
        scope: { applicationId, mode },
        unappliedPaymentId,
        reference: refundReference(),
        reason: 'Unapplied payment',
        creator: { type: 'SYSTEM' },
        boundsOf: refundBoundsIn(deps.gateways),
      })
    : null;
  const followUps = await recordUnapplied(deps, statements, {
    paymentId: attempt.paymentId,
    unappliedPaymentId,
    type: 'unapplied_payment.received',
  });
  return { refund, followUps };
}

interface RecordedMoney {
  /** Set if the application's policy refunds unapplied money automatically. */
  readonly refund: RefundRecord | null;
  readonly followUps: readonly FollowUp[];
}
