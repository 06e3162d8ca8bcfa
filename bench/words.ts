import type { Spread } from './statistics.ts';

/** Formats a spread: `0.67 (0.64–0.71)`. */
export function spreadText({ median, lower, upper }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${lower.toFixed(digits)}–${upper.toFixed(digits)})`;
}

/** Lists milliseconds by process, except those below 0.5. */
export function cpuText(cpuMs: Readonly<Record<string, number>>): string {
  return Object.entries(cpuMs)
    .filter(([, ms]) => Math.abs(ms) >= 0.5)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
    .join(', ');
}
