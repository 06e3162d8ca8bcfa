import { sqlStateOf } from '../../database/connection.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { isOpen } from '../../domain/payment.ts';
import { decidedNotice } from '../../gateways/manual/callback.ts';
import { MANUAL_CAPABILITIES } from '../../gateways/manual/gateway.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { awaitOutcome } from '../decisions/await-outcome.ts';
import { takeOperatorDecision } from '../decisions/operator-decision.ts';
import type { StoredDecision } from '../decisions/store/decisions.ts';
import { consumeDecision } from '../decisions/store/taken-decisions.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { passOn } from '../gateway-callbacks/pass-on.ts';
import { keepCallback, type KeptCallback } from '../gateway-callbacks/store/keep.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { locateSubmission, type FoundSubmission } from '../operators/store/money.ts';
import { readSubmissionDetail, type SubmissionDetail } from './store/submission-list.ts';
import { lockSubmission, recordConfirmation, type SubmissionToDecide } from './store/decided-submissions.ts';

const { name: GATEWAY } = MANUAL_CAPABILITIES;
/** PostgreSQL: unique_violation. */
const UNIQUE_VIOLATION = '23505';

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'log'>;

export interface SubmissionRuling {
  readonly submissionId: bigint;
  readonly decision: 'confirm' | 'reject';
  readonly reason: string;
}

/**
 * Confirms or rejects what a payer has submitted. A complete decision is stored with a record in place of a gateway callback, so that the sweeper acts
 * on it even if this process dies.
 * @throws DomainError INVALID_OPERATION_STATE when there is nothing left to decide, or the transaction has confirmed another payment; the errors of
 * `takeOperatorDecision`
 */
export async function confirmOrReject(
  deps: Dependencies,
  caller: ActingOperator,
  { submissionId, decision: word, reason }: SubmissionRuling,
): Promise<SubmissionDetail> {
  const { decision } = await takeOperatorDecision(deps, caller, {
    what: 'manual payment',
    locate: (em) => locateSubmission(em, submissionId),
    lock: (statements, { paymentId }: FoundSubmission) => lockUndecided(statements, { paymentId, submissionId }),
    rule: ({ paymentId, amount, paymentStatus }) => ({
      kind: 'manual',
      paymentId,
      manualSubmissionId: submissionId,
      decision: word === 'confirm' ? 'accept' : 'reject',
      reason,
      weight: { amount },
      audit: {
        action: `manual-payment.${word}`,
        target: { type: 'manual-payment', id: submissionId },
        before: { status: paymentStatus },
      },
    }),
    write: (statements, { found, target: submission, decision: stored }) =>
      writeDecided(statements, { found, submission, submissionId, word, decision: stored }),
    signal: ({ found: { scope }, outcome: kept }) =>
      kept?.signal === true
        ? { about: { payment: kept.payment.reference }, send: () => passOn(deps, kept, { scope, gateway: GATEWAY }) }
        : null,
  });
  return awaitOutcome(
    deps.dispatch,
    () => findSubmissionDetail(deps, caller, submissionId),
    ({ paymentStatus }) => !decision.complete || word === 'reject' || !isOpen(paymentStatus),
  );
}

type Locked = SubmissionToDecide & { readonly paymentId: bigint };

async function lockUndecided(
  statements: Statements,
  { paymentId, submissionId }: { readonly paymentId: bigint; readonly submissionId: bigint },
): Promise<Locked> {
  const submission = await lockSubmission(statements, { paymentId, submissionId });
  if (submission === null) {
    throw notFound('manual payment');
  }
  const { decided, corrected } = submission;
  if (decided !== null) {
    throw new DomainError('INVALID_OPERATION_STATE', `this was already decided: ${decided}`);
  }
  if (corrected) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the payer has since corrected the transaction number');
  }
  return { ...submission, paymentId };
}

interface DecidedSubmission {
  readonly found: FoundSubmission;
  readonly submission: Locked;
  readonly submissionId: bigint;
  readonly word: SubmissionRuling['decision'];
  readonly decision: StoredDecision;
}

async function writeDecided(
  statements: Statements,
  { found: { scope, attemptId, paymentId }, submission, submissionId, word, decision }: DecidedSubmission,
): Promise<KeptCallback> {
  await consumeDecision(statements, decision.id, word === 'confirm' ? 'CONFIRMED' : 'REJECTED');
  if (word === 'confirm') {
    await confirm(statements, { submissionId, decisionId: decision.id });
  }
  const { attemptReference, normalized } = submission;
  const rawPayload = decidedNotice({
    attemptReference,
    validationId: normalized,
    decisionId: decision.id.toString(),
    decided: word === 'confirm' ? 'confirmed' : 'rejected',
  });
  return keepCallback(
    statements,
    {
      gateway: GATEWAY,
      mode: scope.mode,
      kind: 'ipn',
      reference: attemptReference,
      signatureValid: true,
      note: null,
      claimsNoMoney: false,
      rawPayload,
      digest: sha256(rawPayload),
    },
    { scope, attemptId, paymentId },
  );
}

async function confirm(...args: Parameters<typeof recordConfirmation>): Promise<void> {
  try {
    await recordConfirmation(...args);
  } catch (error) {
    if (sqlStateOf(error) === UNIQUE_VIOLATION) {
      throw new DomainError(
        'INVALID_OPERATION_STATE',
        'this transaction has already confirmed another payment to this account',
      );
    }
    throw error;
  }
}

async function findSubmissionDetail(
  { database }: Dependencies,
  { view }: ActingOperator,
  id: bigint,
): Promise<SubmissionDetail> {
  const row = await database.withOperator(view, (em) => readSubmissionDetail(em, id));
  if (row === null) {
    throw notFound('manual payment');
  }
  return row;
}
