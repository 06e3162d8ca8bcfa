import { z } from 'zod';
import { parseJson } from '../json.ts';
import { GatewayFailure } from '../port.ts';

/* What is stored about a merchant's token, and how many calls for a token are left. */

export const HOUR_MS = 3_600_000;
const CALLS_PER_HOUR = 2;

const Kept = z.object({
  token: z.string().nullable(),
  expiresAtMs: z.number(),
  refreshToken: z.string().nullable(),
  /** Times of the token calls of the last hour, whatever their result. */
  calls: z.array(z.number()).max(100),
  blockedUntilMs: z.number(),
});
export type Kept = z.infer<typeof Kept>;

export const NOTHING: Kept = { token: null, expiresAtMs: 0, refreshToken: null, calls: [], blockedUntilMs: 0 };

/** @throws GatewayFailure `rate-limited`, before anything is sent */
export function admit({ calls, blockedUntilMs }: Kept, nowMs: number): void {
  const recent = lastHour(calls, nowMs);
  const oldest = recent.at(-CALLS_PER_HOUR);
  const untilMs = Math.max(blockedUntilMs, oldest === undefined ? 0 : oldest + HOUR_MS);
  if (untilMs > nowMs) {
    const until = new Date(untilMs).toISOString();
    throw new GatewayFailure(
      'rate-limited',
      `the gateway grants two tokens an hour; the next one is available at ${until}`,
    );
  }
}

export function lastHour(calls: readonly number[], nowMs: number): number[] {
  return calls.filter((at) => at > nowMs - HOUR_MS);
}

/** Merges two lists of calls. A call in both lists counts once; two calls at the same time in one list count twice. */
export function mergedCalls(ours: readonly number[], theirs: readonly number[]): number[] {
  const merged = [...ours];
  for (const at of new Set(theirs)) {
    const missing = theirs.filter((one) => one === at).length - ours.filter((one) => one === at).length;
    merged.push(...Array.from({ length: Math.max(missing, 0) }, () => at));
  }
  return merged.sort((a, b) => a - b).slice(-100);
}

/** Parses what is stored. Returns null for anything else. */
export function keptIn(text: string): Kept | null {
  return Kept.safeParse(parseJson(text)).data ?? null;
}
