import { DomainError } from '../../domain/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { admitAddress, releaseAddress, type RateLimiter, type RateVerdict } from './rate-limit.ts';
import type { Context } from './surface.ts';

const FAILED_LOGINS_PER_MINUTE = 60;
const REFUSED = { bucket: 'refused', perMinute: FAILED_LOGINS_PER_MINUTE } as const;

export interface Admission {
  readonly context: Context;
  readonly limiter: RateLimiter;
  /** Returns `X-RateLimit-Reset` in the contract's format. */
  readonly resetOf: (verdict: RateVerdict) => number;
}

/** Counts a request against its credential and sets the rate limit headers. Throws RATE_LIMITED. */
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

/** Limits failed authentication per address. Valid credentials behind the same address are not limited, and failures of our own do not count. */
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

/** Returns the per-address limit of slow secret checks. A check is counted before it runs and released if it succeeds. */
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
    log.error({ alert: 'credential-guessing' }, 'unusually many invalid credentials from one address');
    throw error;
  }
}
