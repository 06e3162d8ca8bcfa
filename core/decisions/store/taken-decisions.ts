import type { Scope } from '../../../database/connection.ts';
import { now } from '../../../database/expressions.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { COMPLETE } from './complete.ts';

const DECISION = ['d.id', 'd.kind', 'd.decision', 'd.reason', 'd.operatorId', 'd.unappliedPaymentId'] as const;

const TAKE_ON_REFUND = statement((db, $: Given<{ refundId: bigint }>) =>
  db
    .selectFrom('decisions as d')
    .select(DECISION)
    .where('d.kind', '=', 'refund')
    .where('d.refundId', '=', $('refundId'))
    .where('d.consumedAt', 'is', null)
    .where(COMPLETE)
    .orderBy('d.id')
    .limit(1)
    .forUpdate(),
);

const TAKE_ON_REVIEW = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('decisions as d')
    .select(DECISION)
    .where('d.kind', '=', 'review')
    .where('d.paymentId', '=', $('paymentId'))
    .where('d.consumedAt', 'is', null)
    .where(COMPLETE)
    .orderBy('d.id')
    .limit(1)
    .forUpdate(),
);

/** A complete decision: above the threshold a second operator has made the same one. */
export type DecisionRecord = RowOf<typeof TAKE_ON_REFUND>;

/** Returns the decision to be carried out and locks it. Null if there is none, or if a second operator has not confirmed it. */
export async function takeDecision(
  statements: Statements,
  target:
    { readonly kind: 'refund'; readonly refundId: bigint } | { readonly kind: 'review'; readonly paymentId: bigint },
): Promise<DecisionRecord | null> {
  const taken =
    target.kind === 'refund'
      ? await TAKE_ON_REFUND.first(statements, target)
      : await TAKE_ON_REVIEW.first(statements, target);
  return taken ?? null;
}

const TAKE_ON_ATTEMPT = statement((db, $: Given<{ attemptId: bigint }>) =>
  db
    .selectFrom('decisions as d')
    .innerJoin('unapplied_payments as l', 'l.id', 'd.unappliedPaymentId')
    .select(DECISION)
    .where('d.kind', '=', 'unapplied-payment')
    .where('l.attemptId', '=', $('attemptId'))
    .where('d.consumedAt', 'is', null)
    .where(COMPLETE)
    .orderBy('d.id')
    .forUpdate('d'),
);

/** Returns the complete decisions on the unapplied money of one attempt and locks them. */
export function takeUnappliedDecisions(statements: Statements, attemptId: bigint): Promise<DecisionRecord[]> {
  return TAKE_ON_ATTEMPT.all(statements, { attemptId });
}

const CONSUME = statement((db, $: Given<{ id: bigint; outcome: string }>) =>
  db
    .updateTable('decisions')
    .set({ consumedAt: now, outcome: $('outcome') })
    .where('id', '=', $('id'))
    .where('consumedAt', 'is', null),
);

/** Closes a decision with its outcome. */
export async function consumeDecision(statements: Statements, decisionId: bigint, outcome: string): Promise<void> {
  await CONSUME.all(statements, { id: decisionId, outcome });
}

const CLOSE_REVIEW = statement((db, $: Given<{ id: bigint; payment: string; outcome: string }>) =>
  db
    .updateTable('decisions as d')
    .from('payments as p')
    .set((eb) => ({
      consumedAt: eb.fn.coalesce('d.consumedAt', now),
      outcome: eb.fn.coalesce('d.outcome', $('outcome')),
    }))
    .where('d.id', '=', $('id'))
    .where('d.kind', '=', 'review')
    .whereRef('p.id', '=', 'd.paymentId')
    .where('p.reference', '=', $('payment'))
    .returning('d.id'),
);

/**
 * Closes a decision in a later transaction than the one that read it, and checks that the payment is still the same. Repeated, it keeps the first
 * outcome.
 *
 * @throws MissingRow if the payment has no such decision
 */
export async function closeReviewDecision(
  statements: Statements,
  { payment, decisionId, outcome }: { readonly payment: string; readonly decisionId: string; readonly outcome: string },
): Promise<void> {
  const closed = await CLOSE_REVIEW.first(statements, { id: BigInt(decisionId), payment, outcome });
  if (closed === undefined) {
    throw new MissingRow('decision', payment);
  }
}

export interface SignalWithoutDecision {
  readonly scope: Scope;
  readonly targetType: 'refund' | 'payment';
  readonly targetId: bigint;
  readonly paymentId: bigint;
  readonly claimed: readonly string[];
}

const DECISIONS_OF_PAYMENT = statement((db, $: Given<{ paymentId: bigint }>) =>
  db.selectFrom('decisions').select('id').where('paymentId', '=', $('paymentId')),
);

interface AuditedSignal extends Scope {
  readonly targetType: string;
  readonly targetId: string;
  /** JSON text. */
  readonly details: string;
}

const AUDIT_SIGNAL = statement((db, $: Given<AuditedSignal>) =>
  db.insertInto('audit_logs').values((eb) => ({
    actorType: 'SYSTEM',
    actor: 'worker',
    action: 'decision.signal-without-row',
    targetType: $('targetType'),
    targetId: $('targetId'),
    applicationId: $('applicationId'),
    mode: $('mode'),
    details: eb.cast<Record<string, unknown>>($('details'), 'jsonb'),
  })),
);

/**
 * Audits a signal that was sent without a decision. It changes nothing else. A signal for a decision that was already carried out is only late, since
 * the sweeper repeats signals, and is not audited. Returns true if anything was written.
 */
export async function auditSignalWithoutDecision(
  statements: Statements,
  { scope, targetType, targetId, paymentId, claimed }: SignalWithoutDecision,
): Promise<boolean> {
  const known = await DECISIONS_OF_PAYMENT.all(statements, { paymentId });
  const unknown = claimed.filter((claim) => !known.some(({ id }) => id.toString() === claim));
  if (unknown.length === 0) {
    return false;
  }
  const { applicationId, mode } = scope;
  const details = JSON.stringify({ claimed: unknown.slice(0, 10).map((id) => id.slice(0, 40)) });
  await AUDIT_SIGNAL.all(statements, { targetType, targetId: targetId.toString(), applicationId, mode, details });
  return true;
}
