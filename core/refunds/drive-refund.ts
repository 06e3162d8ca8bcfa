import type { Scope } from '../../database/connection.ts';
import { sealedSecretOf } from '../gateways/store/stores.ts';
import { isAnotherRefund, recordAcceptance, recordRequest, recordEvidence, undoRequest } from './store/refund-steps.ts';
import { MissingRow } from '../../database/missing-row.ts';
import { readRefundedCharge, type RefundedChargeRecord } from './store/refunded-charge.ts';
import { readRefundByReference, type RefundRecord } from './store/refunds.ts';
import type { Statements } from '../../database/statements.ts';
import { isFinalRefund } from '../../domain/refund.ts';
import {
  GatewayFailure,
  type Gateway,
  type GatewayFailureKind,
  type RefundAnswer as GatewayAnswer,
} from '../../gateways/port.ts';
import type { RefundAnswer, RefundWorkflowInput } from '../../workflows/messages/refund.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { scopeOf } from '../scope.ts';

/** The payer's bank may show it, so it never contains the reason that an operator wrote. */
const REMARKS = 'Refund';

/** Failures after which the gateway has certainly not started the refund. */
const NOT_EXECUTED: ReadonlySet<GatewayFailureKind> = new Set(['unavailable', 'rate-limited', 'unauthorized']);

/**
 * Requests a refund from the gateway, or queries one that it has accepted. The idempotency key is the refund's reference, the same over every retry.
 * Once an answer was lost, the row records it, and a later refusal needs an operator's confirmation, since the money may already be on its way.
 */
export async function driveRefund(deps: CoreDependencies, input: RefundWorkflowInput): Promise<RefundAnswer> {
  const scope = scopeOf(input);
  const { reference } = input;
  const write: Write = (work) => deps.database.withScope(scope, work, { oneTrip: true });
  const { refund, charge, gateway } = await readAtGateway(deps, scope, reference);
  if (isFinalRefund(refund.status)) {
    return { kind: 'ended', status: refund.status };
  }
  if (gateway === undefined) {
    throw new GatewayFailure('unauthorized', 'the store of this refund is not configured');
  }
  if (refund.gatewayRefundId !== null) {
    const { gatewayTxnId } = refund;
    const answer = await gateway.queryRefund(refund.gatewayRefundId, {
      gatewayTxnId,
      validationId: charge.validationId,
    });
    await keepEvidence(write, reference, answer);
    return conclusion(answer, { doubtful: false });
  }
  const requested = await deps.database.withScope(scope, (statements) => recordRequest(statements, reference), {
    oneTrip: true,
  });
  if (requested === null) {
    throw new Error('the refund must not be carried out');
  }
  const { queriedAt: lastQueriedAt, readAt } = refund;
  const queriedAgoMs = lastQueriedAt === null ? null : readAt.getTime() - lastQueriedAt.getTime();
  const answer = await request(gateway, { refund: requested, charge, queriedAgoMs }).catch(async (error: unknown) => {
    if (error instanceof GatewayFailure && NOT_EXECUTED.has(error.kind)) {
      await write((statements) => undoRequest(statements, { reference, lastQueriedAt }));
    }
    throw error;
  });
  if ((await keepAnswer(write, reference, answer)) === 'another refund') {
    return { kind: 'unclear', reason: 'REFUSED_AFTER_DOUBT' };
  }
  return conclusion(answer, { doubtful: requested.doubtful || requested.acceptedAt !== null });
}

/** Opens the store of the charge. Another store does not know the charge, so its refusal would prove nothing. */
/** Returns a refund with its charge and the gateway at which it was made, opened with its store. */
export async function readAtGateway(
  { database, gateways }: Pick<CoreDependencies, 'database' | 'gateways'>,
  scope: Scope,
  reference: string,
): Promise<{ refund: RefundRecord; charge: RefundedChargeRecord; gateway: Gateway | undefined }> {
  const { refund, charge, sealedSecret } = await database.withScope(scope, async (statements) => {
    const found = await readRefundByReference(statements, scope, reference);
    if (found === null) {
      throw new MissingRow('refund', reference);
    }
    return {
      refund: found,
      charge: await readRefundedCharge(statements, found.id),
      sealedSecret: await sealedSecretOf(statements, scope, found),
    };
  });
  return {
    refund,
    charge,
    gateway: gateways.open(refund.gateway, refund.mode, { storeId: refund.storeId, sealedSecret }),
  };
}

interface QueriedRefund {
  readonly refund: RefundRecord;
  readonly charge: RefundedChargeRecord;
  readonly queriedAgoMs: number | null;
}

function request(gateway: Gateway, { refund, charge, queriedAgoMs }: QueriedRefund): Promise<GatewayAnswer> {
  const { gatewayTxnId, reference, amountMinor, currency } = refund;
  return gateway.refund({
    ...charge,
    gatewayTxnId,
    refundReference: reference,
    amount: { amountMinor, currency },
    remarks: REMARKS,
    queriedBefore: refund.doubtful || refund.acceptedAt !== null,
    queriedAgoMs,
  });
}

type Write = (work: (statements: Statements) => Promise<void>) => Promise<void>;

/**
 * Stores an accepted answer. A gateway may answer with a refund already in progress that belongs to another row of ours, whose end would then be
 * posted twice. In that case this refund keeps no id, and an operator finds out whether it moved any money.
 */
async function keepAnswer(write: Write, reference: string, answer: GatewayAnswer): Promise<'kept' | 'another refund'> {
  if (answer.kind !== 'accepted' && answer.kind !== 'processing') {
    await keepEvidence(write, reference, answer);
    return 'kept';
  }
  const { gatewayRefundId, evidence } = answer;
  try {
    await write((statements) => recordAcceptance(statements, { reference, gatewayRefundId, evidence }));
    return 'kept';
  } catch (error) {
    if (!isAnotherRefund(error)) {
      throw error;
    }
    await keepEvidence(write, reference, answer);
    return 'another refund';
  }
}

async function keepEvidence(write: Write, reference: string, answer: GatewayAnswer): Promise<void> {
  if ('evidence' in answer) {
    await write((statements) => recordEvidence(statements, reference, answer.evidence));
  }
}

/** Only a clear answer ends a refund. A doubtful one goes to an operator, and an unfinished one is queried again. */
function conclusion(answer: GatewayAnswer, { doubtful }: { readonly doubtful: boolean }): RefundAnswer {
  switch (answer.kind) {
    case 'refunded':
      return { kind: 'refunded' };
    case 'refused':
      return doubtful
        ? { kind: 'unclear', reason: 'REFUSED_AFTER_DOUBT' }
        : { kind: 'failed', code: 'GATEWAY_REFUSED_REFUND' };
    case 'cancelled':
      return { kind: 'unclear', reason: 'GATEWAY_CANCELLED' };
    case 'by-hand':
      return { kind: 'unclear', reason: 'PAID_BACK_BY_HAND' };
    case 'accepted':
    case 'processing':
    case 'unknown':
      return { kind: 'waiting' };
  }
}
