import { bindRefund, claimKey, storeAnswer, type KeyName } from '../../database/idempotency.ts';
import { readRefund, reserveRefund, type RefundRecord } from '../../database/refunds.ts';
import { notFound } from '../../domain/errors.ts';
import { refundReference } from '../../domain/references.ts';
import { refundView, type RefundView } from '../../domain/refund-view.ts';
import { describeError } from '../../runtime/logger.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { refundHandleOf } from '../../temporal/dispatch.ts';
import { canonicalJson, type JsonValue } from '../http/json-text.ts';
import type { ReplayReply, RouteReply } from '../http/route.ts';
import type { NativeCaller } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { claimOf, findTwin, readKey } from './idempotency.ts';
import type { CreateRefund } from './schemas.ts';

const OPERATION = 'POST /payments/{id}/refunds';
/** Reserving is one short transaction: whoever has not answered by then is gone. */
const LEASE_SECONDS = 10;

export interface RefundCreation {
  readonly caller: NativeCaller;
  readonly paymentId: bigint;
  readonly body: CreateRefund;
  readonly rawBody: JsonValue;
  readonly idempotencyKey: string | undefined;
}

/**
 * Reserves the money and starts the refund. Key, reservation and refund are one transaction; the workflow that carries it out is started
 * after the commit, by the sweeper where that fails.
 */
export async function createRefund(
  deps: ApiDependencies,
  request: RefundCreation,
): Promise<RouteReply<RefundView> | ReplayReply> {
  const { scope } = request.caller;
  const key = readKey({ scope, operation: OPERATION, given: request.idempotencyKey });
  const made = await reserve(deps, request, key);
  if ('text' in made) {
    return { status: made.status, text: made.text, headers: { 'Idempotent-Replayed': 'true' } };
  }
  await start(deps, request, made);
  return {
    status: 201,
    data: refundView(made),
    message: 'Resource created',
    ...(key === null
      ? {}
      : {
          onSerialized: (text: string) =>
            deps.database.inOneTrip(scope, (statements) => storeAnswer(statements, key, { status: 201, text })),
        }),
  };
}

async function reserve(
  deps: ApiDependencies,
  { caller, paymentId, body, rawBody }: RefundCreation,
  key: KeyName | null,
): Promise<RefundRecord | { status: number; text: string }> {
  const { scope } = caller;
  const fingerprint = sha256(`${paymentId}\n${canonicalJson(rawBody)}`);
  const claim = claimOf(key, { fingerprint, leaseSeconds: LEASE_SECONDS });
  const refund = await deps.database.inTransaction(scope, async (statements) => {
    if (claim !== null && !(await claimKey(statements, claim))) {
      return null;
    }
    const reserved = await reserveRefund(statements, {
      scope,
      paymentId,
      reference: refundReference(),
      amountMinor: BigInt(body.amountMinor),
      reason: body.reason ?? null,
      creator: { type: 'APP' },
    });
    if (claim !== null) {
      await bindRefund(statements, claim, reserved.id);
    }
    return reserved;
  });
  if (refund !== null) {
    return refund;
  }
  const twin = await findTwin(deps, claim);
  return twin.kind === 'replay' ? twin : findRefund(deps, caller.scope, twin.refundId);
}

async function start(deps: ApiDependencies, { caller }: RefundCreation, refund: RefundRecord): Promise<void> {
  await deps.dispatch.startRefund(refundHandleOf(refund, caller.application.name)).catch((error: unknown) => {
    deps.log.warn({ refund: refund.reference, error: describeError(error) }, 'refund not started; the sweeper will');
  });
}

/** Another app's, the other mode's and an absent refund look the same. Throws RESOURCE_NOT_FOUND. */
export async function findRefund(
  { database }: Pick<ApiDependencies, 'database'>,
  scope: NativeCaller['scope'],
  id: bigint | null,
): Promise<RefundRecord> {
  const refund =
    id === null ? null : await database.inOneTrip(scope, (statements) => readRefund(statements, scope, id));
  if (refund === null) {
    throw notFound('refund');
  }
  return refund;
}
