import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { HttpClient } from '../../runtime/http-client.ts';
import { secretEquals } from '../../runtime/secrets.ts';
import { optionalText } from '../json.ts';
import { GatewayFailure } from '../port.ts';
import type { BkashCredentials } from './credentials.ts';
import { exchange, type Exchanged } from './exchange.ts';
import { admit, HOUR_MS, keptIn, lastHour, mergedCalls, NOTHING, type Kept } from './kept-token.ts';

/** One merchant at one of bKash's hosts. */
export interface BkashAccount {
  /** Origin, without a path. */
  readonly baseUrl: string;
  readonly credentials: BkashCredentials;
}

/**
 * The token of each merchant, shared by all calls. bKash grants two tokens an hour, including renewals, and blocks clients that ask for more.
 * Concurrent callers wait for the same request.
 */
export interface BkashTokens {
  /** @throws GatewayFailure `rate-limited` if another call would exceed the limit, `unauthorized`, or any failure of an exchange */
  current(account: BkashAccount): Promise<string>;
  /** Reports that the gateway refused this token. The next call fetches a new one. */
  discard(account: BkashAccount, token: string): void;
}

/**
 * Storage of the tokens for all processes, and the clock by which they expire. With its own clock, a process an hour ahead would ask for a third
 * token within the merchant's hour, or stop all others from asking. What is stored is secret: an implementation must seal it.
 */
export interface TokenShelf {
  read(account: string): Promise<KeptToken>;
  /** Returns null while another process holds the token. If that process dies, its hold ends by itself. */
  take(account: string): Promise<TakenToken | null>;
}

export interface KeptToken {
  readonly kept: string | null;
  /** The storage's time of the read. */
  readonly readAt: Date;
}

/** A stored token that only one process may renew, until it releases it. */
export interface TakenToken extends KeptToken {
  /** Rejects if this process held it for too long and another one has taken it since. */
  write(kept: string): Promise<void>;
  release(): Promise<void>;
}

export interface TokensOptions {
  readonly http: HttpClient;
  readonly shelf: TokenShelf;
  /** A monotonic clock, in milliseconds, to extrapolate the storage's time; replaced in tests. */
  readonly elapsedMs?: () => number;
}

/** How early a token is renewed, so that no call carries an expired one. The spread lets one of several processes start first. */
const MARGIN_MS = 5 * 60_000;
const MARGIN_SPREAD_MS = 3 * 60_000;
const TIMEOUT_MS = 10_000;
const ACCOUNTS_MAX = 1_000;
/** How long to wait for another process that is fetching a token, and how often to look. */
const ELSEWHERE_MAX_MS = 12_000;
const ELSEWHERE_LOOK_MS = 200;

const Granted = z.looseObject({
  id_token: z.string().min(1),
  refresh_token: optionalText,
  expires_in: z.coerce.number().int().min(1).max(86_400).catch(3_600),
});

interface Slot {
  kept: Kept;
  /** The difference between the storage's clock and this process's monotonic clock, at the last read. */
  shelfAheadMs: number;
  /** The last token that the gateway refused. Other processes may still have it stored. */
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
      // Before the first read of the storage there is no token, so it does not matter that its time is not known yet.
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
        // The token is close to its expiry and could not be renewed. It is still valid for the rest of its life.
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

function timeOf({ shelfAheadMs }: Slot, elapsedMs: () => number): number {
  return shelfAheadMs + elapsedMs();
}

interface Following {
  readonly shelf: TokenShelf;
  readonly key: string;
  readonly slot: Slot;
  readonly elapsedMs: () => number;
}

/** Returns null if another process has fetched a token in the meantime; the slot then holds it. */
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
    // Our token is close to its expiry but still valid, so there is no need to wait.
    if (waitedMs >= ELSEWHERE_MAX_MS || (slot.kept.token !== null && slot.kept.expiresAtMs > timeOf(slot, elapsedMs))) {
      throw new GatewayFailure('unavailable', 'another process is still fetching a token');
    }
    await sleep(ELSEWHERE_LOOK_MS);
  }
}

/** Without the storage the number of calls left is unknown, and one too many blocks the merchant. */
async function fromShelf<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (cause) {
    throw new GatewayFailure('unavailable', 'the tokens cannot be read', { cause });
  }
}

/** Takes over the storage's time and what other processes have stored: their token if it lives longer, and their calls in any case. */
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
  /** Writes the slot to the storage for all processes. */
  readonly keep: () => Promise<void>;
}

async function renew(renewing: Renewing): Promise<void> {
  const { slot } = renewing;
  const { refreshToken } = slot.kept;
  if (refreshToken !== null) {
    // If the gateway refuses the refresh token, a new grant needs none.
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
    throw new GatewayFailure('ambiguous', 'the gateway granted no token and gave no reason');
  }
}

/**
 * Makes one call that counts toward the limit. Returns true if it brought a token, and false if the gateway refused without mentioning our
 * credentials.
 */
async function callForToken(
  { http, account, slot, elapsedMs, keep }: Renewing,
  kind: 'grant' | 'refresh',
  extra: Readonly<Record<string, string>>,
): Promise<boolean> {
  const startedMs = timeOf(slot, elapsedMs);
  admit(slot.kept, startedMs);
  slot.kept = { ...slot.kept, calls: [...lastHour(slot.kept.calls, startedMs), startedMs] };
  // Counted before it is sent: if the process dies during the call, the call still counts at bKash.
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
      // A client that keeps asking stays blocked.
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
  // If the write fails, the token still serves this process; another one would fetch its own.
  await keep().catch(() => undefined);
  return true;
}

function grantedBy({ code, message, body }: Exchanged): z.infer<typeof Granted> | null {
  if (code === '2001' || /unauthorized|forbidden/i.test(message)) {
    throw new GatewayFailure('unauthorized', "the gateway rejected the store's credentials");
  }
  const parsed = Granted.safeParse(body);
  return (code === '0000' || code === '') && parsed.success ? parsed.data : null;
}

function freshToken({ kept, marginMs }: Slot, nowMs: number): string | null {
  return kept.token !== null && kept.expiresAtMs - marginMs > nowMs ? kept.token : null;
}

/** Hashes every part of the account: after a corrected password the failures of the old one no longer block it. */
function keyOf({ baseUrl, credentials: { username, password, appKey, appSecret } }: BkashAccount): string {
  return createHash('sha256')
    .update(JSON.stringify([baseUrl, username, password, appKey, appSecret]))
    .digest('base64url');
}
