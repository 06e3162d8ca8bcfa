import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import type { Child } from '../scripts/child.ts';
import type { DevFile } from '../scripts/dev-file.ts';
import { findFreePort } from '../scripts/ports.ts';
import { startPostgres, type PostgresSettings } from '../scripts/postgres.ts';
import { startStack } from '../scripts/stack.ts';
import type { Environment } from '../scripts/stack-environment.ts';
import { SCHEDULE_IDS } from '../workflows/messages/names.ts';

export interface MeasuredStackOptions {
  /** The stack's variables over those of this process; `TEMPORAL_ADDRESS` puts it on a server that runs already. */
  readonly environment?: Environment;
  /** Settings of Postgres that need a restart or differ from the launcher's. */
  readonly postgres?: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
}

/** The whole product on a Postgres that counts statements, with an owner's connection to look at it from outside. */
export interface MeasuredStack {
  readonly dev: DevFile;
  readonly directory: string;
  readonly database: pg.Pool;
  readonly temporal: Client;
  /** Pauses sweeper and sealing and waits until none runs, so that nothing but what is measured is at work. */
  pauseSchedules(): Promise<void>;
  stop(): Promise<void>;
}

const DATA = resolve(import.meta.dirname, '..', '.lenden', 'bench');
const QUIET_TIMEOUT_MS = 60_000;

/** Everything is thrown away by `stop`, which is safe to call twice. */
export async function startMeasuredStack(options: MeasuredStackOptions): Promise<MeasuredStack> {
  mkdirSync(DATA, { recursive: true });
  const directory = mkdtempSync(join(DATA, 'stack-'));
  const undo: (() => Promise<unknown>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (let last = undo.pop(); last !== undefined; last = undo.pop()) {
      await last();
    }
  };
  try {
    const postgres = await startCountingPostgres(directory, options.postgres ?? {});
    undo.push(() => postgres.child.stop());
    const stack = await startStack({
      directory,
      ports: 'free',
      environment: {
        ...process.env,
        LENDEN_LOG_LEVEL: 'info',
        ...options.environment,
        DATABASE_URL: postgres.url,
      },
      say: options.say,
    });
    undo.push(() => stack.stop());
    const { dev } = stack;
    const database = new pg.Pool({ connectionString: postgres.url, max: 4, application_name: 'bench' });
    undo.push(() => database.end());
    await database.query('create extension if not exists pg_stat_statements');
    const connection = await Connection.connect({ address: dev.temporal.address });
    undo.push(() => connection.close());
    const temporal = new Client({ connection, namespace: dev.temporal.namespace });
    return { dev, directory, database, temporal, pauseSchedules: () => pauseSchedules(temporal), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Preloaded libraries are read at start, and the launcher's server has none: hence the second start. */
async function startCountingPostgres(
  directory: string,
  settings: Readonly<Record<string, string>>,
): Promise<{ child: Child; url: string }> {
  const where: PostgresSettings = {
    directory: join(directory, 'postgres'),
    port: await findFreePort([]),
    database: 'lenden',
    logFile: join(directory, 'logs', 'postgres.log'),
  };
  const first = await startPostgres(where);
  try {
    const client = new pg.Client({ connectionString: first.url });
    await client.connect();
    const all = { shared_preload_libraries: 'pg_stat_statements', ...settings };
    for (const [name, value] of Object.entries(all)) {
      await client.query(`alter system set ${name} = ${pg.escapeLiteral(value)}`);
    }
    await client.end();
  } finally {
    await first.child.stop();
  }
  return startPostgres(where);
}

async function pauseSchedules(client: Client): Promise<void> {
  const deadline = Date.now() + QUIET_TIMEOUT_MS;
  for (const id of Object.values(SCHEDULE_IDS)) {
    const schedule = client.schedule.getHandle(id);
    await schedule.pause('a measurement is running');
    while ((await schedule.describe()).info.runningActions.length > 0) {
      if (Date.now() > deadline) {
        throw new Error(`${id} does not come to rest`);
      }
      await sleep(100);
    }
  }
}
