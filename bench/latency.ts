import type { Work } from './protocol.ts';
import type { Rig } from './rig.ts';
import { quantile, spreadOf, type Spread } from './statistics.ts';

export interface LatencyRow {
  readonly what: string;
  readonly requests: number;
  readonly ours: { readonly p50Ms: number; readonly p99Ms: number };
  readonly bare: { readonly p50Ms: number; readonly p99Ms: number };
  /** Medians of a block, ours ÷ bare, over the pairs of blocks. */
  readonly p50Ratio: Spread;
  /** Over all requests together: a block is too short for a p99 of its own. */
  readonly p99Ratio: number;
  readonly failures: number;
}

export interface LatencyPlan {
  readonly pairs: number;
  readonly block: number;
}

const COMPARISONS: readonly {
  readonly what: string;
  readonly ours: Work;
  readonly bare: Work;
  readonly times: number;
}[] = [
  { what: 'POST /payments ÷ update-with-start with one insert', ours: 'post', bare: 'bare-update', times: 1 },
  { what: 'GET /payments/{id} ÷ bare Koa reading one row', ours: 'get', bare: 'bare-read', times: 4 },
];

/** One client, one request after the other, in turns of short blocks. */
export async function latency(rig: Rig, plan: LatencyPlan, say: (line: string) => void): Promise<LatencyRow[]> {
  const rows: LatencyRow[] = [];
  for (const { what, ours, bare, times } of COMPARISONS) {
    const count = plan.block * times;
    await rig.run({ work: ours, count, inFlight: 1 });
    await rig.run({ work: bare, count, inFlight: 1 });
    const blocks = { ours: [] as number[][], bare: [] as number[][] };
    let failures = 0;
    for (let pair = 0; pair < plan.pairs; pair += 1) {
      const [first, second] = [
        await rig.run({ work: ours, count, inFlight: 1 }),
        await rig.run({ work: bare, count, inFlight: 1 }),
      ];
      blocks.ours.push(first.latenciesMs);
      blocks.bare.push(second.latenciesMs);
      failures += first.failures + second.failures;
    }
    const row = rowOf({ what, failures, ...blocks });
    say(`latency, ${what}: p50 ${row.ours.p50Ms.toFixed(1)} ÷ ${row.bare.p50Ms.toFixed(1)} ms`);
    rows.push(row);
  }
  return rows;
}

function rowOf(given: { what: string; failures: number; ours: number[][]; bare: number[][] }): LatencyRow {
  const [ours, bare] = [given.ours.flat(), given.bare.flat()];
  const ratios = given.ours.map((block, index) => quantile(block, 0.5) / quantile(given.bare[index] ?? [], 0.5));
  return {
    what: given.what,
    requests: ours.length,
    ours: { p50Ms: quantile(ours, 0.5), p99Ms: quantile(ours, 0.99) },
    bare: { p50Ms: quantile(bare, 0.5), p99Ms: quantile(bare, 0.99) },
    p50Ratio: spreadOf(ratios),
    p99Ratio: quantile(ours, 0.99) / quantile(bare, 0.99),
    failures: given.failures,
  };
}
