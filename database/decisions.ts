import type { Scope } from './connection.ts';
import type { Statements } from './statements.ts';

export type DecisionKind = 'refund' | 'review' | 'late-payment';
export type DecisionWord = 'approve' | 'reject' | 'accept' | 'refund' | 'keep';

/** What an operator decided, complete: above the threshold a second person has said the same. */
export interface DecisionRecord {
  readonly id: bigint;
  readonly kind: DecisionKind;
  readonly decision: DecisionWord;
  readonly reason: string | null;
  readonly operatorId: bigint;
  readonly latePaymentId: bigint | null;
}

interface DecisionRow {
  id: string;
  kind: DecisionKind;
  decision: DecisionWord;
  reason: string | null;
  operator_id: string;
  late_payment_id: string | null;
}

const COMPLETE = `consumed_at is null and (not needs_second or second_operator_id is not null)`;

/** The decision that waits to be carried out, locked; null when there is none, or only one that a second person has not confirmed. */
export async function takeDecision(
  statements: Statements,
  target:
    { readonly kind: 'refund'; readonly refundId: bigint } | { readonly kind: 'review'; readonly paymentId: bigint },
): Promise<DecisionRecord | null> {
  const [column, id] = target.kind === 'refund' ? ['refund_id', target.refundId] : ['payment_id', target.paymentId];
  const [row] = await statements.execute<DecisionRow[]>(
    `select id, kind, decision, reason, operator_id, late_payment_id from decisions
     where kind = ? and ${column} = ? and ${COMPLETE} order by id limit 1 for update`,
    [target.kind, id],
  );
  return row === undefined ? null : decisionOf(row);
}

/** Decisions about the late money of one attempt. */
export async function takeLateDecisions(statements: Statements, attemptId: bigint): Promise<DecisionRecord[]> {
  const rows = await statements.execute<DecisionRow[]>(
    `select d.id, d.kind, d.decision, d.reason, d.operator_id, d.late_payment_id
     from decisions d join late_payments l on l.id = d.late_payment_id
     where d.kind = 'late-payment' and l.attempt_id = ? and d.${COMPLETE} order by d.id for update of d`,
    [attemptId],
  );
  return rows.map(decisionOf);
}

/** Closes a decision with what came of it. */
export async function consumeDecision(statements: Statements, decisionId: bigint, outcome: string): Promise<void> {
  await statements.execute(
    'update decisions set consumed_at = now(), outcome = ? where id = ? and consumed_at is null',
    [outcome, decisionId],
  );
}

export interface SignalWithoutDecision {
  readonly scope: Scope;
  readonly targetType: 'refund' | 'payment' | 'late-payment';
  readonly targetId: bigint;
  readonly claimed: readonly string[];
}

/** Somebody sent a signal by hand. It changes nothing, and that it came is written down. */
export async function auditSignalWithoutDecision(
  statements: Statements,
  { scope, targetType, targetId, claimed }: SignalWithoutDecision,
): Promise<void> {
  await statements.execute(
    `insert into audit_logs (actor_type, actor, action, target_type, target_id, application_id, mode, details)
     values ('SYSTEM', 'worker', 'decision.signal-without-row', ?, ?, ?, ?, ?::jsonb)`,
    [
      targetType,
      targetId.toString(),
      scope.applicationId,
      scope.mode,
      JSON.stringify({ claimed: claimed.slice(0, 10).map((id) => id.slice(0, 40)) }),
    ],
  );
}

function decisionOf(row: DecisionRow): DecisionRecord {
  return {
    id: BigInt(row.id),
    kind: row.kind,
    decision: row.decision,
    reason: row.reason,
    operatorId: BigInt(row.operator_id),
    latePaymentId: row.late_payment_id === null ? null : BigInt(row.late_payment_id),
  };
}
