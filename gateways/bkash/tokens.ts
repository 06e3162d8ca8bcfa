import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { HttpClient } from '../../runtime/http-client.ts';
import { secretEquals } from '../../runtime/secrets.ts';
import { GatewayFailure } from '../port.ts';
import type { BkashCredentials } from './credentials.ts';
import { exchange, optionalText, type Exchanged } from './exchange.ts';

/** One merchant at one of bKash's hosts. */
export interface BkashAccount {
  /** Origin, without a path. */
  readonly baseUrl: string;
  readonly credentials: BkashCredentials;
}

/**
 * The token of each merchant, shared by every call: bKash gives two an hour, counting renewals, and blocks whoever asks for more. Whoever
 * needs one while it is being fetched waits for the same answer.
 */
export interface BkashTokens {
  /** @throws GatewayFailure `rate-limited` when another call would be one too many, `unauthorized`, and whatever an exchange throws */
  current(account: BkashAccount): Promise<string>;
  /** The gateway did not take this token, so the next one is fetched anew. */
  discard(account: BkashAccount, token: string): void;
}

/**
 * Where tokens are kept for all processes, and whose clock they go by: one process an hour ahead would ask for a third token within the
 * merchant's hour, or keep all others from asking for one. What is kept is secret: whoever keeps it seals it.
 */
export interface TokenShelf {
  read(account: string): Promise<KeptToken>;
  /** Null while another process has taken it. Of one that died with it, it comes back by itself. */
  take(account: string): Promise<TakenToken | null>;
}

export interface KeptToken {
  readonly kept: string | null;
  /** The shelf's time as this was read. */
  readonly readAt: Date;
}

/** What one process alone may renew, until it gives it back. */
export interface TakenToken extends KeptToken {
  /** Rejects when it was held for too long and is another's now. */
  write(kept: string): Promise<void>;
  release(): Promise<void>;
}

export interface TokensOptions {
  readonly http: HttpClient;
  readonly shelf: TokenShelf;
  /** Measures how long ago the shelf said what time it is; replaced in tests. */
  readonly elapsedMs?: () => number;
}

const HOUR_MS = 3_600_000;
const CALLS_PER_HOUR = 2;
/** Renewed this long before it dies, so that no call carries a dead one; spread, so that of several processes one is the first. */
const MARGIN_MS = 5 * 60_000;
const MARGIN_SPREAD_MS = 3 * 60_000;
const TIMEOUT_MS = 10_000;
const ACCOUNTS_MAX = 1_000;
/** How long to wait for another process that fetches a token, and how often to look. */
const ELSEWHERE_MAX_MS = 12_000;
const ELSEWHERE_LOOK_MS = 200;

const Kept = z.object({
  token: z.string().nullable(),
  expiresAtMs: z.number(),
  refreshToken: z.string().nullable(),
  /** Instants of the calls of the last hour, whatever came of them. */
  calls: z.array(z.number()).max(100),
  blockedUntilMs: z.number(),
});
type Kept = z.infer<typeof Kept>;

const Granted = z.looseObject({
  id_token: z.string().min(1),
  refresh_token: optionalText,
  expires_in: z.coerce.number().int().min(1).max(86_400).catch(3_600),
});

const NOTHING: Kept = { token: null, expiresAtMs: 0, refreshToken: null, calls: [], blockedUntilMs: 0 };

interface Slot {
  kept: Kept;
  /** What to add to what this process measures for the shelf's time, as it was when the shelf was last read. */
  shelfAheadMs: number;
  /** The last token that the gateway did not take: other processes may still keep it. */
  refused: string | null;
  pending: Promise<string> | null;
  readonly marginMs: number;
}

export function createBkashTokens({ http, shelf, elapsedMs = () => performance.now() }: TokensOptions): BkashTokens {
  const slots = new Map<string, Slot>();
  const slotOf = (key: string): Slot => {
    const known = slots.get(key);
    if (known !== undefined) {
      return known;
    }
    const oldest = slots.size < ACCOUNTS_MAX ? undefined : slots.keys().next().value;
    if (oldest !== undefined) {
      slots.delete(oldest);
    }
    const slot: Slot = {
      kept: NOTHING,
      shelfAheadMs: 0,
      refused: null,
      pending: null,
      marginMs: MARGIN_MS + Math.random() * MARGIN_SPREAD_MS,
    };
    slots.set(key, slot);
    return slot;
  };
  const fetchToken = async (account: BkashAccount, key: string, slot: Slot): Promise<string> => {
    const taken = await takeOrFollow({ shelf, key, slot, elapsedMs });
    try {
      const fresh = freshToken(slot, timeOf(slot, elapsedMs));
      if (fresh !== null) {
        return fresh;
      }
      const keep = async (): Promise<void> => taken?.write(JSON.stringify(slot.kept));
      await renew({ http, account, slot, elapsedMs, keep });
      return slot.kept.token ?? '';
    } finally {
      await taken?.release().catch(() => undefined);
    }
  };
  return {
    async current(account) {
      const key = keyOf(account);
      const slot = slotOf(key);
      // Nothing is kept, and nothing is fresh, before the shelf was read and has said what time it is.
      const fresh = freshToken(slot, timeOf(slot, elapsedMs));
      if (fresh !== null) {
        return fresh;
      }
      slot.pending ??= fetchToken(account, key, slot).finally(() => {
        slot.pending = null;
      });
      try {
        return await slot.pending;
      } catch (error) {
        const { token, expiresAtMs } = slot.kept;
        // Near its end, and no new one to be had: it is good for what is left of it.
        if (token !== null && expiresAtMs > timeOf(slot, elapsedMs)) {
          return token;
        }
        throw error;
      }
    },
    discard(account, token) {
      const slot = slots.get(keyOf(account));
      const kept = slot?.kept.token ?? null;
      if (slot !== undefined && kept !== null && secretEquals(kept, token)) {
        slot.refused = token;
        slot.kept = { ...slot.kept, token: null, refreshToken: null };
      }
    },
  };
}

/** The shelf's time. */
function timeOf({ shelfAheadMs }: Slot, elapsedMs: () => number): number {
  return shelfAheadMs + elapsedMs();
}

interface Following {
  readonly shelf: TokenShelf;
  readonly key: string;
  readonly slot: Slot;
  readonly elapsedMs: () => number;
}

/** Null when another process has fetched a token meanwhile, which is then the slot's, too. */
async function takeOrFollow({ shelf, key, slot, elapsedMs }: Following): Promise<TakenToken | null> {
  for (let waitedMs = 0; ; waitedMs += ELSEWHERE_LOOK_MS) {
    adopt(slot, await fromShelf(() => shelf.read(key)), elapsedMs());
    if (freshToken(slot, timeOf(slot, elapsedMs)) !== null) {
      return null;
    }
    const taken = await fromShelf(() => shelf.take(key));
    if (taken !== null) {
      adopt(slot, taken, elapsedMs());
      return taken;
    }
    // Near its end, ours is good for what is left of it, and nobody needs to wait.
    if (waitedMs >= ELSEWHERE_MAX_MS || (slot.kept.token !== null && slot.kept.expiresAtMs > timeOf(slot, elapsedMs))) {
      throw new GatewayFailure('unavailable', 'another process is still fetching a token');
    }
    await sleep(ELSEWHERE_LOOK_MS);
  }
}

/** Without the shelf nobody knows how many calls are left, and one too many blocks the merchant. */
async function fromShelf<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (cause) {
    throw new GatewayFailure('unavailable', 'the tokens cannot be read', { cause });
  }
}

/** What time it is, and what another process knows: its token where that lives longer, and its calls in any case. */
function adopt(slot: Slot, { kept: text, readAt }: KeptToken, elapsedMs: number): void {
  slot.shelfAheadMs = readAt.getTime() - elapsedMs;
  const elsewhere = text === null ? null : keptIn(text);
  if (elsewhere === null) {
    return;
  }
  const own = slot.kept;
  const wasRefused = secretEquals(elsewhere.token ?? '', slot.refused ?? '');
  const isNews = !wasRefused && elsewhere.expiresAtMs > (own.token === null ? 0 : own.expiresAtMs);
  slot.kept = {
    ...(isNews ? elsewhere : own),
    calls: mergedCalls(own.calls, elsewhere.calls),
    blockedUntilMs: Math.max(own.blockedUntilMs, elsewhere.blockedUntilMs),
  };
}

interface Renewing {
  readonly http: HttpClient;
  readonly account: BkashAccount;
  readonly slot: Slot;
  readonly elapsedMs: () => number;
  /** Shows all processes what the slot holds. */
  readonly keep: () => Promise<void>;
}

async function renew(renewing: Renewing): Promise<void> {
  const { slot } = renewing;
  const { refreshToken } = slot.kept;
  if (refreshToken !== null) {
    // A refresh token that is not taken any more is no reason to stop: a new grant needs none.
    const renewed = await callForToken(renewing, 'refresh', { refresh_token: refreshToken }).catch((error: unknown) => {
      if (error instanceof GatewayFailure && error.kind === 'unauthorized') {
        return false;
      }
      throw error;
    });
    if (renewed) {
      return;
    }
    slot.kept = { ...slot.kept, refreshToken: null };
  }
  if (!(await callForToken(renewing, 'grant', {}))) {
    throw new GatewayFailure('ambiguous', 'the gateway granted no token and did not say why');
  }
}

/** One call that counts. True when it brought a token; false when the gateway refused it in words that say nothing of our credentials. */
async function callForToken(
  { http, account, slot, elapsedMs, keep }: Renewing,
  kind: 'grant' | 'refresh',
  extra: Readonly<Record<string, string>>,
): Promise<boolean> {
  const startedMs = timeOf(slot, elapsedMs);
  admit(slot.kept, startedMs);
  slot.kept = { ...slot.kept, calls: [...lastHour(slot.kept.calls, startedMs), startedMs] };
  // Counted before it is made: whoever dies in it has used it up all the same.
  await fromShelf(keep);
  const { username, password, appKey, appSecret } = account.credentials;
  const answer = await exchange({
    http,
    url: new URL(`/v1.2.0-beta/tokenized/checkout/token/${kind}`, account.baseUrl).href,
    headers: { username, password },
    body: { app_key: appKey, app_secret: appSecret, ...extra },
    totalTimeoutMs: TIMEOUT_MS,
  }).catch(async (error: unknown) => {
    if (error instanceof GatewayFailure && error.kind === 'unavailable') {
      slot.kept = { ...slot.kept, calls: slot.kept.calls.filter((at) => at !== startedMs) };
    }
    if (error instanceof GatewayFailure && error.kind === 'rate-limited') {
      // Whoever goes on asking stays blocked.
      slot.kept = { ...slot.kept, blockedUntilMs: startedMs + HOUR_MS };
    }
    await keep().catch(() => undefined);
    throw error;
  });
  const granted = grantedBy(answer);
  if (granted === null) {
    return false;
  }
  slot.kept = {
    ...slot.kept,
    token: granted.id_token,
    expiresAtMs: startedMs + granted.expires_in * 1_000,
    refreshToken: granted.refresh_token === '' ? null : granted.refresh_token,
  };
  // Not kept, it still serves this process; another one would fetch its own.
  await keep().catch(() => undefined);
  return true;
}

function grantedBy({ code, message, body }: Exchanged): z.infer<typeof Granted> | null {
  if (code === '2001' || /unauthorized|forbidden/i.test(message)) {
    throw new GatewayFailure('unauthorized', 'the gateway did not take the credentials of the store');
  }
  const parsed = Granted.safeParse(body);
  return (code === '0000' || code === '') && parsed.success ? parsed.data : null;
}

/** @throws GatewayFailure `rate-limited`, before anything is sent */
function admit({ calls, blockedUntilMs }: Kept, nowMs: number): void {
  const recent = lastHour(calls, nowMs);
  const oldest = recent.at(-CALLS_PER_HOUR);
  const untilMs = Math.max(blockedUntilMs, oldest === undefined ? 0 : oldest + HOUR_MS);
  if (untilMs > nowMs) {
    const until = new Date(untilMs).toISOString();
    throw new GatewayFailure(
      'rate-limited',
      `the gateway gives two tokens an hour; the next one can be had at ${until}`,
    );
  }
}

function lastHour(calls: readonly number[], nowMs: number): number[] {
  return calls.filter((at) => at > nowMs - HOUR_MS);
}

/** Each call once, however many processes know of it; two of one moment are two. */
function mergedCalls(ours: readonly number[], theirs: readonly number[]): number[] {
  const merged = [...ours];
  for (const at of new Set(theirs)) {
    const missing = theirs.filter((one) => one === at).length - ours.filter((one) => one === at).length;
    merged.push(...Array.from({ length: Math.max(missing, 0) }, () => at));
  }
  return merged.sort((a, b) => a - b).slice(-100);
}

function freshToken({ kept, marginMs }: Slot, nowMs: number): string | null {
  return kept.token !== null && kept.expiresAtMs - marginMs > nowMs ? kept.token : null;
}

function keptIn(text: string): Kept | null {
  try {
    return Kept.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Every part of the account counts: a corrected password is another account, which the mistakes of the former one do not block. */
function keyOf({ baseUrl, credentials: { username, password, appKey, appSecret } }: BkashAccount): string {
  return createHash('sha256')
    .update(JSON.stringify([baseUrl, username, password, appKey, appSecret]))
    .digest('base64url');
}
