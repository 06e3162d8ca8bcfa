import { releaseKey, type KeyName } from '../idempotency/store.ts';
import { insertPayment, isMerchantReferenceTaken, type NewPayment } from './store/new-payments.ts';
import type { PaymentRecord } from './store/payments.ts';
import { DomainError } from '../../domain/errors.ts';
import { attemptReference } from '../../domain/references.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { drawingAgain } from './draw-reference.ts';
import { paymentHandleOf } from '../dispatch.ts';
import { findPayment } from './find-payment.ts';
import { claimOf, findDuplicate, keepingAnswer, type Lease, type Outcome } from '../idempotency/idempotency.ts';
import { insertInvoicePayment } from './pay-invoice.ts';

const LEASE_SECONDS = 60;
/** How long the creator waits for the gateway's session before it gets a CREATED payment, whose page then waits instead. */
export const SESSION_WAIT = { timeoutMs: 8_000, unreachableMs: 2_000 } as const;

type SetHere = 'reference' | 'expiresInSeconds' | 'attempt';

/** A payment that a contract has validated. */
export interface WantedPayment {
  readonly payment: Omit<NewPayment, SetHere | 'invoiceId'> & { readonly invoiceId: bigint | null };
  /** Returns a new public reference in the contract's format. */
  readonly reference: () => string;
  readonly application: { readonly name: string; readonly expiryMinutes: number };
  readonly key: KeyName | null;
  readonly lease: Omit<Lease, 'leaseSeconds'>;
}

/**
 * Creates a payment and opens its checkout. The idempotency key and the payment are stored in one transaction. Everything after it can be lost; a
 * duplicate request with the same key, or the sweeper, continues from there. The returned payment is open, or CREATED if the gateway could not be
 * reached in time; in that case no response is stored for duplicates.
 * @throws DomainError GATEWAY_ERROR when the gateway refused, RESOURCE_ALREADY_EXISTS where a contract's merchant reference is unique, the errors of
 * a duplicate request, and those of the invoice
 */
export async function createPayment(deps: CoreDependencies, wanted: WantedPayment): Promise<Outcome<PaymentRecord>> {
  try {
    return await storeAndOpen(deps, wanted);
  } catch (error) {
    if (!(error instanceof DomainError)) {
      // Release the key, so that a duplicate need not wait for the lease: it finds whatever was committed. The release can fail too if the database
      // is the cause.
      await release(deps, wanted.key).catch(() => undefined);
    }
    throw error;
  }
}

async function storeAndOpen(deps: CoreDependencies, wanted: WantedPayment): Promise<Outcome<PaymentRecord>> {
  const { key } = wanted;
  const stored = await store(deps, wanted);
  if (stored.kind === 'replay') {
    return stored;
  }
  const made = await openCheckout(deps, wanted, stored);
  // A late duplicate may also find a payment that was declined since. Its checkout was open, so it is a valid response.
  const refused = made.status === 'FAILED' && typeof made.gatewayRedirectUrl !== 'string';
  if (refused || made.status === 'CREATED') {
    await release(deps, key);
  }
  if (refused) {
    throw new DomainError('GATEWAY_ERROR', 'the gateway refused to open a checkout for this payment');
  }
  const known = stored.kind === 'known';
  return key === null || made.status === 'CREATED'
    ? { kind: 'made', made, known }
    : { kind: 'made', made, known, keep: keepingAnswer(deps, key) };
}

type Stored =
  | { readonly kind: 'new'; readonly paymentId: bigint; readonly reference: string }
  | { readonly kind: 'known'; readonly paymentId: bigint }
  | { readonly kind: 'replay'; readonly status: number; readonly text: string };

async function store(deps: CoreDependencies, wanted: WantedPayment): Promise<Stored> {
  const claim = claimOf(wanted.key, { ...wanted.lease, leaseSeconds: LEASE_SECONDS });
  const { paymentId, reference } = await drawingAgain(async () => {
    const payment = newPayment(deps, wanted);
    return { paymentId: await insert(deps, payment, claim), reference: payment.reference };
  }).catch((error: unknown) => {
    throw isMerchantReferenceTaken(error)
      ? new DomainError('RESOURCE_ALREADY_EXISTS', 'you have used this reference for another payment')
      : error;
  });
  if (paymentId !== null) {
    return { kind: 'new', paymentId, reference };
  }
  const duplicate = await findDuplicate(deps, claim);
  return duplicate.kind === 'replay'
    ? duplicate
    : { kind: 'known', paymentId: requirePayment(duplicate.made.paymentId) };
}

function insert(
  { database }: CoreDependencies,
  payment: NewPayment & { readonly invoiceId: bigint | null },
  claim: ReturnType<typeof claimOf>,
): Promise<bigint | null> {
  const { scope, invoiceId } = payment;
  return invoiceId === null
    ? database.withScope(scope, (statements) => insertPayment(statements, payment, claim), { oneTrip: true })
    : database.withScope(scope, (statements) => insertInvoicePayment(statements, { ...payment, invoiceId }, claim));
}

function requirePayment(paymentId: bigint | null): bigint {
  if (paymentId === null) {
    throw new Error('the idempotency key of a payment does not refer to one');
  }
  return paymentId;
}

function newPayment(
  { gateways }: CoreDependencies,
  { payment, reference, application }: WantedPayment,
): NewPayment & { readonly invoiceId: bigint | null } {
  const { gateway, scope } = payment;
  const storeId = gateway === null ? null : (gateways.defaultStoreId(gateway, scope.mode) ?? null);
  return {
    ...payment,
    reference: reference(),
    expiresInSeconds: application.expiryMinutes * 60,
    attempt: { reference: attemptReference(), storeId },
  };
}

/** Opens the checkout and returns the row, which is right whether the answer came late, was lost or never came. */
async function openCheckout(
  deps: CoreDependencies,
  { payment, application }: WantedPayment,
  stored: Exclude<Stored, { kind: 'replay' }>,
): Promise<PaymentRecord> {
  const { scope } = payment;
  const { paymentId } = stored;
  const read = (): Promise<PaymentRecord> => findPayment(deps, scope, paymentId);
  const before = stored.kind === 'known' ? await read() : null;
  if (before !== null && before.status !== 'CREATED') {
    return before;
  }
  const reference = stored.kind === 'new' ? stored.reference : (before?.reference ?? '');
  try {
    const handle = paymentHandleOf({ ...payment, ...scope, reference }, application.name);
    await deps.dispatch.openCheckout(handle, SESSION_WAIT);
  } catch (error) {
    deps.log.warn({ payment: reference, error: describeError(error) }, 'checkout not open yet; the page waits for it');
  }
  return read();
}

async function release(deps: CoreDependencies, key: KeyName | null): Promise<void> {
  if (key !== null) {
    await deps.database.withScope(key.scope, (statements) => releaseKey(statements, key), { oneTrip: true });
  }
}
