import type { Measured, Rig } from './rig.ts';
import { spreadOf, type Spread } from './statistics.ts';

export interface ThroughputRow {
  readonly inFlight: number;
  readonly pairs: number;
  readonly payments: Spread;
  readonly bare: Spread;
  readonly ratio: Spread;
  /** The same with the CPU of simulators and load generator counted out on both sides. */
  readonly ratioWithoutOutsiders: Spread;
  readonly failures: number;
  readonly firstFailure: string | null;
  readonly paymentCpuMs: Readonly<Record<string, number>>;
  readonly bareCpuMs: Readonly<Record<string, number>>;
}

export interface ThroughputPlan {
  readonly levels: readonly { readonly inFlight: number; readonly count: number }[];
  readonly pairs: number;
}

/** What stands for somebody else's machines. */
const OUTSIDERS = ['simulators', 'load generator', 'others'];

/** Payments from POST to a delivered webhook, against workflows with the same commands and no product code, in turns. */
export async function throughput(
  rig: Rig,
  plan: ThroughputPlan,
  say: (line: string) => void,
): Promise<ThroughputRow[]> {
  const rows: ThroughputRow[] = [];
  await rig.run({ work: 'payment', count: 40, inFlight: 8 });
  await rig.run({ work: 'bare-payment', count: 40, inFlight: 8 });
  for (const { inFlight, count } of plan.levels) {
    const payments: Measured[] = [];
    const bare: Measured[] = [];
    for (let pair = 0; pair < plan.pairs; pair += 1) {
      payments.push(await rig.run({ work: 'payment', count, inFlight }));
      bare.push(await rig.run({ work: 'bare-payment', count, inFlight }));
      say(
        `throughput, ${inFlight} in flight, pair ${pair + 1}: ${rate(payments.at(-1))} payments/s, ${rate(bare.at(-1))} bare/s`,
      );
    }
    rows.push(rowOf({ inFlight, payments, bare }));
  }
  return rows;
}

function rowOf({
  inFlight,
  payments,
  bare,
}: {
  inFlight: number;
  payments: Measured[];
  bare: Measured[];
}): ThroughputRow {
  const pairsOf = (of: (round: Measured) => number) =>
    payments.map((round, index) => of(round) / of(bare[index] ?? round));
  return {
    inFlight,
    pairs: payments.length,
    payments: spreadOf(payments.map(({ perSecond }) => perSecond)),
    bare: spreadOf(bare.map(({ perSecond }) => perSecond)),
    ratio: spreadOf(pairsOf(({ perSecond }) => perSecond)),
    ratioWithoutOutsiders: spreadOf(pairsOf((round) => 1 / ownCpuMs(round))),
    failures: [...payments, ...bare].reduce((sum, { failures }) => sum + failures, 0),
    firstFailure: [...payments, ...bare].find(({ firstFailure }) => firstFailure !== null)?.firstFailure ?? null,
    paymentCpuMs: medianCpu(payments),
    bareCpuMs: medianCpu(bare),
  };
}

/** On a saturated machine the rate is cores ÷ CPU per piece; leaving outsiders' CPU away gives the rate with them elsewhere. */
function ownCpuMs({ cpuMs }: Measured): number {
  return Object.entries(cpuMs).reduce((sum, [name, ms]) => sum + (OUTSIDERS.includes(name) ? 0 : ms), 0);
}

function medianCpu(rounds: readonly Measured[]): Record<string, number> {
  const names = Object.keys(rounds[0]?.cpuMs ?? {});
  return Object.fromEntries(names.map((name) => [name, spreadOf(rounds.map(({ cpuMs }) => cpuMs[name] ?? 0)).median]));
}

function rate(round: Measured | undefined): string {
  return round?.perSecond.toFixed(1) ?? '–';
}
