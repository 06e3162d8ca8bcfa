import type { ResultTable } from '../scripts/repository/results/result-file.ts';
import type { Round, Work } from './protocol.ts';
import { startRig, type Rig } from './rig.ts';
import { quantile, spreadOf, type Spread } from './statistics.ts';
import { verdict, type Findings, type Suite } from './suite.ts';
import { spreadText } from './words.ts';

interface Plan {
  readonly pairs: number;
  readonly block: number;
  /** Requests used to measure the capacity before half of it is offered. */
  readonly saturation: number;
}

const FULL: Plan = { pairs: 10, block: 50, saturation: 150 };
const QUICK: Plan = { pairs: 4, block: 20, saturation: 40 };
const SATURATING = 16;
/** More than ever wait at half of capacity; the limit is only a safeguard. */
const OPEN_LOOP_MAX = 256;

interface Comparison {
  readonly what: string;
  readonly ours: Work;
  readonly bare: Work;
  /** How many times more often a fast request is repeated. */
  readonly times: number;
  readonly p50Goal: number;
  readonly p99Goal: number;
}

const COMPARISONS: readonly Comparison[] = [
  {
    what: 'POST /payments ÷ update-with-start with one insert',
    ours: 'post',
    bare: 'bare-update',
    times: 1,
    p50Goal: 1.3,
    p99Goal: 1.4,
  },
  {
    what: 'GET /payments/{id} ÷ bare Koa reading one row',
    ours: 'get',
    bare: 'bare-read',
    times: 4,
    p50Goal: 1.5,
    p99Goal: 2,
  },
];

/**
 * Measures latency with one client that sends one request after the other, and at half of Lenden's capacity with evenly spaced requests that do not
 * wait for answers.
 */
export const latency: Suite = {
  name: 'latency',
  what: 'p50 and p99 of POST and GET ÷ bare update-with-start and bare Koa, at one client and at half of capacity (--profile)',
  minutes: { full: 5, quick: 1 },
  async run({ quick, say, profiles, keep }) {
    const plan = quick ? QUICK : FULL;
    const rig = await startRig({ say, profiles });
    keep(rig.stop);
    const rows: Row[] = [];
    for (const comparison of COMPARISONS) {
      rows.push(await compare(rig, comparison, { plan, perSecond: undefined }));
      rows.push(await compare(rig, comparison, { plan, perSecond: await halfOfCapacity(rig, comparison, plan) }));
      rows.slice(-2).forEach(({ load, ours, bare }) => {
        say(`${comparison.what}, ${load}: p50 ${ours.p50Ms.toFixed(1)} ÷ ${bare.p50Ms.toFixed(1)} ms`);
      });
    }
    await rig.stop();
    return findingsOf(rows);
  },
};

interface Row extends Omit<Comparison, 'ours' | 'bare'> {
  readonly load: string;
  readonly requests: number;
  readonly ours: Percentiles;
  readonly bare: Percentiles;
  /** Medians of a block, Lenden's ÷ bare, over the pairs of blocks. */
  readonly p50Ratio: Spread;
  /** Over all requests together, because a block is too short for its own p99. */
  readonly p99Ratio: number;
  readonly failures: number;
}

interface Percentiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

type BlocksOf = Record<'ours' | 'bare', number[][]>;

/** Uses Lenden's rate on both sides, so that both get the same load. */
async function halfOfCapacity(rig: Rig, { ours, times }: Comparison, { saturation }: Plan): Promise<number> {
  const { perSecond } = await rig.run({ work: ours, count: saturation * times, inFlight: SATURATING });
  return perSecond / 2;
}

async function compare(
  rig: Rig,
  comparison: Comparison,
  { plan, perSecond }: { plan: Plan; perSecond: number | undefined },
): Promise<Row> {
  const count = plan.block * comparison.times;
  const round = (work: Work): Round =>
    perSecond === undefined ? { work, count, inFlight: 1 } : { work, count, inFlight: OPEN_LOOP_MAX, perSecond };
  await rig.run(round(comparison.ours));
  await rig.run(round(comparison.bare));
  const blocks: BlocksOf = { ours: [], bare: [] };
  let failures = 0;
  for (let pair = 0; pair < plan.pairs; pair += 1) {
    for (const side of ['ours', 'bare'] as const) {
      const measured = await rig.run(round(comparison[side]));
      blocks[side].push(measured.latenciesMs);
      failures += measured.failures;
    }
  }
  const load = perSecond === undefined ? 'one client' : `${perSecond.toFixed(1)}/s, half of capacity`;
  return { ...comparison, ...figuresOf(blocks), load, failures };
}

function figuresOf(blocks: BlocksOf): Pick<Row, 'requests' | 'ours' | 'bare' | 'p50Ratio' | 'p99Ratio'> {
  const [ours, bare] = [blocks.ours.flat(), blocks.bare.flat()];
  const ratios = blocks.ours.map((block, index) => quantile(block, 0.5) / quantile(blocks.bare[index] ?? [], 0.5));
  return {
    requests: ours.length,
    ours: percentilesOf(ours),
    bare: percentilesOf(bare),
    p50Ratio: spreadOf(ratios),
    p99Ratio: quantile(ours, 0.99) / quantile(bare, 0.99),
  };
}

function percentilesOf(latenciesMs: readonly number[]): Percentiles {
  return { p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99) };
}

function findingsOf(rows: readonly Row[]): Findings {
  const judged = rows.map(({ what, load, p50Ratio, p50Goal, p99Ratio, p99Goal }) => {
    const p50 = verdict({ met: p50Ratio.median <= p50Goal, goal: `≤ ${p50Goal}` });
    const p99 = verdict({ met: p99Ratio <= p99Goal, goal: `≤ ${p99Goal}` });
    return `${what} at ${load}: p50 ${p50Ratio.median.toFixed(2)} (${p50}), p99 ${p99Ratio.toFixed(2)} (${p99})`;
  });
  return {
    order: 30,
    title: 'Latency over bare parts',
    summary: [
      '`POST` includes opening a session at the gateway over HTTP. At half of capacity requests come evenly at half of the rate that ours answers with 16 clients, on both sides the same, and latency counts from when a request was due.',
      `${judged.join('; ')}.`,
    ],
    tables: [tableOf(rows)],
    data: rows,
  };
}

function tableOf(rows: readonly Row[]): ResultTable {
  const ms = ({ p50Ms, p99Ms }: Percentiles): string => `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)}`;
  return {
    caption: 'Latency: ratios of medians of blocks in turns (quartiles), of p99 over all requests',
    columns: [
      'what',
      'load',
      'ours p50 / p99 ms',
      'bare p50 / p99 ms',
      'p50 ratio',
      'p99 ratio',
      'requests',
      'failures',
    ],
    rows: rows.map((row) => [
      row.what,
      row.load,
      ms(row.ours),
      ms(row.bare),
      spreadText(row.p50Ratio, 2),
      row.p99Ratio.toFixed(2),
      String(row.requests),
      String(row.failures),
    ]),
  };
}
