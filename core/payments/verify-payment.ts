import type { AttemptRecord } from './store/attempt-record.ts';
import { allowNextSignal, readForQuery, type QueriedPayment } from './store/queried-payment.ts';
import { isOpen, type AttemptStatus } from '../../domain/payment.ts';
import { GatewayFailure } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import type { Verdict, VerifyInput } from '../../workflows/messages/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { scopeOf } from '../scope.ts';
import { endWithoutCharge, handleOf, verifyAttempt, type AttemptQuery } from './verify-attempt.ts';

const ENDED_BY_GATEWAY: ReadonlySet<AttemptStatus> = new Set(['REFUSED', 'FAILED', 'CANCELLED', 'CLOSED']);

/**
 * Queries the gateways about every attempt that may hold money and records their answers. Callbacks only trigger the query and say where to look.
 * Throws, and is retried, if a gateway cannot be queried; an unclear answer decides nothing. The query is the final one only if the payment has
 * expired by the database's time.
 */
export async function verifyPayment(deps: CoreDependencies, input: VerifyInput): Promise<Verdict> {
  const queried = await deps.database.withScope(
    scopeOf(input),
    (statements) => readForQuery(statements, input.reference),
    { oneTrip: true },
  );
  const { status, expiresAt, readAt } = queried.payment;
  const leftMs = isOpen(status) ? expiresAt.getTime() - readAt.getTime() : 0;
  const allowSignal = (): Promise<boolean> =>
    deps.database.withScope(
      scopeOf(input),
      (statements) => allowNextSignal(statements, { ...input, newestCallbackId: queried.newestCallbackId }),
      { oneTrip: true },
    );
  let verdict: Verdict;
  try {
    verdict = await queryAttempts(deps, { ...input, final: input.final && leftMs <= 0 }, queried);
  } catch (error) {
    // If this fails too, callbacks are not signalled for a minute, and the sweeper handles them.
    await allowSignal().catch(() => undefined);
    throw error;
  }
  if (verdict.kind === 'charged' && verdict.isFinalized === true) {
    return verdict;
  }
  const more = await allowSignal();
  if (verdict.kind !== 'undecided') {
    return verdict;
  }
  return {
    ...verdict,
    ...(more ? { more } : {}),
    // The workflow's timer may fire early, since its clock may be ahead of the database's. Only the row's time expires a payment.
    ...(input.final && leftMs > 0 ? { expiresInMs: leftMs } : {}),
  };
}

async function queryAttempts(deps: CoreDependencies, input: VerifyInput, queried: QueriedPayment): Promise<Verdict> {
  if (queried.attempts.some(({ status }) => status === 'CONFIRMED')) {
    return { kind: 'charged' };
  }
  const verdicts: Verdict[] = [];
  const unanswered: Unanswered[] = [];
  /** A charge that disagrees with the order. It decides only if no other attempt has a charge that agrees. */
  let doubtful: Verdict | null = null;
  for (const attempt of queried.attempts.filter((candidate) => isToBeQueried(candidate, queried))) {
    if (attempt.superseded && unanswered.some(({ left }) => isSameStore(left, attempt))) {
      continue;
    }
    const query: AttemptQuery = {
      deps,
      input,
      queried,
      attempt,
      mayExecute: input.executesNothing !== true && !attempt.superseded && doubtful === null,
    };
    const verdict: Verdict | null = await verifyAttempt(query).catch((error: unknown) => {
      if ((!attempt.superseded && doubtful === null) || !(error instanceof GatewayFailure)) {
        throw error;
      }
      // The payer has left this gateway, perhaps because it is down. Its failure must not hide a charge at the next gateway or one in doubt.
      unanswered.push({ left: attempt, error });
      return null;
    });
    if (verdict?.kind === 'charged') {
      await closeOthers(deps, { input, queried, charged: attempt });
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
  return (
    verdicts.find(({ kind }) => kind === 'undecided') ?? verdicts.at(-1) ?? verdictOfLastAttempt(queried, input.final)
  );
}

/**
 * A gateway that did not answer about an attempt that the payer has left. Other such attempts at the same store are skipped, since each would run
 * into the timeout again.
 */
interface Unanswered {
  readonly left: AttemptRecord;
  readonly error: GatewayFailure;
}

function isSameStore(one: AttemptRecord, other: AttemptRecord): boolean {
  return one.gateway === other.gateway && one.storeId === other.storeId;
}

/** An attempt that the payer has left does not end the payment, but keeps it open while the payer may be paying there. */
function decides(verdict: Verdict, { superseded }: AttemptRecord): boolean {
  return !superseded || (verdict.kind === 'undecided' && (verdict.hopeful || verdict.withOperator === true));
}

/**
 * Closes the pages that the payer of a paid payment has open at other gateways, if they can be closed, so that they do not pay twice. Money that
 * arrives through a page that could not be closed is unapplied.
 */
async function closeOthers(
  deps: CoreDependencies,
  { input, queried, charged }: { input: VerifyInput; queried: QueriedPayment; charged: AttemptRecord },
): Promise<void> {
  const others = queried.attempts.filter(({ id, status }) => id !== charged.id && !ENDED_BY_GATEWAY.has(status));
  for (const other of others.filter(({ sessionKey }) => sessionKey !== null)) {
    try {
      await deps.gateways.open(other.gateway, input.mode, other)?.closeSession?.(handleOf(other));
    } catch (error) {
      deps.log.warn(
        { payment: input.reference, gateway: other.gateway, error: describeError(error) },
        'another open checkout of a paid payment could not be closed',
      );
    }
  }
}

/** An attempt that the gateway has ended is not queried again, unless a callback arrives about a page that the payer had left. */
function isToBeQueried({ id, status, superseded }: AttemptRecord, { callbacks }: QueriedPayment): boolean {
  return !ENDED_BY_GATEWAY.has(status) || (superseded && callbacks.some(({ attemptId }) => attemptId === id));
}

/**
 * Returns the verdict if no attempt is left to query: that of the last attempt, or the payment's expiry or cancellation if there was none. A worker
 * may have died after recording the last answer and before returning it, so the verdict must be the same as then.
 */
function verdictOfLastAttempt({ attempts, payment }: QueriedPayment, final: boolean): Verdict {
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
