import { z } from 'zod';
import { minorFromDecimalText, toDecimalText } from '../../domain/money.ts';
import { parseJson } from '../json.ts';
import type { Charge } from '../port.ts';
import type { ConfirmedSubmission } from './book.ts';

/** Who confirmed what; stored in place of a gateway's answer. */
const Evidence = z.object({
  attemptReference: z.string(),
  storeId: z.string(),
  submissionId: z.string(),
  transaction: z.string().min(1),
  normalized: z.string().min(1),
  amount: z.string(),
  currency: z.string(),
  decisionId: z.string(),
  operatorIds: z.array(z.string()).min(1),
});
type Evidence = z.infer<typeof Evidence>;

/** Builds the charge that operators confirmed, with the confirming rows as its evidence. */
export function chargeOf(
  { amount, submission }: ConfirmedSubmission,
  { attemptReference, storeId }: { readonly attemptReference: string; readonly storeId: string },
): Charge {
  const { id, transaction, normalized, decision } = submission;
  const said: Evidence = {
    attemptReference,
    storeId,
    submissionId: id,
    transaction,
    normalized,
    amount: toDecimalText(amount),
    currency: amount.currency,
    decisionId: decision.id,
    operatorIds: [...decision.operatorIds],
  };
  return chargeFrom(said, JSON.stringify(said));
}

/** Parses the charge from stored evidence. Returns null for any other text. */
export function readEvidence(text: string): Charge | null {
  const parsed = Evidence.safeParse(parseJson(text));
  return parsed.success ? chargeFrom(parsed.data, text) : null;
}

function chargeFrom(said: Evidence, evidence: string): Charge {
  const amountMinor = minorFromDecimalText(said.amount, said.currency, 'exact');
  return {
    validationId: said.normalized,
    gatewayTxnId: said.transaction,
    attemptReference: said.attemptReference,
    storeId: said.storeId,
    orderAmountMinor: amountMinor,
    orderCurrency: said.currency,
    grossMinor: amountMinor,
    currency: said.currency,
    feeMinor: 0n,
    netText: '',
    riskFlagged: false,
    evidence,
  };
}
