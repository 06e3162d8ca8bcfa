import { releaseKey, storeAnswer, type KeyName } from '../../database/idempotency.ts';
import { insertPayment, type NewPayment } from '../../database/new-payments.ts';
import type { PaymentRecord } from '../../database/payments.ts';
import { isCurrency } from '../../domain/currency.ts';
import { DomainError } from '../../domain/errors.ts';
import { paymentView, type PaymentView } from '../../domain/payment-view.ts';
import { attemptReference, paymentReference } from '../../domain/references.ts';
import { returnUrlProblem } from '../../domain/return-url.ts';
import { DEFAULT_GATEWAY } from '../../gateways/registry.ts';
import { describeError } from '../../runtime/logger.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { canonicalJson, type JsonValue } from '../http/json-text.ts';
import type { ReplayReply, RouteReply } from '../http/route.ts';
import type { NativeCaller } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { findPayment } from './find-payment.ts';
import { claimOf, findTwin, readKey } from './idempotency.ts';
import type { CreatePayment } from './schemas.ts';

const OPERATION = 'POST /payments';
const LEASE_SECONDS = 60;
/** How long a creator waits for the gateway's session before it gets a CREATED payment whose page waits instead. */
const SESSION_WAIT_MS = 8_000;
const TEMPORAL_WAIT_MS = 2_000;
/** Older than the API's wait, so that the sweeper never starts what a creator is about to start. */
const FIRST_SWEEP_SECONDS = 30;

export interface CreateRequest {
  readonly caller: NativeCaller;
  readonly body: CreatePayment;
  readonly rawBody: JsonValue;
  readonly idempotencyKey: string | undefined;
}

/**
 * Creates a payment and opens its checkout. The idempotency key and the payment are one transaction; everything after it can be lost and is
 * found again: by a twin with the same key, and by the sweeper.
 */
export async function createPayment(
  deps: ApiDependencies,
  request: CreateRequest,
): Promise<RouteReply<PaymentView> | ReplayReply> {
  checkBusinessRules(deps, request);
  const { caller, idempotencyKey } = request;
  const key = readKey({ scope: caller.scope, operation: OPERATION, given: idempotencyKey });
  try {
    return await storeAndOpen(deps, request, key);
  } catch (error) {
    if (!(error instanceof DomainError)) {
      // We give up, so a twin need not wait for the lease: whatever was committed, it finds and joins. The database may be what failed.
      await release(deps, key).catch(() => undefined);
    }
    throw error;
  }
}

async function storeAndOpen(
  deps: ApiDependencies,
  request: CreateRequest,
  key: KeyName | null,
): Promise<RouteReply<PaymentView> | ReplayReply> {
  const stored = await store(deps, request, key);
  if (stored.kind === 'replay') {
    return { status: stored.status, text: stored.text, headers: { 'Idempotent-Replayed': 'true' } };
  }
  const payment = await openCheckout(deps, request, stored);
  // A late twin may also find a payment whose payer was declined since: its checkout was open, so that is its answer.
  const refused = payment.status === 'FAILED' && typeof payment.gatewayRedirectUrl !== 'string';
  if (refused || payment.status === 'CREATED') {
    await release(deps, key);
  }
  if (refused) {
    throw new DomainError('GATEWAY_ERROR', 'the gateway refused to open a checkout for this payment');
  }
  return {
    status: 201,
    data: paymentView(payment, deps.webUrl),
    message: 'Resource created',
    ...(key === null || payment.status === 'CREATED'
      ? {}
      : {
          onSerialized: (text: string) =>
            deps.database.inOneTrip(key.scope, (statements) => storeAnswer(statements, key, { status: 201, text })),
        }),
  };
}

function checkBusinessRules(deps: ApiDependencies, { caller, body }: CreateRequest): void {
  const { application, scope } = caller;
  if (application.gatewaysAllowed !== null && !application.gatewaysAllowed.includes(DEFAULT_GATEWAY)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the application is not allowed to use any gateway');
  }
  const limits = isCurrency(body.currency)
    ? deps.gateways.capabilities(DEFAULT_GATEWAY)?.limits.get(body.currency)
    : undefined;
  if (limits === undefined) {
    const message = 'is not enabled for the gateway';
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { currency: message } });
  }
  const amount = BigInt(body.amountMinor);
  const least = greatestOf(limits.minMinor, application.minAmountMinor);
  const greatest = leastOf(limits.maxMinor, application.maxAmountMinor);
  if (amount < least || amount > greatest) {
    const message = `must be between ${least} and ${greatest}`;
    throw new DomainError('AMOUNT_OUT_OF_BOUNDS', `amountMinor ${message}`, { fields: { amountMinor: message } });
  }
  const problem =
    body.returnUrl === undefined
      ? null
      : returnUrlProblem(body.returnUrl, { origins: application.returnOrigins ?? [], mode: scope.mode });
  if (problem !== null) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { returnUrl: problem } });
  }
  if (body.invoiceId !== undefined) {
    throw new DomainError('RESOURCE_NOT_FOUND', 'invoice not found');
  }
}

function greatestOf(a: bigint, b: bigint | null | undefined): bigint {
  return typeof b === 'bigint' && b > a ? b : a;
}

function leastOf(a: bigint, b: bigint | null | undefined): bigint {
  return typeof b === 'bigint' && b < a ? b : a;
}

type Stored =
  | { readonly kind: 'new'; readonly paymentId: bigint; readonly reference: string }
  | { readonly kind: 'known'; readonly paymentId: bigint }
  | { readonly kind: 'replay'; readonly status: number; readonly text: string };

async function store(deps: ApiDependencies, request: CreateRequest, key: KeyName | null): Promise<Stored> {
  const { scope } = request.caller;
  const payment = newPayment(deps, request);
  const lease = { fingerprint: sha256(canonicalJson(request.rawBody)), leaseSeconds: LEASE_SECONDS };
  const claim = claimOf(key, lease);
  const paymentId = await deps.database.inOneTrip(scope, (statements) => insertPayment(statements, payment, claim));
  if (paymentId !== null) {
    return { kind: 'new', paymentId, reference: payment.reference };
  }
  const twin = await findTwin(deps, claim);
  return twin.kind === 'replay' ? twin : { kind: 'known', paymentId: requirePayment(twin.paymentId) };
}

function requirePayment(paymentId: bigint | null): bigint {
  if (paymentId === null) {
    throw new Error('the key of a payment names none');
  }
  return paymentId;
}

function newPayment(deps: ApiDependencies, { caller, body }: CreateRequest): NewPayment {
  const { scope, application } = caller;
  const now = Date.now();
  const storeId = deps.gateways.defaultStoreId(DEFAULT_GATEWAY, scope.mode) ?? null;
  return {
    scope,
    reference: paymentReference(),
    amountMinor: BigInt(body.amountMinor),
    currency: body.currency,
    customerReference: body.customerReference,
    customerEmail: body.customerEmail ?? null,
    customerPhone: body.customerPhone ?? null,
    customerName: body.customerName ?? null,
    productName: body.productName ?? null,
    returnUrl: body.returnUrl ?? null,
    gateway: DEFAULT_GATEWAY,
    expiresAt: new Date(now + application.expiryMinutes * 60_000),
    nextSweepAt: new Date(now + FIRST_SWEEP_SECONDS * 1_000),
    attempt: { reference: attemptReference(), storeId },
  };
}

/** The row says how it stands, whatever the waiting came to: a late answer, a lost one, or one that never came. */
async function openCheckout(
  deps: ApiDependencies,
  { caller, body }: CreateRequest,
  stored: Exclude<Stored, { kind: 'replay' }>,
): Promise<PaymentRecord> {
  const { scope, application } = caller;
  const { paymentId } = stored;
  const read = (): Promise<PaymentRecord> => findPayment(deps, scope, paymentId);
  const before = stored.kind === 'known' ? await read() : null;
  if (before !== null && before.status !== 'CREATED') {
    return before;
  }
  const reference = stored.kind === 'new' ? stored.reference : (before?.reference ?? '');
  try {
    await deps.dispatch.openCheckout(
      {
        paymentId,
        reference,
        applicationId: scope.applicationId,
        applicationName: application.name,
        mode: scope.mode,
        amount: { amountMinor: BigInt(body.amountMinor), currency: body.currency },
        gateway: DEFAULT_GATEWAY,
      },
      { timeoutMs: SESSION_WAIT_MS, unreachableMs: TEMPORAL_WAIT_MS },
    );
  } catch (error) {
    deps.log.warn({ payment: reference, error: describeError(error) }, 'checkout not open yet; the page waits for it');
  }
  return read();
}

async function release(deps: ApiDependencies, key: KeyName | null): Promise<void> {
  if (key !== null) {
    await deps.database.inOneTrip(key.scope, (statements) => releaseKey(statements, key));
  }
}
