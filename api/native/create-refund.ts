import { bindRefund, claimKey, storeAnswer, type KeyName } from '../../database/idempotency.ts';
import type { Scope } from '../../database/connection.ts';
import { readRefund, reserveRefund, type RefundCreator, type RefundRecord } from '../../database/refunds.ts';
import type { Statements } from '../../database/statements.ts';
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

/** An application's own refund. */
export function createRefund(
  deps: ApiDependencies,
  { caller, ...request }: RefundCreation,
): Promise<RouteReply<RefundView> | ReplayReply> {
  const { scope, application } = caller;
  return makeRefund(deps, {
    ...request,
    scope,
    applicationName: application.name,
    operation: OPERATION,
    creator: { type: 'APP' },
  });
}

export interface WantedRefund extends Omit<RefundCreation, 'caller'> {
  readonly scope: Scope;
  readonly applicationName: string;
  /** What the key belongs to, beside application and mode. */
  readonly operation: string;
  readonly creator: RefundCreator;
  /** Written with the refund, or not at all. */
  readonly note?: (statements: Statements, refund: RefundRecord) => Promise<void>;
}

/**
 * Reserves the money and starts the refund. Key, reservation and refund are one transaction; the workflow that carries it out is started
 * after the commit, by the sweeper where that fails.
 */
export async function makeRefund(
  deps: Pick<ApiDependencies, 'database' | 'dispatch' | 'log'>,
  wanted: WantedRefund,
): Promise<RouteReply<RefundView> | ReplayReply> {
  const { scope, operation } = wanted;
  const key = readKey({ scope, operation, given: wanted.idempotencyKey });
  const made = await reserve(deps, wanted, key);
  if ('text' in made) {
    return { status: made.status, text: made.text, headers: { 'Idempotent-Replayed': 'true' } };
  }
  await deps.dispatch.startRefund(refundHandleOf(made, wanted.applicationName)).catch((error: unknown) => {
    deps.log.warn({ refund: made.reference, error: describeError(error) }, 'refund not started; the sweeper will');
  });
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
  deps: Pick<ApiDependencies, 'database'>,
  { scope, creator, note, paymentId, body, rawBody }: WantedRefund,
  key: KeyName | null,
): Promise<RefundRecord | { status: number; text: string }> {
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
      creator,
    });
    if (claim !== null) {
      await bindRefund(statements, claim, reserved.id);
    }
    await note?.(statements, reserved);
    return reserved;
  });
  if (refund !== null) {
    return refund;
  }
  const twin = await findTwin(deps, claim);
  return twin.kind === 'replay' ? twin : findRefund(deps, scope, twin.refundId);
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
