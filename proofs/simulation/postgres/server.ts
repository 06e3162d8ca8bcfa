import type { Life, Timeline } from '../timeline.ts';
import { whose } from '../timeline.ts';
import { execute } from './execute.ts';
import type { Schema } from './schema.ts';
import { readQuery, type Query } from './statement.ts';
import { ConstraintViolation, MustWait, type Table, type Writer } from './table.ts';
import { Reader } from './tokens.ts';
import type { Value, Values } from './values.ts';

/** The product's own limit for a session with an open, idle transaction. */
const IDLE_IN_TRANSACTION_MS = 30_000;
const LOCK_TIMEOUT_MS = 10_000;

/** What can fail between the product and the database. The seed decides. */
export interface DatabaseFaults {
  latencyMs(): number;
  /** Returns whether the connection is lost before the statement or commit is executed. */
  lostBefore(): boolean;
  refusesRows(table: string): boolean;
  /** Returns whether the commit is executed but its answer lost. */
  commitAnswerLost(): boolean;
}

export class SqlError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'SqlError';
    this.code = code;
  }
}

const parsed = new Map<string, { query: Query; parameters: number }>();

function parse(sql: string): { query: Query; parameters: number } {
  const known = parsed.get(sql);
  if (known !== undefined) {
    return known;
  }
  const reader = new Reader(sql);
  const query = readQuery(reader);
  if (reader.peek().kind !== 'end') {
    throw new SyntaxError(`the simulation's Postgres does not read past "${reader.peek().text}" of: ${sql}`);
  }
  const statement = { query, parameters: reader.parameters };
  parsed.set(sql, statement);
  return statement;
}

/** The rows of one world: transactions at READ COMMITTED with row locks, waiting, deadlocks and lost connections. */
export class PostgresServer {
  readonly tables: ReadonlyMap<string, Table>;
  readonly timeline: Timeline;
  readonly faults: DatabaseFaults;
  /** How far the server's clock is ahead of the true time. */
  readonly skewMs: number;
  private readonly schema: Schema;
  private readonly open = new Set<Transaction>();
  private transactions = 0n;
  /** Called after a commit, so that judges see every state that others could see. */
  onCommit: () => void = () => undefined;

  constructor({
    schema,
    timeline,
    faults,
    skewMs,
  }: {
    schema: Schema;
    timeline: Timeline;
    faults: DatabaseFaults;
    skewMs: number;
  }) {
    this.tables = new Map([...schema.tables].map(([name, table]) => [name, table.emptied()]));
    this.schema = { ...schema, tables: this.tables };
    this.timeline = timeline;
    this.faults = faults;
    this.skewMs = skewMs;
  }

  begin(): Transaction {
    this.transactions += 1n;
    const transaction = new Transaction(this, this.schema, this.transactions);
    this.open.add(transaction);
    return transaction;
  }

  ended(transaction: Transaction): void {
    this.open.delete(transaction);
  }

  /** Handles the death of a process: its connections break and its uncommitted changes are gone. */
  abandon(life: Life): void {
    for (const transaction of this.open) {
      if (transaction.life === life) {
        transaction.rollback();
      }
    }
  }

  /** The time by its own clock. */
  time(): Date {
    return new Date(this.timeline.nowMs + this.skewMs);
  }

  /** Returns the committed rows, as the judges see them. */
  rows(table: string): Values[] {
    return (this.tables.get(table)?.rows ?? []).flatMap(({ committed }) => (committed === null ? [] : [committed]));
  }
}

export class Transaction implements Writer {
  readonly id: bigint;
  readonly life = whose.getStore();
  open = true;
  private readonly server: PostgresServer;
  private readonly schema: Schema;
  private readonly undo: (() => void)[] = [];
  private readonly startedAt: Date;
  private lastHeardMs: number;
  private waitsFor: Transaction | null = null;
  private readonly waiters: (() => void)[] = [];

  constructor(server: PostgresServer, schema: Schema, id: bigint) {
    this.server = server;
    this.schema = schema;
    this.id = id;
    this.startedAt = server.time();
    this.lastHeardMs = server.timeline.nowMs;
  }

  /** Runs one statement: a round trip, waiting for locks, all or nothing. @throws SqlError, ConstraintViolation */
  async execute(sql: string, parameters: readonly Value[]): Promise<Values[]> {
    const query = this.understood(sql, () => {
      const { query: read, parameters: wanted } = parse(sql);
      if (wanted !== parameters.length) {
        throw new SyntaxError(`a statement wants ${wanted} parameters and got ${parameters.length}`);
      }
      return read;
    });
    await this.roundTrip();
    if (query.body.kind === 'insert' && this.server.faults.refusesRows(query.body.table)) {
      this.rollback();
      throw new SqlError('53100', 'no space left on device');
    }
    for (;;) {
      const savepoint = this.undo.length;
      try {
        const { schema, undo, startedAt: now } = this;
        const clock = this.server.time();
        return this.understood(sql, () => execute({ schema, writer: this, now, clock, undo }, query, parameters));
      } catch (error) {
        this.undoTo(savepoint);
        if (!(error instanceof MustWait)) {
          this.rollback();
          throw error;
        }
        await this.waitFor(error.writer as Transaction);
      }
    }
  }

  /** A statement that this Postgres cannot read or execute is an error of the simulation, never part of a story. */
  private understood<T>(sql: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof MustWait || error instanceof ConstraintViolation)) {
        this.server.timeline.broken = new Error(`${String(error)}, in: ${sql}`);
      }
      throw error;
    }
  }

  async commit(): Promise<void> {
    await this.roundTrip();
    for (const { rows } of this.server.tables.values()) {
      for (const row of rows) {
        if (row.writer === this) {
          row.committed = row.pending;
          row.pending = null;
          row.writer = null;
        }
      }
    }
    for (const table of this.server.tables.values()) {
      table.rows = table.rows.filter((row) => row.committed !== null || row.writer !== null);
    }
    this.end();
    this.server.onCommit();
    if (this.life?.alive === false) {
      // It died at its commit and never hears of it.
      await new Promise<never>(() => undefined);
    }
    if (this.server.faults.commitAnswerLost()) {
      throw new SqlError('ECONNRESET', 'the connection was lost while it committed');
    }
  }

  rollback(): void {
    if (this.open) {
      this.undoTo(0);
      this.end();
    }
  }

  private async roundTrip(): Promise<void> {
    this.requireOpen();
    const { timeline, faults } = this.server;
    await timeline.pause(faults.latencyMs());
    this.requireOpen();
    if (faults.lostBefore()) {
      this.rollback();
      throw new SqlError('ECONNRESET', 'the connection was lost');
    }
    this.lastHeardMs = timeline.nowMs;
  }

  private requireOpen(): void {
    if (this.open && this.server.timeline.nowMs - this.lastHeardMs > IDLE_IN_TRANSACTION_MS) {
      this.rollback();
    }
    if (!this.open) {
      throw new SqlError('25P03', 'the transaction was ended by the server');
    }
  }

  private async waitFor(other: Transaction): Promise<void> {
    for (let next: Transaction | null = other; next !== null; next = next.waitsFor) {
      if (next === this) {
        this.rollback();
        throw new SqlError('40P01', 'deadlock detected');
      }
    }
    this.waitsFor = other;
    const { timeline } = this.server;
    const givesUpAtMs = timeline.nowMs + LOCK_TIMEOUT_MS;
    while (other.open && timeline.nowMs < givesUpAtMs) {
      await other.endOr(Math.min(givesUpAtMs, other.lastHeardMs + IDLE_IN_TRANSACTION_MS + 1));
      if (timeline.nowMs - other.lastHeardMs > IDLE_IN_TRANSACTION_MS) {
        other.rollback();
      }
    }
    this.waitsFor = null;
    this.lastHeardMs = timeline.nowMs;
    if (other.open) {
      this.rollback();
      throw new SqlError('55P03', 'canceling statement due to lock timeout');
    }
    this.requireOpen();
  }

  private endOr(atMs: number): Promise<void> {
    const { timeline } = this.server;
    return new Promise((resolve) => {
      const timer = timeline.at(atMs, resolve);
      this.waiters.push(() => {
        timeline.cancel(timer);
        timeline.at(timeline.nowMs, resolve);
      });
    });
  }

  private undoTo(length: number): void {
    while (this.undo.length > length) {
      this.undo.pop()?.();
    }
  }

  private end(): void {
    this.open = false;
    this.server.ended(this);
    for (const wake of this.waiters.splice(0)) {
      wake();
    }
  }
}
