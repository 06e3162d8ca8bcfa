import {
  insertFirstAttempt,
  readCheckoutStart,
  recordNoSession,
  recordSession,
  type AttemptRecord,
  type CheckoutStart,
} from '../../database/attempts.ts';
import type { CustomerDefaults } from '../../database/entities/application.ts';
import type { PaymentRecord } from '../../database/payments.ts';
import { isOpen, type SettledStatus } from '../../domain/payment.ts';
import { attemptReference } from '../../domain/references.ts';
import { GatewayFailure, type Gateway, type SessionOrder, type SessionOutcome } from '../../gateways/port.ts';
import type { OpenCheckoutResult, PaymentWorkflowInput } from '../../workflows/messages/payment.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { scopeOf } from './scope.ts';

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
  const prepared = await prepare(deps, input);
  if ('kind' in prepared) {
    return prepared;
  }
  const { payment, attempt, gateway } = prepared;
  const ids = { paymentId: payment.id, attemptId: attempt.id };
  const outcome = await openSession(gateway, orderOf(prepared, deps.apiUrl));
  if (outcome === null) {
    await deps.database.inOneTrip(scope, (statements) =>
      recordNoSession(statements, { ...ids, status: 'UNKNOWN', failureCode: null }),
    );
    return { kind: 'unavailable', expiresAtMs: payment.expiresAt.getTime() };
  }
  if (outcome.kind === 'refused') {
    deps.log.warn(
      { payment: payment.reference, gateway: payment.gateway, reason: outcome.gatewayText.slice(0, 200) },
      'session refused',
    );
    await deps.database.inOneTrip(scope, (statements) =>
      recordNoSession(statements, { ...ids, status: 'REFUSED', failureCode: outcome.code }),
    );
    return { kind: 'refused', code: outcome.code };
  }
  const { sessionKey, gatewayUrl } = outcome;
  await deps.database.inOneTrip(scope, (statements) => recordSession(statements, { ...ids, sessionKey, gatewayUrl }));
  return { kind: 'open', expiresAtMs: payment.expiresAt.getTime(), attention: false };
}

interface Prepared {
  readonly payment: PaymentRecord;
  readonly applicationName: string;
  readonly customerDefaults: CustomerDefaults;
  readonly attempt: AttemptRecord;
  readonly gateway: Gateway;
}

async function prepare(
  deps: ActivityDependencies,
  input: PaymentWorkflowInput,
): Promise<Prepared | OpenCheckoutResult> {
  const scope = scopeOf(input);
  const start = await deps.database.inOneTrip(scope, (statements) =>
    readCheckoutStart(statements, BigInt(input.paymentId)),
  );
  const { payment, attempt: last } = start;
  if (!isOpen(payment.status)) {
    const { failureCode } = payment;
    return { kind: 'ended', status: endOf(payment), ...(typeof failureCode === 'string' ? { failureCode } : {}) };
  }
  if (payment.reviewReason !== null && payment.reviewReason !== undefined) {
    return { kind: 'review', reason: payment.reviewReason };
  }
  // A session that the gateway has once made is never opened a second time, whatever became of it: the workflow asks instead.
  if (last !== null && last.sessionKey !== null) {
    const attention = start.waitingCallbacks > 0 || last.status !== 'OPEN' || payment.cancelRequestedAt !== null;
    return { kind: 'open', expiresAtMs: payment.expiresAt.getTime(), attention };
  }
  const attempt = last ?? (await firstAttempt(deps, start));
  const gateway = attempt === null ? undefined : deps.gateways.open(payment.gateway, payment.mode, attempt);
  if (attempt !== null && gateway !== undefined) {
    return { ...start, attempt, gateway };
  }
  // Whoever may have paid there is asked about later, when the store is configured again or a person looks.
  return attempt?.status === 'UNKNOWN'
    ? { kind: 'unavailable', expiresAtMs: payment.expiresAt.getTime() }
    : { kind: 'refused', code: 'GATEWAY_NOT_CONFIGURED' };
}

/** The payment's creator knew no store; null when there still is none. */
async function firstAttempt(
  { database, gateways }: ActivityDependencies,
  { payment, storeChosen }: CheckoutStart,
): Promise<AttemptRecord | null> {
  const storeId = storeChosen ?? gateways.defaultStoreId(payment.gateway, payment.mode);
  return storeId === undefined
    ? null
    : database.inTransaction(payment, (statements) =>
        insertFirstAttempt(statements, { payment, reference: attemptReference(), storeId }),
      );
}

function orderOf({ payment, applicationName, customerDefaults, attempt }: Prepared, apiUrl: string): SessionOrder {
  const defaults = { ...CUSTOMER_DEFAULTS, ...customerDefaults };
  const callback = (kind: string): string =>
    `${apiUrl}/gateway/${payment.gateway}/${payment.mode.toLowerCase()}/${kind}`;
  return {
    attemptReference: attempt.reference,
    amount: { amountMinor: payment.amountMinor, currency: payment.currency },
    productName: payment.productName ?? applicationName,
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

/** A refunded payment has succeeded as far as its own workflow is concerned. */
export function endOf(payment: Pick<PaymentRecord, 'status'>): SettledStatus {
  switch (payment.status) {
    case 'FAILED':
    case 'CANCELLED':
    case 'EXPIRED':
      return payment.status;
    default:
      return 'SUCCEEDED';
  }
}
