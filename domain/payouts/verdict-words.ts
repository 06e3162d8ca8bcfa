import { VERDICT_DETAILS, type VerdictDetail } from './matching.ts';

const WORDS = {
  EXACT: 'The line says exactly what was expected.',
  SPLIT: 'Several lines add up to what was expected.',
  CONVERTED: 'The line was converted at the rate that it states.',
  WITHIN_TOLERANCE: 'The difference is within the tolerance that is set for the gateway.',
  CANCELLED_OUT: 'Lines cancel each other out.',
  NOTHING_DUE: 'Nothing is due: it was taken back.',
  COST_OF_CHARGE: 'The line is a cost of a charge.',
  DISPUTE_OF_CHARGE: 'The line is about a dispute of a charge.',
  EXPLAINED_BY_KIND: 'The line explains itself by its kind.',
  CORRECTED: 'Operators have said to which account the line belongs.',
  NOT_YET_DUE: 'The gateway may still pay it out.',
  NOT_YET_CONFIRMED: 'The gateway has not confirmed the payment or refund yet.',
  WAITS_FOR_CHARGE: 'The line is a cost of a charge that no line has paid out yet.',
  NO_LINE: 'No line has come for it, and it is overdue.',
  NO_REFERENCE: 'The line names no transaction and no reference.',
  UNKNOWN_REFERENCE: 'No payment or refund has the transaction or reference of the line.',
  REFERENCES_DISAGREE: 'The references of the line name different payments.',
  SEVERAL_CANDIDATES: 'The line may belong to several payments or refunds.',
  AMOUNT_DIFFERS: 'The amount of the line differs.',
  REVERSED: 'The gateway took back what it had paid out.',
  FEE_DIFFERS: 'The fee of the line differs.',
  FEE_UNKNOWN: 'The fee cannot be known.',
  FEE_IMPLAUSIBLE: 'The fee of the line is not possible for its amount.',
  FEE_NOT_AGREED: 'The fee is more than one person may explain by a file, and no fee was agreed.',
  COST_UNPROVEN: 'With the other costs of the same day and person it is more than one person may explain by files.',
  CHARGE_UNEXPLAINED: 'The line is a cost of a charge that is not explained.',
  OFFSETTING: 'Amounts of opposite signs take back from each other more than one person may explain.',
  TAKEN_UNCONFIRMED:
    'The line takes money for something that the gateway has not confirmed, more than one person may explain.',
  NO_RATE: 'The line has another currency and states no rate.',
  RATE_DIFFERS: 'The amount does not follow from the rate of the line.',
  RATE_NOT_AGREED: 'The rate of the line is not one that was agreed.',
  REPEATED: 'Another line has said the same.',
  OTHER_STORE: 'The line belongs to another store than the payment.',
  BEYOND_REFUND: 'The lines return more than the refund.',
  DISPUTE_UNKNOWN: 'The gateway has told of no dispute of so much.',
  DISPUTE_UNPROVEN: 'The dispute is more than one person may explain by a file.',
} as const satisfies Record<VerdictDetail, string>;

/** Returns a sentence for an operator. */
export function wordsOfDetail(detail: string): string {
  const known = VERDICT_DETAILS.find((code) => code === detail);
  return known === undefined ? detail : WORDS[known];
}
