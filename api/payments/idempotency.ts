import {
  joinDuplicate,
  readAnswer,
  storeAnswer,
  type KeyClaim,
  type KeyName,
  type DuplicateOutcome,
} from '../../database/idempotency.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';

const KEEP_DAYS = 30;

export interface Lease {
  /** SHA-256 over what makes two requests the same. */
  readonly fingerprint: Buffer;
  /** How long a duplicate waits for the first caller's answer before it finds out itself. */
  readonly leaseSeconds: number;
  /** How long an answer is kept; 30 days unless told. */
  readonly keepDays?: number;
}

export function claimOf(key: KeyName | null, { keepDays = KEEP_DAYS, ...lease }: Lease): KeyClaim | null {
  return key === null ? null : { ...key, ...lease, keepDays };
}

/** What a request with a key has come to: the answer that was given before, or what is made and how its answer is kept for duplicates. */
export type Outcome<Made> =
  | { readonly kind: 'replay'; readonly status: number; readonly text: string }
  | {
      readonly kind: 'made';
      readonly made: Made;
      /** By a former request with the same key, whose answer was not kept. */
      readonly known?: boolean;
      readonly keep?: KeepAnswer;
    };

/** Of a route's reply, so that the very bytes are kept. */
export interface KeepAnswer {
  readonly onSerialized: (text: string) => Promise<void>;
}

export function keepingAnswer({ database }: Pick<ApiDependencies, 'database'>, key: KeyName, status = 201): KeepAnswer {
  return {
    onSerialized: (text) =>
      database.inOneTrip(key.scope, (statements) => storeAnswer(statements, key, { status, text })),
  };
}

interface Keyed {
  readonly key: KeyName | null;
  readonly lease: Pick<Lease, 'fingerprint'>;
}

/**
 * Does what a request asks for. Where it is refused now and the same request with its key was answered well before, that answer is given
 * again: a caller whose answer was lost must not be told that nothing was made, because a rule or a setting has changed since.
 */
export async function orAsAnswered<Reply>(
  { database }: Pick<ApiDependencies, 'database'>,
  { key, lease }: Keyed,
  work: () => Promise<Reply>,
): Promise<Reply | Extract<Outcome<never>, { kind: 'replay' }>> {
  try {
    return await work();
  } catch (error) {
    const answer =
      error instanceof DomainError && key !== null
        ? await database.inOneTrip(key.scope, (statements) => readAnswer(statements, key, lease.fingerprint))
        : null;
    if (answer === null) {
      throw error;
    }
    return { kind: 'replay', ...answer };
  }
}

/**
 * What a caller is told whose key was taken before.
 * @throws DomainError IDEMPOTENCY_KEY_CONFLICT, IDEMPOTENCY_IN_PROGRESS
 */
export async function findDuplicate(
  { database }: Pick<ApiDependencies, 'database'>,
  claim: KeyClaim | null,
): Promise<Extract<DuplicateOutcome, { kind: 'replay' | 'take-over' }>> {
  if (claim === null) {
    throw new Error('without a key there is no duplicate');
  }
  const duplicate = await database.inTransaction(claim.scope, (statements) => joinDuplicate(statements, claim));
  switch (duplicate.kind) {
    case 'conflict':
      throw new DomainError('IDEMPOTENCY_KEY_CONFLICT', 'this Idempotency-Key was used with another request');
    case 'in-progress':
      throw new DomainError('IDEMPOTENCY_IN_PROGRESS', 'the first request with this Idempotency-Key is still running', {
        retryAfterSeconds: duplicate.retryAfterSeconds,
      });
    case 'replay':
    case 'take-over':
      return duplicate;
  }
}
