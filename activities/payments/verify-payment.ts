import { takeUpQuestion, type AttemptRecord, type Question } from '../../database/attempts.ts';
import { isOpen, type AttemptStatus } from '../../domain/payment.ts';
import { GatewayFailure } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import type { Verdict, VerifyInput } from '../../workflows/messages/payment.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { scopeOf } from './scope.ts';
import { endWithoutCharge, handleOf, verifyAttempt, type AttemptQuestion } from './verify-attempt.ts';

const ENDED_BY_GATEWAY: ReadonlySet<AttemptStatus> = new Set(['REFUSED', 'FAILED', 'CANCELLED', 'CLOSED']);

/**
 * Asks the gateway about every attempt that may still hold money and writes down what it said. Callbacks are only the reason to ask and a
 * hint where to look. Throws (and is retried) when the gateway cannot be asked; whatever it did not say plainly decides nothing. A question is the
 * last one only where the row has expired, by the database's time.
 */
export async function verifyPayment(deps: ActivityDependencies, input: VerifyInput): Promise<Verdict> {
  const question = await deps.database.inOneTrip(scopeOf(input), (statements) =>
    takeUpQuestion(statements, input.reference),
  );
  const { status, expiresAt, readAt } = question.payment;
  const leftMs = isOpen(status) ? expiresAt.getTime() - readAt.getTime() : 0;
  const verdict = await ask(deps, { ...input, final: input.final && leftMs <= 0 }, question);
  // Timers only wake: the workflow's clock may be ahead of the row's, by which alone a payment expires.
  return verdict.kind === 'undecided' && input.final && leftMs > 0 ? { ...verdict, expiresInMs: leftMs } : verdict;
}

async function ask(deps: ActivityDependencies, input: VerifyInput, question: Question): Promise<Verdict> {
  if (question.attempts.some(({ status }) => status === 'CONFIRMED')) {
    return { kind: 'charged' };
  }
  const verdicts: Verdict[] = [];
  const unanswered: Unanswered[] = [];
  /** Of an attempt that the payer has left: its charge is none of this order, and decides only when no other one is. */
  let doubtful: Verdict | null = null;
  for (const attempt of question.attempts.filter((candidate) => isToBeQueried(candidate, question))) {
    if (attempt.superseded && unanswered.some(({ left }) => isSameStore(left, attempt))) {
      continue;
    }
    const asking: AttemptQuestion = {
      deps,
      input,
      question,
      attempt,
      mayExecute: !attempt.superseded && doubtful === null,
    };
    const verdict: Verdict | null = await verifyAttempt(asking).catch((error: unknown) => {
      if ((!attempt.superseded && doubtful === null) || !(error instanceof GatewayFailure)) {
        throw error;
      }
      // A gateway that is away, and that the payer has left for this reason, does not hide what he has paid at the next one, nor a charge in doubt.
      unanswered.push({ left: attempt, error });
      return null;
    });
    if (verdict?.kind === 'charged') {
      await closeOthers(deps, { input, question, charged: attempt });
      return verdict;
    }
    if (verdict?.kind === 'review') {
      doubtful ??= verdict;
    } else if (verdict !== null && decides(verdict, attempt)) {
      verdicts.push(verdict);
    }
  }
  if (doubtful !== null) {
    return doubtful;
  }
  const [failure] = unanswered;
  if (failure !== undefined) {
    throw failure.error;
  }
  return verdicts.find(({ kind }) => kind === 'undecided') ?? verdicts.at(-1) ?? lastWord(question, input.final);
}

/** A gateway that did not answer about an attempt that the payer has left; asked about another one it would take its time again. */
interface Unanswered {
  readonly left: AttemptRecord;
  readonly error: GatewayFailure;
}

function isSameStore(one: AttemptRecord, other: AttemptRecord): boolean {
  return one.gateway === other.gateway && one.storeId === other.storeId;
}

/** What the payer has left behind ends nothing; but whoever is paying there is waited for. */
function decides(verdict: Verdict, { superseded }: AttemptRecord): boolean {
  return !superseded || (verdict.kind === 'undecided' && (verdict.hopeful || verdict.withOperator === true));
}

/**
 * The payment is paid: pages that its payer has open at other gateways are closed where that can be, so that he does not pay a second time.
 * Money that comes by one that could not be closed is unapplied money.
 */
async function closeOthers(
  deps: ActivityDependencies,
  { input, question, charged }: { input: VerifyInput; question: Question; charged: AttemptRecord },
): Promise<void> {
  const others = question.attempts.filter(({ id, status }) => id !== charged.id && !ENDED_BY_GATEWAY.has(status));
  for (const other of others.filter(({ sessionKey }) => sessionKey !== null)) {
    try {
      await deps.gateways.open(other.gateway, input.mode, other)?.closeSession?.(handleOf(other));
    } catch (error) {
      deps.log.warn(
        { payment: input.reference, gateway: other.gateway, error: describeError(error) },
        'a page of a paid payment could not be closed',
      );
    }
  }
}

/** What the gateway has ended is asked about no more, unless it has something to say about a page that the payer had left. */
function isToBeQueried({ id, status, superseded }: AttemptRecord, { callbacks }: Question): boolean {
  return !ENDED_BY_GATEWAY.has(status) || (superseded && callbacks.some(({ attemptId }) => attemptId === id));
}

/**
 * No attempt is left to ask about: what the last one said, or nothing at all when none was ever written. The worker that heard it may have
 * died before it could tell, so this must be the same word.
 */
function lastWord({ attempts, payment }: Question, final: boolean): Verdict {
  const last = attempts.at(-1);
  const status = last?.superseded === true ? undefined : last?.status;
  switch (status) {
    case 'FAILED':
      return { kind: 'failed' };
    case 'CANCELLED':
      return { kind: 'cancelled' };
    default: {
      const kind = endWithoutCharge(payment);
      const mayStillChoose = Array.isArray(payment.gatewayChoices) && kind === 'expired' && !final;
      return mayStillChoose ? { kind: 'undecided', hopeful: false } : { kind };
    }
  }
}
