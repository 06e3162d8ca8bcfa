import type { Check } from './check.ts';

/** A change of one file: `find` must occur in it exactly once, so that a defect which no longer fits the code is noticed. */
export interface Edit {
  /** Below the project's root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Catch {
  readonly check: Check;
  /** What the check names as broken: a judge, an invariant, a rule, or a test by its full name. */
  readonly names: string;
}

/** A mistake that somebody could make, and who has to notice it. */
export interface Defect {
  readonly name: string;
  /** What is no longer true with it, in words. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  readonly caughtBy: readonly Catch[];
}
