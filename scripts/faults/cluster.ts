import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lastWords, startChild, type Child } from '../child.ts';
import { findFreePort } from '../ports.ts';
import { startPostgres } from '../postgres.ts';
import { untilAnswering, untilLogged } from '../readiness.ts';
import { readOrMakeMasterKey, simulatorEnvironment } from '../stack-environment.ts';
import { prepareNamespace } from '../temporal-namespace.ts';
import { startTemporal } from '../temporal.ts';
import type { LinkName } from './dials.ts';
import { openLink, type Link } from './link.ts';
import { openMember, type Member } from './member.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const RECEIVER = fileURLToPath(new URL('./receiver-main.ts', import.meta.url));
const LIFELINE = new URL('../lifeline.ts', import.meta.url).href;
const START_TIMEOUT_MS = 60_000;

export type MemberName =
  'postgres' | 'temporal' | 'simulator' | 'receiver-0' | 'receiver-1' | 'api-0' | 'api-1' | 'worker-0' | 'worker-1';

/** The whole stack under test: real processes, joined by links that can fail. */
export interface Cluster {
  readonly directory: string;
  readonly members: ReadonlyMap<MemberName, Member>;
  /** Those of a name, one for each pair of processes. */
  readonly links: ReadonlyMap<LinkName, readonly Link[]>;
  readonly databaseUrl: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** The two apis, reached without a link: an application tries the other when one is dead. */
  readonly apis: readonly [string, string];
  /** Where the gateway calls back and payers are sent: in front of both. */
  readonly apiUrl: string;
  readonly simulatorUrl: string;
  readonly receivers: readonly [Receiver, Receiver];
  readonly masterKey: string;
  logFile(name: string): string;
  stop(): Promise<void>;
}

export interface Receiver {
  /** What Lenden is told. */
  readonly webhookUrl: string;
  /** Where its behaviour is set. */
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
/** What must never be seen in a log or a history. */
export const STORE_PASSWORDS = { TEST: 'canary-store-test', LIVE: 'canary-store-live' } as const;
const STORES = `fault_test:${STORE_PASSWORDS.TEST},fault_live:${STORE_PASSWORDS.LIVE}`;

/** Starts everything once. `note` hears of each process that ends or comes up again. */
export async function startCluster(note: (line: string) => void): Promise<Cluster> {
  const directory = mkdtempSync(join(tmpdir(), 'lenden-faults-'));
  // Postgres, when it has to run as another account, must be able to walk to its data.
  chmodSync(directory, 0o755);
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

async function assemble({ directory, opened, links, note }: Assembly): Promise<Omit<Cluster, 'stop'>> {
  const ports = await freePorts();
  const logFile = (name: string): string => join(directory, 'logs', `${name}.log`);
  const members = new Map<MemberName, Member>();
  const keep = async (name: MemberName, start: () => Promise<Child>): Promise<Member> => {
    const member = await openMember({ name, start, say: note });
    opened.push(member);
    members.set(name, member);
    return member;
  };
  const link = async (...targets: readonly number[]): Promise<Link> => {
    const opening = await openLink(() => targets);
    links.push(opening);
    return opening;
  };
  const between = {
    'api>postgres': [await link(ports.postgres), await link(ports.postgres)],
    'worker>postgres': [await link(ports.postgres), await link(ports.postgres)],
    'api>temporal': [await link(ports.temporal), await link(ports.temporal)],
    'worker>temporal': [await link(ports.temporal), await link(ports.temporal)],
    'worker>gateway': [await link(ports.simulator)],
    'gateway>api': [await link(...ports.api)],
    'worker>receiver': [await link(ports.receivers[0]), await link(ports.receivers[1])],
  } as const satisfies Record<LinkName, readonly Link[]>;
  const web = await link(...ports.web);
  let databaseUrl = '';
  await Promise.all([
    keep('postgres', async () => {
      const server = await startPostgres({
        directory: join(directory, 'postgres'),
        port: ports.postgres,
        database: 'lenden',
        logFile: logFile('postgres'),
      });
      databaseUrl = server.url;
      return server.child;
    }),
    keep('temporal', async () => {
      const { child } = await startTemporal({
        file: join(directory, 'temporal', 'temporal.db'),
        port: ports.temporal,
        uiPort: ports.temporalUi,
        logFile: logFile('temporal'),
        timeSkipping: true,
        say: note,
      });
      return child;
    }),
  ]);
  const gatewayUrl = `http://127.0.0.1:${between['worker>gateway'][0].port}`;
  const apiUrl = `http://127.0.0.1:${between['gateway>api'][0].port}`;
  const masterKey = readOrMakeMasterKey(directory);
  const bundle = join(directory, 'workflow-bundle.js');
  const ended = { stopped: new AbortController().signal, timeoutMs: START_TIMEOUT_MS };
  const environmentOf = (service: 'api' | 'worker', index: 0 | 1): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    LENDEN_TEST_RUN: process.env['LENDEN_TEST_RUN'],
    LENDEN_ENV: 'development',
    LENDEN_HOST: '127.0.0.1',
    LENDEN_MASTER_KEY: masterKey,
    LENDEN_API_PORT: String(ports.api[index]),
    LENDEN_WEB_PORT: String(ports.web[index]),
    LENDEN_API_URL: apiUrl,
    LENDEN_WEB_URL: `http://127.0.0.1:${web.port}`,
    LENDEN_TRUSTED_PROXIES: '1',
    LENDEN_OUTBOUND_ALLOW: '127.0.0.1:*',
    LENDEN_WORKFLOW_BUNDLE: bundle,
    DATABASE_URL: throughLink(databaseUrl, between[`${service}>postgres`][index].port),
    TEMPORAL_ADDRESS: `127.0.0.1:${between[`${service}>temporal`][index].port}`,
    TEMPORAL_NAMESPACE: NAMESPACE,
    SSLCOMMERZ_TEST_URL: gatewayUrl,
    SSLCOMMERZ_TEST_STORE_ID: 'fault_test',
    SSLCOMMERZ_TEST_STORE_PASSWORD: STORE_PASSWORDS.TEST,
    SSLCOMMERZ_LIVE_URL: gatewayUrl,
    SSLCOMMERZ_LIVE_STORE_ID: 'fault_live',
    SSLCOMMERZ_LIVE_STORE_PASSWORD: STORE_PASSWORDS.LIVE,
  });
  const program = (name: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Child> =>
    startChild({
      name,
      command: process.execPath,
      args: ['--import', LIFELINE, ...args],
      // What a process compiled, the next one of its kind need not: they are started again all the time.
      env: { ...env, NODE_COMPILE_CACHE: join(directory, 'compile-cache') },
      cwd: ROOT,
      logFile: logFile(name),
      stopSignal: 'SIGTERM',
      graceMs: 8_000,
      lifeline: 'channel',
    });
  const simulator = simulatorEnvironment(
    {
      ports: { ...ports, api: 0, web: 0, simulators: ports.simulator },
      data: join(directory, 'simulators'),
    },
    {
      PATH: process.env['PATH'],
      SIMULATORS_SSLCOMMERZ_STORES: STORES,
      LENDEN_TEST_RUN: process.env['LENDEN_TEST_RUN'],
    },
  );
  await Promise.all([
    keep('simulator', async () =>
      untilAnswering(
        await program('simulator', [join(ROOT, 'simulators/main.ts')], {
          ...simulator,
          // Its pages must be of the origin that Lenden calls, hence behind the same link.
          SIMULATORS_URL: gatewayUrl,
        }),
        { url: `http://127.0.0.1:${ports.simulator}/health`, ...ended },
      ),
    ),
    ...([0, 1] as const).map((index) =>
      keep(`receiver-${index}`, async () =>
        untilAnswering(
          await program(`receiver-${index}`, [RECEIVER, String(ports.receivers[index]), logFile(`inbox-${index}`)], {
            PATH: process.env['PATH'],
          }),
          { url: `http://127.0.0.1:${ports.receivers[index]}/health`, ...ended },
        ),
      ),
    ),
    migrate(program, { ...environmentOf('api', 0), DATABASE_URL: databaseUrl }),
    prepareNamespace({ address: `127.0.0.1:${ports.temporal}`, namespace: NAMESPACE }),
    promisify(execFile)(process.execPath, [join(ROOT, 'worker/build-bundle.ts'), bundle], { cwd: ROOT }),
  ]);
  await Promise.all(
    ([0, 1] as const).flatMap((index) => [
      keep(`api-${index}`, async () =>
        untilAnswering(await program(`api-${index}`, [join(ROOT, 'api/main.ts')], environmentOf('api', index)), {
          url: `http://127.0.0.1:${ports.api[index]}/health`,
          ...ended,
        }),
      ),
      keep(`worker-${index}`, async () =>
        untilLogged(await program(`worker-${index}`, [join(ROOT, 'worker/main.ts')], environmentOf('worker', index)), {
          text: 'worker ready',
          ...ended,
        }),
      ),
    ]),
  );
  const receiver = (index: 0 | 1): Receiver => ({
    webhookUrl: `http://127.0.0.1:${between['worker>receiver'][index].port}/webhooks`,
    controlUrl: `http://127.0.0.1:${ports.receivers[index]}`,
    logFile: logFile(`inbox-${index}`),
  });
  return {
    directory,
    members,
    links: new Map(Object.entries(between).map(([name, pair]) => [linkNamed(name), pair])),
    databaseUrl,
    temporal: { address: `127.0.0.1:${ports.temporal}`, namespace: NAMESPACE },
    apis: [`http://127.0.0.1:${ports.api[0]}`, `http://127.0.0.1:${ports.api[1]}`],
    apiUrl,
    simulatorUrl: `http://127.0.0.1:${ports.simulator}`,
    receivers: [receiver(0), receiver(1)],
    masterKey,
    logFile,
  };
}

function linkNamed(name: string): LinkName {
  return name as LinkName;
}

function throughLink(databaseUrl: string, port: number): string {
  const url = new URL(databaseUrl);
  url.port = String(port);
  return url.href;
}

async function migrate(
  program: (name: string, args: readonly string[], env: NodeJS.ProcessEnv) => Promise<Child>,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const child = await program('migrate', [join(ROOT, 'database/migrate.ts')], environment);
  const ending = await child.exited;
  if (ending !== 'exit code 0') {
    throw new Error(`the database could not be migrated (${ending}):\n${lastWords(child)}`);
  }
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
