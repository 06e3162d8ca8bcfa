import type { Spread } from './statistics.ts';

/** `0.67 (0.64–0.71)` */
export function spreadText({ median, lower, upper }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${lower.toFixed(digits)}–${upper.toFixed(digits)})`;
}

/** Milliseconds by process, those that matter. */
export function cpuText(cpuMs: Readonly<Record<string, number>>): string {
  return Object.entries(cpuMs)
    .filter(([, ms]) => Math.abs(ms) >= 0.5)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
    .join(', ');
}
