import type { Check } from './check.ts';

/** A change of one file. `find` must occur in it exactly once, so that a defect that no longer fits the code is noticed. */
export interface Edit {
  /** Relative to the project's root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Catch {
  readonly check: Check;
  /** What the check must name as broken: a judge, an invariant, a rule, or a test by its full name. */
  readonly names: string;
}

/** A plausible mistake in the code, and the checks that must notice it. */
export interface Defect {
  readonly name: string;
  /** What the defect breaks, in words. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  readonly caughtBy: readonly Catch[];
}
