import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { findFreePort } from '../scripts/shared/ports.ts';
import type { DevFile } from '../scripts/development/dev-file.ts';
import { startStack } from '../scripts/development/stack.ts';
import type { Environment } from '../scripts/development/stack-environment.ts';
import { makeDirectory } from './directory.ts';
import { cpuSecondsOf, cpuSecondsOfMachine } from './machine.ts';
import { RoundResult, type LoadSettings, type Round } from './protocol.ts';
import { endProgram, startProgram } from './program.ts';
import { registerShop } from './shop.ts';

/** CPU milliseconds per piece of work, by process; `others` is everything else on the machine. */
export type Cpu = Readonly<Record<string, number>>;

export interface Measured extends RoundResult {
  readonly round: Round;
  readonly perSecond: number;
  readonly cpuMs: Cpu;
}

export interface Opponent {
  readonly name: string;
  readonly program: URL;
  /** `api` is the base URL of `/payments`; the rest is passed to the program. */
  readonly settingsOf: (given: { webhookUrl: string; apiKey: string; apiSecret: string }) => { readonly api: string };
}

/** The whole product, the bare worker on the same servers, and the load generator. */
export interface Rig {
  readonly dev: DevFile;
  run(round: Round): Promise<Measured>;
  /** Starts another program that takes payments with the same calls, with its own load. It ends with the rig. */
  addOpponent(opponent: Opponent): Promise<{ readonly pid: number; run(round: Round): Promise<Measured> }>;
  stop(): Promise<void>;
}

const LOAD = new URL('./load.ts', import.meta.url);

/** Starts a rig. With `profiles`, API and worker write CPU profiles to that folder when they stop. */
export async function startRig({
  say,
  profiles,
  environment = {},
  servers = {},
}: {
  say: (line: string) => void;
  profiles?: string | undefined;
  environment?: Environment;
  /** Processes that the stack did not start but that count as its own. */
  servers?: Readonly<Record<string, number>>;
}): Promise<Rig> {
  const directory = makeDirectory();
  const profiling = profiles === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${resolve(profiles)}` };
  const stack = await startStack({
    directory,
    ports: 'free',
    environment: { ...process.env, LENDEN_LOG_LEVEL: 'info', ...profiling, ...environment },
    say,
  });
  const { dev } = stack;
  const [donePort, webhookPort, readPort] = [await findFreePort([]), await findFreePort([]), await findFreePort([])];
  const { apiKey, apiSecret } = await registerShop({
    databaseUrl: dev.databaseUrl,
    directory,
    webhookUrl: `http://127.0.0.1:${webhookPort}/`,
  });
  const shared = { temporalAddress: dev.temporal.address, namespace: dev.temporal.namespace, donePort };
  const loadSettings: LoadSettings = {
    ...shared,
    apiKey,
    apiSecret,
    api: dev.api,
    simulators: dev.simulators,
    readUrl: `http://127.0.0.1:${readPort}`,
    webhookPort,
  };
  const load = await startProgram(LOAD, loadSettings);
  const bare = await startProgram(new URL('./bare-process.ts', import.meta.url), {
    ...shared,
    databaseUrl: dev.databaseUrl,
    readPort,
  });
  const { launcher: _ours, ...processes } = dev.processes;
  const pids = { ...processes, ...servers, 'bare worker': bare.pid ?? 0, 'load generator': load.pid ?? 0 };
  const others: ChildProcess[] = [];
  return {
    dev,
    run: (round) => measure({ load, pids, round }),
    async addOpponent({ name, program, settingsOf }) {
      const ports = { webhookPort: await findFreePort([]), donePort: await findFreePort([]) };
      const settings = settingsOf({ webhookUrl: `http://127.0.0.1:${ports.webhookPort}/`, apiKey, apiSecret });
      const opponent = await startProgram(program, settings);
      const itsLoad = await startProgram(LOAD, { ...loadSettings, ...ports, api: settings.api });
      others.push(opponent, itsLoad);
      const itsPids = { ...pids, 'load generator': itsLoad.pid ?? 0, [name]: opponent.pid ?? 0 };
      return { pid: opponent.pid ?? 0, run: (round) => measure({ load: itsLoad, pids: itsPids, round }) };
    },
    async stop() {
      await Promise.all([load, bare, ...others].map(endProgram));
      await stack.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function measure(given: {
  load: ChildProcess;
  pids: Readonly<Record<string, number>>;
  round: Round;
}): Promise<Measured> {
  const { load, pids, round } = given;
  const read = () => new Map(Object.entries(pids).map(([name, pid]) => [name, cpuSecondsOf(pid)]));
  const [before, machineBefore] = [read(), cpuSecondsOfMachine()];
  const answer = once(load, 'message');
  load.send(round);
  const [message] = await answer;
  const result = RoundResult.parse(message);
  const [after, machine] = [read(), cpuSecondsOfMachine() - machineBefore];
  const used = [...after].map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)] as const);
  const others = machine - used.reduce((sum, [, seconds]) => sum + seconds, 0);
  const done = result.latenciesMs.length;
  const perPiece = (seconds: number): number => Math.round((seconds * 10_000) / Math.max(done, 1)) / 10;
  return {
    ...result,
    round,
    perSecond: done / result.seconds,
    cpuMs: Object.fromEntries(
      [...used, ['others', others] as const].map(([name, seconds]) => [name, perPiece(seconds)]),
    ),
  };
}
