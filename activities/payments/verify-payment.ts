import {
  recordAnswer,
  takeUpQuestion,
  type AttemptAnswerRecord,
  type AttemptRecord,
  type Question,
} from '../../database/attempts.ts';
import { sqlStateOf } from '../../database/connection.ts';
import type { CallbackOutcome } from '../../database/entities/payment.ts';
import type { PaymentRecord } from '../../database/payments.ts';
import { isOpen, type AttemptStatus } from '../../domain/payment.ts';
import { disagreement } from '../../domain/verification.ts';
import {
  GatewayFailure,
  type AttemptAnswer,
  type Charge,
  type Gateway,
  type ParsedCallback,
} from '../../gateways/port.ts';
import type { Verdict, VerifyInput } from '../../workflows/messages/payment.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { scopeOf } from './scope.ts';

/** PostgreSQL: unique_violation. */
const UNIQUE_VIOLATION = '23505';
const ENDED_BY_GATEWAY: ReadonlySet<AttemptStatus> = new Set(['REFUSED', 'FAILED', 'CANCELLED', 'CLOSED']);

/**
 * Asks the gateway about every attempt that may still hold money and writes down what it said. Callbacks are only the reason to ask and a
 * hint where to look. Throws (and is retried) when the gateway cannot be asked; whatever it did not say plainly decides nothing.
 */
export async function verifyPayment(deps: ActivityDependencies, input: VerifyInput): Promise<Verdict> {
  const scope = scopeOf(input);
  const question = await deps.database.inOneTrip(scope, (statements) =>
    takeUpQuestion(statements, BigInt(input.paymentId)),
  );
  if (question.attempts.some(({ status }) => status === 'CONFIRMED')) {
    return { kind: 'charged' };
  }
  const verdicts: Verdict[] = [];
  for (const attempt of question.attempts.filter(({ status }) => !ENDED_BY_GATEWAY.has(status))) {
    const gateway = deps.gateways.open(question.payment.gateway, input.mode, attempt);
    if (gateway === undefined) {
      throw new GatewayFailure('unauthorized', 'the store of this payment is not configured');
    }
    const verdict = await verifyAttempt({ deps, input, question, attempt, gateway });
    if (verdict.kind === 'charged' || verdict.kind === 'review') {
      return verdict;
    }
    verdicts.push(verdict);
  }
  return verdicts.find(({ kind }) => kind === 'undecided') ?? verdicts.at(-1) ?? lastWord(question);
}

/**
 * No attempt is left to ask about: what the last one said, or nothing at all when none was ever written. The worker that heard it may have
 * died before it could tell, so this must be the same word.
 */
function lastWord({ attempts, payment }: Question): Verdict {
  switch (attempts.at(-1)?.status) {
    case 'FAILED':
      return { kind: 'failed' };
    case 'CANCELLED':
      return { kind: 'cancelled' };
    default:
      return { kind: endWithoutCharge(payment) };
  }
}

/** A payer who asked on our page to cancel has his way once nothing of his is under way. */
function endWithoutCharge({ cancelRequestedAt, status }: PaymentRecord): 'cancelled' | 'expired' {
  return cancelRequestedAt !== null && isOpen(status) ? 'cancelled' : 'expired';
}

interface AttemptQuestion {
  readonly deps: ActivityDependencies;
  readonly input: VerifyInput;
  readonly question: Question;
  readonly attempt: AttemptRecord;
  readonly gateway: Gateway;
}

async function verifyAttempt({ deps, input, question, attempt, gateway }: AttemptQuestion): Promise<Verdict> {
  const callbacks = question.callbacks.filter(({ attemptId }) => attemptId === attempt.id);
  const claims = callbacks
    .filter(({ signatureValid }) => signatureValid)
    .map(({ id, rawPayload }) => ({ id, ...gateway.parseCallback(rawPayload) }));
  const answer = await gateway.askAttempt({
    attemptReference: attempt.reference,
    sessionKey: attempt.sessionKey,
    claimedValidationId: claims.find(({ claims: claim }) => claim === 'paid')?.claimedValidationId ?? null,
    knownValidationIds: [],
  });
  const record: RecordAnswer = async (outcome, said) => {
    const { newestCallbackId } = question;
    const unanswered = said?.status === 'CONFIRMED' ? otherCharges(claims, said.validationId) : [];
    await deps.database.inOneTrip(scopeOf(input), (statements) =>
      recordAnswer(statements, { attemptId: attempt.id, answer: said, outcome, newestCallbackId, unanswered }),
    );
  };
  if (answer.kind === 'charged') {
    return judgeCharge({
      question,
      attempt,
      charge: answer.charge,
      record,
      riskAccepted: input.riskAccepted === true,
    });
  }
  const ended = endOfAttempt(answer, question.payment, input.final);
  if (ended === null) {
    await record('IGNORED', null);
    return {
      kind: 'undecided',
      hopeful: answer.kind !== 'untouched' || claims.some(({ claims: claim }) => claim === 'paid'),
    };
  }
  await record('ACCEPTED', { status: ended.status });
  return { kind: ended.verdict };
}

/** Callbacks of further charges in the same session. They stay open, so that the sweeper has the gateway asked about late money. */
function otherCharges(
  claims: readonly (ParsedCallback & { readonly id: bigint })[],
  confirmed: string | null | undefined,
): bigint[] {
  return claims
    .filter(({ claims: claim, claimedValidationId: id }) => claim === 'paid' && id !== null && id !== confirmed)
    .map(({ id }) => id);
}

/** Writes down what the gateway said, and closes the callbacks that were the reason to ask. */
type RecordAnswer = (outcome: CallbackOutcome, said: AttemptAnswerRecord | null) => Promise<void>;

interface ChargeJudgement {
  readonly question: Question;
  readonly attempt: AttemptRecord;
  readonly charge: Charge;
  readonly record: RecordAnswer;
  readonly riskAccepted: boolean;
}

async function judgeCharge({ question, attempt, charge, record, riskAccepted }: ChargeJudgement): Promise<Verdict> {
  const { payment } = question;
  const facts = {
    gatewayTxnId: charge.gatewayTxnId,
    grossMinor: charge.grossMinor,
    feeMinor: charge.feeMinor,
    netText: charge.netText,
    evidence: charge.evidence,
  };
  // A doubtful charge does not claim its validation id, which may be another payment's; the evidence has it.
  const doubtful = { ...facts, grossMinor: charge.grossMinor === 0n ? null : charge.grossMinor };
  const found = disagreement(
    { attemptReference: attempt.reference, storeId: attempt.storeId, amount: payment },
    charge,
  );
  const reason = found === 'RISK_FLAGGED' && riskAccepted ? null : found;
  if (reason !== null) {
    // The facts are kept for the operator, but the attempt is not confirmed: nothing settles on it.
    await record('MISMATCH', { ...doubtful, status: 'UNKNOWN' });
    return { kind: 'review', reason };
  }
  try {
    await record('ACCEPTED', { ...facts, validationId: charge.validationId, status: 'CONFIRMED' });
  } catch (error) {
    if (sqlStateOf(error) === UNIQUE_VIOLATION) {
      await record('MISMATCH', { ...doubtful, status: 'UNKNOWN' });
      return { kind: 'review', reason: 'EVIDENCE_REUSED' };
    }
    throw error;
  }
  return { kind: 'charged' };
}

type AttemptEnd = { readonly status: AttemptStatus; readonly verdict: 'failed' | 'cancelled' | 'expired' };

/**
 * How an attempt without a charge ended, or null while that is open. An untouched session ends at the payment's expiry, or when the payer
 * asked on our page to cancel: the gateway then has nothing of his that could still go through.
 */
function endOfAttempt(
  answer: Exclude<AttemptAnswer, { kind: 'charged' }>,
  payment: PaymentRecord,
  final: boolean,
): AttemptEnd | null {
  switch (answer.kind) {
    case 'failed':
      return { status: 'FAILED', verdict: 'failed' };
    case 'cancelled':
      return { status: 'CANCELLED', verdict: 'cancelled' };
    case 'expired':
      return { status: 'CLOSED', verdict: endWithoutCharge(payment) };
    case 'untouched': {
      const verdict = endWithoutCharge(payment);
      return final || verdict === 'cancelled' ? { status: 'CLOSED', verdict } : null;
    }
    case 'in-progress':
    case 'unknown':
      return null;
  }
}
