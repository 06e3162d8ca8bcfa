import { addressBlock } from '../../domain/client-address.ts';
import { DomainError } from '../../domain/errors.ts';

/** A token bucket per key: `perMinute` at once, refilled evenly. Each process has its own, as the documentation states. */
export interface RateLimiter {
  take(key: string, perMinute: number): RateVerdict;
  /** Releases a token that was taken for something that does not count. */
  release(key: string, perMinute: number): void;
}

export interface RateVerdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the bucket is full again. */
  readonly resetSeconds: number;
  /** Seconds until one request is allowed; 0 if this one was. */
  readonly retryAfterSeconds: number;
}

const KEYS_MAX = 50_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

export function createRateLimiter(nowMs: () => number = () => performance.now()): RateLimiter {
  const buckets = new Map<string, Bucket>();
  return {
    take(key, perMinute) {
      const now = nowMs();
      const bucket = buckets.get(key) ?? { tokens: perMinute, atMs: now };
      const perMs = perMinute / 60_000;
      const tokens = Math.min(perMinute, bucket.tokens + (now - bucket.atMs) * perMs);
      const allowed = tokens >= 1;
      const left = allowed ? tokens - 1 : tokens;
      // Moves the key to the end of the map, so that the least recently used key is removed first.
      buckets.delete(key);
      buckets.set(key, { tokens: left, atMs: now });
      forgetOldest(buckets);
      return {
        allowed,
        limit: perMinute,
        remaining: Math.floor(left),
        resetSeconds: Math.ceil((perMinute - left) / perMs / 1_000),
        retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((1 - left) / perMs / 1_000)),
      };
    },
    release(key, perMinute) {
      const bucket = buckets.get(key);
      if (bucket !== undefined) {
        bucket.tokens = Math.min(perMinute, bucket.tokens + 1);
      }
    },
  };
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  if (buckets.size > KEYS_MAX) {
    const [oldest] = buckets.keys();
    if (oldest !== undefined) {
      buckets.delete(oldest);
    }
  }
}

interface AddressLimit {
  readonly bucket: string;
  readonly perMinute: number;
}

/** Throws RATE_LIMITED when an address sends too many requests. */
export function admitAddress(
  { ip }: { readonly ip: string },
  limiter: RateLimiter,
  { bucket, perMinute }: AddressLimit,
): void {
  const verdict = limiter.take(addressKey(ip, bucket), perMinute);
  if (!verdict.allowed) {
    throw new DomainError('RATE_LIMITED', 'too many requests', { retryAfterSeconds: verdict.retryAfterSeconds });
  }
}

/** Releases what `admitAddress` took. */
export function releaseAddress(
  { ip }: { readonly ip: string },
  limiter: RateLimiter,
  { bucket, perMinute }: AddressLimit,
): void {
  limiter.release(addressKey(ip, bucket), perMinute);
}

function addressKey(ip: string, bucket: string): string {
  return `${bucket} ${addressBlock(ip)}`;
}
