import type { EntityManager, Scope } from './connection.ts';

export interface KeyClaim {
  readonly scope: Scope;
  /** Such as `POST /payments`. */
  readonly operation: string;
  readonly key: string;
  /** SHA-256 over path parameters and canonical body. */
  readonly fingerprint: Buffer;
  readonly leaseSeconds: number;
  readonly keepDays: number;
}

export type ClaimOutcome =
  /** Ours: carry the operation out and bind its payment in the same transaction. */
  | { readonly kind: 'claimed' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'in-progress'; readonly retryAfterSeconds: number }
  | { readonly kind: 'replay'; readonly status: number; readonly text: string }
  /** The first caller went away without an answer that could be kept: find out how its payment stands. */
  | { readonly kind: 'take-over'; readonly paymentId: bigint };

interface KeyRow {
  fingerprint: Uint8Array;
  payment_id: string | null;
  lease_left: number;
  response_status: number | null;
  response_body: string | null;
}

/**
 * Claims a key inside the transaction that carries its effect, so neither exists without the other. A twin that comes while the first
 * transaction runs waits here for its commit.
 */
export async function claimKey(em: EntityManager, claim: KeyClaim): Promise<ClaimOutcome> {
  const { scope, operation, key, fingerprint, leaseSeconds, keepDays } = claim;
  const identity = [scope.applicationId, scope.mode, operation, key];
  const claimed = await em.execute<unknown[]>(
    `insert into idempotency_keys (application_id, mode, operation, key, fingerprint, lease_until, expires_at)
     values (?, ?, ?, ?, ?, now() + ? * interval '1 second', now() + ? * interval '1 day')
     on conflict (application_id, mode, operation, key) do update
       set fingerprint = excluded.fingerprint, payment_id = null, lease_until = excluded.lease_until, response_status = null,
           response_body = null, created_at = now(), expires_at = excluded.expires_at
       where idempotency_keys.expires_at <= now()
     returning 1`,
    [...identity, fingerprint, leaseSeconds, keepDays],
  );
  if (claimed.length > 0) {
    return { kind: 'claimed' };
  }
  const [row] = await em.execute<KeyRow[]>(
    `select fingerprint, payment_id, ceil(extract(epoch from lease_until - now()))::int as lease_left, response_status, response_body
     from idempotency_keys where application_id = ? and mode = ? and operation = ? and key = ? for update`,
    identity,
  );
  if (row === undefined) {
    return { kind: 'in-progress', retryAfterSeconds: 1 };
  }
  return outcomeOf(em, row, { identity, fingerprint, leaseSeconds });
}

interface Twin {
  readonly identity: unknown[];
  readonly fingerprint: Buffer;
  readonly leaseSeconds: number;
}

async function outcomeOf(
  em: EntityManager,
  row: KeyRow,
  { identity, fingerprint, leaseSeconds }: Twin,
): Promise<ClaimOutcome> {
  if (!fingerprint.equals(row.fingerprint)) {
    return { kind: 'conflict' };
  }
  if (row.response_status !== null && row.response_body !== null) {
    return { kind: 'replay', status: row.response_status, text: row.response_body };
  }
  if (row.lease_left > 0 || row.payment_id === null) {
    return { kind: 'in-progress', retryAfterSeconds: Math.max(1, Math.min(row.lease_left, leaseSeconds)) };
  }
  await em.execute(
    `update idempotency_keys set lease_until = now() + ? * interval '1 second'
     where application_id = ? and mode = ? and operation = ? and key = ?`,
    [leaseSeconds, ...identity],
  );
  return { kind: 'take-over', paymentId: BigInt(row.payment_id) };
}

export interface KeyName {
  readonly scope: Scope;
  readonly operation: string;
  readonly key: string;
}

export async function bindKey(em: EntityManager, { scope, operation, key }: KeyName, paymentId: bigint): Promise<void> {
  await em.execute(
    'update idempotency_keys set payment_id = ? where application_id = ? and mode = ? and operation = ? and key = ?',
    [paymentId, scope.applicationId, scope.mode, operation, key],
  );
}

/** Keeps an answer for replay, byte for byte, and ends the lease. The first stored answer stands. */
export async function storeAnswer(
  em: EntityManager,
  { scope, operation, key }: KeyName,
  answer: { status: number; text: string },
): Promise<void> {
  await em.execute(
    `update idempotency_keys set response_status = ?, response_body = ?, lease_until = now()
     where application_id = ? and mode = ? and operation = ? and key = ? and response_status is null`,
    [answer.status, answer.text, scope.applicationId, scope.mode, operation, key],
  );
}

/** Ends the lease without an answer, so that the next twin finds out at once how the payment stands. */
export async function releaseKey(em: EntityManager, { scope, operation, key }: KeyName): Promise<void> {
  await em.execute(
    'update idempotency_keys set lease_until = now() where application_id = ? and mode = ? and operation = ? and key = ?',
    [scope.applicationId, scope.mode, operation, key],
  );
}
