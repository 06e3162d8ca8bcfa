import type { Scope } from '../../database/connection.ts';
import { optional } from '../../database/read-row.ts';
import type { Statements } from '../../database/statements.ts';

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

export type DuplicateOutcome =
  | { readonly kind: 'conflict' }
  | { readonly kind: 'in-progress'; readonly retryAfterSeconds: number }
  | { readonly kind: 'replay'; readonly status: number; readonly text: string }
  /** The first caller left no stored answer. The duplicate must find out the state of what was created. */
  | { readonly kind: 'take-over'; readonly made: MadeByKey };

/** What an operation with a key has created; one of the ids is set. */
export interface MadeByKey {
  readonly paymentId: bigint | null;
  readonly refundId: bigint | null;
  readonly invoiceId: bigint | null;
}

/** Until a claim is this old by the database's time, its caller is assumed to be about to answer. */
const YOUNG_SECONDS = 10;

interface KeyRow {
  fingerprint: Uint8Array;
  payment_id: string | null;
  refund_id: string | null;
  invoice_id: string | null;
  lease_left: number;
  response_status: number | null;
  response_body: string | null;
}

/** Returns what a duplicate request has to do: replay the first answer, wait for a lease, or take over the operation. */
export async function joinDuplicate(statements: Statements, claim: KeyClaim): Promise<DuplicateOutcome> {
  const { scope, operation, key, fingerprint, leaseSeconds } = claim;
  const identity = [scope.applicationId, scope.mode, operation, key];
  const [row] = await statements.execute<KeyRow[]>(
    `select fingerprint, payment_id, refund_id, invoice_id, ceil(extract(epoch from lease_until - now()))::int as lease_left, response_status, response_body
     from idempotency_keys where application_id = ? and mode = ? and operation = ? and key = ? for update`,
    identity,
  );
  if (row === undefined) {
    return { kind: 'in-progress', retryAfterSeconds: 1 };
  }
  return outcomeOf(statements, row, { identity, fingerprint, leaseSeconds });
}

interface Duplicate {
  readonly identity: unknown[];
  readonly fingerprint: Buffer;
  readonly leaseSeconds: number;
}

async function outcomeOf(
  statements: Statements,
  row: KeyRow,
  { identity, fingerprint, leaseSeconds }: Duplicate,
): Promise<DuplicateOutcome> {
  if (!fingerprint.equals(row.fingerprint)) {
    return { kind: 'conflict' };
  }
  if (row.response_status !== null && row.response_body !== null) {
    return { kind: 'replay', status: row.response_status, text: row.response_body };
  }
  const made = {
    paymentId: optional(row.payment_id, BigInt),
    refundId: optional(row.refund_id, BigInt),
    invoiceId: optional(row.invoice_id, BigInt),
  };
  if (row.lease_left > 0 || Object.values(made).every((id) => id === null)) {
    const young = row.lease_left > leaseSeconds - YOUNG_SECONDS;
    return { kind: 'in-progress', retryAfterSeconds: young ? 1 : Math.max(1, row.lease_left) };
  }
  await statements.execute(
    `update idempotency_keys set lease_until = now() + ? * interval '1 second'
     where application_id = ? and mode = ? and operation = ? and key = ?`,
    [leaseSeconds, ...identity],
  );
  return { kind: 'take-over', made };
}

/** Claims a key in the caller's transaction. Returns false if it is taken. Call `bindKey` before the commit to name what was created. */
export async function claimKey(
  statements: Statements,
  { scope, operation, key, fingerprint, leaseSeconds, keepDays }: KeyClaim,
): Promise<boolean> {
  const rows = await statements.execute<object[]>(
    `insert into idempotency_keys (application_id, mode, operation, key, fingerprint, lease_until, expires_at)
     values (?, ?, ?, ?, ?::bytea, now() + ?::integer * interval '1 second', now() + ?::integer * interval '1 day')
     on conflict (application_id, mode, operation, key) do update
       set fingerprint = excluded.fingerprint, payment_id = null, refund_id = null, invoice_id = null, lease_until = excluded.lease_until, response_status = null,
         response_body = null, created_at = now(), expires_at = excluded.expires_at
       where idempotency_keys.expires_at <= now()
     returning 1`,
    [scope.applicationId, scope.mode, operation, key, fingerprint, leaseSeconds, keepDays],
  );
  return rows.length > 0;
}

/** Records what an operation has created, before the commit. */
export async function bindKey(
  statements: Statements,
  { scope, operation, key }: KeyName,
  made: { readonly refundId: bigint } | { readonly invoiceId: bigint },
): Promise<void> {
  const [column, id] = 'refundId' in made ? ['refund_id', made.refundId] : ['invoice_id', made.invoiceId];
  await statements.execute(
    `update idempotency_keys set ${column} = ? where application_id = ? and mode = ? and operation = ? and key = ?`,
    [id, scope.applicationId, scope.mode, operation, key],
  );
}

export interface KeyName {
  readonly scope: Scope;
  readonly operation: string;
  readonly key: string;
}

/** Stores an answer for replay, byte for byte, and ends the lease. The first stored answer is kept. */
export async function storeAnswer(
  statements: Statements,
  { scope, operation, key }: KeyName,
  answer: { status: number; text: string },
): Promise<void> {
  await statements.execute(
    `update idempotency_keys set response_status = ?, response_body = ?, lease_until = now()
     where application_id = ? and mode = ? and operation = ? and key = ? and response_status is null`,
    [answer.status, answer.text, scope.applicationId, scope.mode, operation, key],
  );
}

/** Returns the stored answer to a request with this key, or null if there is none or the request was a different one. */
export async function readAnswer(
  statements: Statements,
  { scope, operation, key }: KeyName,
  fingerprint: Buffer,
): Promise<{ status: number; text: string } | null> {
  const [row] = await statements.execute<{ status: number; text: string }[]>(
    `select response_status as status, response_body as text from idempotency_keys
     where application_id = ? and mode = ? and operation = ? and key = ? and fingerprint = ?::bytea and expires_at > now()
       and response_status is not null`,
    [scope.applicationId, scope.mode, operation, key, fingerprint],
  );
  return row ?? null;
}

/** Ends the lease without an answer, so that the next duplicate can immediately find out the payment's state. */
export async function releaseKey(statements: Statements, { scope, operation, key }: KeyName): Promise<void> {
  await statements.execute(
    'update idempotency_keys set lease_until = now() where application_id = ? and mode = ? and operation = ? and key = ?',
    [scope.applicationId, scope.mode, operation, key],
  );
}
