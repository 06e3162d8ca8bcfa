import { nextLateQuery } from '../../domain/late-queries.ts';
import { isOpen } from '../../domain/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import {
  readSweptAttempts,
  recordLateQuery,
  takeHeldMoney,
  takeLateAttempts,
  type LateAttempt,
  type SweptAttempt,
} from './due.ts';

/** No callback has this id: the workflow queries the gateway about the attempt itself. */
const NO_CALLBACK = 0n;

/**
 * Queries again about attempts at gateways without notifications that were closed unpaid, or were open when their payment ended. A query that could
 * not be made does not count and is repeated later.
 */
export function dueLateQueries(deps: CoreDependencies): Sweep<LateAttempt> {
  return {
    due: (em) => takeLateAttempts(em, BATCH_MAX),
    drive: (late) => queryLate(deps, late),
  };
}

function queryLate(deps: CoreDependencies, late: LateAttempt): Promise<boolean> {
  const { payment, attemptReference } = late;
  return attempt(deps, { payment: payment.handle.reference, what: 'late gateway query not started' }, async () => {
    // While the payment is open, its own workflow queries the gateway. The late query runs at its postponed time.
    if (isOpen(payment.status)) {
      return;
    }
    await deps.dispatch.startUnappliedPayment(payment.handle, { attemptReference, callbackId: NO_CALLBACK });
    const queries = late.queries + 1;
    const nextAt = nextQueryAt(deps, late, queries);
    await deps.database.withSystem((em) => recordLateQuery(em, { attemptReference, queries, nextAt }));
  });
}

function nextQueryAt(
  { gateways }: CoreDependencies,
  { gateway, openedAt, readAt }: LateAttempt,
  queries: number,
): Date | null {
  const capabilities = gateways.capabilities(gateway);
  return capabilities === undefined || openedAt === null
    ? null
    : nextLateQuery(capabilities, { openedAt, queries, now: readAt });
}

/**
 * Starts a workflow for held money that has none: starting it after the overpayment was posted failed, or the notification that its refund failed was
 * lost. Without it the money would appear only in the operators' list.
 */
export function dueHeldMoney(deps: CoreDependencies): Sweep<SweptAttempt> {
  return {
    due: (em) => takeHeldMoney(em, BATCH_MAX),
    drive: (held) => startUnapplied(deps, held, 'unapplied payment not checked'),
  };
}

/** Resumes workflows that look for unapplied money, of which no row may exist yet. */
export async function resumeEndedUnapplied(
  deps: CoreDependencies,
  attemptReferences: readonly string[],
): Promise<number> {
  if (attemptReferences.length === 0) {
    return 0;
  }
  const attempts = await deps.database.withSystem((em) => readSweptAttempts(em, attemptReferences));
  for (const ended of attempts) {
    await startUnapplied(deps, ended, 'unapplied payment not resumed');
  }
  return attempts.length;
}

function startUnapplied(
  deps: CoreDependencies,
  { payment, attemptReference }: SweptAttempt,
  what: string,
): Promise<boolean> {
  return attempt(deps, { payment: payment.handle.reference, what }, () =>
    deps.dispatch.startUnappliedPayment(payment.handle, { attemptReference, callbackId: NO_CALLBACK }),
  );
}
