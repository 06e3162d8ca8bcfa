import type { AttemptRecord } from './store/attempt-record.ts';
import {
  insertFirstAttempt,
  readCheckoutStart,
  type CheckoutStart,
  type StartingPayment,
} from './store/checkout-start.ts';
import {
  recordChoosing,
  recordNoSession,
  recordSession,
  recordUnavailableChoice,
  recordUnknownSession,
} from './store/sessions.ts';
import type { PaymentRecord } from './store/payments.ts';
import { isOpen } from '../../domain/payment.ts';
import { attemptReference } from '../../domain/references.ts';
import { CUSTOMER_DEFAULTS } from '../../gateways/customer-defaults.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import { GatewayFailure, type Gateway, type SessionOrder, type SessionOutcome } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import type { Expiry, OpenCheckoutResult, PaymentWorkflowInput } from '../../workflows/messages/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { scopeOf } from '../scope.ts';
import { endOf } from './end-of.ts';
import { handleOf } from './verify-attempt.ts';

/**
 * Opens the gateway's hosted page for a payment. The attempt's row is written before the gateway is called, and a retry finds it again. The gateway
 * therefore sees a single reference however often this runs.
 */
export async function openCheckout(deps: CoreDependencies, input: PaymentWorkflowInput): Promise<OpenCheckoutResult> {
  const scope = scopeOf(input);
  const prepared = await prepare(deps, input);
  if ('kind' in prepared) {
    return prepared;
  }
  const { payment, attempt, gateway } = prepared;
  const ids = { payment: payment.reference, attempt: attempt.reference };
  const outcome = await openSession(gateway, orderOf(prepared, deps.apiUrl));
  if (outcome === null) {
    await deps.database.withScope(
      scope,
      (statements) => recordNoSession(statements, { ...ids, status: 'UNKNOWN', failureCode: null }),
      { oneTrip: true },
    );
    return unlessOpened(deps, input, { kind: 'unavailable', ...expiryOf(payment) });
  }
  if (outcome.kind === 'refused') {
    deps.log.warn(
      { payment: payment.reference, gateway: attempt.gateway, reason: outcome.gatewayText.slice(0, 200) },
      'session refused',
    );
    return unlessOpened(deps, input, await refusedUnlessPaid(deps, prepared, outcome.code));
  }
  const { sessionKey, gatewayUrl, payWithinMinutes = 0 } = outcome;
  const opened = await deps.database.withScope(
    scope,
    (statements) => recordSession(statements, { ...ids, sessionKey, gatewayUrl, payWithinMinutes }),
    { oneTrip: true },
  );
  const expiresAt = opened ?? payment.expiresAt;
  return openedAt(deps, { payment: { ...payment, expiresAt }, attempt }, leavesOpenPage(deps, prepared));
}

/**
 * Prefers a session that another worker has opened in the meantime over this one's failure. A gateway may refuse a second session for one order, and
 * a payment must not fail while its payer is on the page of the first.
 */
async function unlessOpened(
  deps: CoreDependencies,
  input: PaymentWorkflowInput,
  result: OpenCheckoutResult,
): Promise<OpenCheckoutResult> {
  const now = await prepare(deps, input);
  return 'kind' in now ? now : result;
}

/**
 * Reports whether the payer has left a page open at a gateway that can close it. The workflow queries that gateway and closes the page only once the
 * payer has been sent on, so that they neither wait for it nor see its failure.
 */
function leavesOpenPage(
  deps: CoreDependencies,
  { payment, leftOpen }: Pick<CheckoutStart, 'payment' | 'leftOpen'>,
): boolean {
  return leftOpen.some((left) => {
    const gateway = openOrAlert(deps, { gateway: left.gateway, mode: payment.mode, store: left });
    return gateway?.closeSession !== undefined;
  });
}

/**
 * If the payer can choose the gateway, the workflow gets the chosen one. The history contains the attempt's reference, by which the gateway's
 * dashboard can find the payment even if our row is lost.
 */
function openedAt(
  { gateways }: CoreDependencies,
  { payment, attempt }: Pick<Prepared, 'payment' | 'attempt'>,
  attention: boolean,
): OpenCheckoutResult {
  const chosen = mayChoose(payment) ? { gateway: attempt.gateway } : {};
  const executes = gateways.capabilities(attempt.gateway)?.executes === true ? ({ executes: true } as const) : {};
  const { reference: attemptReference } = attempt;
  return {
    kind: 'open',
    ...expiryOf(payment),
    attention,
    attemptReference,
    ...chosen,
    ...executes,
  };
}

/** The workflow may have started before the payment's test clock was moved or after it, so it cannot know the payment's time by itself. */
function expiryOf({ expiresAt, readAt, realReadAt }: StartingPayment): Expiry {
  const expiresAtMs = expiresAt.getTime();
  return readAt > realReadAt ? { expiresAtMs, nowMs: readAt.getTime() } : { expiresAtMs };
}

const mayChoose = ({ gatewayChoices }: PaymentRecord): boolean => Array.isArray(gatewayChoices);

/**
 * A gateway refuses a session for an order that was paid already. Our rows do not have that session if the database was restored from a dump that is
 * older than it, so the gateway is queried before its refusal ends anything.
 */
async function refusedUnlessPaid(
  deps: CoreDependencies,
  prepared: Prepared,
  failureCode: string,
): Promise<OpenCheckoutResult> {
  const { payment, attempt, gateway } = prepared;
  if (!(await knowsCharge(gateway, attempt))) {
    return refused(deps, prepared, failureCode);
  }
  const ids = { payment: payment.reference, attempt: attempt.reference };
  await deps.database.withScope(payment, (statements) => recordUnknownSession(statements, ids), { oneTrip: true });
  return { kind: 'choosing', ...expiryOf(payment), attention: true };
}

/** A gateway that does not answer this query leaves its refusal as it is: its charge, if there is one, is then an unapplied payment. */
async function knowsCharge(gateway: Gateway, attempt: AttemptRecord): Promise<boolean> {
  try {
    return (await gateway.queryAttempt(handleOf(attempt))).kind === 'charged';
  } catch (error) {
    if (error instanceof GatewayFailure) {
      return false;
    }
    throw error;
  }
}

/** A refusal by the gateway ends the payment, unless the payer may choose another one. */
async function refused(
  { database }: CoreDependencies,
  { payment, attempt }: Pick<Prepared, 'payment' | 'attempt'>,
  failureCode: string,
): Promise<OpenCheckoutResult> {
  const ids = { payment: payment.reference, attempt: attempt.reference };
  if (mayChoose(payment)) {
    await database.withScope(payment, (statements) => recordUnavailableChoice(statements, { ...ids, failureCode }), {
      oneTrip: true,
    });
    return { kind: 'choosing', ...expiryOf(payment) };
  }
  await database.withScope(
    payment,
    (statements) => recordNoSession(statements, { ...ids, status: 'REFUSED', failureCode }),
    { oneTrip: true },
  );
  return { kind: 'refused', code: failureCode };
}

interface Prepared extends Pick<CheckoutStart, 'payment' | 'applicationName' | 'customerDefaults' | 'leftOpen'> {
  readonly attempt: AttemptRecord;
  readonly gateway: Gateway;
}

async function prepare(deps: CoreDependencies, input: PaymentWorkflowInput): Promise<Prepared | OpenCheckoutResult> {
  const scope = scopeOf(input);
  const start = await deps.database.withScope(scope, (statements) => readCheckoutStart(statements, input.reference), {
    oneTrip: true,
  });
  const { payment, attempt: last } = start;
  if (!isOpen(payment.status)) {
    const { failureCode } = payment;
    return { kind: 'ended', status: endOf(payment), ...(typeof failureCode === 'string' ? { failureCode } : {}) };
  }
  if (payment.reviewReason !== null && payment.reviewReason !== undefined) {
    return { kind: 'review', reason: payment.reviewReason };
  }
  // A session that the gateway has created is never opened a second time, whatever its state. The workflow queries it instead.
  const waiting =
    start.charged || start.waitingCallbacks > 0 || payment.cancelRequestedAt !== null || leavesOpenPage(deps, start);
  if (last !== null && last.sessionKey !== null && !last.superseded) {
    return openedAt(deps, { payment, attempt: last }, waiting || last.status !== 'OPEN');
  }
  if (start.charged) {
    // An earlier attempt was paid, but the payment was not finalized, for example because the worker died. There is nothing left to pay.
    return { kind: 'choosing', ...expiryOf(payment), attention: true };
  }
  const { gateway: name } = payment;
  if (typeof name !== 'string') {
    await deps.database.withScope(scope, (statements) => recordChoosing(statements, payment.reference), {
      oneTrip: true,
    });
    return { kind: 'choosing', ...expiryOf(payment), attention: waiting };
  }
  const attempt = last ?? (await firstAttempt(deps, start, name));
  if (attempt === null) {
    return { kind: 'refused', code: NOT_CONFIGURED };
  }
  const gateway = openGateway(deps, payment, attempt);
  if (gateway === null) {
    return { kind: 'unavailable', ...expiryOf(payment) };
  }
  if (gateway !== undefined) {
    return { ...start, attempt, gateway };
  }
  // The payer may have paid in this attempt. It is queried later, once the store is configured again or an operator intervenes.
  return attempt.status === 'UNKNOWN'
    ? { kind: 'unavailable', ...expiryOf(payment) }
    : refused(deps, { payment, attempt }, NOT_CONFIGURED);
}

/** Returns undefined if the store is no longer configured, and null if its secret cannot be opened until its key is back. */
function openGateway({ gateways, log }: CoreDependencies, { mode, reference }: PaymentRecord, attempt: AttemptRecord) {
  try {
    return gateways.open(attempt.gateway, mode, attempt);
  } catch (error) {
    if (!(error instanceof GatewayFailure)) {
      throw error;
    }
    const { gateway, storeId: store } = attempt;
    log.error(
      { gateway, mode, store, payment: reference, alert: 'store-secret-unreadable', error: describeError(error) },
      'checkout not opened: the store’s secret cannot be decrypted',
    );
    return null;
  }
}

const NOT_CONFIGURED = 'GATEWAY_NOT_CONFIGURED';

/** Creates the first attempt of a payment that was created without a store. Returns null if there is still none. */
async function firstAttempt(
  { database, gateways }: CoreDependencies,
  { payment, storeChosen }: CheckoutStart,
  gateway: string,
): Promise<AttemptRecord | null> {
  const storeId = storeChosen ?? gateways.defaultStoreId(gateway, payment.mode);
  return storeId === undefined
    ? null
    : database.withScope(payment, (statements) =>
        insertFirstAttempt(statements, { payment, reference: attemptReference(), gateway, storeId }),
      );
}

function orderOf({ payment, applicationName, customerDefaults, attempt }: Prepared, apiUrl: string): SessionOrder {
  const defaults = { ...CUSTOMER_DEFAULTS, ...customerDefaults };
  const callback = (kind: string): string =>
    `${apiUrl}/gateway/${attempt.gateway}/${payment.mode.toLowerCase()}/${kind}`;
  return {
    attemptReference: attempt.reference,
    amount: { amountMinor: payment.amountMinor, currency: payment.currency },
    productName: payment.productName ?? applicationName,
    payerPhone: payment.customerPhone ?? null,
    customer: {
      ...defaults,
      name: payment.customerName ?? defaults.name,
      email: payment.customerEmail ?? defaults.email,
      phone: payment.customerPhone ?? defaults.phone,
    },
    callbacks: {
      success: callback('success'),
      fail: callback('fail'),
      cancel: callback('cancel'),
      ipn: callback('ipn'),
      back: callback('return'),
    },
    expiresAt: payment.expiresAt,
    readAt: payment.readAt,
  };
}

/** Returns null if the gateway gave no usable answer. A session may or may not exist, and a retry uses the same reference. */
async function openSession(gateway: Gateway, order: SessionOrder): Promise<SessionOutcome | null> {
  try {
    return await gateway.openSession(order);
  } catch (error) {
    if (error instanceof GatewayFailure) {
      return null;
    }
    throw error;
  }
}
