import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lastWords, startChild, type Child } from '../../scripts/shared/child.ts';
import { findFreePort, waitForPort } from '../../scripts/shared/ports.ts';
import { findPostgresHome } from '../../scripts/development/postgres-binaries.ts';
import { startPostgres } from '../../scripts/development/postgres.ts';
import { untilAnswering, untilLogged } from '../../scripts/development/readiness.ts';
import { readOrMakeMasterKey } from '../../scripts/development/development-secrets.ts';
import { runtimeLogins, runtimeLoginVariables } from '../../scripts/shared/runtime-logins.ts';
import { simulatorEnvironment } from '../../scripts/development/stack-environment.ts';
import { makeStackDirectory } from '../../scripts/shared/stack-directory.ts';
import { prepareNamespace } from '../../scripts/shared/temporal-namespace.ts';
import { WORKER_FLAGS } from '../../scripts/shared/worker-flags.ts';
import { startTemporal } from '../../scripts/development/temporal.ts';
import { LINKS, type LinkName } from './dials.ts';
import { gatewaySettings, simulatorSettings } from './gateways.ts';
import { openLink, type Link } from './link.ts';
import { openMember, type Member } from './member.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const RECEIVER = fileURLToPath(new URL('./receiver-main.ts', import.meta.url));
const LIFELINE = new URL('../../scripts/shared/lifeline.ts', import.meta.url).href;
const START_TIMEOUT_MS = 60_000;
const READINESS = { stopped: new AbortController().signal, timeoutMs: START_TIMEOUT_MS };
/** How long a worker may be dead before another one takes over its workflows. The server's default is ten seconds. */
const HURRIED_TEMPORAL = ['history.defaultWorkflowTaskTimeout="3s"'];

export type MemberName =
  'postgres' | 'temporal' | 'simulator' | 'receiver-0' | 'receiver-1' | 'api-0' | 'api-1' | 'worker-0' | 'worker-1';

/** The whole stack under test: real processes, connected by links that can fail. */
export interface Cluster {
  readonly directory: string;
  readonly members: ReadonlyMap<MemberName, Member>;
  /** Links by name, one for each pair of processes. */
  readonly links: ReadonlyMap<LinkName, readonly Link[]>;
  readonly databaseUrl: string;
  readonly postgresData: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** The two APIs, reached without a link. An application tries the other one when one is dead. */
  readonly apis: readonly [string, string];
  /** The address in front of both APIs, for callbacks of the gateway and for payers. */
  readonly apiUrl: string;
  readonly simulatorUrl: string;
  readonly receivers: readonly [Receiver, Receiver];
  readonly masterKey: string;
  /** Keys generated for the run, which must never appear in logs or histories. */
  readonly gatewayKeys: readonly string[];
  logFile(name: string): string;
  stop(): Promise<void>;
}

export interface Receiver {
  /** The webhook URL that Lenden uses. */
  readonly webhookUrl: string;
  /** The URL that sets the receiver's behaviour. */
  readonly controlUrl: string;
  readonly logFile: string;
}

interface Ports {
  readonly api: readonly [number, number];
  readonly web: readonly [number, number];
  readonly receivers: readonly [number, number];
  readonly simulator: number;
  readonly postgres: number;
  readonly temporal: number;
  readonly temporalUi: number;
}

export const NAMESPACE = 'default';

/** Starts everything once. `note` is called for each process that ends or restarts. */
export async function startCluster(note: (line: string) => void): Promise<Cluster> {
  const directory = makeStackDirectory('lenden-faults-');
  const opened: Member[] = [];
  const links: Link[] = [];
  const stop = async (): Promise<void> => {
    for (const member of opened.toReversed()) {
      await member.stop();
    }
    await Promise.all(links.map((link) => link.close()));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    return { ...(await assemble({ directory, opened, links, note })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Assembly {
  readonly directory: string;
  readonly opened: Member[];
  readonly links: Link[];
  readonly note: (line: string) => void;
}

/** Shared settings for the starts of the single processes. */
interface Site {
  readonly directory: string;
  readonly ports: Ports;
  readonly between: Between;
  readonly webPort: number;
  readonly masterKey: string;
  /** The gateway settings of Lenden's processes. */
  readonly gateways: Readonly<Record<string, string>>;
  readonly keep: (name: MemberName, start: () => Promise<Child>) => Promise<void>;
  readonly note: (line: string) => void;
}

type Pair = readonly [Link, Link];
type Between = Readonly<
  Record<'api>postgres' | 'worker>postgres' | 'api>temporal' | 'worker>temporal' | 'worker>receiver', Pair>
> &
  Readonly<Record<'worker>gateway' | 'gateway>api', readonly [Link]>>;

async function assemble({ directory, opened, links, note }: Assembly): Promise<Omit<Cluster, 'stop'>> {
  const ports = await freePorts();
  const members = new Map<MemberName, Member>();
  const keep = async (name: MemberName, start: () => Promise<Child>): Promise<void> => {
    const member = await openMember({ name, start, say: note });
    opened.push(member);
    members.set(name, member);
  };
  const link = async (...targets: readonly number[]): Promise<Link> => {
    const opening = await openLink(() => targets);
    links.push(opening);
    return opening;
  };
  const between = await joinAll(ports, link);
  const web = await link(...ports.web);
  const masterKey = readOrMakeMasterKey(directory);
  const gateways = await gatewaySettings({
    gatewayUrl: `http://127.0.0.1:${between['worker>gateway'][0].port}`,
    data: simulatorsIn(directory),
  });
  const site: Site = { directory, ports, between, masterKey, gateways, keep, note, webPort: web.port };
  const databaseUrl = await startServers(site);
  await Promise.all([
    ...startOutsiders(site),
    migrate(site, databaseUrl),
    prepareNamespace({ address: `127.0.0.1:${ports.temporal}`, namespace: NAMESPACE }),
    promisify(execFile)(process.execPath, [join(ROOT, 'worker/build-bundle.ts'), bundleIn(directory)], { cwd: ROOT }),
  ]);
  await Promise.all(startOurs(site, databaseUrl));
  const receiver = (index: 0 | 1): Receiver => ({
    webhookUrl: `http://127.0.0.1:${between['worker>receiver'][index].port}/webhooks`,
    controlUrl: `http://127.0.0.1:${ports.receivers[index]}`,
    logFile: logFileIn(directory, `inbox-${index}`),
  });
  return {
    directory,
    members,
    links: new Map(LINKS.map((name) => [name, between[name]])),
    databaseUrl,
    postgresData: join(findPostgresHome(join(directory, 'postgres')).directory, 'data'),
    temporal: { address: `127.0.0.1:${ports.temporal}`, namespace: NAMESPACE },
    apis: [`http://127.0.0.1:${ports.api[0]}`, `http://127.0.0.1:${ports.api[1]}`],
    apiUrl: `http://127.0.0.1:${between['gateway>api'][0].port}`,
    simulatorUrl: `http://127.0.0.1:${ports.simulator}`,
    receivers: [receiver(0), receiver(1)],
    masterKey,
    gatewayKeys: Object.entries(gateways).flatMap(([name, value]) => (name.endsWith('_PRIVATE_KEY') ? [value] : [])),
    logFile: (name) => logFileIn(directory, name),
  };
}

async function joinAll(ports: Ports, link: (...targets: readonly number[]) => Promise<Link>): Promise<Between> {
  const twice = async (target: number): Promise<Pair> => [await link(target), await link(target)];
  return {
    'api>postgres': await twice(ports.postgres),
    'worker>postgres': await twice(ports.postgres),
    'api>temporal': await twice(ports.temporal),
    'worker>temporal': await twice(ports.temporal),
    'worker>gateway': [await link(ports.simulator)],
    'gateway>api': [await link(...ports.api)],
    'worker>receiver': [await link(ports.receivers[0]), await link(ports.receivers[1])],
  };
}

/** Returns the owner's database URL. */
async function startServers({ directory, ports, keep, note }: Site): Promise<string> {
  let databaseUrl = '';
  await Promise.all([
    keep('postgres', async () => {
      const server = await startPostgres({
        directory: join(directory, 'postgres'),
        port: ports.postgres,
        database: 'lenden',
        logFile: logFileIn(directory, 'postgres'),
      });
      databaseUrl = server.url;
      return server.child;
    }),
    keep('temporal', async () => {
      const { child } = await startTemporal({
        file: join(directory, 'temporal', 'temporal.db'),
        port: ports.temporal,
        uiPort: ports.temporalUi,
        logFile: logFileIn(directory, 'temporal'),
        timeSkipping: 'quickly',
        dynamicConfig: HURRIED_TEMPORAL,
        say: note,
      });
      return child;
    }),
  ]);
  return databaseUrl;
}

/** Starts the gateway and the receivers. They stand for other parties' machines, so they get none of Lenden's settings. */
function startOutsiders({ directory, ports, between, keep }: Site): Promise<void>[] {
  const simulator = simulatorEnvironment(
    { ports: { ...ports, api: 0, web: 0, simulators: ports.simulator, smtp: 0 }, data: simulatorsIn(directory) },
    {
      PATH: process.env['PATH'],
      ...simulatorSettings(`http://127.0.0.1:${between['gateway>api'][0].port}`),
      LENDEN_TEST_RUN: process.env['LENDEN_TEST_RUN'],
    },
  );
  // The pages must have the origin that Lenden calls, so payers reach them through the same link.
  const env = { ...simulator, SIMULATORS_URL: `http://127.0.0.1:${between['worker>gateway'][0].port}` };
  const answering = (child: Child, port: number): Promise<Child> =>
    untilAnswering(child, { url: `http://127.0.0.1:${port}/health`, ...READINESS });
  return [
    keep('simulator', async () =>
      answering(
        await startProgram({ directory, name: 'simulator', args: [join(ROOT, 'simulators/main.ts')], env }),
        ports.simulator,
      ),
    ),
    ...([0, 1] as const).map((index) =>
      keep(`receiver-${index}`, async () => {
        const name = `receiver-${index}`;
        const args = [RECEIVER, String(ports.receivers[index]), logFileIn(directory, `inbox-${index}`)];
        const child = await startProgram({ directory, name, args, env: { PATH: process.env['PATH'] } });
        return answering(child, ports.receivers[index]);
      }),
    ),
  ];
}

function startOurs(site: Site, databaseUrl: string): Promise<void>[] {
  const { directory, ports, keep } = site;
  return ([0, 1] as const).flatMap((index) => [
    keep(`api-${index}`, async () => {
      await serversAccept(ports);
      const env = environmentOf(site, { service: 'api', index, databaseUrl });
      const child = await startProgram({ directory, name: `api-${index}`, args: [join(ROOT, 'api/main.ts')], env });
      return untilAnswering(child, { url: `http://127.0.0.1:${ports.api[index]}/health`, ...READINESS });
    }),
    keep(`worker-${index}`, async () => {
      await serversAccept(ports);
      const env = environmentOf(site, { service: 'worker', index, databaseUrl });
      const child = await startProgram({
        directory,
        name: `worker-${index}`,
        args: [...WORKER_FLAGS, join(ROOT, 'worker/main.ts')],
        env,
      });
      return untilLogged(child, { text: 'worker ready', ...READINESS });
    }),
  ]);
}

/** Waits for the servers, because Lenden's processes exit if they find no database at start, and repeated restarts would cost time. */
async function serversAccept({ postgres, temporal }: Ports): Promise<void> {
  for (const port of [postgres, temporal]) {
    await waitForPort({ host: '127.0.0.1', port }, { timeoutMs: START_TIMEOUT_MS });
  }
}

interface OneOfOurs {
  readonly service: 'api' | 'worker';
  readonly index: 0 | 1;
  readonly databaseUrl: string;
}

function environmentOf(
  { directory, ports, between, webPort, masterKey, gateways }: Site,
  { service, index, databaseUrl }: OneOfOurs,
): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    LENDEN_TEST_RUN: process.env['LENDEN_TEST_RUN'],
    LENDEN_ENV: 'development',
    LENDEN_HOST: '127.0.0.1',
    LENDEN_MASTER_KEY: masterKey,
    LENDEN_API_PORT: String(ports.api[index]),
    LENDEN_WEB_PORT: String(ports.web[index]),
    LENDEN_API_URL: `http://127.0.0.1:${between['gateway>api'][0].port}`,
    LENDEN_WEB_URL: `http://127.0.0.1:${webPort}`,
    LENDEN_TRUSTED_PROXIES: '1',
    LENDEN_OUTBOUND_ALLOW: '127.0.0.1:*',
    LENDEN_WORKFLOW_BUNDLE: bundleIn(directory),
    ...loginsOf(service, throughLink(databaseUrl, between[`${service}>postgres`][index].port)),
    TEMPORAL_ADDRESS: `127.0.0.1:${between[`${service}>temporal`][index].port}`,
    TEMPORAL_NAMESPACE: NAMESPACE,
    ...gateways,
  };
}

async function migrate(site: Site, databaseUrl: string): Promise<void> {
  const env = {
    ...environmentOf(site, { service: 'api', index: 0, databaseUrl }),
    ...runtimeLoginVariables(databaseUrl),
    DATABASE_URL: databaseUrl,
  };
  const args = [join(ROOT, 'database/migrate.ts')];
  const child = await startProgram({ directory: site.directory, name: 'migrate', args, env });
  const ending = await child.exited;
  if (ending !== 'exit code 0') {
    throw new Error(`the database could not be migrated (${ending}):\n${lastWords(child)}`);
  }
}

interface Program {
  readonly directory: string;
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

function startProgram({ directory, name, args, env }: Program): Promise<Child> {
  return startChild({
    name,
    command: process.execPath,
    args: ['--import', LIFELINE, ...args],
    // The processes are restarted often, so they share a compile cache.
    env: { ...env, NODE_COMPILE_CACHE: join(directory, 'compile-cache') },
    cwd: ROOT,
    logFile: logFileIn(directory, name),
    stopSignal: 'SIGTERM',
    graceMs: 8_000,
    lifeline: 'channel',
  });
}

function logFileIn(directory: string, name: string): string {
  return join(directory, 'logs', `${name}.log`);
}

function simulatorsIn(directory: string): string {
  return join(directory, 'simulators');
}

function bundleIn(directory: string): string {
  return join(directory, 'workflow-bundle.js');
}

/** Returns only the logins that each process needs, as in a deployment. */
function loginsOf(service: 'api' | 'worker', databaseUrl: string): Record<string, string> {
  const { lenden_app, lenden_operator, lenden_system } = runtimeLogins(databaseUrl);
  return {
    DATABASE_APP_URL: lenden_app,
    ...(service === 'api' ? { DATABASE_OPERATOR_URL: lenden_operator } : { DATABASE_SYSTEM_URL: lenden_system }),
  };
}

function throughLink(databaseUrl: string, port: number): string {
  const url = new URL(databaseUrl);
  url.port = String(port);
  return url.href;
}

async function freePorts(): Promise<Ports> {
  const taken = new Set<number>();
  const take = async (): Promise<number> => {
    for (;;) {
      const port = await findFreePort([]);
      if (!taken.has(port)) {
        taken.add(port);
        return port;
      }
    }
  };
  return {
    api: [await take(), await take()],
    web: [await take(), await take()],
    receivers: [await take(), await take()],
    simulator: await take(),
    postgres: await take(),
    temporal: await take(),
    temporalUi: await take(),
  };
}
