import {
  isOutrun,
  recordAnswer,
  recordUnpaidEnd,
  type AnsweredQuery,
  type AttemptAnswerRecord,
  type ConfirmedQuery,
  type UnpaidEnd,
} from './store/answers.ts';
import { finalizeConfirmed } from './finalize-payment.ts';
import type { AttemptRecord } from './store/attempt-record.ts';
import type { QueriedPayment } from './store/queried-payment.ts';
import { sqlStateOf } from '../../database/connection.ts';
import type { CallbackOutcome } from '../../database/entities/payment.ts';
import { CHOICES_MAX } from './store/gateway-choices.ts';
import type { PaymentRecord } from './store/payments.ts';
import { nextLateQuery } from '../../domain/late-queries.ts';
import { isOpen } from '../../domain/payment.ts';
import { disagreement } from '../../domain/verification.ts';
import {
  GatewayFailure,
  type AttemptAnswer,
  type AttemptHandle,
  type Charge,
  type Gateway,
  type ParsedCallback,
} from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import type { Verdict, VerifyInput } from '../../workflows/messages/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { scopeOf } from '../scope.ts';

/** PostgreSQL: unique_violation. */
const UNIQUE_VIOLATION = '23505';
/** Delay before a charge that does not finalize its payment is looked at again. By then another charge, if there is one, has finalized it. */
const QUERY_AGAIN_AFTER_MS = 5 * 60_000;
/** How long a payer's submission may stay undecided after the payment's expiry before an alert is raised. */
const SUBMISSION_LEFT_AFTER_MS = 72 * 3_600_000;

export interface AttemptQuery {
  readonly deps: CoreDependencies;
  readonly input: VerifyInput;
  readonly queried: QueriedPayment;
  readonly attempt: AttemptRecord;
  /** Whether a payment that the payer has agreed to may be executed. */
  readonly mayExecute: boolean;
}

/** Queries the gateway about one attempt and records its answer. */
export async function verifyAttempt({ deps, input, queried, attempt, mayExecute }: AttemptQuery): Promise<Verdict> {
  const gateway = deps.gateways.open(attempt.gateway, input.mode, attempt);
  if (gateway === undefined) {
    throw new GatewayFailure('unauthorized', 'the store of this payment is not configured');
  }
  const callbacks = queried.callbacks.filter(({ attemptId }) => attemptId === attempt.id);
  const claims = callbacks
    .filter(({ signatureValid }) => signatureValid)
    .map(({ id, rawPayload }) => ({ id, ...gateway.parseCallback(rawPayload) }));
  const handle: AttemptHandle = {
    ...handleOf(attempt),
    claimedValidationId: claims.find(({ claims: claim }) => claim === 'paid')?.claimedValidationId ?? null,
    mayExecute: isOpen(queried.payment.status) && queried.payment.cancelRequestedAt === null && mayExecute,
    ...claimedEndIn(claims),
  };
  const asked = await gateway.queryAttempt(handle);
  const final = input.final || isLeftOpen(gateway, attempt);
  const ends = asked.kind === 'not-started' && endOfAttempt(asked, queried.payment, final) !== null;
  const answer = ends ? await closed(gateway, handle, asked) : asked;
  const answered = (outcome: CallbackOutcome, said: AttemptAnswerRecord | null): AnsweredQuery => ({
    attempt: attempt.reference,
    answer: said,
    outcome,
    newestCallbackId: queried.newestCallbackId,
    unanswered: said?.status === 'CONFIRMED' ? otherCharges(claims, said.validationId) : [],
  });
  const record: RecordAnswer = (outcome, said) =>
    deps.database.withScope(scopeOf(input), (statements) => recordAnswer(statements, answered(outcome, said)), {
      oneTrip: true,
    });
  if (answer.kind === 'charged') {
    return judgeCharge({
      queried,
      attempt,
      charge: answer.charge,
      record,
      finalize: async (said) =>
        input.finalizes === true && isFinalizedAtOnce(deps, input, { ...answered('ACCEPTED', said), answer: said }),
      riskAccepted: input.riskAccepted === true,
    });
  }
  if (answer.kind === 'with-operator') {
    await record('IGNORED', null);
    alertWhenLeft(deps, input, { since: answer.since, now: attempt.readAt });
    return { kind: 'undecided', hopeful: false, withOperator: true };
  }
  const ended = endOfAttempt(answer, queried.payment, final);
  if (ended === null) {
    await record('IGNORED', null);
    return {
      kind: 'undecided',
      hopeful: answer.kind !== 'not-started' || claims.some(({ claims: claim }) => claim === 'paid'),
    };
  }
  const choosesAgain = answer.kind === 'given-up' && mayChooseAgain({ queried, attempt, final });
  const mayHaveBeenCharged = answer.kind === 'not-started' || answer.kind === 'failed';
  const { newestCallbackId } = queried;
  const isWritten = await deps.database.withScope(
    scopeOf(input),
    (statements) =>
      recordUnpaidEnd(statements, {
        attemptId: attempt.id,
        status: ended.status,
        queryAgainAt: mayHaveBeenCharged ? queryAgainOf(attempt, gateway) : null,
        onlyUnexecuted: answer.kind === 'not-started' || answer.kind === 'given-up',
        choosesAgain,
        newestCallbackId,
      }),
    { oneTrip: true },
  );
  if (!isWritten) {
    return { kind: 'undecided', hopeful: true };
  }
  return choosesAgain ? { kind: 'undecided', hopeful: false } : { kind: ended.verdict };
}

/** Returns the newest signed callback saying that the payer returned without paying. Callbacks are sorted newest first. */
function claimedEndIn(claims: readonly ParsedCallback[]): Pick<AttemptHandle, 'claimedEnd'> {
  for (const { claims: kind, claimedValidationId: validationId } of claims) {
    if (kind === 'cancelled' || kind === 'failed') {
      return { claimedEnd: { kind, validationId } };
    }
  }
  return {};
}

interface EndedAttempt {
  readonly queried: QueriedPayment;
  readonly attempt: AttemptRecord;
  readonly final: boolean;
}

/** Reports whether a payer who gave up at one gateway may try another: the application allows several and the payment is still open. */
function mayChooseAgain({ queried: { payment, attempts }, attempt, final }: EndedAttempt): boolean {
  return (
    !attempt.superseded &&
    !final &&
    isOpen(payment.status) &&
    payment.cancelRequestedAt === null &&
    (payment.gatewayChoices ?? []).length > 1 &&
    attempts.length < CHOICES_MAX
  );
}

/** A payer's submission waits for an operator without limit, but operators must be alerted. */
function alertWhenLeft(
  { log }: CoreDependencies,
  { reference, final }: VerifyInput,
  { since, now }: { readonly since: Date; readonly now: Date },
): void {
  if (final && now.getTime() - since.getTime() > SUBMISSION_LEFT_AFTER_MS) {
    log.error(
      { payment: reference, since: since.toISOString(), alert: 'manual-payment-left' },
      'a manual payment has waited for an operator’s decision for more than three days',
    );
  }
}

/**
 * Returns when to query the gateway again about an unpaid end, or null for never. A session that we close may still be paid at the gateway, and a
 * declined one may have been charged by an earlier try whose answer was lost. An attempt whose page was never opened cannot have been paid.
 */
function queryAgainOf({ openedAt, readAt }: AttemptRecord, { capabilities }: Gateway): Date | null {
  return openedAt === null ? null : nextLateQuery(capabilities, { openedAt, queries: 0, now: readAt });
}

/** Returns callbacks of further charges in the same session. They stay open, so that the sweeper has the gateway queried about unapplied money. */
function otherCharges(
  claims: readonly (ParsedCallback & { readonly id: bigint })[],
  confirmed: string | null | undefined,
): bigint[] {
  return claims
    .filter(({ claims: claim, claimedValidationId: id }) => claim === 'paid' && id !== null && id !== confirmed)
    .map(({ id }) => id);
}

/** Records the gateway's answer and closes the callbacks that triggered the query. */
type RecordAnswer = (outcome: CallbackOutcome, said: AttemptAnswerRecord | null) => Promise<void>;

interface ChargeJudgement {
  readonly queried: QueriedPayment;
  readonly attempt: AttemptRecord;
  readonly charge: Charge;
  readonly record: RecordAnswer;
  /** Records a charge that agrees and finalizes the payment. False if only `record` can record it. */
  readonly finalize: (confirmed: AttemptAnswerRecord) => Promise<boolean>;
  readonly riskAccepted: boolean;
}

async function judgeCharge(judgement: ChargeJudgement): Promise<Verdict> {
  const { queried, attempt, charge, record, finalize, riskAccepted } = judgement;
  const { payment } = queried;
  const facts = {
    gatewayTxnId: charge.gatewayTxnId,
    grossMinor: charge.grossMinor,
    feeMinor: charge.feeMinor,
    netText: charge.netText,
    evidence: charge.evidence,
  };
  // A doubtful charge does not claim its validation id, which may belong to another payment. The evidence contains it.
  const doubtful = {
    ...facts,
    grossMinor: charge.grossMinor === 0n ? null : charge.grossMinor,
    // The payment may still be paid by another attempt. Without this, the charge would then never be looked at again.
    queryAgainAt: attempt.superseded ? new Date(attempt.readAt.getTime() + QUERY_AGAIN_AFTER_MS) : null,
  };
  const found = disagreement(
    { attemptReference: attempt.reference, storeId: attempt.storeId, amount: payment },
    charge,
  );
  const reason = found === 'RISK_FLAGGED' && riskAccepted ? null : found;
  if (reason !== null) {
    // The facts are kept for the operator, but the attempt is not confirmed, so the payment cannot be finalized with it.
    await record('MISMATCH', { ...doubtful, status: 'UNKNOWN' });
    return { kind: 'review', reason };
  }
  const confirmed = { ...facts, validationId: charge.validationId, status: 'CONFIRMED' } as const;
  if (await finalize(confirmed)) {
    return { kind: 'charged', isFinalized: true };
  }
  try {
    await record('ACCEPTED', confirmed);
  } catch (error) {
    if (isOutrun(error)) {
      // Another process has confirmed a different charge in the meantime, which finalizes the payment. This charge is found later as unapplied money.
      await record('IGNORED', {
        ...doubtful,
        status: 'UNKNOWN',
        queryAgainAt: new Date(attempt.readAt.getTime() + QUERY_AGAIN_AFTER_MS),
      });
      return { kind: 'charged' };
    }
    if (sqlStateOf(error) === UNIQUE_VIOLATION) {
      await record('MISMATCH', { ...doubtful, status: 'UNKNOWN' });
      return { kind: 'review', reason: 'EVIDENCE_REUSED' };
    }
    throw error;
  }
  return { kind: 'charged' };
}

/**
 * Saves a transaction and a step of the workflow where nothing stands in the way. Any failure is left to the two separate steps: each has its own
 * retries and reports.
 */
async function isFinalizedAtOnce(
  deps: CoreDependencies,
  input: VerifyInput,
  answered: ConfirmedQuery,
): Promise<boolean> {
  try {
    return await finalizeConfirmed(deps, input, answered);
  } catch (error) {
    deps.log.warn(
      { payment: input.reference, error: describeError(error) },
      'the charge could not be recorded and finalized in one transaction; it is recorded first',
    );
    return false;
  }
}

/** Reports whether the payer has left the page and the gateway can close it. It is then closed now, not only when the payment ends. */
function isLeftOpen({ closeSession }: Gateway, { superseded, sessionKey }: AttemptRecord): boolean {
  return superseded && sessionKey !== null && closeSession !== undefined;
}

/**
 * Closes a session that the payer has not started before its attempt ends, if the gateway can do that, because its page could still take money. If the session is not
 * certainly closed, the attempt has not ended.
 */
async function closed(gateway: Gateway, handle: AttemptHandle, notStarted: AttemptAnswer): Promise<AttemptAnswer> {
  if (gateway.closeSession === undefined || (await gateway.closeSession(handle)) === 'closed') {
    return notStarted;
  }
  const answer = await gateway.queryAttempt(handle);
  return answer.kind === 'not-started' ? { kind: 'unknown', note: 'NOT_CLOSED' } : answer;
}

type AttemptEnd = { readonly status: UnpaidEnd['status']; readonly verdict: 'failed' | 'cancelled' | 'expired' };

/**
 * Returns how an attempt without a charge ended, or null if it is still open. A session that the payer has not started ends at the payment's expiry, or when the payer
 * cancels on our page: nothing of theirs can then still go through at the gateway.
 */
function endOfAttempt(
  answer: Exclude<AttemptAnswer, { kind: 'charged' | 'with-operator' }>,
  payment: PaymentRecord,
  final: boolean,
): AttemptEnd | null {
  switch (answer.kind) {
    case 'failed':
      return { status: 'FAILED', verdict: 'failed' };
    case 'cancelled':
      return { status: 'CANCELLED', verdict: 'cancelled' };
    case 'given-up':
      return answer.as === 'failed'
        ? { status: 'FAILED', verdict: 'failed' }
        : { status: 'CANCELLED', verdict: 'cancelled' };
    case 'expired':
      return { status: 'CLOSED', verdict: endWithoutCharge(payment) };
    case 'not-started': {
      const verdict = endWithoutCharge(payment);
      return final || verdict === 'cancelled' ? { status: 'CLOSED', verdict } : null;
    }
    case 'in-progress':
    case 'unknown':
      return null;
  }
}

/** Returns how an unpaid payment ends. A payer's request to cancel on our page takes effect once nothing of theirs is in progress. */
export function endWithoutCharge({ cancelRequestedAt, status }: PaymentRecord): 'cancelled' | 'expired' {
  return cancelRequestedAt !== null && isOpen(status) ? 'cancelled' : 'expired';
}

/** Returns what is needed to query the gateway about an attempt, without any claim from a callback. */
export function handleOf({ reference, sessionKey }: AttemptRecord): AttemptHandle {
  return { attemptReference: reference, sessionKey, claimedValidationId: null, knownValidationIds: [] };
}
