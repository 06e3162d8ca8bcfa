import type { Contract } from '../../../domain/contract.ts';
import type { Scope } from '../../../database/connection.ts';
import type { KeyClaim } from '../../idempotency/store.ts';
import type { Statements } from '../../../database/statements.ts';

export interface NewPayment {
  readonly scope: Scope;
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly customerReference: string;
  readonly customerEmail: string | null;
  readonly customerPhone: string | null;
  readonly customerName: string | null;
  readonly productName: string | null;
  readonly returnUrl: string | null;
  /** Native by default. */
  readonly contract?: Contract;
  readonly merchantReference?: string;
  readonly cancelUrl?: string | null;
  /** JSON text of an object. */
  readonly metadata?: string | null;
  /** Locked by the caller's transaction, if set. */
  readonly invoiceId?: bigint | null;
  /** Null if the payer chooses one of `gatewayChoices`; then no attempt is written. */
  readonly gateway: string | null;
  readonly gatewayChoices?: readonly string[] | null;
  /** Counted from the database's time of the insert, so that no process's clock affects when a payment expires. */
  readonly expiresInSeconds: number;
  /**
   * The gateway's order id, and the environment's store for an application without a store chosen by operators. Without any store no attempt is
   * written.
   */
  readonly attempt: { readonly reference: string; readonly storeId: string | null };
}

/** The sweeper starts the payment's workflow after this time if its creator has not. Longer than a creator waits for the gateway's session. */
const FIRST_SWEEP_SECONDS = 30;

const CLAIMED = `claimed as (
  insert into idempotency_keys (application_id, mode, operation, key, fingerprint, payment_id, lease_until, expires_at)
  values (?::bigint, ?, ?, ?, ?::bytea, nextval('payments_id_seq'), now() + ?::integer * interval '1 second', now() + ?::integer * interval '1 day')
  on conflict (application_id, mode, operation, key) do update
    set fingerprint = excluded.fingerprint, payment_id = excluded.payment_id, lease_until = excluded.lease_until, response_status = null,
        response_body = null, created_at = now(), expires_at = excluded.expires_at
    where idempotency_keys.expires_at <= now()
  returning payment_id as id
)`;

const UNCLAIMED = `claimed as (select nextval('payments_id_seq') as id)`;

const CREATED = `created as (
  insert into payments (id, application_id, mode, reference, amount_minor, currency, customer_reference, customer_email, customer_phone,
    customer_name, product_name, return_url, contract, merchant_reference, cancel_url, metadata, invoice_id, gateway,
    gateway_choices, expires_at, next_sweep_at)
  overriding system value
  select claimed.id, ?::bigint, ?, ?, ?::bigint, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::bigint, ?, string_to_array(?, ','),
    now() + ?::integer * interval '1 second', now() + interval '${FIRST_SWEEP_SECONDS} seconds' from claimed
  returning id, application_id, mode, reference, gateway
), attempted as (
  insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id)
  select application_id, mode, id, 1, attempt_reference, gateway, store_id
  from (select created.*, ?::text as attempt_reference, coalesce(lenden_store_for(application_id, mode, gateway), ?::text) as store_id
    from created) tried where store_id is not null
), named as (
  insert into public_references (reference, kind, target_id, application_id, mode)
  select reference, 'payment', id, application_id, mode from created
)
select id from created`;

/**
 * Writes a payment, its first attempt and its public reference in one statement, together with a claim of the idempotency key if there is one, so
 * that neither exists without the other. A concurrent duplicate waits here for the commit. Returns null if the key is taken.
 */
export async function insertPayment(
  statements: Statements,
  payment: NewPayment,
  claim: KeyClaim | null,
): Promise<bigint | null> {
  const { scope, attempt } = payment;
  const [row] = await statements.execute<{ id: string }[]>(`with ${claim === null ? UNCLAIMED : CLAIMED}, ${CREATED}`, [
    ...(claim === null ? [] : claimValues(claim)),
    scope.applicationId,
    scope.mode,
    payment.reference,
    payment.amountMinor,
    payment.currency,
    payment.customerReference,
    payment.customerEmail,
    payment.customerPhone,
    payment.customerName,
    payment.productName,
    payment.returnUrl,
    payment.contract ?? 'native',
    payment.merchantReference ?? null,
    payment.cancelUrl ?? null,
    payment.metadata ?? null,
    payment.invoiceId ?? null,
    payment.gateway,
    payment.gatewayChoices?.join(',') ?? null,
    payment.expiresInSeconds,
    attempt.reference,
    attempt.storeId,
  ]);
  return row === undefined ? null : BigInt(row.id);
}

function claimValues({ scope, operation, key, fingerprint, leaseSeconds, keepDays }: KeyClaim): unknown[] {
  return [scope.applicationId, scope.mode, operation, key, fingerprint, leaseSeconds, keepDays];
}

/** Reports whether the merchant's reference belongs to another payment of the scope, in a contract where it is unique. */
export function isMerchantReferenceTaken(error: unknown): boolean {
  return Error.isError(error) && 'constraint' in error && error.constraint === 'payments_merchant_reference_key';
}

const REFERENCE_CONSTRAINTS: ReadonlySet<unknown> = new Set(['payments_reference_key', 'public_references_pkey']);

/** Reports whether the public reference of the new payment is already taken, in any application. */
export function isReferenceTaken(error: unknown): boolean {
  return Error.isError(error) && 'constraint' in error && REFERENCE_CONSTRAINTS.has(error.constraint);
}
