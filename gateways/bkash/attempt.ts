import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayFailure, type AttemptAnswer, type AttemptHandle } from '../port.ts';
import { atTime, PaymentAnswer, stateOf, type Standing } from './answers.ts';
import type { Call } from './call.ts';
import {
  CANCELLED_BEFORE,
  DECLINED,
  DUPLICATE,
  EXECUTED_BEFORE,
  PAYMENT_NOT_FOUND,
  SUCCESS,
  TOO_EARLY,
  WRONG_STATE,
} from './codes.ts';
import type { BegunExecution, ExecutionDoubt, ExecutionLeft, Executions } from './executions.ts';
import { AT_WORK_MS, within, type Limits } from './limits.ts';

export interface Asking {
  readonly call: Call;
  readonly executions: Executions;
  readonly limits: Limits;
  /** A monotonic clock, in milliseconds. */
  readonly elapsedMs: () => number;
}

/**
 * Reports the state of an attempt, and executes the payment if the caller allows it. Money moves only when we execute a payment that the payer has
 * agreed to. A payment that was never executed therefore counts as not started, and as given up once its payer has returned without paying (bKash's
 * query has no status for that). The answer to an execution is never final: the query after it decides.
 */
export async function queryAttempt(asking: Asking, attempt: AttemptHandle): Promise<AttemptAnswer> {
  const { sessionKey: paymentId } = attempt;
  if (paymentId === null) {
    return queryWithoutSession(asking, attempt.attemptReference);
  }
  if (attempt.knownValidationIds.includes(paymentId)) {
    // One payment id is one charge, and this one is recorded already.
    return { kind: 'not-started' };
  }
  const deadlineMs = asking.elapsedMs() + asking.limits.totalMs;
  const asked: QueriedPayment = { paymentId, claimedDone: attempt.claimedValidationId === paymentId, deadlineMs };
  const answered = await query(asking, asked);
  if (answered.kind !== 'agreed' && answered.kind !== 'not-started' && answered.kind !== 'expired') {
    return answered;
  }
  // Read after the query, so that an execution that the query did not show yet is known.
  const earlier = await known(() => asking.executions.stateOf(attempt.attemptReference));
  if (earlier.atWork) {
    // An execution is running, so money may be moving whatever the query says.
    return { kind: 'in-progress' };
  }
  const standing = atTime(answered, earlier.readAt);
  if (standing.kind === 'expired') {
    return unlessExecuted('expired', earlier.doubt);
  }
  const { claimedEnd } = attempt;
  const finished = standing.kind === 'agreed' && asked.claimedDone;
  if (claimedEnd?.validationId === paymentId && earlier.doubt === null && !finished) {
    return { kind: 'given-up', as: claimedEnd.kind };
  }
  if (standing.kind === 'not-started' || attempt.mayExecute !== true) {
    return unlessExecuted('not-started', earlier.doubt);
  }
  return earlier.barred
    ? { kind: 'in-progress' }
    : executeAndQuery(asking, { ...asked, readAt: earlier.readAt }, attempt);
}

/**
 * A query cannot prove that an attempt which was executed, or may have been, is unpaid. If the outcome is only in doubt (`lost`), the expiry of the
 * payment id settles it.
 */
function unlessExecuted(kind: 'not-started' | 'expired', doubt: ExecutionDoubt | null): AttemptAnswer {
  if (doubt === 'executed') {
    return NOT_SHOWN;
  }
  return doubt === 'lost' && kind === 'not-started' ? { kind: 'unknown', note: 'EXECUTION_IN_DOUBT' } : { kind };
}

const NOT_SHOWN = { kind: 'unknown', note: 'EXECUTED_BUT_NOT_SHOWN' } as const satisfies AttemptAnswer;

/**
 * Queries an attempt whose session is unknown. It cannot have been paid, because we never had the page's URL; the query still checks our credentials.
 */
async function queryWithoutSession({ call, limits }: Asking, reference: string): Promise<AttemptAnswer> {
  const { code } = await call({
    path: '/payment/status',
    body: { paymentID: reference },
    totalTimeoutMs: limits.queryTimeoutMs,
  });
  return code === PAYMENT_NOT_FOUND ? { kind: 'not-started' } : unanswered(code);
}

interface QueriedPayment {
  readonly paymentId: string;
  readonly claimedDone: boolean;
  readonly deadlineMs: number;
}

async function query({ call, limits, elapsedMs }: Asking, asked: QueriedPayment): Promise<Standing> {
  const { paymentId, claimedDone, deadlineMs } = asked;
  const { code, body, raw } = await call({
    path: '/payment/status',
    body: { paymentID: paymentId },
    totalTimeoutMs: within(limits.queryTimeoutMs, deadlineMs - elapsedMs()),
  });
  if (code === PAYMENT_NOT_FOUND) {
    return { kind: 'unknown', note: 'PAYMENT_NOT_FOUND' };
  }
  return code === SUCCESS ? stateOf(PaymentAnswer.parse(body), raw, { paymentId, claimedDone }) : unanswered(code);
}

/** Any other code means that the query failed, never that nothing was paid. */
function unanswered(code: string): never {
  throw new GatewayFailure('ambiguous', `the gateway answered the query with code ${plainCode(code)}`);
}

async function executeAndQuery(
  asking: Asking,
  asked: QueriedPayment & { readonly readAt: Date },
  { attemptReference }: AttemptHandle,
): Promise<AttemptAnswer> {
  const { paymentId } = asked;
  const begun = await known(() => asking.executions.begin({ attemptReference, paymentId, atWorkMs: AT_WORK_MS }));
  if (begun === null) {
    // Another process was faster: it is executing the payment, or has ended the attempt or the payment.
    return { kind: 'in-progress' };
  }
  const outcome = await execute(asking, asked).catch(async (error: unknown) => {
    await ended(begun, 'plain');
    throw error;
  });
  const left = leftBy(outcome);
  await ended(begun, left);
  const answered = await queryUntilPlain(asking, asked, DECLINED.has(outcome) ? [] : asking.limits.pausesMs);
  // Seconds have passed since `readAt`. A payment id that expired in the meantime is found by the next query.
  const standing = atTime(answered, asked.readAt);
  if (standing.kind === 'agreed') {
    return meaningOf(outcome, begun.doubt !== null);
  }
  if (standing.kind !== 'not-started' && standing.kind !== 'expired') {
    return standing;
  }
  const isDoubt = left === 'lost' || left === 'executed';
  return unlessExecuted(standing.kind, isDoubt ? left : begun.doubt);
}

/** If the write fails, the execution stays begun, and every process treats it as in doubt once its time is over. */
async function ended(begun: BegunExecution, left: ExecutionLeft): Promise<void> {
  await begun.end(left).catch(() => undefined);
}

/** Without the earlier executions Lenden can neither report the state of an attempt nor execute it. */
async function known<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (cause) {
    throw new GatewayFailure('unavailable', 'the executions of the attempt cannot be read', { cause });
  }
}

function leftBy(outcome: string): ExecutionLeft {
  if (outcome === SUCCESS || EXECUTED_BEFORE.has(outcome)) {
    return 'executed';
  }
  return outcome === 'lost' ? 'lost' : outcome === DUPLICATE ? 'barred' : 'plain';
}

/** Returns the code of the answer, or `lost` if the execution may have been carried out. */
async function execute(
  { call, limits, elapsedMs }: Asking,
  { paymentId, deadlineMs }: QueriedPayment,
): Promise<string> {
  try {
    const { code } = await call({
      path: '/execute',
      body: { paymentID: paymentId },
      totalTimeoutMs: within(limits.executeTimeoutMs, deadlineMs - elapsedMs() - limits.queryTimeoutMs / 2),
    });
    return KNOWN.has(code) ? code : 'lost';
  } catch (error) {
    if (error instanceof GatewayFailure && error.kind === 'ambiguous') {
      return 'lost';
    }
    throw error;
  }
}

const KNOWN: ReadonlySet<string> = new Set([
  SUCCESS,
  CANCELLED_BEFORE,
  TOO_EARLY,
  WRONG_STATE,
  DUPLICATE,
  ...EXECUTED_BEFORE,
  ...DECLINED,
]);

async function queryUntilPlain(asking: Asking, asked: QueriedPayment, pausesMs: readonly number[]): Promise<Standing> {
  let standing = await query(asking, asked);
  for (const pauseMs of pausesMs) {
    if (standing.kind !== 'agreed' || asking.elapsedMs() + pauseMs + asking.limits.queryTimeoutMs > asked.deadlineMs) {
      break;
    }
    await sleep(pauseMs);
    standing = await query(asking, asked);
  }
  return standing;
}

/** Interprets the answer to an execution after which the query still shows the payment as not executed. */
function meaningOf(outcome: string, doubtful: boolean): AttemptAnswer {
  if (DECLINED.has(outcome)) {
    // An earlier execution in doubt may have taken the money, so that this one found too little in the wallet.
    return doubtful ? { kind: 'unknown', note: 'DECLINED_AFTER_DOUBT' } : { kind: 'failed' };
  }
  if (EXECUTED_BEFORE.has(outcome)) {
    return NOT_SHOWN;
  }
  switch (outcome) {
    case CANCELLED_BEFORE:
      return { kind: 'cancelled' };
    case WRONG_STATE:
      return { kind: 'unknown', note: 'WRONG_STATE' };
    case DUPLICATE:
      return { kind: 'unknown', note: 'DUPLICATE_TRANSACTION' };
    default:
      return { kind: 'in-progress' };
  }
}

/** Error messages contain only what looks like a code, never the gateway's text. */
function plainCode(code: string): string {
  return /^\d{1,6}$/.test(code) ? code : 'unknown';
}
