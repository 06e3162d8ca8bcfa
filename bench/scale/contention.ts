import type pg from 'pg';

/** Where the sessions of Lenden's roles were when they were looked at. */
export interface Contention {
  readonly looks: number;
  /** Sessions that executed a statement, summed over all looks. */
  readonly active: number;
  /** Of those: waiting for another transaction's row or key. */
  readonly onLocks: number;
  /** Of those: waiting for a lock inside Postgres, such as that of the WAL. */
  readonly inside: number;
}

const EVERY_MS = 20;
const LOOK = `select count(*) filter (where state = 'active')::integer as active,
    count(*) filter (where wait_event_type = 'Lock')::integer as on_locks,
    count(*) filter (where state = 'active' and wait_event_type in ('LWLock', 'BufferPin'))::integer as inside
  from pg_stat_activity where usename in ('lenden_app', 'lenden_system')`;

/** Looks at the sessions again and again while `work` runs. */
export async function watchContention<T>(
  database: pg.Pool,
  work: () => Promise<T>,
): Promise<{ result: T; seen: Contention }> {
  const seen = { looks: 0, active: 0, onLocks: 0, inside: 0 };
  let looking: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    const { rows } = await database.query<{ active: number; on_locks: number; inside: number }>(LOOK);
    const [row] = rows;
    seen.looks += 1;
    seen.active += row?.active ?? 0;
    seen.onLocks += row?.on_locks ?? 0;
    seen.inside += row?.inside ?? 0;
  };
  const timer = setInterval(() => (looking = looking.then(look)), EVERY_MS);
  try {
    return { result: await work(), seen };
  } finally {
    clearInterval(timer);
    await looking;
  }
}
