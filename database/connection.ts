import { MikroORM, type SqlEntityManager } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mode } from '../domain/mode.ts';
import type { AppView } from '../domain/permissions.ts';
import {
  Application,
  Credential,
  GatewayConfiguration,
  WebhookEndpoint,
  WebhookSigningSecret,
} from './entities/application.ts';
import {
  AuditLog,
  LoginThrottle,
  Operator,
  OperatorGrant,
  OperatorRecoveryCode,
  OperatorSession,
  Role,
  Setting,
} from './entities/operator.ts';
import { LedgerAccount, LedgerPosting, LedgerTransaction } from './entities/ledger.ts';
import {
  GatewayCallback,
  IdempotencyKey,
  UnappliedPayment,
  Payment,
  PaymentAttempt,
  PublicReference,
} from './entities/payment.ts';
import { Decision, Refund } from './entities/refund.ts';
import { WebhookAttempt, WebhookEvent } from './entities/webhook.ts';
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

export type { HeldSession };

export const ENTITIES = [
  Application,
  Credential,
  WebhookEndpoint,
  WebhookSigningSecret,
  Payment,
  PaymentAttempt,
  GatewayCallback,
  UnappliedPayment,
  PublicReference,
  IdempotencyKey,
  Refund,
  Decision,
  WebhookEvent,
  WebhookAttempt,
  LedgerAccount,
  LedgerTransaction,
  LedgerPosting,
  GatewayConfiguration,
  Operator,
  OperatorRecoveryCode,
  OperatorSession,
  LoginThrottle,
  Role,
  OperatorGrant,
  Setting,
  AuditLog,
];

/**
 * `owner` migrates, and runs commands as any of the others; `lenden_app` is what requests and activities run as; `lenden_operator` is what an operator's request runs as;
 * `lenden_system` sees all applications.
 */
export type DatabaseRole = 'owner' | RuntimeRole;

export type EntityManager = SqlEntityManager;

/** Whose rows a unit of work may see. */
export interface Scope {
  readonly applicationId: bigint;
  readonly mode: Mode;
}

/**
 * No transaction spans a network call, so none has a reason to stay open; a stuck one would also hold back the ledger's sealing. After waiting for a
 * lock a statement has to see what was committed meanwhile, whatever the server's, the database's or the role's default is.
 */
const SESSION_SETTINGS =
  '-c default_transaction_isolation=read\\ committed -c idle_in_transaction_session_timeout=30000 -c statement_timeout=20000 -c lock_timeout=10000';

/** Longer than `statement_timeout`, so only a connection that is dead is given up. */
const SILENCE_MAX_MS = 25_000;

/** Deadlocks and serialization failures are ours to hide, within a bound. */
const TRANSACTION_TRIES_MAX = 5;
const RETRYABLE_SQL_STATES: ReadonlySet<string> = new Set(['40001', '40P01']);

/** The pools of one process. Build it in a main file, close it on the way out. */
export interface Database {
  /** The only door to an EntityManager for an application's rows: one transaction, scoped by app and mode in the database itself. */
  withScope<T>(scope: Scope, work: (em: EntityManager) => Promise<T>): Promise<T>;
  /** The same door for plain statements that need not wait for each other's answers: one transaction in one round trip. */
  inOneTrip<T>(scope: Scope, work: (statements: Statements) => Promise<T>): Promise<T>;
  /** The same door for plain statements of which some depend on the answers of others. */
  inTransaction<T>(scope: Scope, work: (statements: Statements) => Promise<T>): Promise<T>;
  /** One transaction that sees every application: sweeper, sealing, verify, registration. Never from an app's route. */
  withSystem<T>(work: (em: EntityManager) => Promise<T>): Promise<T>;
  /** One transaction of an operator's request: operators' own tables, and the rows of the applications in his view. */
  withOperator<T>(view: AppView, work: (em: EntityManager) => Promise<T>): Promise<T>;
  /** Resolves secret-like handles to ids before a scope is known; answers ids only. */
  lookup<T extends object>(text: string, values: readonly unknown[]): Promise<T[]>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface PooledDatabase extends Database {
  /** A session of its own, in no transaction and no scope, until it is released: for a lock that ends with the session. */
  session(): Promise<HeldSession>;
}

export interface DatabaseOptions {
  /**
   * A process has one login for each role that it needs. A command that is run by the owner gives the owner's URL alone: its sessions take
   * on the role that they need.
   */
  readonly url: string | RuntimeUrls;
  readonly poolSize?: number;
  /** Called for transactions that were repeated after a deadlock or serialization failure. */
  readonly onRetry?: (sqlState: string) => void;
  /** After this long without a byte a connection is taken for dead; longer than any statement may take. */
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
      throw new Error(`this process has no login for ${role}`);
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
  // Opened on first use: an API process that only serves requests never needs it.
  let system: Promise<MikroORM> | undefined;
  const systemOrm = (): Promise<MikroORM> => (system ??= open('lenden_system', 3));
  let operators: Promise<MikroORM> | undefined;
  const operatorOrm = (): Promise<MikroORM> => (operators ??= open('lenden_operator', 5));
  const retry = <T>(work: () => Promise<T>): Promise<T> => retrying(work, onRetry);
  return {
    withScope: (scope, work) =>
      retry(async () => {
        const em = app.em.fork();
        em.setSessionContext({
          variables: { 'lenden.app': scope.applicationId.toString(), 'lenden.mode': scope.mode },
        });
        return em.transactional(work);
      }),
    inOneTrip: (scope, work) => retry(() => inOneTrip(pool, openingOf(scope), work)),
    inTransaction: (scope, work) => retry(() => inTransaction(pool, openingOf(scope), work)),
    withSystem: (work) => retry(async () => (await systemOrm()).em.fork().transactional(work)),
    withOperator: (view, work) =>
      retry(async () => {
        const em = (await operatorOrm()).em.fork();
        em.setSessionContext({ variables: { 'lenden.apps': view === 'every-app' ? '*' : `{${view.join(',')}}` } });
        return em.transactional(work);
      }),
    lookup: (text, values) => runAlone(pool, text, values),
    async ping() {
      await runAlone(pool, 'select 1', []);
    },
    session: () => holdSession(pool),
    async close() {
      await app.close();
      await (await system)?.close();
      await (await operators)?.close();
    },
  };
}

/** The settings hold for this transaction only; without them every row is hidden. */
function openingOf({ applicationId, mode }: Scope): Statement {
  return {
    text: `select set_config('lenden.app', ?, true), set_config('lenden.mode', ?, true)`,
    values: [applicationId.toString(), mode],
  };
}

interface OrmOptions {
  readonly url: string;
  readonly role: DatabaseRole;
  /** Whose URL it is: the owner's, whose session takes on the role (the default), or the role's own. */
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
    driver: ParameterDriver,
    entities: ENTITIES,
    clientUrl: url,
    extensions: [Migrator],
    migrations: { migrationsList: MIGRATIONS, snapshot: false, transactional: true, allOrNothing: true },
    pool: { min: 0, max: poolSize },
    // An owner's session takes on its role as the connection starts, so no statement of a pooled connection ever runs as the owner.
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
    ignoreUndefinedInQuery: true,
    discovery: { warnWhenNoEntities: false },
  });
}

/** A server that went away without a word would otherwise hold its requests, and their pooled connections, for many minutes. */
function impatientSocket(silenceMaxMs: number): Socket {
  const socket = new Socket();
  socket.setTimeout(silenceMaxMs, () => {
    socket.destroy(Object.assign(new Error('the database is silent'), { code: 'ETIMEDOUT' }));
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

/** PostgreSQL's five-character error code, or undefined when the error did not come from the server. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
  }
  return undefined;
}
