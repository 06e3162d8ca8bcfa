import { join, resolve } from 'node:path';
import { lastWords, startChild, type Child } from '../shared/child.ts';
import { startPostgres } from '../development/postgres.ts';
import { withProgress } from '../shared/progress.ts';
import { runtimeLoginVariables } from '../shared/runtime-logins.ts';
import { choosePorts } from '../development/stack-environment.ts';
import { prepareNamespace } from '../shared/temporal-namespace.ts';
import { startTemporal } from '../development/temporal.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const TEMPLATE = 'lenden_template';

export interface TestServerOptions {
  /** Holds all data and logs. Postgres's account needs access to it. */
  readonly directory: string;
  /** Receives each server as soon as it runs, so that the caller can stop them even after a failure. */
  readonly servers: Child[];
  readonly say: (line: string) => void;
  /** Settings of Temporal beyond those of every stack, such as `name=value`. */
  readonly temporalConfig?: readonly string[];
}

/** Starts one Postgres with a migrated template database and one Temporal, on free ports. Returns the environment variables that tests read. */
export async function startTestServers({
  directory,
  servers,
  say,
  temporalConfig = [],
}: TestServerOptions): Promise<Record<string, string>> {
  const ports = await choosePorts('free', process.env);
  const logFile = (name: string) => join(directory, 'logs', `${name}.log`);
  const keep = <T extends { child: Child }>(server: T): T => {
    servers.push(server.child);
    return server;
  };
  const postgres = startPostgres({
    directory: join(directory, 'postgres'),
    port: ports.postgres,
    database: TEMPLATE,
    logFile: logFile('postgres'),
  }).then(keep);
  const temporal = startTemporal({
    file: join(directory, 'temporal', 'temporal.db'),
    port: ports.temporal,
    uiPort: ports.temporalUi,
    logFile: logFile('temporal'),
    timeSkipping: 'quickly',
    dynamicConfig: temporalConfig,
    say,
  }).then(keep);
  const [databaseUrl, temporalAddress] = await Promise.all([
    withProgress('Starting Postgres', { work: postgres, say }).then(async ({ url }) => {
      await migrateTemplate({ url, logFile: logFile('migrate') });
      return url;
    }),
    withProgress('Obtaining and starting Temporal', { work: temporal, say }).then(async ({ address }) => {
      await prepareNamespace({ address, namespace: 'default' });
      return address;
    }),
  ]);
  return {
    LENDEN_TEST_DATABASE_URL: databaseUrl,
    LENDEN_TEST_POSTGRES_LOG: logFile('postgres'),
    LENDEN_TEST_TEMPORAL_ADDRESS: temporalAddress,
  };
}

async function migrateTemplate({ url, logFile }: { url: string; logFile: string }): Promise<void> {
  const migration = await startChild({
    name: 'migrate',
    command: process.execPath,
    args: [join(ROOT, 'database', 'migrate.ts')],
    env: { ...process.env, ...runtimeLoginVariables(url), DATABASE_URL: url },
    cwd: ROOT,
    logFile,
    stopSignal: 'SIGTERM',
    graceMs: 10_000,
    lifeline: 'channel',
  });
  const ending = await migration.exited;
  if (ending !== 'exit code 0') {
    throw new Error(`The template database could not be migrated (${ending}):\n${lastWords(migration)}`);
  }
}
