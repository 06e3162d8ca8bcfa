import { z } from 'zod';
import { isCurrency } from '../../domain/currency.ts';
import type { StatedDisputeStatus } from '../../domain/dispute.ts';
import { readAnswer } from '../json.ts';
import { GatewayFailure, type StatedDispute } from '../port.ts';
import type { StripeLibrary } from './library.ts';
import { fromStripeAmount } from './units.ts';

const NOT_FOUND = 404;
const WORD_CHARS_MAX = 120;

const Word = z.string().min(1).max(WORD_CHARS_MAX);
const DisputeAnswer = z.looseObject({
  id: Word,
  object: z.literal('dispute'),
  amount: z.int(),
  currency: z.string(),
  status: Word,
  reason: z.string().max(WORD_CHARS_MAX).nullish(),
  payment_intent: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  evidence_details: z.looseObject({ due_by: z.int().min(0).max(253_402_300_799).nullish() }).nullish(),
});

/** Source: the statuses of Stripe's Dispute object. An inquiry (`warning_…`) takes no money, nor does a dispute that was `prevented`. */
const STATUSES: ReadonlyMap<string, StatedDisputeStatus> = new Map([
  ['warning_needs_response', 'OPEN'],
  ['warning_under_review', 'OPEN'],
  ['warning_closed', 'CLOSED'],
  ['needs_response', 'OPEN'],
  ['under_review', 'OPEN'],
  ['prevented', 'CLOSED'],
  ['won', 'WON'],
  ['lost', 'LOST'],
]);

/**
 * Reads a dispute. Returns null if the account has none with this id. A word that Stripe may add is no end.
 * @throws GatewayFailure
 */
export async function queryDispute(library: StripeLibrary, disputeId: string): Promise<StatedDispute | null> {
  const answered = await library.call((stripe) => stripe.disputes.retrieve(disputeId));
  if (!answered.ok) {
    if (answered.error.status === NOT_FOUND) {
      return null;
    }
    throw new GatewayFailure('ambiguous', `the gateway refused the query: ${answered.error.code}`);
  }
  const dispute = readAnswer(DisputeAnswer, answered.value);
  const currency = dispute.currency.toUpperCase();
  const amountMinor = isCurrency(currency) ? fromStripeAmount(dispute.amount, currency) : null;
  if (dispute.id !== disputeId || amountMinor === null || amountMinor <= 0n) {
    throw new GatewayFailure('ambiguous', 'the gateway states a dispute that cannot be read');
  }
  const { payment_intent: intent, evidence_details: details } = dispute;
  const dueBy = details?.due_by ?? null;
  return {
    disputeId,
    gatewayTxnId: (typeof intent === 'object' ? intent?.id : intent) ?? null,
    status: STATUSES.get(dispute.status) ?? 'OPEN',
    gatewayStatus: dispute.status,
    reason: dispute.reason ?? null,
    amountMinor,
    currency,
    respondBy: dueBy === null ? null : new Date(dueBy * 1_000),
    evidence: answered.raw,
  };
}
