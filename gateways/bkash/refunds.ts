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
 * Gives back once, in whole or in part: the call takes no key of ours, and a payment has one refund. So a repetition looks first, and
 * counts what it finds as its own only when nobody else can have asked for it. What it does not find may still be made.
 */
export async function refund({ call, limits, elapsedMs }: Refunding, request: RefundRequest): Promise<RefundAnswer> {
  if (request.otherRefunds > 0) {
    return refused('another refund of the payment was asked for, and bKash takes one');
  }
  const deadlineMs = elapsedMs() + limits.totalMs;
  if (request.queriedBefore) {
    const found = await status(call, limits.queryTimeoutMs, request);
    if (found !== null) {
      return isSame(found.answer, request)
        ? { kind: 'accepted', gatewayRefundId: found.answer.refundTrxID, evidence: found.raw }
        : { ...refused('the payment was refunded by another amount'), evidence: found.raw };
    }
    if (request.queriedAgoMs !== null && request.queriedAgoMs < AT_WORK_MS) {
      // Not sent: whoever reads the row later counts from when it was.
      throw new GatewayFailure(
        'unavailable',
        'the gateway may still be at work on this refund, and is not asked again',
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
    throw new GatewayFailure('ambiguous', 'the gateway does not say whether it took the refund');
  }
  if (tellsAmount(answer) && !isSame(answer, request)) {
    throw new GatewayFailure('ambiguous', 'the gateway answered about another refund than the one it was asked for');
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
    // A refund that the gateway does not find is no refund that failed.
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

/** The refund of a payment, or null where it has none. The same address without an amount is the question. */
async function status(call: Call, timeoutMs: number, charge: RefundedCharge): Promise<FoundRefund | null> {
  const { code, body, raw } = await call({ path: PATH, body: chargeOf(charge), totalTimeoutMs: timeoutMs });
  if (NO_REFUND.has(code)) {
    return null;
  }
  const answer = RefundStatusAnswer.parse(body);
  if (code !== SUCCESS || answer.originalTrxID !== charge.gatewayTxnId) {
    throw new GatewayFailure('ambiguous', 'the gateway does not say how the refund stands');
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
