import '../scripts/lifeline.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { latency, type LatencyPlan } from './latency.ts';
import { describeMachine } from '../scripts/results/result-file.ts';
import { startRig } from './rig.ts';
import { tablesOf, type BenchResult } from './tables.ts';
import { throughput, type ThroughputPlan } from './throughput.ts';

const USAGE = `npm run bench -- [throughput] [latency] [--quick] [--profile DIR]

Measures Lenden against bare Temporal and bare Koa in turns on this machine. The figures are a report, never a verdict.
  --quick         about a minute: fewer and shorter rounds
  --profile DIR   CPU profiles of api and worker, for node --cpu-prof's readers`;

const RESULTS = '.lenden/bench';
const FULL: { throughput: ThroughputPlan; latency: LatencyPlan } = {
  throughput: {
    levels: [
      { inFlight: 1, count: 30 },
      { inFlight: 16, count: 96 },
      { inFlight: 64, count: 160 },
    ],
    pairs: 5,
  },
  latency: { pairs: 10, block: 50 },
};
const QUICK: typeof FULL = {
  throughput: {
    levels: [
      { inFlight: 1, count: 10 },
      { inFlight: 16, count: 64 },
    ],
    pairs: 3,
  },
  latency: { pairs: 4, block: 20 },
};

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.help || positionals.some((name) => name !== 'throughput' && name !== 'latency')) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);
  const say = (line: string): void => console.error(line);
  const plan = values.quick ? QUICK : FULL;
  const rig = await startRig({ say, profiles: values.profile });
  try {
    const result: BenchResult = {
      at: new Date().toISOString(),
      quick: values.quick,
      machine: describeMachine(),
      latency: wanted('latency') ? await latency(rig, plan.latency, say) : [],
      throughput: wanted('throughput') ? await throughput(rig, plan.throughput, say) : [],
    };
    mkdirSync(RESULTS, { recursive: true });
    const file = join(RESULTS, `${result.at.replaceAll(':', '-')}.json`);
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
    console.log(`${tablesOf(result)}\n\nAll figures: ${file}`);
    return 0;
  } finally {
    await rig.stop();
  }
}
