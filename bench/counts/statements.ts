import { createHash } from 'node:crypto';
import type pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';

/** One normalised statement of Lenden's own roles, as counted by Postgres. */
export interface Statement {
  readonly role: string;
  readonly text: string;
  readonly calls: number;
  readonly walBytes: number;
  readonly fullPageImages: number;
  /** Shared blocks touched, whether cached or not. */
  readonly blocks: number;
  readonly ms: number;
}

/** Leaves out what the session that shows a process's presence sends every few seconds (`database/presence.ts`): no payment causes it. */
const OURS = `userid in (select oid from pg_roles where rolname in ('lenden_app', 'lenden_operator', 'lenden_system')) and query !~ '^select (1|[$]1)$'`;
const QUIET_MS = 150;
const QUIET_TIMEOUT_MS = 20_000;

export async function forgetStatements(database: pg.Pool): Promise<void> {
  await database.query('select pg_stat_statements_reset()');
}

export async function readStatements(database: pg.Pool): Promise<Statement[]> {
  const { rows } = await database.query<Record<string, string>>(
    `select r.rolname as role, s.query as text, s.calls, s.wal_bytes, s.wal_fpi, s.shared_blks_hit + s.shared_blks_read as blocks,
       s.total_exec_time as ms
     from pg_stat_statements s join pg_roles r on r.oid = s.userid
     where ${OURS} and s.dbid = (select oid from pg_database where datname = current_database()) and s.calls > 0
     order by s.calls desc, s.query`,
  );
  return rows.map((row) => ({
    role: row['role'] ?? '',
    text: (row['text'] ?? '').replaceAll(/\s+/g, ' ').trim(),
    calls: Number(row['calls']),
    walBytes: Number(row['wal_bytes']),
    fullPageImages: Number(row['wal_fpi']),
    blocks: Number(row['blocks']),
    ms: Number(row['ms']),
  }));
}

/** Waits until Lenden's roles have sent no statement for a moment, because an answer may precede its last statement. */
export async function untilQuiet(database: pg.Pool): Promise<void> {
  const deadline = Date.now() + QUIET_TIMEOUT_MS;
  let before = -1;
  for (;;) {
    const { rows } = await database.query<{ calls: string }>(
      `select coalesce(sum(calls), 0) as calls from pg_stat_statements where ${OURS}`,
    );
    const calls = Number(rows[0]?.calls);
    if (calls === before) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error('the database does not come to rest; is something else at work?');
    }
    before = calls;
    await sleep(QUIET_MS);
  }
}

export async function walPosition(database: pg.Pool): Promise<bigint> {
  const { rows } = await database.query<{ bytes: string }>(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint as bytes`,
  );
  return BigInt(rows[0]?.bytes ?? 0);
}

/** Returns whether a statement begins, ends or scopes a transaction rather than doing work in it. */
export function isBracket(text: string): boolean {
  return (
    /^(begin|commit|rollback|start transaction|savepoint|release|set )/i.test(text) ||
    /^select set_config\(/i.test(text)
  );
}

const TABLE = /\b(insert into|update(?! set)|delete from|from) "?([a-z_]+)/g;

/** Returns a short name for a statement: what it does, to which table, and a hash of its text. */
export function nameOf({ role, text }: Pick<Statement, 'role' | 'text'>): string {
  const whose = role === 'lenden_app' ? '' : `${role}: `;
  const touched = [...text.matchAll(TABLE)].map(([, verb = '', table = '']) => ({ verb, table }));
  const { verb, table } = touched.find((each) => each.verb !== 'from') ?? touched[0] ?? { verb: 'from', table: '' };
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return `${whose}${verb === 'from' ? 'select from' : verb} ${table} ${hash}`;
}
