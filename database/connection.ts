import { MikroORM, type SqlEntityManager } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import type { Pool } from 'pg';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mode } from '../domain/mode.ts';
import type { AppView } from '../domain/permissions.ts';
import { tlsOf } from '../runtime/database-tls.ts';
import { giveBackLostConnections } from './lost-connections.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { ParameterDriver } from './parameters.ts';
import type { RuntimeRole, RuntimeUrls } from '../runtime/database-roles.ts';
import {
  holdSession,
  inOneTrip,
  inTransaction,
  runAlone,
  type HeldSession,
  type Statement,
  type Statements,
} from './statements.ts';
import type { CompiledText } from './compiled-text.ts';
import { ENTITIES } from './tables.ts';

export type { HeldSession };

/**
 * `owner` migrates, and runs commands as any of the other roles. `lenden_app` runs requests and activities. `lenden_operator` runs operators'
 * requests. `lenden_system` sees all applications.
 */
export type DatabaseRole = 'owner' | RuntimeRole;

export type EntityManager = SqlEntityManager;

/** The application and mode whose rows a unit of work can see. */
export interface Scope {
  readonly applicationId: bigint;
  readonly mode: Mode;
}

/**
 * No transaction spans a network call, so none needs to stay open; a stuck one would also block the ledger's sealing. After waiting for a lock, a
 * statement must see what was committed in the meantime, whatever the default of the server, database or role.
 */
const SESSION_SETTINGS =
  '-c default_transaction_isolation=read\\ committed -c idle_in_transaction_session_timeout=30000 -c statement_timeout=20000 -c lock_timeout=10000';

/** Longer than `statement_timeout`, so only a dead connection is closed. */
const SILENCE_MAX_MS = 25_000;

/** Deadlocks and serialization failures are retried up to this many tries. */
const TRANSACTION_TRIES_MAX = 5;
const RETRYABLE_SQL_STATES: ReadonlySet<string> = new Set(['40001', '40P01']);

/** The connection pools of one process. Create it in a main file, and close it at exit. */
export interface Database {
  /**
   * Runs one transaction of an application's request or workflow. Row-level security restricts it to the rows of the application and mode. With
   * `oneTrip`, everything takes one round trip: `work` sends all its statements before it awaits the first result.
   */
  withScope<T>(
    scope: Scope,
    work: (statements: Statements) => Promise<T>,
    options?: { readonly oneTrip: boolean },
  ): Promise<T>;
  /**
   * Runs one transaction of a request whose caller is not known yet, in one round trip. Its first statement must be `lenden_enter_as`, which opens the
   * scope of a usable credential; until then, and for an unusable one, every row is hidden.
   */
  withCredential<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  /** Runs one transaction that sees every application: sweeper, sealing, verify, registration. Never call it from an application's route. */
  withSystem<T>(work: (em: EntityManager) => Promise<T>): Promise<T>;
  /** Runs one transaction of an operator's request, which sees the operators' tables and the rows of the applications in their view. */
  withOperator<T>(view: AppView, work: (em: EntityManager) => Promise<T>): Promise<T>;
  /** Resolves secret-like references to ids before a scope is known. Returns ids only. */
  lookup<T extends object>(text: string | CompiledText, values: readonly unknown[]): Promise<T[]>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface PooledDatabase extends Database {
  /** Opens a session outside any transaction and scope, held until it is released: for a lock that ends with the session. */
  session(): Promise<HeldSession>;
}

export interface DatabaseOptions {
  /**
   * A process has one login for each role that it needs. A command run by the owner has only the owner's URL: its sessions switch to the role that
   * they need.
   */
  readonly url: string | RuntimeUrls;
  readonly poolSize?: number;
  /** Called when a transaction is repeated after a deadlock or serialization failure. */
  readonly onRetry?: (sqlState: string) => void;
  /** A connection without a byte for this long counts as dead. Longer than any statement may take. */
  readonly silenceMaxMs?: number;
}

export async function openDatabase({
  url,
  poolSize = 10,
  onRetry,
  silenceMaxMs = SILENCE_MAX_MS,
}: DatabaseOptions): Promise<PooledDatabase> {
  const open = (role: RuntimeRole, poolMax: number): Promise<MikroORM> => {
    const login = typeof url === 'string' ? url : url[role];
    if (login === undefined) {
      throw new Error(`this process has no database login for ${role}`);
    }
    return openOrm({
      url: login,
      role,
      session: typeof url === 'string' ? 'owner' : 'login',
      poolSize: poolMax,
      silenceMaxMs,
    });
  };
  const app = await open('lenden_app', poolSize);
  const pool = await app.em.getConnection().getNativeClient();
  // Opened on first use, since an API process that only serves requests never needs it.
  let system: Promise<MikroORM> | undefined;
  let operators: Promise<MikroORM> | undefined;
  return {
    ...databaseOver({
      pool,
      system: () => (system ??= open('lenden_system', 3)),
      operators: () => (operators ??= open('lenden_operator', 5)),
      onRetry,
    }),
    session: () => holdSession(pool),
    async close() {
      await app.close();
      await (await system)?.close();
      await (await operators)?.close();
    },
  };
}

/** What a database works over, one for each role. */
export interface Connections {
  readonly pool: Pool;
  readonly system: () => Promise<MikroORM>;
  readonly operators: () => Promise<MikroORM>;
  readonly onRetry?: ((sqlState: string) => void) | undefined;
}

/** Returns the units of work over given connections, which the caller closes. */
export function databaseOver({ pool, system, operators, onRetry }: Connections): Omit<Database, 'close'> {
  const retry = <T>(work: () => Promise<T>): Promise<T> => retrying(work, onRetry);
  return {
    withScope: (scope, work, { oneTrip = false } = { oneTrip: false }) =>
      retry(() => (oneTrip ? inOneTrip : inTransaction)(pool, openingOf(scope), work)),
    withCredential: (work) => retry(() => inOneTrip(pool, null, work)),
    withSystem: (work) => retry(async () => (await system()).em.fork().transactional(work)),
    withOperator: (view, work) =>
      retry(async () => {
        const em = (await operators()).em.fork();
        em.setSessionContext({ variables: { 'lenden.apps': view === 'every-app' ? '*' : `{${view.join(',')}}` } });
        return em.transactional(work);
      }),
    lookup: (text, values) => runAlone(pool, text, values),
    async ping() {
      await runAlone(pool, 'select 1', []);
    },
  };
}

/** The settings apply only to this transaction. Without them every row is hidden. */
function openingOf({ applicationId, mode }: Scope): Statement {
  return {
    text: `select set_config('lenden.app', ?, true), set_config('lenden.mode', ?, true)`,
    values: [applicationId.toString(), mode],
  };
}

/** What each EntityManager is built with, wherever its connections lead. */
export const ORM_OPTIONS = {
  driver: ParameterDriver,
  entities: ENTITIES,
  extensions: [Migrator],
  migrations: { migrationsList: MIGRATIONS, snapshot: false, transactional: true, allOrNothing: true },
  ignoreUndefinedInQuery: true,
  discovery: { warnWhenNoEntities: false },
};

interface OrmOptions {
  readonly url: string;
  readonly role: DatabaseRole;
  /** The login of `url`: the owner, whose session switches to the role (default), or the role itself. */
  readonly session?: 'owner' | 'login';
  readonly poolSize: number;
  readonly silenceMaxMs?: number;
}

export function openOrm({
  url,
  role,
  session = 'owner',
  poolSize,
  silenceMaxMs = SILENCE_MAX_MS,
}: OrmOptions): Promise<MikroORM> {
  const roleOption = session === 'login' ? SESSION_SETTINGS : `-c role=${role} ${SESSION_SETTINGS}`;
  return MikroORM.init({
    ...ORM_OPTIONS,
    clientUrl: url,
    pool: { min: 0, max: poolSize },
    // An owner's session switches to its role when the connection starts, so no statement of a pooled connection runs as the owner.
    driverOptions: {
      options: role === 'owner' ? '' : roleOption,
      connectionTimeoutMillis: 5_000,
      application_name: `lenden ${role}`,
      keepAlive: true,
      ssl: tlsOf(url) ?? false,
      pipeline: true,
      onPoolCreated: giveBackLostConnections,
      ...(role === 'owner' ? {} : { stream: () => impatientSocket(silenceMaxMs) }),
    },
  });
}

/** Detects a server that disappeared without closing its connections. They would otherwise block requests for many minutes. */
function impatientSocket(silenceMaxMs: number): Socket {
  const socket = new Socket();
  socket.setTimeout(silenceMaxMs, () => {
    socket.destroy(Object.assign(new Error('the database does not respond'), { code: 'ETIMEDOUT' }));
  });
  return socket;
}

async function retrying<T>(work: () => Promise<T>, onRetry?: (sqlState: string) => void): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const state = sqlStateOf(error);
      if (state === undefined || !RETRYABLE_SQL_STATES.has(state) || tries === TRANSACTION_TRIES_MAX) {
        throw error;
      }
      onRetry?.(state);
      await sleep(5 * 2 ** tries * (1 + Math.random()));
    }
  }
}

/** Returns the constraint that a statement has violated, by name. */
export function constraintOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'constraint' in error && typeof error.constraint === 'string'
    ? error.constraint
    : undefined;
}

/** Returns PostgreSQL's five-character error code, or undefined if the error did not come from the server. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
  }
  return undefined;
}
