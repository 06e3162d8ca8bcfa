import type { EntityManager, Scope } from '../../../database/connection.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { REFUND, type RefundRecord } from '../../refunds/store/refunds.ts';

/** The owner of a payment in the operator's view. */
export interface FoundPayment {
  readonly scope: Scope;
  readonly applicationName: string;
}

const PAYMENT_IN_VIEW = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('payments as p')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(['p.applicationId', 'p.mode', 'a.name as applicationName'])
    .where('p.id', '=', $('id')),
);

/** Returns null if the operator's view has no such payment. */
export async function locatePayment(em: EntityManager, paymentId: bigint): Promise<FoundPayment | null> {
  return foundOf(await PAYMENT_IN_VIEW.first(em, { id: paymentId }));
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

const UNAPPLIED_PAYMENT_IN_VIEW = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('unapplied_payments as l')
    .innerJoin('applications as a', 'a.id', 'l.applicationId')
    .innerJoin('payment_attempts as t', 't.id', 'l.attemptId')
    .select([
      'l.applicationId',
      'l.mode',
      'a.name as applicationName',
      'l.paymentId',
      't.reference as attemptReference',
    ])
    .where('l.id', '=', $('id')),
);

/** Returns null if the operator's view has no such unapplied payment. */
export async function locateUnappliedPayment(
  em: EntityManager,
  unappliedPaymentId: bigint,
): Promise<FoundUnappliedPayment | null> {
  return foundOf(await UNAPPLIED_PAYMENT_IN_VIEW.first(em, { id: unappliedPaymentId }));
}

export interface FoundSubmission extends FoundPayment {
  readonly paymentId: bigint;
  readonly attemptId: bigint;
}

const SUBMISSION_IN_VIEW = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('manual_submissions as s')
    .innerJoin('applications as a', 'a.id', 's.applicationId')
    .select(['s.applicationId', 's.mode', 'a.name as applicationName', 's.paymentId', 's.attemptId'])
    .where('s.id', '=', $('id')),
);

/** Returns null if the operator's view has no such submission. */
export async function locateSubmission(em: EntityManager, submissionId: bigint): Promise<FoundSubmission | null> {
  return foundOf(await SUBMISSION_IN_VIEW.first(em, { id: submissionId }));
}

/** Members of a row that name its owner become its scope. */
function foundOf<Row extends Scope>(row: Row | undefined): (Omit<Row, keyof Scope> & { readonly scope: Scope }) | null {
  if (row === undefined) {
    return null;
  }
  const { applicationId, mode, ...found } = row;
  return { ...found, scope: { applicationId, mode } };
}
