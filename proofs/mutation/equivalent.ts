/** A change of the code that makes no difference to anybody, so no test can notice it. */
export interface EquivalentMutant {
  readonly file: string;
  readonly original: string;
  readonly replacement: string;
  readonly why: string;
}

/** Survivors that were read, and why each is left alive. */
export const EQUIVALENT: readonly EquivalentMutant[] = [];
