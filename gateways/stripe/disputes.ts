import { z } from 'zod';
import { isCurrency } from '../../domain/currency.ts';
import type { StatedDisputeStatus } from '../../domain/dispute.ts';
import { readAnswer } from '../json.ts';
import { GatewayFailure, type DisputePage, type DisputeWindow, type StatedDispute } from '../port.ts';
import type { StripeLibrary } from './library.ts';
import { fromStripeAmount } from './units.ts';

const NOT_FOUND = 404;
const DISPUTES_PER_PAGE = 50;
const WORD_CHARS_MAX = 120;

const Word = z.string().min(1).max(WORD_CHARS_MAX);
const Intent = z.union([z.string(), z.looseObject({ id: z.string() })]).nullish();
const DisputeAnswer = z.looseObject({
  id: Word,
  object: z.literal('dispute'),
  amount: z.int(),
  currency: z.string(),
  status: Word,
  reason: z.string().max(WORD_CHARS_MAX).nullish(),
  payment_intent: Intent,
  evidence_details: z.looseObject({ due_by: z.int().min(0).max(253_402_300_799).nullish() }).nullish(),
});

const DisputeList = z.looseObject({
  object: z.literal('list'),
  data: z
    .array(z.looseObject({ id: Word, object: z.literal('dispute'), payment_intent: Intent }))
    .max(DISPUTES_PER_PAGE),
  has_more: z.boolean(),
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
    gatewayTxnId: idOf(intent),
    status: STATUSES.get(dispute.status) ?? 'OPEN',
    gatewayStatus: dispute.status,
    reason: dispute.reason ?? null,
    amountMinor,
    currency,
    respondBy: dueBy === null ? null : new Date(dueBy * 1_000),
    evidence: answered.raw,
  };
}

function idOf(intent: z.infer<typeof Intent>): string | null {
  return (typeof intent === 'object' ? intent?.id : intent) ?? null;
}

/**
 * Reads a page of the disputes that were created since a time, newest first. Source: `GET /v1/disputes` with `created[gte]` in seconds.
 * @throws GatewayFailure
 */
export async function listDisputes(library: StripeLibrary, { since, after }: DisputeWindow): Promise<DisputePage> {
  const answered = await library.call((stripe) =>
    stripe.disputes.list({
      created: { gte: Math.floor(since.getTime() / 1_000) },
      limit: DISPUTES_PER_PAGE,
      ...(after === null ? {} : { starting_after: after }),
    }),
  );
  if (!answered.ok) {
    throw new GatewayFailure('ambiguous', `the gateway refused to list its disputes: ${answered.error.code}`);
  }
  const { data, has_more: hasMore } = readAnswer(DisputeList, answered.value);
  return {
    disputes: data.map(({ id, payment_intent: intent }) => ({ disputeId: id, gatewayTxnId: idOf(intent) })),
    next: hasMore ? (data.at(-1)?.id ?? null) : null,
  };
}
