import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../database/connection.ts';
import type { Mode } from '../../domain/mode.ts';
import type { AppView } from '../../domain/permissions.ts';
import type { UpdateKind } from '../../domain/updates.ts';
import { describeError, type Logger } from '../../runtime/logger.ts';
import { ROWS_MAX, WRITTEN_TABLES, type WrittenRow, type WrittenTable } from './store/written-rows.ts';

const READ_EVERY_MS = 1_000;
/** Ids are given before their transactions commit, so rows behind a position still appear for a while. They are read again this often. */
const READS_BACK = 5;

export interface Update {
  readonly kind: UpdateKind;
  readonly id: string;
  /** Null for what belongs to both modes. */
  readonly mode: Mode | null;
}

export interface Follower {
  /** Called with what has changed since the last call; null if that is unknown, because it is too much or the database was away. */
  changed(updates: readonly Update[] | null): void;
  /** Called when the process stops. */
  closed(): void;
}

export interface UpdateFeed {
  /** Tells the follower what changes in the view from now on, until the returned function is called. */
  follow(view: AppView, follower: Follower): () => void;
  /** Tells every follower that it ends. */
  close(): void;
}

interface Dependencies {
  readonly database: Database;
  readonly log: Logger;
}

/**
 * Tells what changes while somebody follows. It reads the rows that were written since its last look, once a second for each view that is followed:
 * nothing is added to the transactions of payments, and nothing is read while nobody follows. Row-level security decides what a view contains. What
 * it tells is a hint to read again: a row that commits later than the looks reach back is not told.
 */
export function createUpdateFeed(deps: Dependencies): UpdateFeed {
  const followed = new Map<string, FollowedView>();
  let isClosed = false;
  return {
    follow(view, follower) {
      if (isClosed) {
        queueMicrotask(() => follower.closed());
        return () => undefined;
      }
      const key = view === 'every-app' ? view : view.toSorted((a, b) => (a < b ? -1 : 1)).join(',');
      const reader = followed.get(key) ?? new FollowedView(deps, view);
      followed.set(key, reader);
      reader.followers.add(follower);
      return () => {
        reader.followers.delete(follower);
        if (reader.followers.size === 0) {
          reader.stop();
          followed.delete(key);
        }
      };
    },
    close() {
      isClosed = true;
      for (const reader of followed.values()) {
        reader.stop();
        for (const follower of reader.followers) {
          follower.closed();
        }
      }
    },
  };
}

/** One reader for all who see the same applications. */
class FollowedView {
  readonly followers = new Set<Follower>();
  readonly #deps: Dependencies;
  readonly #view: AppView;
  readonly #stopped = new AbortController();
  #positions: readonly TablePosition[] | null = null;

  constructor(deps: Dependencies, view: AppView) {
    this.#deps = deps;
    this.#view = view;
    void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const updates = await this.#read();
        if (updates === null || updates.length > 0) {
          this.#tell(updates);
        }
      } catch (error) {
        this.#deps.log.debug({ error: describeError(error) }, 'updates for operators could not be read');
        // What is written until the next read is told as unknown.
        this.#positions = null;
      }
      await sleep(READ_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Also the first read tells nothing definite: whoever follows has read before it. */
  async #read(): Promise<readonly Update[] | null> {
    const positions = this.#positions;
    if (positions === null) {
      this.#positions = await this.#deps.database.withOperator('every-app', async (em) => {
        const found: TablePosition[] = [];
        for (const table of WRITTEN_TABLES) {
          found.push(new TablePosition(table, await table.newest(em)));
        }
        return found;
      });
      return null;
    }
    const rows = await this.#deps.database.withOperator(this.#view, async (em) => {
      const read: (readonly WrittenRow[])[] = [];
      for (const position of positions) {
        read.push(await position.table.rowsAfter(em, position.from));
      }
      return read;
    });
    const fresh = positions.map((position, index) => position.take(rows[index] ?? []));
    return fresh.includes(null) ? null : distinct(fresh.flatMap((found) => found ?? []));
  }

  #tell(updates: readonly Update[] | null): void {
    for (const follower of this.followers) {
      follower.changed(updates);
    }
  }
}

/** How far a table is told. */
class TablePosition {
  readonly table: WrittenTable;
  /** Rows up to here are told. */
  from: bigint;
  /** The newest row of each of the last reads, oldest first. */
  #newest: bigint[];
  /** Told rows behind `from`. */
  #told = new Set<bigint>();

  constructor(table: WrittenTable, from: bigint) {
    this.table = table;
    this.from = from;
    this.#newest = [];
  }

  /** Returns the rows that are new; null if there are too many to tell. */
  take(rows: readonly WrittenRow[]): readonly WrittenRow[] | null {
    const fresh = rows.filter(({ position }) => !this.#told.has(position));
    for (const { position } of fresh) {
      this.#told.add(position);
    }
    this.#newest.push(rows.at(-1)?.position ?? this.from);
    const isFlood = rows.length >= ROWS_MAX;
    if (isFlood || this.#newest.length > READS_BACK) {
      this.from = (isFlood ? this.#newest.at(-1) : this.#newest.shift()) ?? this.from;
      this.#newest = isFlood ? [] : this.#newest;
      this.#told = new Set([...this.#told].filter((position) => position > this.from));
    }
    return isFlood ? null : fresh;
  }
}

function distinct(rows: readonly WrittenRow[]): Update[] {
  const updates = new Map<string, Update>();
  for (const { mode, changed } of rows) {
    for (const { kind, id } of changed) {
      updates.set(`${kind} ${id}`, { kind, id, mode });
    }
  }
  return [...updates.values()];
}
