import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayFailure, type AttemptAnswer, type AttemptHandle } from '../port.ts';
import { PaymentAnswer, standingOf, type Standing } from './answers.ts';
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
import type { ExecutionDoubt, Executions } from './executions.ts';
import { within, type Limits } from './limits.ts';

export interface Asking {
  readonly call: Call;
  readonly executions: Executions;
  readonly limits: Limits;
  readonly nowMs: () => number;
}

/**
 * How an attempt stands. Money moves only by our execution of a payment that the payer has agreed to, so a payment that is not executed
 * here is as good as untouched: the gateway can take nothing by itself. What an execution answers is never the last word; the query is.
 */
export async function askAttempt(asking: Asking, attempt: AttemptHandle): Promise<AttemptAnswer> {
  const { sessionKey: paymentId } = attempt;
  if (paymentId === null) {
    return askWithoutSession(asking, attempt.attemptReference);
  }
  if (attempt.knownValidationIds.includes(paymentId)) {
    // One payment id is one charge, and that one is known.
    return { kind: 'untouched' };
  }
  const deadlineMs = asking.nowMs() + asking.limits.totalMs;
  const asked: AskedPayment = { paymentId, claimedDone: attempt.claimedValidationId === paymentId, deadlineMs };
  const standing = await query(asking, asked);
  if (standing.kind !== 'agreed') {
    return standing;
  }
  const earlier = asking.executions.standOf(paymentId);
  if (earlier === 'at-work') {
    // Whatever has become of the payment meanwhile, this money may be moving.
    return { kind: 'in-progress' };
  }
  if (attempt.mayExecute !== true) {
    return earlier === 'carried-out' ? NOT_SHOWN : { kind: 'untouched' };
  }
  return earlier === 'never' ? { kind: 'in-progress' } : executeAndAsk(asking, asked, earlier !== 'none');
}

const NOT_SHOWN = { kind: 'unknown', note: 'EXECUTED_BUT_NOT_SHOWN' } as const satisfies AttemptAnswer;

/** Nobody can have paid by a page that we never had the address of; the question shows whether the gateway takes our credentials. */
async function askWithoutSession({ call, limits }: Asking, reference: string): Promise<AttemptAnswer> {
  const { code } = await call({
    path: '/payment/status',
    body: { paymentID: reference },
    totalTimeoutMs: limits.queryTimeoutMs,
  });
  return code === PAYMENT_NOT_FOUND ? { kind: 'untouched' } : unanswered(code);
}

interface AskedPayment {
  readonly paymentId: string;
  readonly claimedDone: boolean;
  readonly deadlineMs: number;
}

async function query({ call, limits, nowMs }: Asking, asked: AskedPayment): Promise<Standing> {
  const { paymentId, claimedDone, deadlineMs } = asked;
  const { code, body, raw } = await call({
    path: '/payment/status',
    body: { paymentID: paymentId },
    totalTimeoutMs: within(limits.queryTimeoutMs, deadlineMs - nowMs()),
  });
  if (code === PAYMENT_NOT_FOUND) {
    return { kind: 'unknown', note: 'PAYMENT_NOT_FOUND' };
  }
  return code === SUCCESS
    ? standingOf(PaymentAnswer.parse(body), raw, { paymentId, claimedDone, nowMs: nowMs() })
    : unanswered(code);
}

/** Any other code says that the question was not answered, never that nothing was paid. */
function unanswered(code: string): never {
  throw new GatewayFailure('ambiguous', `the gateway answered the question with the code ${plainCode(code)}`);
}

async function executeAndAsk(asking: Asking, asked: AskedPayment, doubtful: boolean): Promise<AttemptAnswer> {
  const { executions } = asking;
  const { paymentId } = asked;
  executions.begin(paymentId);
  const outcome = await execute(asking, asked).catch((error: unknown) => {
    executions.end(paymentId, 'plain');
    throw error;
  });
  executions.end(paymentId, leftBy(outcome));
  const standing = await queryUntilPlain(asking, asked, DECLINED.has(outcome) ? [] : asking.limits.pausesMs);
  if (standing.kind === 'charged') {
    executions.forget(paymentId);
  }
  return standing.kind === 'agreed' ? meaningOf(outcome, doubtful) : standing;
}

function leftBy(outcome: string): ExecutionDoubt | 'plain' {
  if (outcome === SUCCESS || EXECUTED_BEFORE.has(outcome)) {
    return 'carried-out';
  }
  return outcome === 'lost' ? 'lost' : outcome === DUPLICATE ? 'never' : 'plain';
}

/** The code of the answer, or `lost`: it may have been carried out. */
async function execute({ call, limits, nowMs }: Asking, { paymentId, deadlineMs }: AskedPayment): Promise<string> {
  try {
    const { code } = await call({
      path: '/execute',
      body: { paymentID: paymentId },
      totalTimeoutMs: within(limits.executeTimeoutMs, deadlineMs - nowMs() - limits.queryTimeoutMs / 2),
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

async function queryUntilPlain(asking: Asking, asked: AskedPayment, pausesMs: readonly number[]): Promise<Standing> {
  let standing = await query(asking, asked);
  for (const pauseMs of pausesMs) {
    if (standing.kind !== 'agreed' || asking.nowMs() + pauseMs + asking.limits.queryTimeoutMs > asked.deadlineMs) {
      break;
    }
    await sleep(pauseMs);
    standing = await query(asking, asked);
  }
  return standing;
}

/** What an execution means whose payment still stands as if there had been none. */
function meaningOf(outcome: string, doubtful: boolean): AttemptAnswer {
  if (DECLINED.has(outcome)) {
    // After an execution that may have been carried out it may be that one which emptied the wallet.
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

/** Into an error's message go only what a code can look like. */
function plainCode(code: string): string {
  return /^\d{1,6}$/.test(code) ? code : 'unknown';
}
