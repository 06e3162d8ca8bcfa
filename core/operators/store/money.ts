import type { Mode } from '../../../domain/mode.ts';
import type { EntityManager, Scope } from '../../../database/connection.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { REFUND, type RefundRecord } from '../../refunds/store/refunds.ts';

/** The owner of a payment in the operator's view. */
export interface FoundPayment {
  readonly scope: Scope;
  readonly applicationName: string;
}

interface OwnerRow {
  application_id: string;
  mode: Mode;
  application_name: string;
}

/** Returns null if the operator's view has no such payment. */
export async function locatePayment(em: EntityManager, paymentId: bigint): Promise<FoundPayment | null> {
  const [row] = await em.execute<OwnerRow[]>(
    `select p.application_id, p.mode, a.name as application_name from payments p join applications a on a.id = p.application_id where p.id = ?`,
    [paymentId],
  );
  return row === undefined ? null : foundOf(row);
}

export interface FoundRefund extends FoundPayment {
  readonly refund: RefundRecord;
}

const REFUND_IN_VIEW = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('refunds as r')
    .innerJoin('applications as a', 'a.id', 'r.applicationId')
    .select(REFUND)
    .select('a.name as applicationName')
    .where('r.id', '=', $('id')),
);

/** Returns null if the operator's view has no such refund. */
export async function locateRefund(em: EntityManager, refundId: bigint): Promise<FoundRefund | null> {
  const found = await REFUND_IN_VIEW.first(em, { id: refundId });
  if (found === undefined) {
    return null;
  }
  const { applicationName, ...refund } = found;
  return { scope: { applicationId: refund.applicationId, mode: refund.mode }, applicationName, refund };
}

export interface FoundUnappliedPayment extends FoundPayment {
  readonly paymentId: bigint;
  readonly attemptReference: string;
}

/** Returns null if the operator's view has no such unapplied payment. */
export async function locateUnappliedPayment(
  em: EntityManager,
  unappliedPaymentId: bigint,
): Promise<FoundUnappliedPayment | null> {
  const [row] = await em.execute<(OwnerRow & { payment_id: string; reference: string })[]>(
    `select l.application_id, l.mode, a.name as application_name, l.payment_id, t.reference
     from unapplied_payments l join applications a on a.id = l.application_id join payment_attempts t on t.id = l.attempt_id where l.id = ?`,
    [unappliedPaymentId],
  );
  return row === undefined
    ? null
    : { ...foundOf(row), paymentId: BigInt(row.payment_id), attemptReference: row.reference };
}

export interface FoundSubmission extends FoundPayment {
  readonly paymentId: bigint;
  readonly attemptId: bigint;
}

/** Returns null if the operator's view has no such submission. */
export async function locateSubmission(em: EntityManager, submissionId: bigint): Promise<FoundSubmission | null> {
  const [row] = await em.execute<(OwnerRow & { payment_id: string; attempt_id: string })[]>(
    `select s.application_id, s.mode, a.name as application_name, s.payment_id, s.attempt_id
     from manual_submissions s join applications a on a.id = s.application_id where s.id = ?`,
    [submissionId],
  );
  return row === undefined
    ? null
    : { ...foundOf(row), paymentId: BigInt(row.payment_id), attemptId: BigInt(row.attempt_id) };
}

function foundOf({ application_id: applicationId, mode, application_name: applicationName }: OwnerRow): FoundPayment {
  return { scope: { applicationId: BigInt(applicationId), mode }, applicationName };
}
