import type { ApprovalThresholds } from '../refund.ts';
import type { PlainDate } from '../plain-date.ts';
import type { BusinessDays } from './business-days.ts';
import type { PayoutLine } from './payout-line.ts';

/** Money that our books say moved at a gateway: a confirmed charge, of a payment or unapplied, or a refund that succeeded. */
export interface Movement {
  readonly kind: 'CHARGE' | 'REFUND';
  /** Unique: `charge:{attempt reference}:{validation id}` or `refund:{refund reference}`. */
  readonly key: string;
  readonly storeId: string;
  /** The gateway's id of the charge; for a refund, of the charge that it returns. */
  readonly gatewayTxnId: string | null;
  readonly attemptReference: string;
  readonly refundReference: string | null;
  readonly gatewayRefundId: string | null;
  readonly currency: string;
  /** Greater than 0, also for refunds. */
  readonly amountMinor: bigint;
  /**
   * What the gateway said about its fee, VAT on it included, when it confirmed the movement. Null: this gateway states its fee in its lines only. It stays
   * null after a line has booked the fee, so that the verdict does not depend on which line came first.
   */
  readonly feeMinor: bigint | null;
  /** The books have taken it back: a refund that failed after it had succeeded. Its lines have to add up to nothing. */
  readonly reversed: boolean;
  /**
   * How much of it the payer disputes by the gateway's own word, in minor units of its currency. Null: the gateway does not tell of disputes, or the
   * movement is a refund.
   */
  readonly disputedMinor: bigint | null;
  /** A business day. */
  readonly happenedOn: PlainDate;
}

/** Whose word a line is that came in a file: one person has uploaded it, and nobody else vouches for it. */
export interface FileWord {
  /** Who has uploaded it, on which day and for which store: of the same word are lines with the same one. */
  readonly uploadedBy: string;
  /** Of the applications that use the store of the line. */
  readonly thresholds: readonly ApprovalThresholds[];
}

/** A line of a payout as it is stored. */
export interface StoredLine extends PayoutLine {
  readonly id: bigint;
  readonly storeId: string;
  /** Null: the gateway's own API has said it. */
  readonly word: FileWord | null;
}

/** What a result says. REJECTED is for rows of a file that became no line, so the matcher never says it. */
export const RESULT_STATUSES = ['MATCHED', 'FLAGGED', 'DEFERRED', 'REJECTED'] as const;
export type ResultStatus = (typeof RESULT_STATUSES)[number];

export const FLAG_REASONS = [
  'MISSING_IN_PAYOUT',
  'MISSING_INTERNALLY',
  'AMOUNT',
  'FEE',
  'CURRENCY',
  'DUPLICATE',
  'WRONG_STORE',
  'REFUND_UNKNOWN',
] as const;
export type FlagReason = (typeof FLAG_REASONS)[number];

/** Why a verdict is as it is. The codes are stable: clients and stored rows use them. */
export const VERDICT_DETAILS = [
  // MATCHED
  'EXACT',
  'SPLIT',
  'CONVERTED',
  'WITHIN_TOLERANCE',
  'CANCELLED_OUT',
  'NOTHING_DUE',
  'COST_OF_CHARGE',
  'DISPUTE_OF_CHARGE',
  'EXPLAINED_BY_KIND',
  'CORRECTED',
  // DEFERRED
  'NOT_YET_DUE',
  'NOT_YET_CONFIRMED',
  'WAITS_FOR_CHARGE',
  // FLAGGED
  'NO_LINE',
  'NO_REFERENCE',
  'UNKNOWN_REFERENCE',
  'REFERENCES_DISAGREE',
  'SEVERAL_CANDIDATES',
  'AMOUNT_DIFFERS',
  'REVERSED',
  'FEE_DIFFERS',
  'FEE_UNKNOWN',
  'FEE_IMPLAUSIBLE',
  'FEE_NOT_AGREED',
  'COST_UNPROVEN',
  'CHARGE_UNEXPLAINED',
  'OFFSETTING',
  'TAKEN_UNCONFIRMED',
  'NO_RATE',
  'RATE_DIFFERS',
  'RATE_NOT_AGREED',
  'REPEATED',
  'OTHER_STORE',
  'BEYOND_REFUND',
  'DISPUTE_UNKNOWN',
  'DISPUTE_UNPROVEN',
] as const;
export type VerdictDetail = (typeof VERDICT_DETAILS)[number];

/** What was compared, in signed minor units of `currency`: money to us is positive, a fee that we pay is positive too. */
export interface Figures {
  readonly currency: string;
  readonly expectedMinor: bigint;
  readonly settledMinor: bigint;
  /** `settledMinor` − `expectedMinor`, or for a difference of fees what we paid too much. */
  readonly differenceMinor: bigint;
  /** Null: no fee was expected or compared. Includes VAT, like `feeSettledMinor`. */
  readonly feeExpectedMinor: bigint | null;
  readonly feeSettledMinor: bigint | null;
  /** Decimal text, if the gateway converted the amount: 1 of the movement's currency is so much of `currency`. */
  readonly exchangeRate: string | null;
}

interface Verdict {
  readonly status: Exclude<ResultStatus, 'REJECTED'>;
  /** Null unless the status is FLAGGED. */
  readonly reason: FlagReason | null;
  readonly detail: VerdictDetail;
  /** Null: nothing was compared. */
  readonly figures: Figures | null;
}

/** What a run says of one line. */
export interface LineVerdict extends Verdict {
  readonly lineId: bigint;
  /** The movement to which the line belongs, whether it matches or not. */
  readonly movementKey: string | null;
  /** For SEVERAL_CANDIDATES and REFERENCES_DISAGREE, the movements among which a person chooses. */
  readonly candidateKeys: readonly string[];
}

/** The whole cost of a charge by its lines. */
export interface SettledFee {
  readonly currency: string;
  readonly feeMinor: bigint;
  readonly taxMinor: bigint;
}

/** What a run says of one movement. A difference counts at its line; a movement counts by itself only if it has no line. */
export interface MovementVerdict extends Verdict {
  readonly movementKey: string;
  /**
   * What the books should hold in all as the cost of this movement, if the gateway states it in its lines only. The caller posts what is not posted yet: with
   * the first line all of it, and nothing when the movement is judged again.
   */
  readonly bookFee: SettledFee | null;
}

/** The exchange rates that were agreed with a gateway for one pair of currencies. */
export interface AgreedRate {
  /** In which the payer pays. */
  readonly from: string;
  /** In which the gateway settles. */
  readonly to: string;
  /** Decimal text: 1 of `from` is so much of `to`. */
  readonly rate: string;
  /** By how much a rate may differ from it, in ten-thousandths of it. */
  readonly toleranceBps: number;
}

/** How the lines of one gateway and store are judged. */
export interface MatchSettings {
  /** What is let pass per movement. Zero unless an operator has set more. */
  readonly tolerance: { readonly amountMinor: bigint; readonly feeMinor: bigint };
  /** The source states only what was credited: gross reads as net, and the fee as 0. Then the net is compared. */
  readonly statesNetOnly: boolean;
  /** What was agreed with a gateway that states its fee in its lines only. Null: any fee from 0 to the amount is taken as stated. */
  readonly agreedFee: { readonly feeBps: number; readonly taxBps: number } | null;
  /** The exchange rates that a file may state, one entry for a pair of currencies. */
  readonly rates: readonly AgreedRate[];
  /** Business days after the movement in which its line may still come. */
  readonly expectedWithinDays: number;
  readonly businessDays: BusinessDays;
}
