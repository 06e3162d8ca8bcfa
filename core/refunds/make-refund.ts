import type { Scope } from '../../database/connection.ts';
import { bindKey, claimKey, type KeyName } from '../idempotency/store.ts';
import { isRefundReferenceTaken, reserveRefund, type RefundCreator } from './store/new-refunds.ts';
import { readRefund, type RefundRecord } from './store/refunds.ts';
import type { Statements } from '../../database/statements.ts';
import { notFound } from '../../domain/errors.ts';
import { refundReference } from '../../domain/references.ts';
import { refundBoundsIn } from '../../gateways/refund-bounds.ts';
import { describeError } from '../../runtime/logger.ts';
import { refundHandleOf } from '../dispatch.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { claimOf, findDuplicate, keepingAnswer, type Lease, type Outcome } from '../idempotency/idempotency.ts';

/** Reserving is one short transaction: a caller that has not answered by then has died. */
const LEASE_SECONDS = 10;

export interface WantedRefund {
  readonly scope: Scope;
  readonly applicationName: string;
  readonly paymentId: bigint;
  /** Null: all that is left. */
  readonly amountMinor: bigint | null;
  readonly reason: string | null;
  readonly creator: RefundCreator;
  readonly key: KeyName | null;
  readonly lease: Omit<Lease, 'leaseSeconds'>;
  /** Returns a new reference in the contract's format; ours by default. */
  readonly reference?: () => string;
  /** The merchant's own reference. */
  readonly merchantReference?: string | null;
  /** The status of the stored response; 201 by default. */
  readonly answerStatus?: number;
  /** Runs in the refund's transaction. */
  readonly note?: ((statements: Statements, refund: RefundRecord) => Promise<void>) | undefined;
}

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'gateways' | 'log'>;

/**
 * Reserves the amount and starts the refund. Key, reservation and refund are stored in one transaction. The workflow starts after the commit; if that
 * fails, the sweeper starts it.
 * @throws DomainError the errors of `reserveRefund` and of a duplicate request
 */
export async function makeRefund(deps: Dependencies, wanted: WantedRefund): Promise<Outcome<RefundRecord>> {
  const { key, answerStatus } = wanted;
  const made = await reserve(deps, wanted);
  if ('text' in made) {
    return { kind: 'replay', ...made };
  }
  await deps.dispatch.startRefund(refundHandleOf(made, wanted.applicationName)).catch((error: unknown) => {
    deps.log.warn({ refund: made.reference, error: describeError(error) }, 'refund not started; the sweeper retries');
  });
  return { kind: 'made', made, ...(key === null ? {} : { keep: keepingAnswer(deps, key, answerStatus) }) };
}

/** A short reference may be taken. Five in a row are no coincidence. */
const REFERENCES_TRIED_MAX = 5;

async function reserve(
  deps: Dependencies,
  wanted: WantedRefund,
): Promise<RefundRecord | { status: number; text: string }> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await reserveOnce(deps, wanted);
    } catch (error) {
      if (tried >= REFERENCES_TRIED_MAX || !isRefundReferenceTaken(error)) {
        throw error;
      }
    }
  }
}

async function reserveOnce(
  deps: Dependencies,
  {
    scope,
    key,
    lease,
    note,
    applicationName: _name,
    answerStatus: _status,
    reference = refundReference,
    ...refund
  }: WantedRefund,
): Promise<RefundRecord | { status: number; text: string }> {
  const boundsOf = refundBoundsIn(deps.gateways);
  const claim = claimOf(key, { ...lease, leaseSeconds: LEASE_SECONDS });
  const reserved = await deps.database.withScope(scope, async (statements) => {
    if (claim !== null && !(await claimKey(statements, claim))) {
      return null;
    }
    const made = await reserveRefund(statements, { scope, ...refund, boundsOf, reference: reference() });
    if (claim !== null) {
      await bindKey(statements, claim, { refundId: made.id });
    }
    await note?.(statements, made);
    return made;
  });
  if (reserved !== null) {
    return reserved;
  }
  const duplicate = await findDuplicate(deps, claim);
  return duplicate.kind === 'replay' ? duplicate : findRefund(deps, scope, duplicate.made.refundId);
}

/** Returns a refund of the caller. Refunds of another app, of the other mode and absent ones look the same. Throws RESOURCE_NOT_FOUND. */
export async function findRefund(
  { database }: Pick<CoreDependencies, 'database'>,
  scope: Scope,
  id: bigint | null,
): Promise<RefundRecord> {
  const refund =
    id === null
      ? null
      : await database.withScope(scope, (statements) => readRefund(statements, scope, id), { oneTrip: true });
  if (refund === null) {
    throw notFound('refund');
  }
  return refund;
}
