import type { Evidence } from '../evidence.ts';

/** A judge's result: how many items it checked, and each violation in words. */
export interface Verdict {
  readonly judged: number;
  readonly violations: readonly string[];
}

/** Combines the verdicts of several judges of one invariant. */
export function together(...verdicts: readonly Verdict[]): Verdict {
  return {
    judged: verdicts.reduce((sum, { judged }) => sum + judged, 0),
    violations: verdicts.flatMap(({ violations }) => violations),
  };
}

export type Judge = (evidence: Evidence) => Verdict;
