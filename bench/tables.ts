import type { LatencyRow } from './latency.ts';
import type { Machine } from '../scripts/results/result-file.ts';
import type { Spread } from './statistics.ts';
import type { ThroughputRow } from './throughput.ts';

export interface BenchResult {
  readonly at: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly throughput: readonly ThroughputRow[];
  readonly latency: readonly LatencyRow[];
}

/** The figures for a person, as Markdown. */
export function tablesOf({ machine, throughput, latency, quick, at }: BenchResult): string {
  const { cpu, cores, memoryGiB, system, node } = machine;
  return [
    `${at}${quick ? ', quick form' : ''}. ${cores} × ${cpu}, ${memoryGiB} GiB, ${system}, Node ${node}; everything on this one machine.`,
    ...(throughput.length === 0 ? [] : [throughputTable(throughput)]),
    ...(latency.length === 0 ? [] : [latencyTable(latency)]),
  ].join('\n\n');
}

function throughputTable(rows: BenchResult['throughput']): string {
  return [
    '| in flight | payments/s | bare workflows/s | ratio | ratio without simulators and load | failures |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      (row) =>
        `| ${row.inFlight} | ${spread(row.payments, 1)} | ${spread(row.bare, 1)} | ${spread(row.ratio, 2)} | ${spread(row.ratioWithoutOutsiders, 2)} | ${row.failures} |`,
    ),
    '',
    '| CPU ms per piece, in flight | payment | bare |',
    '| --- | --- | --- |',
    ...rows.map((row) => `| ${row.inFlight} | ${cpu(row.paymentCpuMs)} | ${cpu(row.bareCpuMs)} |`),
  ].join('\n');
}

function latencyTable(rows: BenchResult['latency']): string {
  return [
    '| one client | ours p50 / p99 ms | bare p50 / p99 ms | p50 ratio | p99 ratio | requests | failures |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ what, ours, bare, p50Ratio, p99Ratio, requests, failures }) =>
        `| ${what} | ${ours.p50Ms.toFixed(1)} / ${ours.p99Ms.toFixed(1)} | ${bare.p50Ms.toFixed(1)} / ${bare.p99Ms.toFixed(1)} | ${spread(p50Ratio, 2)} | ${p99Ratio.toFixed(2)} | ${requests} | ${failures} |`,
    ),
  ].join('\n');
}

function spread({ median, lower, upper }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${lower.toFixed(digits)}–${upper.toFixed(digits)})`;
}

function cpu(cpuMs: Readonly<Record<string, number>>): string {
  return Object.entries(cpuMs)
    .filter(([, ms]) => Math.abs(ms) >= 0.5)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
    .join(', ');
}
