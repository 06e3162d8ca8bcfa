import { sql, type Expression, type QueryCreator } from 'kysely';
import type { Scope } from '../../database/connection.ts';
import { now, plus, span } from '../../database/expressions.ts';
import type { Statements } from '../../database/statements.ts';
import type { Tables } from '../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../database/typed-statements.ts';

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

export interface KeyName {
  readonly scope: Scope;
  readonly operation: string;
  readonly key: string;
}

/** A key's name as its table's primary key. */
interface Named extends Scope {
  readonly operation: string;
  readonly key: string;
}

function named({ scope: { applicationId, mode }, operation, key }: KeyName): Named {
  return { applicationId, mode, operation, key };
}

const READ_KEY = statement((db, $: Given<Named>) =>
  db
    .selectFrom('idempotency_keys')
    .select(['fingerprint', 'paymentId', 'refundId', 'invoiceId', 'responseStatus', 'responseBody'])
    .select(sql<number>`ceil(extract(epoch from ${sql.ref('leaseUntil')} - now()))::integer`.as('leaseLeft'))
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('operation', '=', $('operation'))
    .where('key', '=', $('key'))
    .forUpdate(),
);

const EXTEND_LEASE = statement((db, $: Given<Named & { leaseSeconds: number }>) =>
  db
    .updateTable('idempotency_keys')
    .set({ leaseUntil: plus(now, span($('leaseSeconds'), 'second')) })
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('operation', '=', $('operation'))
    .where('key', '=', $('key')),
);

/** Returns what a duplicate request has to do: replay the first answer, wait for a lease, or take over the operation. */
export async function joinDuplicate(statements: Statements, claim: KeyClaim): Promise<DuplicateOutcome> {
  const row = await READ_KEY.first(statements, named(claim));
  if (row === undefined) {
    return { kind: 'in-progress', retryAfterSeconds: 1 };
  }
  return outcomeOf(statements, row, claim);
}

async function outcomeOf(
  statements: Statements,
  row: RowOf<typeof READ_KEY>,
  claim: KeyClaim,
): Promise<DuplicateOutcome> {
  const { fingerprint, leaseSeconds } = claim;
  if (!fingerprint.equals(row.fingerprint)) {
    return { kind: 'conflict' };
  }
  if (row.responseStatus !== null && row.responseBody !== null) {
    return { kind: 'replay', status: row.responseStatus, text: row.responseBody };
  }
  const { paymentId, refundId, invoiceId } = row;
  const made = { paymentId, refundId, invoiceId };
  if (row.leaseLeft > 0 || Object.values(made).every((id) => id === null)) {
    const young = row.leaseLeft > leaseSeconds - YOUNG_SECONDS;
    return { kind: 'in-progress', retryAfterSeconds: young ? 1 : Math.max(1, row.leaseLeft) };
  }
  await EXTEND_LEASE.all(statements, { ...named(claim), leaseSeconds });
  return { kind: 'take-over', made };
}

/** The values of a claim. */
export interface ClaimValues extends Named {
  readonly fingerprint: Uint8Array;
  readonly leaseSeconds: number;
  readonly keepDays: number;
}

export function claimValues({ fingerprint, leaseSeconds, keepDays, ...key }: KeyClaim): ClaimValues {
  return { ...named(key), fingerprint, leaseSeconds, keepDays };
}

/** Claims a key, unless it is taken. What the operation creates may be named at once, by an id that it will get. */
export function claimed(
  q: QueryCreator<Tables>,
  $: Given<ClaimValues>,
  paymentId: Expression<bigint | null> = sql.lit(null),
) {
  return q
    .insertInto('idempotency_keys')
    .values((eb) => ({
      applicationId: eb.cast<bigint>($('applicationId'), 'bigint'),
      mode: $('mode'),
      operation: $('operation'),
      key: $('key'),
      fingerprint: eb.cast<Uint8Array>($('fingerprint'), 'bytea'),
      paymentId,
      leaseUntil: plus(now, span($('leaseSeconds'), 'second')),
      expiresAt: plus(now, span($('keepDays'), 'day')),
    }))
    .onConflict((conflict) =>
      conflict
        .columns(['applicationId', 'mode', 'operation', 'key'])
        .doUpdateSet((eb) => ({
          fingerprint: eb.ref('excluded.fingerprint'),
          paymentId: eb.ref('excluded.paymentId'),
          refundId: null,
          invoiceId: null,
          leaseUntil: eb.ref('excluded.leaseUntil'),
          responseStatus: null,
          responseBody: null,
          createdAt: now,
          expiresAt: eb.ref('excluded.expiresAt'),
        }))
        // Only a key that has expired is claimed again.
        .where('idempotency_keys.expiresAt', '<=', now),
    );
}

const CLAIM = statement((db, $: Given<ClaimValues>) => claimed(db, $).returning('key'));

/** Claims a key in the caller's transaction. Returns false if it is taken. Call `bindKey` before the commit to name what was created. */
export async function claimKey(statements: Statements, claim: KeyClaim): Promise<boolean> {
  return (await CLAIM.first(statements, claimValues(claim))) !== undefined;
}

const BIND_REFUND = statement((db, $: Given<Named & { id: bigint }>) =>
  db
    .updateTable('idempotency_keys')
    .set({ refundId: $('id') })
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('operation', '=', $('operation'))
    .where('key', '=', $('key')),
);

const BIND_INVOICE = statement((db, $: Given<Named & { id: bigint }>) =>
  db
    .updateTable('idempotency_keys')
    .set({ invoiceId: $('id') })
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('operation', '=', $('operation'))
    .where('key', '=', $('key')),
);

/** Records what an operation has created, before the commit. */
export async function bindKey(
  statements: Statements,
  key: KeyName,
  made: { readonly refundId: bigint } | { readonly invoiceId: bigint },
): Promise<void> {
  await ('refundId' in made
    ? BIND_REFUND.all(statements, { ...named(key), id: made.refundId })
    : BIND_INVOICE.all(statements, { ...named(key), id: made.invoiceId }));
}

const STORE_ANSWER = statement((db, $: Given<Named & { status: number; text: string }>) =>
  db
    .updateTable('idempotency_keys')
    .set({ responseStatus: $('status'), responseBody: $('text'), leaseUntil: now })
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('operation', '=', $('operation'))
    .where('key', '=', $('key'))
    .where('responseStatus', 'is', null),
);

/** Stores an answer for replay, byte for byte, and ends the lease. The first stored answer is kept. */
export async function storeAnswer(
  statements: Statements,
  key: KeyName,
  { status, text }: { status: number; text: string },
): Promise<void> {
  await STORE_ANSWER.all(statements, { ...named(key), status, text });
}

const READ_ANSWER = statement((db, $: Given<Named & { fingerprint: Uint8Array }>) =>
  db
    .selectFrom('idempotency_keys')
    .select((eb) => [eb.ref('responseStatus').$notNull().as('status'), eb.ref('responseBody').$notNull().as('text')])
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('operation', '=', $('operation'))
    .where('key', '=', $('key'))
    .where('fingerprint', '=', (eb) => eb.cast<Uint8Array>($('fingerprint'), 'bytea'))
    .where('expiresAt', '>', now)
    .where('responseStatus', 'is not', null),
);

/** Returns the stored answer to a request with this key, or null if there is none or the request was a different one. */
export async function readAnswer(
  statements: Statements,
  key: KeyName,
  fingerprint: Buffer,
): Promise<{ status: number; text: string } | null> {
  return (await READ_ANSWER.first(statements, { ...named(key), fingerprint })) ?? null;
}

const RELEASE = statement((db, $: Given<Named>) =>
  db
    .updateTable('idempotency_keys')
    .set({ leaseUntil: now })
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('operation', '=', $('operation'))
    .where('key', '=', $('key')),
);

/** Ends the lease without an answer, so that the next duplicate can immediately find out the payment's state. */
export async function releaseKey(statements: Statements, key: KeyName): Promise<void> {
  await RELEASE.all(statements, named(key));
}
