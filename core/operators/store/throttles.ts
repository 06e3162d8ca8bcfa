import { sql } from 'kysely';
import { addressBlock } from '../../../domain/client-address.ts';
import { DomainError } from '../../../domain/errors.ts';
import { sha256 } from '../../../runtime/secrets.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { earlier, now, plus, span } from '../../../database/expressions.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

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

/** Counts requests for a link to one mailbox, from everywhere. */
export function linkSubject(email: string): ThrottleSubject {
  return { hash: sha256(`link\0${email}`), free: 5 };
}

/** Counts requests for links from one address. */
export function linkAddressSubject(address: string): ThrottleSubject {
  return { hash: sha256(`link address\0${addressBlock(address)}`), free: 20 };
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

const TAKE = statement((db, $: Given<{ subject: Uint8Array; free: number }>) =>
  db
    .insertInto('login_throttles')
    .values({ subject: $('subject'), failures: 1, lastFailureAt: now })
    .onConflict((conflict) =>
      conflict
        .column('subject')
        .doUpdateSet((eb) => {
          const failures = eb.ref('login_throttles.failures');
          const free = eb.cast<number>($('free'), 'integer');
          const delay = sql<number>`least(power(2, least(${failures} - ${free}, 20)), ${sql.lit(DELAY_MAX_SECONDS)})`;
          const forgotten = earlier(MEMORY);
          return {
            failures: eb
              .case()
              .when('login_throttles.lastFailureAt', '<', forgotten)
              .then(1)
              .else(eb('login_throttles.failures', '+', 1))
              .end(),
            blockedUntil: eb
              .case()
              .when(
                eb.and([
                  eb('login_throttles.lastFailureAt', '>=', forgotten),
                  eb('login_throttles.failures', '>=', free),
                ]),
              )
              .then(plus(now, span(delay, 'second')))
              .end(),
            lastFailureAt: now,
          };
        })
        .where((eb) =>
          eb.or([eb('login_throttles.blockedUntil', 'is', null), eb('login_throttles.blockedUntil', '<=', now)]),
        ),
    )
    .returning((eb) => [
      'failures',
      sql<number>`coalesce(ceil(extract(epoch from ${eb.ref('blockedUntil')} - ${now})), 0)::integer`.as(
        'delaySeconds',
      ),
    ]),
);

async function takeAttempt(em: EntityManager, subject: ThrottleSubject): Promise<Attempt> {
  const row = await TAKE.first(em, { subject: subject.hash, free: subject.free });
  if (row === undefined) {
    throw new DomainError('RATE_LIMITED', 'too many failed attempts', {
      retryAfterSeconds: await secondsUntilFree(em, subject),
    });
  }
  return { subject, ...row };
}

const SECONDS_LEFT = statement((db, $: Given<{ subject: Uint8Array }>) =>
  db
    .selectFrom('login_throttles')
    .select((eb) =>
      sql<number>`greatest(1, ceil(extract(epoch from ${eb.ref('blockedUntil')} - ${now})))::integer`.as('seconds'),
    )
    .where('subject', '=', $('subject')),
);

async function secondsUntilFree(em: EntityManager, { hash }: ThrottleSubject): Promise<number> {
  return (await SECONDS_LEFT.first(em, { subject: hash }))?.seconds ?? 1;
}

const FORGET_SINGLE = statement((db, $: Given<{ subject: Uint8Array }>) =>
  db.deleteFrom('login_throttles').where('subject', '=', $('subject')).where('failures', '=', 1),
);

const TAKE_BACK = statement((db, $: Given<{ subject: Uint8Array; failures: number }>) =>
  db
    .updateTable('login_throttles')
    .set((eb) => ({
      failures: eb('failures', '-', 1),
      blockedUntil: eb
        .case()
        .when('failures', '=', eb.cast<number>($('failures'), 'integer'))
        .then(sql<null>`null`)
        .else(eb.ref('blockedUntil'))
        .end(),
    }))
    .where('subject', '=', $('subject'))
    .where('failures', '>', 1),
);

/** Takes back the count of a successful attempt. A block set by another attempt in the meantime stays. */
export async function release(em: EntityManager, attempts: readonly Attempt[]): Promise<void> {
  for (const { subject, failures } of attempts) {
    await FORGET_SINGLE.all(em, { subject: subject.hash });
    await TAKE_BACK.all(em, { subject: subject.hash, failures });
  }
}

const FORGET = statement((db, $: Given<{ subject: Uint8Array }>) =>
  db.deleteFrom('login_throttles').where('subject', '=', $('subject')),
);

/** Resets the count after a successful login. */
export async function forget(em: EntityManager, { hash }: ThrottleSubject): Promise<void> {
  await FORGET.all(em, { subject: hash });
}

const REMOVE_STALE = statement((db) =>
  db
    .deleteFrom('login_throttles')
    .where('subject', 'in', (eb) =>
      eb
        .selectFrom('login_throttles')
        .select('subject')
        .where('lastFailureAt', '<', earlier(MEMORY))
        .limit(100)
        .forUpdate()
        .skipLocked(),
    ),
);

/** Deletes expired counts, a limited number at a time. */
export async function removeStaleThrottles(em: EntityManager): Promise<void> {
  await REMOVE_STALE.all(em, {});
}
