import type { EntityManager } from '../../database/connection.ts';
import { Application, type CustomerDefaults } from '../../database/entities/application.ts';
import { GatewayCallback, Payment, PaymentAttempt } from '../../database/entities/payment.ts';
import { isOpen, OPEN_STATUSES, type SettledStatus } from '../../domain/payment.ts';
import { attemptReference } from '../../domain/references.ts';
import { GatewayFailure, type Gateway, type SessionOrder, type SessionOutcome } from '../../gateways/port.ts';
import type { OpenCheckoutResult, PaymentWorkflowInput } from '../../workflows/messages/payment.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { scopeOf } from './scope.ts';

/** While a workflow is at work on a payment, the sweeper looks at it this rarely. */
const SWEEP_AFTER_MS = 5 * 60_000;

/** SSLCOMMERZ and its kind demand a customer; an app that names none gets these, or its own defaults. */
const CUSTOMER_DEFAULTS: Required<CustomerDefaults> = {
  name: 'Customer',
  email: 'customer@example.com',
  phone: '01700000000',
  address: 'Dhaka',
  city: 'Dhaka',
  postcode: '1000',
  country: 'Bangladesh',
};

/**
 * Opens the gateway's hosted page for a payment. The attempt's row is written before the gateway is called and found again by a retry,
 * so the gateway sees one reference however often this runs.
 */
export async function openCheckout(
  deps: ActivityDependencies,
  input: PaymentWorkflowInput,
): Promise<OpenCheckoutResult> {
  const scope = scopeOf(input);
  const prepared = await deps.database.withScope(scope, (em) => prepare(deps, em, BigInt(input.paymentId)));
  if ('kind' in prepared) {
    return prepared;
  }
  const { payment, attempt, gateway } = prepared;
  const outcome = await openSession(gateway, orderOf(prepared, deps.apiUrl));
  if (outcome === null) {
    await deps.database.withScope(scope, (em) =>
      em.nativeUpdate(PaymentAttempt, { id: attempt.id }, { status: 'UNKNOWN' }),
    );
    return { kind: 'unavailable', expiresAtMs: payment.expiresAt.getTime() };
  }
  if (outcome.kind === 'refused') {
    deps.log.warn(
      { payment: payment.reference, gateway: payment.gateway, reason: outcome.gatewayText.slice(0, 200) },
      'session refused',
    );
    await deps.database.withScope(scope, (em) =>
      em.nativeUpdate(PaymentAttempt, { id: attempt.id }, { status: 'REFUSED', failureCode: outcome.code }),
    );
    return { kind: 'refused', code: outcome.code };
  }
  await deps.database.withScope(scope, (em) => recordSession(em, { payment, attempt, outcome }));
  return { kind: 'open', expiresAtMs: payment.expiresAt.getTime(), attention: false };
}

interface Prepared {
  readonly payment: Payment;
  readonly application: Application;
  readonly attempt: PaymentAttempt;
  readonly gateway: Gateway;
}

async function prepare(
  deps: ActivityDependencies,
  em: EntityManager,
  paymentId: bigint,
): Promise<Prepared | OpenCheckoutResult> {
  const payment = await em.findOneOrFail(Payment, { id: paymentId });
  if (!isOpen(payment.status)) {
    return { kind: 'ended', status: endOf(payment) };
  }
  payment.nextSweepAt = new Date(Date.now() + SWEEP_AFTER_MS);
  if (payment.reviewReason !== null && payment.reviewReason !== undefined) {
    return { kind: 'review', reason: payment.reviewReason };
  }
  const gateway = deps.gateways.get(payment.gateway, payment.mode);
  if (gateway === undefined) {
    return { kind: 'refused', code: 'GATEWAY_NOT_CONFIGURED' };
  }
  const [last] = await em.find(PaymentAttempt, { paymentId }, { orderBy: { number: 'desc' }, limit: 1 });
  // A session that the gateway has once made is never opened a second time, whatever became of it: the workflow asks instead.
  if (typeof last?.sessionKey === 'string') {
    const waiting = await em.count(GatewayCallback, { paymentId, consumedAt: null });
    const attention = waiting > 0 || last.status !== 'OPEN' || payment.cancelRequestedAt !== null;
    return { kind: 'open', expiresAtMs: payment.expiresAt.getTime(), attention };
  }
  const application = await em.findOneOrFail(Application, { id: payment.applicationId });
  const attempt = last ?? newAttempt(em, payment, gateway);
  return { payment, application, attempt, gateway };
}

function newAttempt(em: EntityManager, payment: Payment, gateway: Gateway): PaymentAttempt {
  const { applicationId, mode, id: paymentId } = payment;
  return em.create(PaymentAttempt, {
    applicationId,
    mode,
    paymentId,
    number: 1,
    reference: attemptReference(),
    gateway: gateway.capabilities.name,
    storeId: gateway.storeId,
  });
}

function orderOf({ payment, application, attempt }: Prepared, apiUrl: string): SessionOrder {
  const defaults = { ...CUSTOMER_DEFAULTS, ...application.customerDefaults };
  const callback = (kind: string): string =>
    `${apiUrl}/gateway/${payment.gateway}/${payment.mode.toLowerCase()}/${kind}`;
  return {
    attemptReference: attempt.reference,
    amount: { amountMinor: payment.amountMinor, currency: payment.currency },
    productName: payment.productName ?? application.name,
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
    },
  };
}

/** Null when the gateway gave no usable answer: a session may exist or not, and the same reference is used to try again. */
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

interface SessionRecord {
  readonly payment: Payment;
  readonly attempt: PaymentAttempt;
  readonly outcome: Extract<SessionOutcome, { kind: 'opened' }>;
}

async function recordSession(em: EntityManager, { payment, attempt, outcome }: SessionRecord): Promise<void> {
  await em.nativeUpdate(
    PaymentAttempt,
    { id: attempt.id },
    { status: 'OPEN', sessionKey: outcome.sessionKey, gatewayUrl: outcome.gatewayUrl, openedAt: new Date() },
  );
  await em.nativeUpdate(
    Payment,
    { id: payment.id, status: { $in: [...OPEN_STATUSES] } },
    { status: 'PENDING', gatewayRedirectUrl: outcome.gatewayUrl, updatedAt: new Date() },
  );
}

/** A refunded payment has succeeded as far as its own workflow is concerned. */
export function endOf(payment: Pick<Payment, 'status'>): SettledStatus {
  switch (payment.status) {
    case 'FAILED':
    case 'CANCELLED':
    case 'EXPIRED':
      return payment.status;
    default:
      return 'SUCCEEDED';
  }
}
