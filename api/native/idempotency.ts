import type { Scope } from '../../database/connection.ts';
import { joinTwin, type KeyClaim, type KeyName, type TwinOutcome } from '../../database/idempotency.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ApiDependencies } from './dependencies.ts';

const KEEP_DAYS = 30;

export interface KeyUse {
  readonly scope: Scope;
  /** Such as `POST /payments`. */
  readonly operation: string;
  /** The header's value. */
  readonly given: string | undefined;
}

/** 1 to 255 octets without control characters; Node hands header octets over as Latin-1, one character each. Null without a header. */
export function readKey({ scope, operation, given }: KeyUse): KeyName | null {
  if (given === undefined) {
    return null;
  }
  if (!/^[\x20-\x7e\x80-\xff]{1,255}$/.test(given)) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', {
      fields: { 'Idempotency-Key': 'must be 1 to 255 octets without control characters' },
    });
  }
  return { scope, operation, key: given };
}

export interface Lease {
  /** SHA-256 over path parameters and canonical body. */
  readonly fingerprint: Buffer;
  /** How long a twin waits for the first caller's answer before it finds out itself. */
  readonly leaseSeconds: number;
}

export function claimOf(key: KeyName | null, lease: Lease): KeyClaim | null {
  return key === null ? null : { ...key, ...lease, keepDays: KEEP_DAYS };
}

/**
 * What a caller is told whose key was taken before.
 * @throws DomainError IDEMPOTENCY_KEY_CONFLICT, IDEMPOTENCY_IN_PROGRESS
 */
export async function findTwin(
  { database }: Pick<ApiDependencies, 'database'>,
  claim: KeyClaim | null,
): Promise<Extract<TwinOutcome, { kind: 'replay' | 'take-over' }>> {
  if (claim === null) {
    throw new Error('without a key there is no twin');
  }
  const twin = await database.inTransaction(claim.scope, (statements) => joinTwin(statements, claim));
  switch (twin.kind) {
    case 'conflict':
      throw new DomainError('IDEMPOTENCY_KEY_CONFLICT', 'this Idempotency-Key was used with another request');
    case 'in-progress':
      throw new DomainError('IDEMPOTENCY_IN_PROGRESS', 'the first request with this Idempotency-Key is still running', {
        retryAfterSeconds: twin.retryAfterSeconds,
      });
    case 'replay':
    case 'take-over':
      return twin;
  }
}
