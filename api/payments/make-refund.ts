import type { Scope } from '../../database/connection.ts';
import { bindKey, claimKey, type KeyName } from '../../database/idempotency.ts';
import {
  isRefundReferenceTaken,
  readRefund,
  reserveRefund,
  type RefundCreator,
  type RefundRecord,
} from '../../database/refunds.ts';
import type { Statements } from '../../database/statements.ts';
import { notFound } from '../../domain/errors.ts';
import { refundReference } from '../../domain/references.ts';
import { refundBoundsIn } from '../../gateways/refund-bounds.ts';
import { describeError } from '../../runtime/logger.ts';
import { refundHandleOf } from '../../temporal/dispatch.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { claimOf, findDuplicate, keepingAnswer, type Lease, type Outcome } from './idempotency.ts';

/** Reserving is one short transaction: whoever has not answered by then is gone. */
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
  /** Makes the reference that the contract documents; ours unless told. */
  readonly reference?: () => string;
  /** The merchant's own. */
  readonly merchantReference?: string | null;
  /** Of the answer that is kept; 201 unless told. */
  readonly answerStatus?: number;
  /** Written with the refund, or not at all. */
  readonly note?: ((statements: Statements, refund: RefundRecord) => Promise<void>) | undefined;
}

type Dependencies = Pick<ApiDependencies, 'database' | 'dispatch' | 'gateways' | 'log'>;

/**
 * Reserves the money and starts the refund. Key, reservation and refund are one transaction; the workflow that carries it out is started
 * after the commit, by the sweeper where that fails.
 * @throws DomainError what `reserveRefund` refuses, what the key's duplicate is told
 */
export async function makeRefund(deps: Dependencies, wanted: WantedRefund): Promise<Outcome<RefundRecord>> {
  const { key, answerStatus } = wanted;
  const made = await reserve(deps, wanted);
  if ('text' in made) {
    return { kind: 'replay', ...made };
  }
  await deps.dispatch.startRefund(refundHandleOf(made, wanted.applicationName)).catch((error: unknown) => {
    deps.log.warn({ refund: made.reference, error: describeError(error) }, 'refund not started; the sweeper will');
  });
  return { kind: 'made', made, ...(key === null ? {} : { keep: keepingAnswer(deps, key, answerStatus) }) };
}

/** Of short references one may be taken; that five in a row are is no accident. */
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
  const reserved = await deps.database.inTransaction(scope, async (statements) => {
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

/** Another app's, the other mode's and an absent refund look the same. Throws RESOURCE_NOT_FOUND. */
export async function findRefund(
  { database }: Pick<ApiDependencies, 'database'>,
  scope: Scope,
  id: bigint | null,
): Promise<RefundRecord> {
  const refund =
    id === null ? null : await database.inOneTrip(scope, (statements) => readRefund(statements, scope, id));
  if (refund === null) {
    throw notFound('refund');
  }
  return refund;
}
