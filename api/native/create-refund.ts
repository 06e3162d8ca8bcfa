import type { Scope } from '../../database/connection.ts';
import { refundView, type RefundView } from '../../domain/refund-view.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { canonicalJson, type JsonValue } from '../http/json-text.ts';
import type { ReplayReply, RouteReply } from '../http/route.ts';
import { makeRefund as makeInCore, type WantedRefund as WantedInCore } from '../../core/refunds/make-refund.ts';
import type { NativeCaller } from './authenticate.ts';
import { readKey } from './idempotency.ts';
import type { CreateRefund } from './schemas.ts';

const OPERATION = 'POST /payments/{id}/refunds';

export interface RefundCreation {
  readonly caller: NativeCaller;
  readonly paymentId: bigint;
  readonly body: CreateRefund;
  readonly rawBody: JsonValue;
  readonly idempotencyKey: string | undefined;
}

/** Starts a refund that the application itself requested. */
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

export interface WantedRefund
  extends Omit<RefundCreation, 'caller'>, Pick<WantedInCore, 'applicationName' | 'creator' | 'note'> {
  readonly scope: Scope;
  /** The operation that the key is scoped to, besides application and mode. */
  readonly operation: string;
}

/** Starts a refund by the native contract's rules and returns its view. */
export async function makeRefund(
  deps: Pick<ApiDependencies, 'database' | 'dispatch' | 'gateways' | 'log'>,
  { body, rawBody, operation, idempotencyKey, ...wanted }: WantedRefund,
): Promise<RouteReply<RefundView> | ReplayReply> {
  const outcome = await makeInCore(deps, {
    ...wanted,
    amountMinor: BigInt(body.amountMinor),
    reason: body.reason ?? null,
    key: readKey({ scope: wanted.scope, operation, given: idempotencyKey }),
    lease: { fingerprint: sha256(`${wanted.paymentId}\n${canonicalJson(rawBody)}`) },
  });
  return outcome.kind === 'replay'
    ? { status: outcome.status, text: outcome.text, headers: { 'Idempotent-Replayed': 'true' } }
    : { status: 201, data: refundView(outcome.made), message: 'Resource created', ...outcome.keep };
}
