/** A decision of operators that Lenden has not carried out yet. */
export interface OpenDecision {
  readonly decision: string;
  /** Whether a second person still has to make the same decision. */
  readonly needsAnother: boolean;
}

export function decisionInWords({ decision, needsAnother }: OpenDecision): string {
  return needsAnother
    ? `One operator has decided: ${decision}. A second person has to make the same decision.`
    : `The decision is made: ${decision}. Lenden carries it out.`;
}
