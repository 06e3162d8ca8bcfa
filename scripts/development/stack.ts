import { join, resolve } from 'node:path';
import { lastWords, startChild, type Child } from '../shared/child.ts';
import { assembleCrew, type Crew } from './crew.ts';
import { seedDemoApps } from './demo-apps.ts';
import { seedDemoOperators } from './demo-operators.ts';
import { removeDevFile, writeDevFile, type DevFile } from './dev-file.ts';
import { readOrMakeMasterKey } from './development-secrets.ts';
import { RUNTIME_URL_VARIABLES } from '../../runtime/database-roles.ts';
import { startPostgres } from './postgres.ts';
import { buildDashboard } from '../../web/admin/build.ts';
import { withProgress } from '../shared/progress.ts';
import { untilAnswering, untilLogged } from './readiness.ts';
import {
  choosePorts,
  lendenEnvironment,
  nagadSettings,
  simulatorEnvironment,
  type Environment,
  type PortChoice,
  type StackPorts,
  type StackServers,
} from './stack-environment.ts';
import { openStackRecord } from './stack-record.ts';
import { prepareNamespace } from '../shared/temporal-namespace.ts';
import { WORKER_FLAGS } from '../shared/worker-flags.ts';
import { startTemporal } from './temporal.ts';

export interface StackOptions {
  /** Holds all of the stack's data, secrets and logs. */
  readonly directory: string;
  readonly ports: PortChoice;
  /** The caller's own variables, which override the defaults. `DATABASE_URL` and `TEMPORAL_ADDRESS` make the stack use servers that already run. */
  readonly environment: Environment;
  /** Prints one line for a person. */
  readonly say: (line: string) => void;
  /** Cancels the start. */
  readonly signal?: AbortSignal;
}

/** Everything that `npm start` runs. */
export interface Stack {
  readonly dev: DevFile;
  /** Resolves with the reason when a process could not be kept running. */
  readonly gaveUp: Promise<string>;
  stop(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, '..', '..');
const READY_TIMEOUT_MS = 90_000;

/**
 * Starts Postgres, Temporal, the gateway simulators, the worker and the API, migrates the database, and seeds the demo. Returns when everything is
 * ready. If any part fails, it stops what it had started.
 * @throws StackIsRunningError when another launcher owns the directory.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const directory = resolve(options.directory);
  const record = await openStackRecord(directory);
  removeDevFile(directory);
  const gaveUp = Promise.withResolvers<string>();
  let describe: (() => DevFile) | undefined;
  const tell = () => describe !== undefined && writeDevFile(directory, describe());
  const crew = assembleCrew({ record, say: options.say, onStarted: tell, onGivenUp: gaveUp.resolve });
  const stop = async () => {
    removeDevFile(directory);
    await crew.dismiss();
  };
  options.signal?.addEventListener('abort', () => void stop());
  try {
    options.signal?.throwIfAborted();
    const running = await startEverything({ crew, directory, options });
    describe = () => ({ ...running, processes: { launcher: process.pid, ...record.pids() } });
    tell();
    return { dev: describe(), gaveUp: gaveUp.promise, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Start {
  readonly crew: Crew;
  readonly directory: string;
  readonly options: StackOptions;
}

async function startEverything({ crew, directory, options }: Start): Promise<Omit<DevFile, 'processes'>> {
  const { say } = options;
  const ports = await choosePorts(options.ports, options.environment, ({ what, preferred, port }) =>
    say(`Port ${preferred} is taken by another program: ${what} uses ${port} instead.`),
  );
  const nagad = await nagadSettings({ ports, data: simulatorsData(directory) }, options.environment);
  const simulators = startSimulators({ crew, directory, options }, ports);
  const servers = await together(startServers({ crew, directory, options }, ports), simulators);
  const masterKey = options.environment['LENDEN_MASTER_KEY'] || readOrMakeMasterKey(directory);
  const environment = lendenEnvironment({ ports, servers, masterKey, nagad }, options.environment);
  const program = (name: ProgramName, file: string) =>
    startChild(nodeProgram({ name, file, directory, environment: withOwnLogins(name, environment) }));
  await together(
    withProgress('Building the dashboard', { work: buildDashboard(), say }),
    withProgress('Migrating the database', { work: migrate({ crew, program }), say }),
    withProgress('Preparing the Temporal namespace', {
      work: prepareNamespace({ address: servers.temporalAddress, namespace: servers.temporalNamespace }),
      say,
    }),
  );
  const readiness = { timeoutMs: READY_TIMEOUT_MS, stopped: crew.stopped };
  const worker = crew.keep({
    name: 'worker',
    rank: 'application',
    start: async () => untilLogged(await program('worker', 'worker/main.ts'), { text: 'worker ready', ...readiness }),
  });
  const readyUrl = `http://127.0.0.1:${ports.api}/ready`;
  const api = crew.keep({
    name: 'api',
    rank: 'application',
    // Waits for its own log line first: another program, such as another stack's API, may have taken the port and answer there.
    async start() {
      const child = await untilLogged(await program('api', 'api/main.ts'), { text: 'api ready', ...readiness });
      return untilAnswering(child, { url: readyUrl, ...readiness });
    },
  });
  const apps = seedDemoApps({ directory, databaseUrl: servers.databaseUrl, masterKey });
  const operators = seedDemoOperators({ directory, databaseUrl: servers.databaseUrl });
  await together(withProgress('Starting api, web and worker', { work: together(apps, operators, worker, api), say }));
  return description({ environment, ports, servers, apps: await apps, operators: await operators });
}

function description(running: {
  environment: Environment;
  ports: StackPorts;
  servers: StackServers;
  apps: DevFile['apps'];
  operators: DevFile['operators'];
}): Omit<DevFile, 'processes'> {
  const { environment, ports, servers, apps, operators } = running;
  const web = environment['LENDEN_WEB_URL'] ?? `http://localhost:${ports.web}`;
  return {
    api: `${environment['LENDEN_API_URL']}/api/v1`,
    web,
    admin: `${web}/admin`,
    simulators: `http://localhost:${ports.simulators}`,
    mailbox: `http://localhost:${ports.simulators}/mailbox`,
    temporal: { address: servers.temporalAddress, ui: servers.temporalUi, namespace: servers.temporalNamespace },
    databaseUrl: servers.databaseUrl,
    apps,
    operators,
  };
}

async function startServers({ crew, directory, options }: Start, ports: StackPorts): Promise<StackServers> {
  const { environment, say } = options;
  const ownDatabase = environment['DATABASE_URL'] || undefined;
  const ownTemporal = environment['TEMPORAL_ADDRESS'] || undefined;
  const [databaseUrl, temporalUi] = await Promise.all([
    ownDatabase ?? withProgress('Starting Postgres', { work: keepPostgres({ crew, directory }, ports), say }),
    ownTemporal === undefined
      ? withProgress('Obtaining and starting Temporal', { work: keepTemporal({ crew, directory, say }, ports), say })
      : (environment['LENDEN_TEMPORAL_UI'] ?? 'http://localhost:8233'),
  ]);
  return {
    databaseUrl,
    temporalAddress: ownTemporal ?? `127.0.0.1:${ports.temporal}`,
    temporalNamespace: environment['TEMPORAL_NAMESPACE'] || 'default',
    temporalUi,
  };
}

async function keepPostgres({ crew, directory }: { crew: Crew; directory: string }, ports: StackPorts) {
  let url = '';
  await crew.keep({
    name: 'postgres',
    rank: 'server',
    async start() {
      const server = await startPostgres({
        directory: join(directory, 'postgres'),
        port: ports.postgres,
        database: 'lenden',
        logFile: logFile(directory, 'postgres'),
      });
      ({ url } = server);
      return server.child;
    },
  });
  return url;
}

async function keepTemporal(
  { crew, directory, say }: { crew: Crew; directory: string; say: (line: string) => void },
  ports: StackPorts,
) {
  let ui = '';
  await crew.keep({
    name: 'temporal',
    rank: 'server',
    async start() {
      const server = await startTemporal({
        file: join(directory, 'temporal', 'temporal.db'),
        port: ports.temporal,
        uiPort: ports.temporalUi,
        logFile: logFile(directory, 'temporal'),
        timeSkipping: 'on request',
        say,
      });
      ({ ui } = server);
      return server.child;
    },
  });
  return ui;
}

function startSimulators({ crew, directory, options }: Start, ports: StackPorts) {
  const environment = simulatorEnvironment({ ports, data: simulatorsData(directory) }, options.environment);
  return crew.keep({
    name: 'simulators',
    rank: 'application',
    start: async () =>
      untilAnswering(
        await startChild(nodeProgram({ name: 'simulators', file: 'simulators/main.ts', directory, environment })),
        { url: `http://127.0.0.1:${ports.simulators}/health`, timeoutMs: READY_TIMEOUT_MS, stopped: crew.stopped },
      ),
  });
}

function simulatorsData(directory: string): string {
  return join(directory, 'simulators');
}

type ProgramName = 'migrate' | 'api' | 'worker';

/** The database URLs that each program needs; it gets no others. */
const DATABASE_VARIABLES: Readonly<Record<ProgramName, ReadonlySet<string>>> = {
  migrate: new Set(['DATABASE_URL', ...Object.values(RUNTIME_URL_VARIABLES)]),
  api: new Set([RUNTIME_URL_VARIABLES.lenden_app, RUNTIME_URL_VARIABLES.lenden_operator]),
  worker: new Set([RUNTIME_URL_VARIABLES.lenden_app, RUNTIME_URL_VARIABLES.lenden_system]),
};

function withOwnLogins(name: ProgramName, environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([variable]) => !DATABASE_VARIABLES.migrate.has(variable) || DATABASE_VARIABLES[name].has(variable),
    ),
  );
}

async function migrate({ crew, program }: { crew: Crew; program: (name: 'migrate', file: string) => Promise<Child> }) {
  const { child, ending } = await crew.once('migrate', () => program('migrate', 'database/migrate.ts'));
  if (ending !== 'exit code 0') {
    throw new Error(`The database could not be migrated (${ending}):\n${lastWords(child)}`);
  }
}

interface NodeProgram {
  readonly name: string;
  readonly file: string;
  readonly directory: string;
  readonly environment: Environment;
}

function nodeProgram({ name, file, directory, environment }: NodeProgram) {
  return {
    name,
    command: process.execPath,
    args: [
      ...(name === 'worker' ? WORKER_FLAGS : []),
      '--import',
      new URL('../shared/lifeline.ts', import.meta.url).href,
      join(ROOT, file),
    ],
    env: { ...environment },
    cwd: ROOT,
    logFile: logFile(directory, name),
    stopSignal: 'SIGTERM',
    graceMs: 25_000,
    lifeline: 'channel',
  } as const;
}

function logFile(directory: string, name: string): string {
  return join(directory, 'logs', `${name}.log`);
}

/** Waits for all promises, so that every failure is reported, and returns the first result. */
async function together<T>(first: Promise<T>, ...others: readonly Promise<unknown>[]): Promise<T> {
  const [result] = await Promise.all([first, ...others]);
  return result;
}
