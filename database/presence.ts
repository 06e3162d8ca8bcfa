import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, type Logger } from '../runtime/logger.ts';
import { ADVISORY_LOCKS } from './advisory-locks.ts';
import type { HeldSession, PooledDatabase } from './connection.ts';

const LOOK_EVERY_MS = 2_000;
/** By then a process whose session was cut off has found the lock taken and has ended. */
const NOTICED_WITHIN_MS = 3 * LOOK_EVERY_MS;

export interface Presence {
  end(): Promise<void>;
}

export interface Announcement {
  readonly database: PooledDatabase;
  /** The name that `npm run restore` shows, such as `api 17@host`. */
  readonly name: string;
  readonly log: Logger;
  /** Called when `npm run restore` is running. This process must stop, since it knows only the lost state. */
  readonly onRestore: () => void;
}

/**
 * Shows `npm run restore` that this process is running. Idle pools close all their connections, so those do not show it. Waits while a restore is
 * running. If the database is unreachable, it keeps trying in the background.
 */
export async function announceProcess({ database, name, log, onRestore }: Announcement): Promise<Presence> {
  const ended = new AbortController();
  const pause = (): Promise<unknown> =>
    sleep(LOOK_EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined);
  let held = await enter(database, name).catch(() => null);
  for (
    let reported = false;
    held === 'restoring' && !ended.signal.aborted;
    held = await enter(database, name).catch(() => null)
  ) {
    if (!reported) {
      log.warn('npm run restore is running on this database; waiting for it to finish');
      reported = true;
    }
    await pause();
  }
  const watching = (async () => {
    while (!ended.signal.aborted) {
      await pause();
      if (ended.signal.aborted) {
        break;
      }
      if (held === null) {
        const entered = await enter(database, name).catch(() => null);
        if (entered === 'restoring') {
          onRestore();
          break;
        }
        held = entered;
      } else if (held !== 'restoring' && !(await held.answers())) {
        held.release();
        log.debug('the database session that marks this process as alive was lost');
        held = null;
      }
    }
  })();
  watching.catch((error: unknown) =>
    log.error({ error: describeError(error) }, 'this process is not visible to npm run restore'),
  );
  return {
    async end() {
      ended.abort();
      await watching;
      if (held !== null && held !== 'restoring') {
        held.release();
      }
    },
  };
}

interface Entered {
  answers(): Promise<boolean>;
  release(): void;
}

async function enter(database: PooledDatabase, name: string): Promise<Entered | 'restoring'> {
  const session = await database.session();
  try {
    const [row] = await session.execute<{ held: boolean }>(
      `select set_config('application_name', ?, false), pg_try_advisory_lock_shared(?) as held`,
      [`lenden ${name}`.slice(0, 63), ADVISORY_LOCKS.presence],
    );
    if (row?.held !== true) {
      session.release();
      return 'restoring';
    }
  } catch (error) {
    session.release();
    throw error;
  }
  return {
    answers: () =>
      session.execute('select 1', []).then(
        () => true,
        () => false,
      ),
    release: () => session.release(),
  };
}

/** Returns the names of the running apis and workers. */
export async function livingProcesses(session: Pick<HeldSession, 'execute'>): Promise<string[]> {
  const rows = await session.execute<{ name: string }>(
    `select coalesce(nullif(a.application_name, ''), 'process ' || l.pid) as name from pg_locks l left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database())
       and l.classid = 0 and l.objid::bigint = ? and l.mode = 'ShareLock' and l.granted order by 1`,
    [ADVISORY_LOCKS.presence],
  );
  return rows.map(({ name }) => name);
}

export type Alone = { readonly living: readonly string[] } | { readonly living: null; end(): void };

/**
 * Keeps every api and worker out until `end` is called, or returns those that are running. One whose session was cut off, for example because the
 * database was dropped, ends by itself while this waits.
 */
export async function keepAlone(database: PooledDatabase): Promise<Alone> {
  const session = await database.session();
  const [row] = await session.execute<{ held: boolean }>(
    `select set_config('application_name', 'lenden restore', false), pg_try_advisory_lock(?) as held`,
    [ADVISORY_LOCKS.presence],
  );
  if (row?.held !== true) {
    const living = await livingProcesses(session);
    session.release();
    return { living };
  }
  await sleep(NOTICED_WITHIN_MS);
  const alive = setInterval(() => void session.execute('select 1', []).catch(() => undefined), LOOK_EVERY_MS);
  return {
    living: null,
    end() {
      clearInterval(alive);
      session.release();
    },
  };
}
