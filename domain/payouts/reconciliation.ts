export const RUN_STATES = ['RUNNING', 'COMPLETED', 'CANCELLED', 'FAILED'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** The steps of a run, in their order. */
export const RUN_STEPS = ['fetching', 'matching', 'looking', 'opening-cases', 'checking', 'done'] as const;
export type RunStep = (typeof RUN_STEPS)[number];

export const CASE_STATES = ['OPEN', 'ASSIGNED', 'RESOLVED'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** What a case is about: a result that is flagged, a payout that does not add up, a refund that two people ended by their word, or a dispute. */
export const CASE_KINDS = ['result', 'residual', 'refund-by-word', 'dispute'] as const;
export type CaseKind = (typeof CASE_KINDS)[number];

/** What people have said of a refund, or that a line of a payout says otherwise. */
export const WORD_REASONS = ['REFUNDED_BY_WORD', 'NOT_REFUNDED_BY_WORD', 'WORD_CONTRADICTED'] as const;
export type WordReason = (typeof WORD_REASONS)[number];

/** `EVIDENCE`: a later line or another state of the books explained it, without a person. */
export const CASE_RESOLUTIONS = ['EVIDENCE', 'ACCEPTED', 'CORRECTED', 'REFUNDED', 'BOOKED'] as const;
export type CaseResolution = (typeof CASE_RESOLUTIONS)[number];

/** What an operator may have done about a case. None of them moves money by itself. */
export const CASE_ACTIONS = ['query-gateway', 'create-refund', 'post-correction', 'accept'] as const;
export type CaseAction = (typeof CASE_ACTIONS)[number];

/** What the history of a case holds. */
export const CASE_ENTRY_KINDS = ['note', 'assigned', 'released', 'resolved', 'reopened', 'action'] as const;
export type CaseEntryKind = (typeof CASE_ENTRY_KINDS)[number];

/** How an action ended. `LAPSED`: evidence came first, or what it was about has changed since. */
export const ACTION_OUTCOMES = ['DONE', 'LAPSED', 'WITHDRAWN', 'FAILED'] as const;
export type ActionOutcome = (typeof ACTION_OUTCOMES)[number];

/** To which accounts people may book a line that means no payment or refund. */
export const CORRECTION_ACCOUNTS = ['fees', 'taxes', 'disputes', 'reserve', 'differences'] as const;
export type CorrectionAccount = (typeof CORRECTION_ACCOUNTS)[number];

/** What people have said of a line: which movement it means, or to which account it belongs. */
export type Correction = { readonly movementKey: string } | { readonly account: CorrectionAccount };
