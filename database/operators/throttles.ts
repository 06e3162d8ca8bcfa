import { addressBlock } from '../../domain/client-address.ts';
import { DomainError } from '../../domain/errors.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { EntityManager } from '../connection.ts';

/** Something whose wrong guesses are counted together. */
export interface ThrottleSubject {
  readonly hash: Buffer;
  /** Attempts that cost nothing but themselves: people mistype. */
  readonly free: number;
}

/** The delay doubles with each failure beyond the free ones; it ends by itself, so nobody is locked out for good. */
const DELAY_MAX_SECONDS = 900;
/** After so long without a failure the count begins anew. */
const MEMORY = '1 day';

/** Guesses at one account from one address. */
export function pairSubject(email: string, address: string): ThrottleSubject {
  return { hash: sha256(`pair\0${email}\0${addressBlock(address)}`), free: 5 };
}

/** Guesses at one account from wherever its owner has not logged in lately, so that a thousand addresses are no better than one. */
export function accountSubject(email: string): ThrottleSubject {
  return { hash: sha256(`account\0${email}`), free: 10 };
}

/** Guesses of one address at many accounts. An office shares one, so it may mistype more. */
export function addressSubject(address: string): ThrottleSubject {
  return { hash: sha256(`address\0${addressBlock(address)}`), free: 20 };
}

/** Guesses of whoever holds a session already. */
export function sessionHolderSubject(operatorId: bigint): ThrottleSubject {
  return { hash: sha256(`holder\0${operatorId}`), free: 5 };
}

/** An attempt that was counted before it was judged, so that a hundred at once are a hundred. */
export interface Attempt {
  readonly subject: ThrottleSubject;
  readonly failures: number;
  readonly delaySeconds: number;
}

/**
 * Counts an attempt against each subject, or against none.
 * @throws DomainError RATE_LIMITED while one of them is blocked; roll back then.
 */
export async function takeAttempts(em: EntityManager, subjects: readonly ThrottleSubject[]): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  // In one order, so that two requests never wait for each other.
  for (const subject of [...subjects].sort((a, b) => Buffer.compare(a.hash, b.hash))) {
    attempts.push(await takeAttempt(em, subject));
  }
  return attempts;
}

async function takeAttempt(em: EntityManager, subject: ThrottleSubject): Promise<Attempt> {
  const [row] = await em.execute<{ failures: number; delay: number }[]>(
    `insert into login_throttles as known (subject, failures, last_failure_at) values (?, 1, now())
     on conflict (subject) do update set
       failures = case when known.last_failure_at < now() - interval '${MEMORY}' then 1 else known.failures + 1 end,
       blocked_until = case when known.last_failure_at >= now() - interval '${MEMORY}' and known.failures >= ?::integer
         then now() + least(power(2, least(known.failures - ?::integer, 20)), ${DELAY_MAX_SECONDS}) * interval '1 second' end,
       last_failure_at = now()
     where known.blocked_until is null or known.blocked_until <= now()
     returning failures, coalesce(ceil(extract(epoch from blocked_until - now())), 0)::integer as delay`,
    [subject.hash, subject.free, subject.free],
  );
  if (row === undefined) {
    throw new DomainError('RATE_LIMITED', 'too many wrong attempts', {
      retryAfterSeconds: await secondsUntilFree(em, subject),
    });
  }
  return { subject, failures: row.failures, delaySeconds: row.delay };
}

async function secondsUntilFree(em: EntityManager, { hash }: ThrottleSubject): Promise<number> {
  const [row] = await em.execute<{ seconds: number }[]>(
    `select greatest(1, ceil(extract(epoch from blocked_until - now())))::integer as seconds from login_throttles where subject = ?`,
    [hash],
  );
  return row?.seconds ?? 1;
}

/** The attempt was no failure after all. A block that another one has set meanwhile stands. */
export async function release(em: EntityManager, attempts: readonly Attempt[]): Promise<void> {
  for (const { subject, failures } of attempts) {
    await em.execute(`delete from login_throttles where subject = ? and failures = 1`, [subject.hash]);
    await em.execute(
      `update login_throttles set failures = failures - 1,
         blocked_until = case when failures = ?::integer then null else blocked_until end
       where subject = ? and failures > 1`,
      [failures, subject.hash],
    );
  }
}

/** Whoever got in begins anew. */
export async function forget(em: EntityManager, { hash }: ThrottleSubject): Promise<void> {
  await em.execute(`delete from login_throttles where subject = ?`, [hash]);
}

/** Counts that nobody remembers anyway; a bounded number at a time. */
export async function removeStaleThrottles(em: EntityManager): Promise<void> {
  await em.execute(
    `delete from login_throttles where subject in
       (select subject from login_throttles where last_failure_at < now() - interval '${MEMORY}' limit 100 for update skip locked)`,
  );
}
