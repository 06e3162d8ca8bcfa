import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** The death of a process, at a moment that a condition on the database describes. */
export interface Blow<Target extends string = string> {
  readonly target: Target;
  readonly moment: string;
  /** SQL. */
  readonly when: string;
}

/** Holds while a transaction has written to a table and not committed yet. */
export const writes = (table: string): string =>
  `exists (select from pg_locks where relation = '${table}'::regclass and mode = 'RowExclusiveLock' and granted and pid <> pg_backend_pid())`;
export const importing = (condition = 'true'): string =>
  `exists (select from payout_files where state = 'IMPORTING' and ${condition})`;
export const running = (condition = 'true'): string =>
  `exists (select from reconciliation_runs where state = 'RUNNING' and ${condition})`;

const LOOK_EVERY_MS = 2;
/** Tables that batches of imports and runs write. */
const WRITTEN = [
  'payout_lines',
  'payout_files',
  'reconciliation_results',
  'reconciliation_cases',
  'payout_bookings',
  'bank_entries',
];

export interface Striking<Target extends string> {
  readonly client: pg.Client;
  readonly blows: readonly Blow<Target>[];
  /** Kills the process and returns once its successor runs. */
  readonly kill: (target: Target) => Promise<void>;
  /** Aborted when the work is done: what has not struck by then never will. */
  readonly done: AbortSignal;
  readonly say: (line: string) => void;
}

export interface Struck {
  /** The moments at which a process was killed. */
  readonly moments: readonly string[];
  /** How many of the deaths came while a transaction had written rows. */
  readonly insideTransactions: number;
}

/** Kills processes one after the other, each at its moment. */
export async function strike<Target extends string>(striking: Striking<Target>): Promise<Struck> {
  const { client, blows, kill, done, say } = striking;
  const moments: string[] = [];
  let insideTransactions = 0;
  for (const { target, moment, when } of blows) {
    const inside = await momentOf(client, { when, done });
    if (inside === null) {
      break;
    }
    insideTransactions += inside ? 1 : 0;
    say(`kill -9 ${target}: ${moment}${inside ? ', inside a transaction' : ''}`);
    await kill(target);
    moments.push(moment);
  }
  return { moments, insideTransactions };
}

/** Waits for a moment. Returns whether rows are being written in it, or null if it never came. */
async function momentOf(
  client: pg.Client,
  { when, done }: { readonly when: string; readonly done: AbortSignal },
): Promise<boolean | null> {
  const inside = WRITTEN.map(writes).join(' or ');
  while (!done.aborted) {
    const { rows } = await client.query<{ now: boolean; inside: boolean }>(
      `select (${when}) as now, (${inside}) as inside`,
    );
    if (rows[0]?.now === true) {
      return rows[0].inside;
    }
    await sleep(LOOK_EVERY_MS);
  }
  return null;
}
