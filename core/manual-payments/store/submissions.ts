import type { Money } from '../../../domain/money.ts';
import type { PaymentStatus } from '../../../domain/payment.ts';
import type { Database } from '../../../database/connection.ts';
import { findAttempt } from '../../gateway-callbacks/store/found-attempt.ts';
import type { Statements } from '../../../database/statements.ts';

const GATEWAY = 'manual';

/** Payers may mistype. This stops programs that submit forever. */
export const SUBMISSIONS_MAX = 20;

/** The condition for a decision that needs no second operator or has one. */
const COMPLETE = '(not needs_second or second_operator_id is not null)';

export interface NewSubmission {
  readonly paymentId: bigint;
  readonly transaction: string;
  readonly normalized: string;
  readonly sender: string | null;
}

export type SubmissionOutcome =
  | 'submitted'
  /** Nothing can be submitted: the payment has ended or expired, is being paid elsewhere, is under review, or operators have started to decide. */
  | 'closed'
  | 'too-often';

interface SubmittingRow {
  open: boolean;
  attempt_id: string | null;
  submissions: number;
  newest: {
    transaction: string;
    sender: string | null;
    decision: { word: 'accept' | 'reject'; complete: boolean } | null;
  } | null;
}

/**
 * Records what a payer submits about their transaction. Nothing follows from it until operators decide. The payment is locked, so that a correction
 * and a decision run one after the other. Must be called in a transaction.
 */
export async function submitTransaction(statements: Statements, said: NewSubmission): Promise<SubmissionOutcome> {
  const { paymentId, transaction, normalized, sender } = said;
  await statements.execute('select 1 from payments where id = ? for update', [paymentId]);
  const [row] = await statements.execute<SubmittingRow[]>(
    `select p.status = 'PENDING' and p.review_reason is null and p.cancel_requested_at is null
         and p.expires_at > lenden_now(p.clock_offset) as open,
       t.id as attempt_id,
       (select count(*)::integer from manual_submissions where attempt_id = t.id) as submissions,
       (select to_json(n) from (select s.transaction, s.sender, (select to_json(w) from (select decision as word, ${COMPLETE} as complete from decisions
           where manual_submission_id = s.id and (consumed_at is null or ${COMPLETE}) order by id desc limit 1) w) as decision
         from manual_submissions s where s.attempt_id = t.id order by s.id desc limit 1) n) as newest
     from payments p left join payment_attempts t on t.payment_id = p.id and t.gateway = '${GATEWAY}' and t.status = 'OPEN'
       and t.superseded_at is null where p.id = ?`,
    [paymentId],
  );
  if (row === undefined || row.attempt_id === null || !row.open) {
    return 'closed';
  }
  const { newest } = row;
  const decision = newest?.decision ?? null;
  if (decision !== null && !(decision.complete && decision.word === 'reject')) {
    return 'closed';
  }
  if (newest !== null && decision === null && newest.transaction === transaction && newest.sender === sender) {
    return 'submitted';
  }
  if (row.submissions >= SUBMISSIONS_MAX) {
    return 'too-often';
  }
  await statements.execute(
    `insert into manual_submissions (application_id, mode, payment_id, attempt_id, store_application_id, transaction, normalized, sender)
     select application_id, mode, payment_id, id, lenden_store_owner(application_id, mode, gateway, store_id), ?, ?, ?
     from payment_attempts where id = ?::bigint`,
    [transaction, normalized, sender, row.attempt_id],
  );
  return 'submitted';
}

export interface ShownSubmission {
  readonly transaction: string;
  readonly submittedAt: Date;
  /** Null while the operators' decision is missing or incomplete. */
  readonly decided: 'accept' | 'reject' | null;
  /** Whether an operator has started to decide, so that no correction is possible. */
  readonly begun: boolean;
  /** The operator's reason for a rejection. */
  readonly reason: string | null;
}

export interface ManualAttempt {
  readonly reference: string;
  readonly storeId: string;
  readonly sealedSecret: string | null;
  readonly submission: ShownSubmission | null;
}

interface ManualAttemptRow {
  reference: string;
  store_id: string;
  store_secret: string | null;
  transaction: string | null;
  submitted_at: string;
  decided: 'accept' | 'reject' | null;
  begun: boolean;
  reason: string | null;
}

/** Returns the state of a payer's manual payment, or null if they are not paying by hand. */
export async function readManualAttempt(statements: Statements, paymentId: bigint): Promise<ManualAttempt | null> {
  const [row] = await statements.execute<ManualAttemptRow[]>(
    `select t.reference, t.store_id, lenden_store_secret(t.application_id, t.mode, t.gateway, t.store_id) as store_secret,
       s.transaction, s.created_at as submitted_at, d.decision as decided, d.reason,
       exists(select 1 from decisions w where w.manual_submission_id = s.id and w.consumed_at is null) as begun
     from payment_attempts t
     left join manual_submissions s on s.id = (select max(id) from manual_submissions where attempt_id = t.id)
     left join decisions d on d.id = (select max(id) from decisions where manual_submission_id = s.id and ${COMPLETE})
     where t.payment_id = ? and t.gateway = '${GATEWAY}' and t.status = 'OPEN' and t.superseded_at is null`,
    [paymentId],
  );
  if (row === undefined) {
    return null;
  }
  const { reference, store_id: storeId, store_secret: sealedSecret, transaction } = row;
  const { decided, begun, reason } = row;
  return {
    reference,
    storeId,
    sealedSecret,
    submission:
      transaction === null ? null : { transaction, submittedAt: new Date(row.submitted_at), decided, begun, reason },
  };
}

export interface SubmissionToDecide {
  readonly attemptId: bigint;
  readonly attemptReference: string;
  readonly storeId: string;
  readonly transaction: string;
  readonly normalized: string;
  readonly paymentStatus: PaymentStatus;
  readonly amount: Money;
  /** Whether the payer has made another submission since. */
  readonly corrected: boolean;
  readonly decided: 'accept' | 'reject' | null;
}

interface ToDecideRow {
  attempt_id: string;
  attempt_reference: string;
  store_id: string;
  transaction: string;
  normalized: string;
  payment_status: PaymentStatus;
  amount_minor: string;
  currency: string;
  corrected: boolean;
  decided: 'accept' | 'reject' | null;
}

/** Returns a submission with everything that a decision on it depends on, or null. Locks its payment until the end of the transaction. */
export async function lockSubmission(
  statements: Statements,
  { paymentId, submissionId }: { readonly paymentId: bigint; readonly submissionId: bigint },
): Promise<SubmissionToDecide | null> {
  await statements.execute('select 1 from payments where id = ? for update', [paymentId]);
  const [row] = await statements.execute<ToDecideRow[]>(
    `select s.attempt_id, t.reference as attempt_reference, t.store_id, s.transaction, s.normalized, p.status as payment_status,
       p.amount_minor, p.currency, exists(select 1 from manual_submissions n where n.attempt_id = s.attempt_id and n.id > s.id) as corrected,
       (select decision from decisions where manual_submission_id = s.id and ${COMPLETE}) as decided
     from manual_submissions s join payments p on p.id = s.payment_id join payment_attempts t on t.id = s.attempt_id where s.id = ?`,
    [submissionId],
  );
  return row === undefined
    ? null
    : {
        attemptId: BigInt(row.attempt_id),
        attemptReference: row.attempt_reference,
        storeId: row.store_id,
        transaction: row.transaction,
        normalized: row.normalized,
        paymentStatus: row.payment_status,
        amount: { amountMinor: BigInt(row.amount_minor), currency: row.currency },
        corrected: row.corrected,
        decided: row.decided,
      };
}

/** @throws a unique violation (23505) if the same transaction into the same account has already confirmed a payment */
export async function recordConfirmation(
  statements: Statements,
  { submissionId, decisionId }: { readonly submissionId: bigint; readonly decisionId: bigint },
): Promise<void> {
  await statements.execute(
    `insert into manual_confirmations (application_id, mode, store_application_id, store_id, normalized, submission_id, decision_id)
     select s.application_id, s.mode, s.store_application_id, t.store_id, s.normalized, s.id, ?::bigint
     from manual_submissions s join payment_attempts t on t.id = s.attempt_id where s.id = ?`,
    [decisionId, submissionId],
  );
}

interface BookRow {
  amount_minor: string;
  currency: string;
  submission_id: string | null;
  transaction: string;
  normalized: string;
  submitted_at: string;
  decision_id: string | null;
  decision: 'accept' | 'reject';
  operator_id: string;
  second_operator_id: string | null;
}

interface RecordedDecision {
  readonly id: string;
  readonly word: 'accept' | 'reject';
  readonly operatorIds: readonly string[];
}

interface RecordedSubmission {
  readonly id: string;
  readonly transaction: string;
  readonly normalized: string;
  readonly submittedAt: Date;
  readonly decision: RecordedDecision | null;
}

export interface Booked {
  readonly amount: Money;
  readonly submission: RecordedSubmission | null;
}

/** Returns what the manual gateway reads instead of querying a remote one: the submission for an attempt and the decision on it. */
export function manualBook(database: Database): (attemptReference: string) => Promise<Booked | null> {
  return async (attemptReference) => {
    const found = await findAttempt(database, GATEWAY, attemptReference);
    if (found === null) {
      return null;
    }
    const [row] = await database.inOneTrip(found.scope, (statements) =>
      statements.execute<BookRow[]>(
        `select p.amount_minor, p.currency, s.id as submission_id, s.transaction, s.normalized, s.created_at as submitted_at,
           d.id as decision_id, d.decision, d.operator_id, d.second_operator_id
         from payment_attempts t join payments p on p.id = t.payment_id
         left join manual_submissions s on s.id = (select max(id) from manual_submissions where attempt_id = t.id)
         left join decisions d on d.id = (select max(id) from decisions where manual_submission_id = s.id and ${COMPLETE})
         where t.id = ?`,
        [found.attemptId],
      ),
    );
    return row === undefined
      ? null
      : { amount: { amountMinor: BigInt(row.amount_minor), currency: row.currency }, submission: submissionOf(row) };
  };
}

function submissionOf(row: BookRow): RecordedSubmission | null {
  const { submission_id: id, decision_id: decisionId, decision: word, transaction, normalized } = row;
  if (id === null) {
    return null;
  }
  const operatorIds = [row.operator_id, row.second_operator_id].filter((operatorId) => operatorId !== null);
  const decision = decisionId === null ? null : { id: decisionId, word, operatorIds };
  return { id, transaction, normalized, submittedAt: new Date(row.submitted_at), decision };
}
