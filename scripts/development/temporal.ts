import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { lastWords, startChild, type Child } from '../shared/child.ts';
import { waitForPort } from '../shared/ports.ts';
import { findTemporalProgram } from './temporal-binary.ts';
import { SEARCH_ATTRIBUTES } from '../shared/temporal-namespace.ts';

export interface EmbeddedTemporal {
  readonly child: Child;
  readonly address: string;
  readonly ui: string;
}

export interface TemporalSettings {
  /** The database file of the server. */
  readonly file: string;
  readonly port: number;
  readonly uiPort: number;
  readonly logFile: string;
  /** Lets the clock of a single workflow skip time: when its start requests it, or later. `quickly` costs more timer work, for tests. */
  readonly timeSkipping: 'never' | 'on request' | 'quickly';
  /** Further settings of the server, as `key=value`. */
  readonly dynamicConfig?: readonly string[];
  readonly say: (line: string) => void;
}

const START_TIMEOUT_MS = 60_000;

const ON_LOOPBACK = ['server', 'start-dev', '--ip', '127.0.0.1', '--ui-ip', '127.0.0.1', '--log-level', 'warn'];

/**
 * With its defaults, the development server has a quarter to half of this throughput. The defaults are a rollback journal and a queue polled only 20
 * times a second, which alone makes an update-with-start take 100 ms.
 */
const FAST = ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'];
const QUICK_QUEUES = [
  'history.transferProcessorMaxPollRPS=200',
  'history.timerProcessorMaxPollRPS=200',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
];
const TIME_SKIPPING = {
  never: [],
  'on request': ['frontend.WorkflowTimeSkippingEnabled=true'],
  quickly: ['frontend.WorkflowTimeSkippingEnabled=true', 'history.timerProcessorMaxTimeShift="10ms"'],
} as const;

/** Starts the Temporal server and its UI on the loopback interface, with one file for its data, and waits until it accepts connections. */
export async function startTemporal(settings: TemporalSettings): Promise<EmbeddedTemporal> {
  const program = await findTemporalProgram(settings.say);
  mkdirSync(dirname(settings.file), { recursive: true });
  const child = await startChild({
    name: 'temporal',
    command: program,
    args: [
      ...ON_LOOPBACK,
      `--port=${settings.port}`,
      `--ui-port=${settings.uiPort}`,
      `--db-filename=${settings.file}`,
      ...FAST,
      ...dynamicConfig(settings).flatMap((value) => ['--dynamic-config-value', value]),
      ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ],
    env: process.env,
    cwd: dirname(settings.file),
    logFile: settings.logFile,
    stopSignal: 'SIGTERM',
    graceMs: 15_000,
    lifeline: 'watcher',
  });
  // A client whose first connection meets a closed port waits a second before it tries again.
  const up = await waitForPort(
    { host: '127.0.0.1', port: settings.port },
    { timeoutMs: START_TIMEOUT_MS, abandoned: () => child.hasExited() },
  );
  if (!up) {
    await child.stop();
    throw new Error(`Temporal did not start:\n${lastWords(child)}`);
  }
  return { child, address: `127.0.0.1:${settings.port}`, ui: `http://localhost:${settings.uiPort}` };
}

function dynamicConfig({ timeSkipping, dynamicConfig: further = [] }: TemporalSettings): string[] {
  return [...QUICK_QUEUES, ...TIME_SKIPPING[timeSkipping], ...further];
}
