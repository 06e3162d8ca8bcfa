import type { ExplanationWords } from './explanation-words.ts';

/** A decision of operators that Lenden has not carried out yet. */
export interface OpenDecision {
  readonly decision: string;
  /** Whether a second person still has to make the same decision. */
  readonly needsAnother: boolean;
}

export function decisionInWords({ decision, needsAnother }: OpenDecision, words: ExplanationWords): string {
  return needsAnother ? words.decidedByOne(decision) : words.decided(decision);
}
