import { PGlite } from '@electric-sql/pglite';
import { MikroORM } from '@mikro-orm/postgresql';
import { PostgresDialect, type PostgresPool } from 'kysely';
import pg, { type Pool } from 'pg';
import { databaseOver, ORM_OPTIONS, type Database } from '../../../database/connection.ts';
import type { RuntimeRole } from '../../../runtime/database-roles.ts';
import { whose, type Life, type Timeline } from '../timeline.ts';
import { SimulatedClient } from './client.ts';
import type { DatabaseFaults, OneSession, Query } from './one-session.ts';
import { Wire } from './wire.ts';

/** The product's own limit for a session with an open, idle transaction. */
const IDLE_IN_TRANSACTION_MS = 30_000;

export interface StoryOfServer {
  readonly timeline: Timeline;
  readonly faults: DatabaseFaults;
}

/** Holds the server's one session for a transaction. */
interface Turn {
  readonly client: SimulatedClient;
  readonly life: Life | undefined;
  lastHeardMs: number;
}

interface Waiting {
  readonly client: SimulatedClient;
  readonly life: Life | undefined;
  readonly go: () => void;
}

/**
 * PostgreSQL itself, compiled to WebAssembly, in this thread, with the product's migrations and roles. It reads the fake clock. It has one session, so
 * transactions run one after the other: each waits until the one before has ended, or its process is dead.
 */
export class PgliteServer implements OneSession<SimulatedClient> {
  readonly database: Database;
  private readonly wire: pg.Client;
  private readonly close: () => Promise<void>;
  private story: StoryOfServer | null = null;
  private turn: Turn | null = null;
  private readonly waiting: Waiting[] = [];
  private asked = 0;

  private constructor(wire: pg.Client, postgres: PGlite) {
    this.wire = wire;
    const orms = new Map<string, Promise<MikroORM>>();
    const orm = (role: RuntimeRole): Promise<MikroORM> => {
      const opened = orms.get(role) ?? openOrm(this.poolOf(role));
      orms.set(role, opened);
      return opened;
    };
    this.close = async () => {
      for (const opened of orms.values()) {
        await (await opened).close();
      }
      await wire.end();
      await postgres.close();
    };
    this.database = {
      ...databaseOver({
        pool: this.poolOf('lenden_app') as unknown as Pool,
        system: () => orm('lenden_system'),
        operators: () => orm('lenden_operator'),
      }),
      close: () => this.close(),
    };
  }

  /** Starts and migrates a server, which takes seconds. */
  static async start(): Promise<PgliteServer> {
    const postgres = await PGlite.create();
    const wire = new pg.Client({ stream: () => new Wire(postgres), user: 'postgres', database: 'postgres' });
    await wire.connect();
    const server = new PgliteServer(wire, postgres);
    const owner = await openOrm(server.poolOf(null));
    await owner.migrator.up();
    await owner.close();
    await wire.query(SNAPSHOT);
    await server.warmUp();
    return server;
  }

  /** Opens what is opened on first use. That takes real time, in which a fake clock would run ahead. */
  private async warmUp(): Promise<void> {
    const { database } = this;
    await database.withSystem((em) => em.execute('select 1'));
    await database.withOperator('every-app', (em) => em.execute('select 1'));
    await database.lookup('select 1', []);
  }

  /** Empties it for a story, up to what the migrations have written. */
  async begin(story: StoryOfServer): Promise<void> {
    this.turn = null;
    this.waiting.length = 0;
    this.story = story;
    await this.send({ text: 'rollback' });
    await this.send({ text: RESTORE });
  }

  /** Reads as a superuser between two events, as the judges do. */
  async read<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    let number = 0;
    const text = values.length === 0 ? sql : sql.replaceAll('?', () => `$${(number += 1)}`);
    return (await this.send({ text, values })).rows as Row[];
  }

  /** Runs SQL without triggers and foreign keys, to plant what a judge has to find. */
  async damage(sql: string): Promise<void> {
    await this.send({ text: `begin; set local session_replication_role = replica; ${sql}; commit` });
  }

  /** Resolves when no statement is being executed. */
  async idle(): Promise<void> {
    while (this.asked > 0) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }

  get isIdle(): boolean {
    return this.asked === 0;
  }

  /** Handles the death of a process: its connections break and its uncommitted changes are gone. */
  abandon(life: Life): void {
    for (const waiting of this.waiting.filter((one) => one.life === life)) {
      this.waiting.splice(this.waiting.indexOf(waiting), 1);
    }
    if (this.turn?.life === life) {
      this.breakTurn();
    }
  }

  /** Executes a statement at once, as the server does. Its clock is nobody's but its own. */
  async send(query: Query): Promise<pg.QueryResult> {
    this.asked += 1;
    try {
      return await whose.exit(() => this.wire.query(query as pg.QueryConfig));
    } finally {
      this.asked -= 1;
    }
  }

  get faults(): DatabaseFaults {
    return this.story?.faults ?? NOTHING_FAILS;
  }

  /** Waits in fake time. Without a story nothing takes any. */
  async pause(ms: number): Promise<void> {
    await this.story?.timeline.pause(ms);
  }

  /** Waits for the session. */
  async take(client: SimulatedClient): Promise<void> {
    const life = whose.getStore();
    if (this.turn !== null) {
      await new Promise<void>((go) => {
        this.waiting.push({ client, life, go });
        this.watchTurn();
      });
    }
    this.turn = { client, life, lastHeardMs: this.story?.timeline.nowMs ?? 0 };
  }

  holds(client: SimulatedClient): boolean {
    return this.turn?.client === client;
  }

  heard(client: SimulatedClient): void {
    if (this.turn?.client === client) {
      this.turn.lastHeardMs = this.story?.timeline.nowMs ?? 0;
    }
  }

  /** Ends the turn of a client whose transaction has ended. */
  give(client: SimulatedClient): void {
    if (this.turn?.client === client) {
      this.turn = null;
      this.next();
    }
  }

  /** Rolls back a transaction whose client is gone. */
  private breakTurn(): void {
    this.turn = null;
    this.send({ text: 'rollback' }).then(
      () => this.next(),
      (error: unknown) => {
        throw error;
      },
    );
  }

  private next(): void {
    if (this.turn === null) {
      this.waiting.shift()?.go();
    }
  }

  /** A process that stands still in the middle of a transaction loses it. */
  private watchTurn(): void {
    const { story, turn } = this;
    if (story === null || turn === null) {
      return;
    }
    story.timeline.at(
      turn.lastHeardMs + IDLE_IN_TRANSACTION_MS + 1,
      () => {
        const isStill = this.turn === turn && story.timeline.nowMs - turn.lastHeardMs > IDLE_IN_TRANSACTION_MS;
        if (isStill) {
          this.breakTurn();
        } else if (this.turn === turn && this.waiting.length > 0) {
          this.watchTurn();
        }
      },
      { life: null, idle: true },
    );
  }

  private poolOf(role: RuntimeRole | null): PostgresPool {
    return {
      connect: () => Promise.resolve(new SimulatedClient(this, role)),
      query: (query: Query) => new SimulatedClient(this, role).query(query),
      end: () => Promise.resolve(),
    } as unknown as PostgresPool;
  }
}

const NOTHING_FAILS: DatabaseFaults = {
  latencyMs: () => 0,
  lostBefore: () => false,
  refused: () => false,
  commitAnswerLost: () => false,
};

function openOrm(pool: PostgresPool): Promise<MikroORM> {
  return MikroORM.init({
    ...ORM_OPTIONS,
    dbName: 'postgres',
    logger: () => undefined,
    driverOptions: new PostgresDialect({ pool }),
  });
}

const EVERY_TABLE = `select c.oid::regclass as name from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not like 'mikro_orm%' order by c.oid`;

/** Keeps the rows that the migrations have written. */
const SNAPSHOT = `
create schema pristine;
do $$ declare t regclass; is_filled boolean; begin
  for t in ${EVERY_TABLE} loop
    execute format('select exists (select from %s)', t) into is_filled;
    if is_filled then execute format('create table pristine.%I as table %s', (select relname from pg_class where oid = t), t); end if;
  end loop;
end $$;`;

const RESTORE = `
do $$ declare t regclass; kept text; is_filled boolean; begin
  set local session_replication_role = replica;
  for t in ${EVERY_TABLE} loop
    execute format('select exists (select from %s)', t) into is_filled;
    kept := (select relname from pg_class where relnamespace = 'pristine'::regnamespace and relname = (select relname from pg_class where oid = t));
    if is_filled then execute format('delete from %s', t); end if;
    if kept is not null then execute format('insert into %s overriding system value select * from pristine.%I', t, kept); end if;
  end loop;
  for t in select c.oid::regclass from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'S' loop
    execute format('alter sequence %s restart', t);
  end loop;
end $$;`;
