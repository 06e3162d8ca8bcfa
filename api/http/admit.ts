import { DomainError } from '../../domain/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { admitAddress, releaseAddress, type RateLimiter, type RateVerdict } from './rate-limit.ts';
import type { Context } from './surface.ts';

const FAILED_LOGINS_PER_MINUTE = 60;
const REFUSED = { bucket: 'refused', perMinute: FAILED_LOGINS_PER_MINUTE } as const;

export interface Admission {
  readonly context: Context;
  readonly limiter: RateLimiter;
  /** `X-RateLimit-Reset` as the contract has it. */
  readonly resetOf: (verdict: RateVerdict) => number;
}

/** Counts a request of a credential and says how much is left. Throws RATE_LIMITED. */
export function admitCredential(
  { context, limiter, resetOf }: Admission,
  { credentialId, perMinute }: { readonly credentialId: bigint; readonly perMinute: number },
): void {
  const verdict = limiter.take(`credential ${credentialId}`, perMinute);
  context.set({
    'X-RateLimit-Limit': String(verdict.limit),
    'X-RateLimit-Remaining': String(verdict.remaining),
    'X-RateLimit-Reset': String(resetOf(verdict)),
  });
  if (!verdict.allowed) {
    throw new DomainError('RATE_LIMITED', 'too many requests', { retryAfterSeconds: verdict.retryAfterSeconds });
  }
}

/** Guessing is slowed per address; a valid credential behind the same address is not, nor is anybody when we fail. */
export async function slowGuesses<Caller>(
  { context, limiter, log }: { readonly context: Context; readonly limiter: RateLimiter; readonly log: Logger },
  authenticating: Promise<Caller>,
): Promise<Caller> {
  try {
    return await authenticating;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'UNAUTHORIZED') {
      admitGuess({ context, limiter, log });
    }
    throw error;
  }
}

interface Guessing extends Pick<Admission, 'context' | 'limiter'> {
  readonly log: Logger;
}

const FAILED_HASHES = { bucket: 'failed hash', perMinute: FAILED_LOGINS_PER_MINUTE } as const;

/** The slow checks of secrets that an address has failed, counted before each: a check that succeeds is given back. */
export function hashesOf({ context, limiter, log }: Guessing) {
  return {
    /** Throws RATE_LIMITED. */
    take: () => admitGuess({ context, limiter, log }, FAILED_HASHES),
    release: () => releaseAddress(context, limiter, FAILED_HASHES),
  };
}

function admitGuess(
  { context, limiter, log }: Guessing,
  limit: { readonly bucket: string; readonly perMinute: number } = REFUSED,
): void {
  try {
    admitAddress(context, limiter, limit);
  } catch (error) {
    log.error({ alert: 'credential-guessing' }, 'one address names wrong credentials unusually often');
    throw error;
  }
}
