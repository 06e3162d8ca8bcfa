import { addressBlock } from '../../../domain/client-address.ts';
import { DomainError } from '../../../domain/errors.ts';
import { sha256 } from '../../../runtime/secrets.ts';
import type { EntityManager } from '../../../database/connection.ts';

/** A subject whose failed attempts are counted together. */
export interface ThrottleSubject {
  readonly hash: Buffer;
  /** Number of failures without a delay, since people mistype. */
  readonly free: number;
}

/** The delay doubles with each failure after the free ones. It ends by itself, so nobody is locked out permanently. */
const DELAY_MAX_SECONDS = 900;
/** The count restarts after this long without a failure. */
const MEMORY = '1 day';

/** Counts attempts on one account from one address. */
export function pairSubject(email: string, address: string): ThrottleSubject {
  return { hash: sha256(`pair\0${email}\0${addressBlock(address)}`), free: 5 };
}

/** Counts attempts on one account from all addresses where its owner has not logged in recently, so that using many addresses gives no advantage. */
export function accountSubject(email: string): ThrottleSubject {
  return { hash: sha256(`account\0${email}`), free: 10 };
}

/** Counts attempts from one address on many accounts. An office shares an address, so more failures are free. */
export function addressSubject(address: string): ThrottleSubject {
  return { hash: sha256(`address\0${addressBlock(address)}`), free: 20 };
}

/** Counts attempts by the holder of a session. */
export function sessionHolderSubject(operatorId: bigint): ThrottleSubject {
  return { hash: sha256(`holder\0${operatorId}`), free: 5 };
}

/** An attempt that was counted before it was checked, so that concurrent attempts are all counted. */
export interface Attempt {
  readonly subject: ThrottleSubject;
  readonly failures: number;
  readonly delaySeconds: number;
}

/**
 * Counts an attempt against all subjects, or none.
 * @throws DomainError RATE_LIMITED if one of them is blocked; the caller must then roll back.
 */
export async function takeAttempts(em: EntityManager, subjects: readonly ThrottleSubject[]): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  // In a fixed order, so that two requests cannot deadlock.
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
    throw new DomainError('RATE_LIMITED', 'too many failed attempts', {
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

/** Takes back the count of a successful attempt. A block set by another attempt in the meantime stays. */
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

/** Resets the count after a successful login. */
export async function forget(em: EntityManager, { hash }: ThrottleSubject): Promise<void> {
  await em.execute(`delete from login_throttles where subject = ?`, [hash]);
}

/** Deletes expired counts, a limited number at a time. */
export async function removeStaleThrottles(em: EntityManager): Promise<void> {
  await em.execute(
    `delete from login_throttles where subject in
       (select subject from login_throttles where last_failure_at < now() - interval '${MEMORY}' limit 100 for update skip locked)`,
  );
}
