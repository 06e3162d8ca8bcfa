import { isCurrency } from '../../domain/currency.ts';
import { minorFromDecimalText, toDecimalText } from '../../domain/money.ts';
import { GatewayFailure, type RefundAnswer, type RefundedCharge, type RefundRequest } from '../port.ts';
import { RefundStatusAnswer } from './answers.ts';
import type { Call } from './call.ts';
import { NO_REFUND, REFUSES_REFUND, SUCCESS } from './codes.ts';
import { AT_WORK_MS, within, type Limits } from './limits.ts';

const PATH = '/payment/refund';

export interface Refunding {
  readonly call: Call;
  readonly limits: Limits;
  readonly elapsedMs: () => number;
}

/**
 * Refunds a payment, in full or in part. bKash takes no idempotency key and allows one refund per payment. A retry therefore queries first, and
 * accepts a refund that it finds only if no other refund could have made it. If it finds none, the earlier request may still be in progress, so
 * it is repeated only after {@link AT_WORK_MS}.
 */
export async function refund({ call, limits, elapsedMs }: Refunding, request: RefundRequest): Promise<RefundAnswer> {
  if (request.otherRefunds > 0) {
    return refused('another refund of the payment was already requested, and bKash allows one');
  }
  const deadlineMs = elapsedMs() + limits.totalMs;
  if (request.queriedBefore) {
    const found = await status(call, limits.queryTimeoutMs, request);
    if (found !== null) {
      return isSame(found.answer, request)
        ? { kind: 'accepted', gatewayRefundId: found.answer.refundTrxID, evidence: found.raw }
        : { ...refused('the payment was refunded with a different amount'), evidence: found.raw };
    }
    if (request.queriedAgoMs !== null && request.queriedAgoMs < AT_WORK_MS) {
      // `unavailable` means that nothing was sent, so later retries count their wait from the request that was.
      throw new GatewayFailure(
        'unavailable',
        'the gateway may still be processing this refund, so it is not requested again',
      );
    }
  }
  const { code, body, raw } = await call({
    path: PATH,
    body: {
      ...chargeOf(request),
      amount: toDecimalText(request.amount),
      sku: request.refundReference,
      reason: request.remarks,
    },
    totalTimeoutMs: within(limits.executeTimeoutMs, deadlineMs - elapsedMs()),
  });
  if (REFUSES_REFUND.has(code)) {
    return { kind: 'refused', gatewayText: `code ${code}`, evidence: raw };
  }
  const answer = RefundStatusAnswer.parse(body);
  if (code !== SUCCESS || answer.refundTrxID === '' || answer.originalTrxID !== request.gatewayTxnId) {
    throw new GatewayFailure('ambiguous', 'the gateway does not report whether it accepted the refund');
  }
  if (tellsAmount(answer) && !isSame(answer, request)) {
    throw new GatewayFailure('ambiguous', 'the gateway answered for a different refund than the one queried');
  }
  return { kind: 'accepted', gatewayRefundId: answer.refundTrxID, evidence: raw };
}

export async function queryRefund(
  call: Call,
  timeoutMs: number,
  { gatewayRefundId, charge }: { readonly gatewayRefundId: string; readonly charge: RefundedCharge },
): Promise<RefundAnswer> {
  const found = await status(call, timeoutMs, charge);
  if (found?.answer.refundTrxID !== gatewayRefundId) {
    // A refund that the gateway does not find has not necessarily failed.
    return { kind: 'unknown', note: 'REFUND_NOT_FOUND' };
  }
  const { answer, raw: evidence } = found;
  switch (answer.transactionStatus.toLowerCase()) {
    case 'completed':
      return { kind: 'refunded', evidence };
    case 'initiated':
    case 'pending':
    case 'processing':
      return { kind: 'processing', gatewayRefundId, evidence };
    default:
      return { kind: 'unknown', note: 'UNKNOWN_STATUS' };
  }
}

interface FoundRefund {
  readonly answer: ReturnType<typeof RefundStatusAnswer.parse>;
  readonly raw: string;
}

/** Returns the refund of a payment, or null if there is none. The refund path without an amount is bKash's refund query. */
async function status(call: Call, timeoutMs: number, charge: RefundedCharge): Promise<FoundRefund | null> {
  const { code, body, raw } = await call({ path: PATH, body: chargeOf(charge), totalTimeoutMs: timeoutMs });
  if (NO_REFUND.has(code)) {
    return null;
  }
  const answer = RefundStatusAnswer.parse(body);
  if (code !== SUCCESS || answer.originalTrxID !== charge.gatewayTxnId) {
    throw new GatewayFailure('ambiguous', 'the gateway does not report the state of the refund');
  }
  return answer.refundTrxID === '' ? null : { answer, raw };
}

function chargeOf({ validationId, gatewayTxnId }: RefundedCharge) {
  return { paymentID: validationId, trxID: gatewayTxnId };
}

function tellsAmount({ amount, currency }: FoundRefund['answer']): boolean {
  return amount !== '' || currency !== '';
}

function isSame({ amount, currency }: FoundRefund['answer'], { amount: asked }: RefundRequest): boolean {
  return (
    currency === asked.currency &&
    isCurrency(currency) &&
    minorFromDecimalText(amount, currency, 'exact') === asked.amountMinor
  );
}

function refused(gatewayText: string): Extract<RefundAnswer, { kind: 'refused' }> {
  return { kind: 'refused', gatewayText, evidence: '' };
}
