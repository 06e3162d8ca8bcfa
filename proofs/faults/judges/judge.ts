import type { Evidence } from '../evidence.ts';

/** What a judge found: how much it had to judge, and each thing that is not as it must be, in words. */
export interface Verdict {
  readonly judged: number;
  readonly violations: readonly string[];
}

export type Judge = (evidence: Evidence) => Verdict;
