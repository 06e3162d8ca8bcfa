import type { Answer } from './answers.ts';
import { recordRefund } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { dhakaDateTime, newRefundRefId } from './identifiers.ts';
import { formatAmount, parseAmount } from './money.ts';
import type { Refund, Session } from './state.ts';

type RefundRequest = { session: Session; bankTranId: string; transId: string; amount: string; remarks: string };

type RefusedRefund = { bankTranId: string; tranId: string };

function refusedOf({ bankTranId, session }: RefundRequest): RefusedRefund {
  return { bankTranId, tranId: session.tranId };
}

/** Accepts a refund once for each `refund_trans_id`. A repeated request gets the answer that the refund is already being processed. */
export function requestRefund(gateway: Gateway, request: RefundRequest): Answer {
  const amount = parseAmount(request.amount);
  if (amount === undefined || amount === 0n) {
    return refundRefusal(refusedOf(request), 'Invalid refund amount');
  }
  const earlier = findEarlier(gateway, request, formatAmount(amount));
  if (earlier) {
    return sameRefund(earlier, request, formatAmount(amount))
      ? accepted(request.session, earlier, 'processing')
      : refundRefusal(refusedOf(request), 'The refund_trans_id was used for another refund');
  }
  if (amount > refundableOf(gateway, request.session)) {
    return refundRefusal(refusedOf(request), 'Refund amount exceeds the refundable amount');
  }
  const refund = makeRefund(gateway, request, formatAmount(amount));
  gateway.record({ type: 'refund', refund });
  recordRefund(gateway, refund);
  return accepted(request.session, refund, 'success');
}

/** Returns the answer to a rejected refund; `tranId` is the payment's, '' if there is none. */
export function refundRefusal({ bankTranId, tranId }: RefusedRefund, reason: string): Answer {
  return {
    APIConnect: 'DONE',
    bank_tran_id: bankTranId,
    trans_id: tranId,
    refund_ref_id: '',
    status: 'failed',
    errorReason: reason,
  };
}

/** Returns a refund's current status. In this answer the payment's transaction is called tran_id, not trans_id. */
export function refundStatus(gateway: Gateway, refund: Refund): Answer {
  const session = gateway.state.sessions.get(refund.sessionKey);
  return {
    APIConnect: 'DONE',
    bank_tran_id: refund.bankTranId,
    tran_id: session?.tranId ?? '',
    refund_ref_id: refund.refId,
    initiated_on: dhakaDateTime(refund.acceptedAt),
    refunded_on: refund.endedAt !== undefined && refund.ends === 'refunded' ? dhakaDateTime(refund.endedAt) : '',
    status: refund.endedAt === undefined ? 'processing' : refund.ends,
    errorReason: refund.endedAt === undefined || refund.ends === 'refunded' ? '' : `Refund ${refund.ends} by the bank`,
  };
}

export function endDueRefunds(gateway: Gateway): void {
  const now = Date.now();
  for (const refId of gateway.state.unfinishedRefunds) {
    const refund = gateway.state.refunds.get(refId);
    if (refund?.dueAt !== undefined && refund.dueAt <= now) {
      gateway.record({ type: 'refund_ended', refId, at: now });
      recordRefund(gateway, refund);
    }
  }
}

function makeRefund(gateway: Gateway, request: RefundRequest, amount: string): Refund {
  const { settings } = gateway.state;
  const { script } = request.session;
  const wanted = script.refundAfterMs ?? settings.refundAfterMs;
  const now = Date.now();
  const due = wanted === 'never' ? {} : { dueAt: now + (wanted === 'long' ? settings.longRefundMs : wanted) };
  return {
    refId: newRefundRefId(),
    transId: request.transId,
    storeId: request.session.storeId,
    sessionKey: request.session.key,
    bankTranId: request.bankTranId,
    amount,
    remarks: request.remarks,
    acceptedAt: now,
    ends: script.refund ?? 'refunded',
    ...due,
  };
}

/**
 * Returns the refund that this request repeats. Without a refund_trans_id, the gateway can only look for a refund of the same amount that is still
 * being processed.
 */
function findEarlier(gateway: Gateway, request: RefundRequest, amount: string): Refund | undefined {
  if (request.transId !== '') {
    const key = `${request.session.storeId} ${request.transId}`;
    const refId = gateway.state.refundsByTransId.get(key);
    return refId === undefined ? undefined : gateway.state.refunds.get(refId);
  }
  return refundsOf(gateway, request.bankTranId).find(
    (refund) => refund.transId === '' && refund.endedAt === undefined && refund.amount === amount,
  );
}

function sameRefund(refund: Refund, request: RefundRequest, amount: string): boolean {
  return refund.bankTranId === request.bankTranId && refund.amount === amount;
}

function refundableOf(gateway: Gateway, session: Session): bigint {
  const charged = parseAmount(session.outcome?.amount ?? '0') ?? 0n;
  const taken = refundsOf(gateway, session.outcome?.bankTranId ?? '')
    .filter((refund) => refund.endedAt === undefined || refund.ends === 'refunded')
    .reduce((sum, refund) => sum + (parseAmount(refund.amount) ?? 0n), 0n);
  return charged - taken;
}

function refundsOf(gateway: Gateway, bankTranId: string): Refund[] {
  const ids = gateway.state.refundsByBankTranId.get(bankTranId) ?? [];
  return ids.flatMap((id) => gateway.state.refunds.get(id) ?? []);
}

/** Here trans_id is the payment's tran_id, not the refund_trans_id: clients compare it with their payment. */
function accepted({ tranId }: Session, refund: Refund, status: 'success' | 'processing'): Answer {
  return {
    APIConnect: 'DONE',
    bank_tran_id: refund.bankTranId,
    trans_id: tranId,
    refund_ref_id: refund.refId,
    status,
    errorReason: '',
  };
}
