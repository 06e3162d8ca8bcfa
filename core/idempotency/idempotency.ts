import { joinDuplicate, readAnswer, storeAnswer, type KeyClaim, type KeyName, type DuplicateOutcome } from './store.ts';
import { DomainError } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';

const KEEP_DAYS = 30;

export interface Lease {
  /** SHA-256 over what makes two requests duplicates. */
  readonly fingerprint: Buffer;
  /** How long a duplicate waits for the first caller's response before it takes over. */
  readonly leaseSeconds: number;
  /** How long a response is kept; 30 days by default. */
  readonly keepDays?: number;
}

export function claimOf(key: KeyName | null, { keepDays = KEEP_DAYS, ...lease }: Lease): KeyClaim | null {
  return key === null ? null : { ...key, ...lease, keepDays };
}

/** The outcome of a request with a key: the stored response, or what was made and how to store its response for duplicates. */
export type Outcome<Made> =
  | { readonly kind: 'replay'; readonly status: number; readonly text: string }
  | {
      readonly kind: 'made';
      readonly made: Made;
      /** Whether a former request with the same key made it, without storing its response. */
      readonly known?: boolean;
      readonly keep?: KeepAnswer;
    };

/** The part of a route's reply that stores the exact bytes sent. */
export interface KeepAnswer {
  readonly onSerialized: (text: string) => Promise<void>;
}

export function keepingAnswer(
  { database }: Pick<CoreDependencies, 'database'>,
  key: KeyName,
  status = 201,
): KeepAnswer {
  return {
    onSerialized: (text) =>
      database.withScope(key.scope, (statements) => storeAnswer(statements, key, { status, text }), { oneTrip: true }),
  };
}

interface Keyed {
  readonly key: KeyName | null;
  readonly lease: Pick<Lease, 'fingerprint'>;
}

/**
 * Runs `work`. If it is refused although the same request with its key succeeded before, returns the stored response: a caller whose response was
 * lost must not be told that nothing was made because a rule or setting has changed since.
 */
export async function orAsAnswered<Reply>(
  { database }: Pick<CoreDependencies, 'database'>,
  { key, lease }: Keyed,
  work: () => Promise<Reply>,
): Promise<Reply | Extract<Outcome<never>, { kind: 'replay' }>> {
  try {
    return await work();
  } catch (error) {
    const answer =
      error instanceof DomainError && key !== null
        ? await database.withScope(key.scope, (statements) => readAnswer(statements, key, lease.fingerprint), {
            oneTrip: true,
          })
        : null;
    if (answer === null) {
      throw error;
    }
    return { kind: 'replay', ...answer };
  }
}

/**
 * Returns the response or state for a key that was used before.
 * @throws DomainError IDEMPOTENCY_KEY_CONFLICT, IDEMPOTENCY_IN_PROGRESS
 */
export async function findDuplicate(
  { database }: Pick<CoreDependencies, 'database'>,
  claim: KeyClaim | null,
): Promise<Extract<DuplicateOutcome, { kind: 'replay' | 'take-over' }>> {
  if (claim === null) {
    throw new Error('without a key there is no duplicate');
  }
  const duplicate = await database.withScope(claim.scope, (statements) => joinDuplicate(statements, claim));
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
