import type { StatedDisputeStatus } from './dispute.ts';
import { toDecimalText, type Money } from './money.ts';
import type { PaymentStatus, ReviewReason } from './payment.ts';
import type { RefundReviewReason } from './refund.ts';
import { utcText } from './utc-text.ts';
import type { EventType } from './webhook.ts';

/** What is the case, and what happens next. */
interface Told {
  readonly summary: string;
  readonly next: string;
}

type EndedUnpaid = Extract<PaymentStatus, 'FAILED' | 'CANCELLED' | 'EXPIRED'>;

/** The sentences of an explanation, in one language. Each is whole: they are joined with a space. */
export interface ExplanationWords {
  readonly nothing: string;
  readonly noDeadline: string;
  readonly decided: (decision: string) => string;
  readonly decidedByOne: (decision: string) => string;

  readonly held: (status: PaymentStatus) => Told;
  readonly underReview: (reason: ReviewReason) => string;
  readonly reviewNext: string;
  readonly created: Told;
  readonly succeeded: Told;
  readonly failed: (code: string | null) => Told;
  readonly cancelled: Told;
  readonly expired: Told;
  readonly partiallyRefunded: Told;
  readonly refunded: Told;
  readonly lateRefunding: (status: EndedUnpaid) => Told;
  /** Instead of its `next`, if an open refund says it. */
  readonly final: string;
  readonly lateKept: (status: EndedUnpaid) => Told;
  readonly lateRefunded: (status: EndedUnpaid) => Told;
  readonly expiring: Told;
  readonly asking: Told;
  readonly choosing: string;
  readonly submissionRejected: string;
  readonly unfinished: string;
  readonly unfinishedNext: string;
  readonly submitted: Told;

  /** As the subject of the sentences about a refund. */
  readonly refund: (money: Money, ofUnapplied: boolean) => string;
  readonly refundAtGateway: (refund: string) => string;
  readonly refundUnderReview: (refund: string, reason: RefundReviewReason) => string;
  readonly refundReviewNext: string;
  readonly refundAwaited: (refund: string) => string;
  readonly refundAwaits: (refund: string, until: Date | null) => string;
  readonly moreRefunds: (count: number) => string;

  readonly disputed: (money: Money) => string;
  readonly disputeAnswered: (until: Date) => string;
  readonly disputeDecided: string;
  readonly disputeEnded: (money: Money, status: Exclude<StatedDisputeStatus, 'OPEN'>) => string;

  readonly recovering: (type: EventType) => string;
  readonly parked: (type: EventType, why: string) => string;
  readonly parkedWithoutEndpoint: string;
  readonly parkedDisabled: string;
  readonly parkedFailed: (attempts: number, error: string | null) => string;
  readonly resendWithUrl: string;
  readonly resendEnabled: string;
  readonly resend: string;
  readonly noUrl: string;
  readonly disabled: string;
  readonly undeliverable: (type: EventType, why: string) => string;
  readonly undelivered: (type: EventType) => string;
  readonly attemptFailed: (type: EventType, attempts: number, error: string | null) => string;
  readonly circuitOpen: (until: Date, attempt: number) => string;
  readonly attemptDue: (attempt: number, at: Date | null) => string;
  readonly moreEvents: (count: number) => string;
}

const REVIEWS: Readonly<Record<ReviewReason, string>> = {
  AMOUNT_MISMATCH: 'the gateway confirmed a different amount',
  CURRENCY_MISMATCH: 'the gateway confirmed a different currency',
  REFERENCE_MISMATCH: 'the gateway confirmed a charge with a different reference',
  STORE_MISMATCH: 'the gateway confirmed a charge at a different store',
  RISK_FLAGGED: 'the gateway took the money but flagged the charge as risky',
  GATEWAY_UNREACHABLE: 'the gateway could not be reached for 72 hours after the payment expired',
  EVIDENCE_REUSED: "the gateway's confirmation was already used for another payment",
};

const REFUND_REVIEWS: Readonly<Record<RefundReviewReason, string>> = {
  GATEWAY_CANCELLED: 'the gateway says that it was cancelled',
  REFUSED_AFTER_DOUBT: 'its outcome at the gateway is unclear',
  STUCK_AT_GATEWAY: 'the gateway has not finished it for 30 days',
  REJECTED_AFTER_DOUBT: 'it was not approved, but the gateway may have it since before a restore',
  PAID_BACK_BY_HAND: 'the gateway makes no refunds, so an operator pays the money back by hand',
  FAILED_AFTER_SUCCESS: 'the gateway reports that it failed after it had succeeded',
};

const DISPUTES = {
  WON: 'was won: the shop keeps the money',
  LOST: 'was lost: the gateway took the money back',
  CLOSED: 'ended before money was taken',
} as const satisfies Record<Exclude<StatedDisputeStatus, 'OPEN'>, string>;

const amountOf = (money: Money): string => `${toDecimalText(money)} ${money.currency}`;
const came = (status: PaymentStatus): string => `The payment ended as ${status}. Money that arrived later`;

export const ENGLISH: ExplanationWords = {
  nothing: 'Nothing.',
  noDeadline: 'There is no deadline.',
  decided: (decision) => `The decision is made: ${decision}. Lenden carries it out.`,
  decidedByOne: (decision) => `One operator has decided: ${decision}. A second person has to make the same decision.`,

  held: (status) => ({
    summary: `${came(status)} is held in suspense.`,
    next: 'An operator refunds or keeps the unapplied payment.',
  }),
  underReview: (reason) => `Under review: ${REVIEWS[reason]}.`,
  reviewNext: 'An operator accepts or rejects the payment. There is no deadline.',
  created: {
    summary: "The payment is created. The gateway's checkout is not open yet.",
    next: 'Lenden tries to open the checkout until the payment expires.',
  },
  succeeded: {
    summary: 'The gateway confirmed the charge, and it is posted to the ledger.',
    next: 'The payment is final unless it is refunded.',
  },
  failed: (code) => ({
    summary: `The payment failed and no money was taken (${code ?? 'declined'}).`,
    next: 'The payment is final. You can create a new one.',
  }),
  cancelled: {
    summary: 'The payer cancelled the payment. No money was taken.',
    next: 'The payment is final. You can create a new one.',
  },
  expired: {
    summary: 'The payment expired and the gateway confirmed that no money was taken.',
    next: 'The payment is final. Money that arrives later is held as an unapplied payment.',
  },
  partiallyRefunded: {
    summary: 'A part of the payment was refunded.',
    next: 'The payment is final unless more is refunded.',
  },
  refunded: { summary: 'The payment was refunded in full.', next: 'The payment is final.' },
  lateRefunding: (status) => ({
    summary: `${came(status)} is being refunded.`,
    next: 'The refund runs automatically and ends when the gateway reports the outcome.',
  }),
  final: 'The payment is final.',
  lateKept: (status) => ({ summary: `${came(status)} was kept.`, next: 'The payment is final.' }),
  lateRefunded: (status) => ({
    summary: `${came(status)} was refunded.`,
    next: 'The payment is final. You can create a new one.',
  }),
  expiring: {
    summary: 'The payment has expired. Lenden queries the gateway for the outcome.',
    next: "The gateway's answer decides the outcome. If it cannot be reached for 72 hours, an operator decides.",
  },
  asking: {
    summary: 'A callback or a cancellation was received. Lenden queries the gateway to confirm it.',
    next: "The gateway's answer decides the outcome. A callback alone is never trusted.",
  },
  choosing: 'The payer has not chosen a gateway yet.',
  submissionRejected:
    'The transfer that the payer submitted was not found. The payer can correct its transaction number.',
  unfinished: 'The checkout is open. The payer has not finished.',
  unfinishedNext:
    'The payer pays or cancels. Otherwise Lenden queries the gateway one last time and the payment expires.',
  submitted: {
    summary: 'The payer has submitted a transfer, which nobody has confirmed yet.',
    next: 'An operator compares it with the account statement, then confirms or rejects it. There is no deadline.',
  },

  refund: (money, ofUnapplied) =>
    ofUnapplied ? `The refund of the unapplied ${amountOf(money)}` : `The refund of ${amountOf(money)}`,
  refundAtGateway: (refund) =>
    `${refund} is at the gateway. Lenden queries it until it reports the outcome; after 30 days an operator decides.`,
  refundUnderReview: (refund, reason) => `${refund} is under review: ${REFUND_REVIEWS[reason]}.`,
  refundReviewNext: 'Operators decide how it ended. There is no deadline.',
  refundAwaited: (refund) => `${refund} awaited approval.`,
  refundAwaits: (refund, until) =>
    `${refund} awaits approval by a second person${until === null ? '' : ` until ${utcText(until)}; then it is rejected`}.`,
  moreRefunds: (count) => `${count} more ${count === 1 ? 'refund is' : 'refunds are'} open.`,

  disputed: (money) => `The payer disputes ${amountOf(money)} of the charge at their bank.`,
  disputeAnswered: (until) =>
    `The shop answers in the gateway's dashboard until ${utcText(until)}; then the bank decides.`,
  disputeDecided: 'The bank decides; Lenden queries the gateway for the outcome once a day.',
  disputeEnded: (money, status) => `A dispute over ${amountOf(money)} ${DISPUTES[status]}.`,

  recovering: (type) => `The event ${type} was parked and is about to be sent again.`,
  parked: (type, why) => `The event ${type} is parked: ${why}.`,
  parkedWithoutEndpoint: 'the application had no endpoint for it',
  parkedDisabled: 'its endpoint was disabled',
  parkedFailed: (attempts, error) => `attempt ${attempts} failed (${error ?? 'no response'}), and no other follows`,
  resendWithUrl: 'An operator can resend it once the application has a webhook URL.',
  resendEnabled: 'An operator can resend it once its endpoint is enabled.',
  resend: 'An operator can resend it.',
  noUrl: 'the application has no webhook URL',
  disabled: 'its endpoint is disabled',
  undeliverable: (type, why) =>
    `The event ${type} is not delivered: ${why}. It is parked when its next attempt is due.`,
  undelivered: (type) => `The event ${type} is not delivered yet.`,
  attemptFailed: (type, attempts, error) =>
    `The event ${type} is not delivered: attempt ${attempts} failed (${error ?? 'no response'}).`,
  circuitOpen: (until, attempt) =>
    `The circuit of its endpoint is open until ${utcText(until)}; attempt ${attempt} follows.`,
  attemptDue: (attempt, at) => `Attempt ${attempt} is due ${at === null ? 'now' : `at ${utcText(at)}`}.`,
  moreEvents: (count) => `${count} more ${count === 1 ? 'event is' : 'events are'} not delivered.`,
};
