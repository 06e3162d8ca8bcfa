export const RUN_STATES = ['RUNNING', 'COMPLETED', 'CANCELLED', 'FAILED'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** The steps of a run, in their order. */
export const RUN_STEPS = ['fetching', 'matching', 'looking', 'opening-cases', 'checking', 'done'] as const;
export type RunStep = (typeof RUN_STEPS)[number];

export const CASE_STATES = ['OPEN', 'ASSIGNED', 'RESOLVED'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** What a case is about: a result that is flagged, a payout that does not add up, or a refund that two people ended by their word. */
export const CASE_KINDS = ['result', 'residual', 'refund-by-word'] as const;
export type CaseKind = (typeof CASE_KINDS)[number];

/** `EVIDENCE`: a later line or another state of the books explained it, without a person. */
export const CASE_RESOLUTIONS = ['EVIDENCE', 'ACCEPTED', 'CORRECTED', 'REFUNDED', 'BOOKED'] as const;
export type CaseResolution = (typeof CASE_RESOLUTIONS)[number];

/** What an operator may have done about a case. None of them moves money by itself. */
export const CASE_ACTIONS = ['query-gateway', 'create-refund', 'post-correction', 'accept'] as const;
export type CaseAction = (typeof CASE_ACTIONS)[number];
