import type { Evidence } from '../evidence.ts';

/** What a judge found: how much it had to judge, and each thing that is not as it must be, in words. */
export interface Verdict {
  readonly judged: number;
  readonly violations: readonly string[];
}

/** Several judges of one invariant. */
export function together(...verdicts: readonly Verdict[]): Verdict {
  return {
    judged: verdicts.reduce((sum, { judged }) => sum + judged, 0),
    violations: verdicts.flatMap(({ violations }) => violations),
  };
}

export type Judge = (evidence: Evidence) => Verdict;
