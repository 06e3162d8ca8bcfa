import { rmSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import type { DevFile } from '../scripts/development/dev-file.ts';
import { startStack } from '../scripts/development/stack.ts';
import type { Environment } from '../scripts/development/stack-environment.ts';
import { startCountingPostgres } from './counting-postgres.ts';
import { makeDirectory } from './directory.ts';
import { pauseLoops } from './loops.ts';

export interface MeasuredStackOptions {
  /** Variables that override those of this process; `TEMPORAL_ADDRESS` makes the stack use a server that already runs. */
  readonly environment?: Environment;
  /** Postgres settings that need a restart or differ from the launcher's. */
  readonly postgres?: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
}

/** The whole product on a Postgres that counts statements, with an owner's connection to inspect it from outside. */
export interface MeasuredStack {
  readonly dev: DevFile;
  readonly directory: string;
  /** Not among `dev.processes`, because the stack did not start this Postgres itself. */
  readonly postgresPid: number;
  readonly database: pg.Pool;
  readonly temporal: Client;
  /** Pauses sweeper and sealer and waits until neither passes, so that only the measured work is in progress. */
  pauseLoops(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a temporary stack. `stop` removes all of its data and is safe to call twice. */
export async function startMeasuredStack(options: MeasuredStackOptions): Promise<MeasuredStack> {
  const directory = makeDirectory();
  const undo: (() => Promise<unknown>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (let last = undo.pop(); last !== undefined; last = undo.pop()) {
      await last();
    }
  };
  try {
    const postgres = await startCountingPostgres({ directory, settings: options.postgres });
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
    // Must be undone last: a long query of the benchmark ends with the server, not before it.
    undo.unshift(() => database.end());
    database.on('error', () => undefined);
    const connection = await Connection.connect({ address: dev.temporal.address });
    undo.push(() => connection.close());
    const temporal = new Client({ connection, namespace: dev.temporal.namespace });
    return {
      dev,
      directory,
      postgresPid: postgres.child.identity.pid,
      database,
      temporal,
      pauseLoops: () => pauseLoops(temporal),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
