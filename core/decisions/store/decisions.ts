import { sql } from 'kysely';
import { DomainError } from '../../../domain/errors.ts';
import type { Money } from '../../../domain/money.ts';
import type { Permission } from '../../../domain/permissions.ts';
import { needsApproval } from '../../../domain/refund.ts';
import { limitOf, needsSecondPerson, type Acting } from './approval.ts';
import { consumeDecision } from './taken-decisions.ts';
import type { Scope } from '../../../database/connection.ts';
import { now } from '../../../database/expressions.ts';
import type { AuditFacts } from '../../operators/store/audit.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

export type DecisionKind = 'refund' | 'review' | 'unapplied-payment' | 'manual';
/** The permission required for the first and the second decision, whatever their kind. */
const DECIDING = 'payment:review' satisfies Permission;

export type DecisionWord = 'approve' | 'reject' | 'accept' | 'refund' | 'keep';

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

const OPERATOR_MAY = statement((db, $: Given<{ operatorId: bigint; permission: Permission; applicationId: bigint }>) =>
  db.selectNoFrom((eb) =>
    eb.fn<boolean>('lenden_operator_may', [$('operatorId'), $('permission'), $('applicationId')]).as('may'),
  ),
);

/** Reports whether an operator may currently do something in an application: they are enabled, and one of their roles allows it. */
export async function operatorMay(
  statements: Statements,
  {
    operatorId,
    permission,
    scope: { applicationId },
  }: { readonly operatorId: bigint; readonly permission: Permission; readonly scope: Scope },
): Promise<boolean> {
  return (await OPERATOR_MAY.first(statements, { operatorId, permission, applicationId }))?.may === true;
}

interface DecisionTarget {
  readonly kind: DecisionKind;
  readonly paymentId: bigint;
  readonly refundId: bigint | null;
  readonly unappliedPaymentId: bigint | null;
  readonly manualSubmissionId: bigint | null;
}

const LOCK_WAITING = statement((db, $: Given<DecisionTarget>) =>
  db
    .selectFrom('decisions')
    .select((eb) => [
      'id',
      'decision',
      'operatorId',
      'needsSecond',
      'secondOperatorId',
      eb.fn<boolean>('lenden_operator_may', ['operatorId', sql.lit(DECIDING), 'applicationId']).as('stands'),
    ])
    .where('kind', '=', $('kind'))
    .where('paymentId', '=', $('paymentId'))
    .where('refundId', 'is not distinct from', $('refundId'))
    .where('unappliedPaymentId', 'is not distinct from', $('unappliedPaymentId'))
    .where('manualSubmissionId', 'is not distinct from', $('manualSubmissionId'))
    .where('consumedAt', 'is', null)
    .forUpdate(),
);

type WaitingDecision = RowOf<typeof LOCK_WAITING>;

interface InsertedDecision extends DecisionTarget, Scope {
  readonly decision: DecisionWord;
  readonly reason: string | null;
  readonly operatorId: bigint;
  readonly needsSecond: boolean;
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
}

const INSERT = statement((db, $: Given<InsertedDecision>) =>
  db
    .insertInto('decisions')
    .values({
      applicationId: $('applicationId'),
      mode: $('mode'),
      kind: $('kind'),
      paymentId: $('paymentId'),
      refundId: $('refundId'),
      unappliedPaymentId: $('unappliedPaymentId'),
      manualSubmissionId: $('manualSubmissionId'),
      decision: $('decision'),
      reason: $('reason'),
      operatorId: $('operatorId'),
      needsSecond: $('needsSecond'),
      amountMinor: $('amountMinor'),
      currency: $('currency'),
    })
    .returning('id'),
);

/**
 * Stores a decision, or seconds the one that is waiting. A different decision withdraws a waiting one that is not seconded: a single operator can
 * neither move money nor stop the others from deciding. The decision of an operator who may no longer decide is replaced by the next one. The caller
 * has locked the payment, so that decisions are made one after the other.
 * @throws DomainError FORBIDDEN if the same operator would be both, INVALID_OPERATION_STATE if it is decided already
 */
export async function decide(statements: Statements, decision: NewDecision): Promise<StoredDecision> {
  const { kind, paymentId, refundId, unappliedPaymentId, manualSubmissionId = null } = decision;
  const target = { kind, paymentId, refundId, unappliedPaymentId, manualSubmissionId };
  const waiting = await LOCK_WAITING.first(statements, target);
  const lapsed = waiting !== undefined && !isComplete(waiting) && !waiting.stands;
  if (waiting !== undefined && !lapsed && (isComplete(waiting) || waiting.decision === decision.decision)) {
    return second(statements, decision, waiting);
  }
  if (waiting !== undefined) {
    await consumeDecision(statements, waiting.id, lapsed ? 'LAPSED' : 'TAKEN_BACK');
  }
  const { scope, reason, operatorId, amount } = decision;
  const inserted = await INSERT.first(statements, {
    ...target,
    applicationId: scope.applicationId,
    mode: scope.mode,
    decision: decision.decision,
    reason,
    operatorId,
    needsSecond: decision.needsSecond,
    amountMinor: amount?.amountMinor ?? null,
    currency: amount?.currency ?? null,
  });
  if (inserted === undefined) {
    throw new Error('a decision was not stored');
  }
  const replaces = lapsed ? { operatorId: waiting.operatorId, decision: waiting.decision } : null;
  return { id: inserted.id, complete: !decision.needsSecond, replaces };
}

function isComplete(waiting: WaitingDecision): boolean {
  return !waiting.needsSecond || waiting.secondOperatorId !== null;
}

const SECOND = statement((db, $: Given<{ id: bigint; operatorId: bigint }>) =>
  db
    .updateTable('decisions')
    .set({ secondOperatorId: $('operatorId'), secondedAt: now })
    .where('id', '=', $('id')),
);

async function second(
  statements: Statements,
  { operatorId }: NewDecision,
  waiting: WaitingDecision,
): Promise<StoredDecision> {
  if (isComplete(waiting)) {
    throw new DomainError('INVALID_OPERATION_STATE', `this was already decided: ${waiting.decision}`);
  }
  if (waiting.operatorId === operatorId) {
    throw new DomainError('FORBIDDEN', 'a second operator must make the same decision');
  }
  await SECOND.all(statements, { id: waiting.id, operatorId });
  return { id: waiting.id, complete: true, replaces: null };
}
