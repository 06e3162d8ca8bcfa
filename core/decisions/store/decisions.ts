import { DomainError } from '../../../domain/errors.ts';
import type { Money } from '../../../domain/money.ts';
import type { Permission } from '../../../domain/permissions.ts';
import { needsApproval } from '../../../domain/refund.ts';
import { limitOf, needsSecondPerson, type Acting } from './approval.ts';
import type { Scope } from '../../../database/connection.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import type { AuditFacts } from '../../operators/store/audit.ts';
import type { Statements } from '../../../database/statements.ts';

export type DecisionKind = 'refund' | 'review' | 'unapplied-payment' | 'manual';
/** The permission required for the first and the second decision, whatever their kind. */
const DECIDING = 'payment:review' satisfies Permission;

export type DecisionWord = 'approve' | 'reject' | 'accept' | 'refund' | 'keep';

/** A complete decision: above the threshold a second operator has made the same one. */
export interface DecisionRecord {
  readonly id: bigint;
  readonly kind: DecisionKind;
  readonly decision: DecisionWord;
  readonly reason: string | null;
  readonly operatorId: bigint;
  readonly unappliedPaymentId: bigint | null;
}

interface DecisionRow {
  id: string;
  kind: DecisionKind;
  decision: DecisionWord;
  reason: string | null;
  operator_id: string;
  unapplied_payment_id: string | null;
}

export interface NewDecision {
  readonly scope: Scope;
  readonly kind: DecisionKind;
  readonly paymentId: bigint;
  readonly refundId: bigint | null;
  readonly unappliedPaymentId: bigint | null;
  /** The payer's submission; only for the kind `manual`. */
  readonly manualSubmissionId?: bigint;
  readonly decision: DecisionWord;
  readonly reason: string | null;
  readonly operatorId: bigint;
  /** The amount that the decision moves or posts, counted for the operator who makes it; null if it is counted elsewhere. */
  readonly amount: Money | null;
  readonly needsSecond: boolean;
}

export interface StoredDecision {
  readonly id: bigint;
  /** False while a second operator has to make the same decision. */
  readonly complete: boolean;
  /** The first decision of an operator who may no longer decide, which this one replaces. */
  readonly replaces: { readonly operatorId: bigint; readonly decision: DecisionWord } | null;
}

/** Returns for the audit log whether the decision is complete and which one it replaced. */
export function decisionFacts({ complete, replaces }: StoredDecision): AuditFacts {
  return replaces === null ? { complete } : { complete, replaces: { ...replaces } };
}

interface WaitingRow {
  id: string;
  decision: DecisionWord;
  operator_id: string;
  needs_second: boolean;
  second_operator_id: string | null;
  stands: boolean;
}

/**
 * Reports whether a decision needs a second operator, given the sum of the operator's actions. A rejection moves no money and counts only by its own
 * amount, so an operator who has confirmed a lot can still reject.
 */
export async function needsSecond(
  statements: Statements,
  { decision, ...acting }: Acting & { readonly decision: DecisionWord },
): Promise<boolean> {
  if (decision !== 'reject') {
    return needsSecondPerson(statements, acting);
  }
  const limitMinor = await limitOf(statements, acting);
  return needsApproval({ amountMinor: acting.amount.amountMinor, actedMinor: 0n, limitMinor });
}

/** Reports whether an operator may currently do something in an application: they are enabled, and one of their roles allows it. */
export async function operatorMay(
  statements: Statements,
  {
    operatorId,
    permission,
    scope,
  }: { readonly operatorId: bigint; readonly permission: Permission; readonly scope: Scope },
): Promise<boolean> {
  const [row] = await statements.execute<{ may: boolean }[]>(
    'select lenden_operator_may(?::bigint, ?, ?::bigint) as may',
    [operatorId, permission, scope.applicationId],
  );
  return row?.may === true;
}

/**
 * Stores a decision, or seconds the one that is waiting. A different decision withdraws a waiting one that is not seconded: a single operator can
 * neither move money nor stop the others from deciding. The decision of an operator who may no longer decide is replaced by the next one. The caller
 * has locked the payment, so that decisions are made one after the other.
 * @throws DomainError FORBIDDEN if the same operator would be both, INVALID_OPERATION_STATE if it is decided already
 */
export async function decide(statements: Statements, decision: NewDecision): Promise<StoredDecision> {
  const { scope, kind, paymentId, refundId, unappliedPaymentId, manualSubmissionId = null } = decision;
  const [waiting] = await statements.execute<WaitingRow[]>(
    `select id, decision, operator_id, needs_second, second_operator_id,
       lenden_operator_may(operator_id, '${DECIDING}', application_id) as stands
     from decisions
     where kind = ? and payment_id = ? and refund_id is not distinct from ?::bigint and unapplied_payment_id is not distinct from ?::bigint
       and manual_submission_id is not distinct from ?::bigint and consumed_at is null for update`,
    [kind, paymentId, refundId, unappliedPaymentId, manualSubmissionId],
  );
  const lapsed = waiting !== undefined && !isComplete(waiting) && !waiting.stands;
  if (waiting !== undefined && !lapsed && (isComplete(waiting) || waiting.decision === decision.decision)) {
    return second(statements, decision, waiting);
  }
  if (waiting !== undefined) {
    await consumeDecision(statements, BigInt(waiting.id), lapsed ? 'LAPSED' : 'TAKEN_BACK');
  }
  const [row] = await statements.execute<{ id: string }[]>(
    `insert into decisions (application_id, mode, kind, payment_id, refund_id, unapplied_payment_id, manual_submission_id, decision, reason, operator_id,
       needs_second, amount_minor, currency)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning id`,
    [
      scope.applicationId,
      scope.mode,
      kind,
      paymentId,
      refundId,
      unappliedPaymentId,
      manualSubmissionId,
      decision.decision,
      decision.reason,
      decision.operatorId,
      decision.needsSecond,
      decision.amount?.amountMinor ?? null,
      decision.amount?.currency ?? null,
    ],
  );
  if (row === undefined) {
    throw new Error('a decision was not stored');
  }
  const replaces = lapsed ? { operatorId: BigInt(waiting.operator_id), decision: waiting.decision } : null;
  return { id: BigInt(row.id), complete: !decision.needsSecond, replaces };
}

function isComplete({ needs_second: needsSecond, second_operator_id: second }: WaitingRow): boolean {
  return !needsSecond || second !== null;
}

async function second(
  statements: Statements,
  { operatorId }: NewDecision,
  waiting: WaitingRow,
): Promise<StoredDecision> {
  if (isComplete(waiting)) {
    throw new DomainError('INVALID_OPERATION_STATE', `this was already decided: ${waiting.decision}`);
  }
  if (waiting.operator_id === operatorId.toString()) {
    throw new DomainError('FORBIDDEN', 'a second operator must make the same decision');
  }
  await statements.execute('update decisions set second_operator_id = ?, seconded_at = now() where id = ?', [
    operatorId,
    waiting.id,
  ]);
  return { id: BigInt(waiting.id), complete: true, replaces: null };
}

const COMPLETE = `consumed_at is null and (not needs_second or second_operator_id is not null)`;

/** Returns the decision to be carried out and locks it. Null if there is none, or if a second operator has not confirmed it. */
export async function takeDecision(
  statements: Statements,
  target:
    { readonly kind: 'refund'; readonly refundId: bigint } | { readonly kind: 'review'; readonly paymentId: bigint },
): Promise<DecisionRecord | null> {
  const [column, id] = target.kind === 'refund' ? ['refund_id', target.refundId] : ['payment_id', target.paymentId];
  const [row] = await statements.execute<DecisionRow[]>(
    `select id, kind, decision, reason, operator_id, unapplied_payment_id from decisions
     where kind = ? and ${column} = ? and ${COMPLETE} order by id limit 1 for update`,
    [target.kind, id],
  );
  return row === undefined ? null : decisionOf(row);
}

/** Returns the complete decisions on the unapplied money of one attempt and locks them. */
export async function takeUnappliedDecisions(statements: Statements, attemptId: bigint): Promise<DecisionRecord[]> {
  const rows = await statements.execute<DecisionRow[]>(
    `select d.id, d.kind, d.decision, d.reason, d.operator_id, d.unapplied_payment_id
     from decisions d join unapplied_payments l on l.id = d.unapplied_payment_id
     where d.kind = 'unapplied-payment' and l.attempt_id = ? and d.${COMPLETE} order by d.id for update of d`,
    [attemptId],
  );
  return rows.map(decisionOf);
}

/** Closes a decision with its outcome. */
export async function consumeDecision(statements: Statements, decisionId: bigint, outcome: string): Promise<void> {
  await statements.execute(
    'update decisions set consumed_at = now(), outcome = ? where id = ? and consumed_at is null',
    [outcome, decisionId],
  );
}

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
  const closed = await statements.execute<object[]>(
    `update decisions d set consumed_at = coalesce(d.consumed_at, now()), outcome = coalesce(d.outcome, ?) from payments p
     where d.id = ? and d.kind = 'review' and p.id = d.payment_id and p.reference = ? returning 1`,
    [outcome, BigInt(decisionId), payment],
  );
  if (closed.length === 0) {
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

/**
 * Audits a signal that was sent without a decision. It changes nothing else. A signal for a decision that was already carried out is only late, since
 * the sweeper repeats signals, and is not audited. Returns true if anything was written.
 */
export async function auditSignalWithoutDecision(
  statements: Statements,
  { scope, targetType, targetId, paymentId, claimed }: SignalWithoutDecision,
): Promise<boolean> {
  const known = await statements.execute<{ id: string }[]>('select id::text from decisions where payment_id = ?', [
    paymentId,
  ]);
  const unknown = claimed.filter((id) => !known.some((decision) => decision.id === id));
  if (unknown.length === 0) {
    return false;
  }
  await statements.execute(
    `insert into audit_logs (actor_type, actor, action, target_type, target_id, application_id, mode, details)
     values ('SYSTEM', 'worker', 'decision.signal-without-row', ?, ?, ?, ?, ?::jsonb)`,
    [
      targetType,
      targetId.toString(),
      scope.applicationId,
      scope.mode,
      JSON.stringify({ claimed: unknown.slice(0, 10).map((id) => id.slice(0, 40)) }),
    ],
  );
  return true;
}

function decisionOf(row: DecisionRow): DecisionRecord {
  return {
    id: BigInt(row.id),
    kind: row.kind,
    decision: row.decision,
    reason: row.reason,
    operatorId: BigInt(row.operator_id),
    unappliedPaymentId: row.unapplied_payment_id === null ? null : BigInt(row.unapplied_payment_id),
  };
}
