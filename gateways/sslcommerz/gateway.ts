import type { z } from 'zod';
import { isGatewayPage } from '../page.ts';
import {
  GatewayFailure,
  type AttemptAnswer,
  type AttemptHandle,
  type Gateway,
  type GatewayCapabilities,
  type RefundAnswer,
} from '../port.ts';
import {
  answerOfUnpaid,
  chargeFrom,
  isPaidStatus,
  RefundAnswerBody,
  requireConnected,
  SessionAnswer,
  TransactionAnswer,
  TransactionList,
} from './answers.ts';
import { createCall, type Call, type SslcommerzOptions } from './call.ts';
import { parseCallback } from './callback.ts';
import { readPayouts } from './payouts.ts';
import { sessionForm } from './session.ts';
import { toDecimalText } from '../../domain/money.ts';

/**
 * Source: SSLCOMMERZ v4 documentation: 10.00 ≤ total_amount ≤ 500000.00 BDT. Other currencies are converted at the gateway's rate and are not
 * enabled.
 */
export const SSLCOMMERZ_CAPABILITIES: GatewayCapabilities = {
  name: 'sslcommerz',
  displayName: 'SSLCOMMERZ',
  limits: new Map([['BDT', { minMinor: 1_000n, maxMinor: 50_000_000n }]]),
  refunds: true,
  refundsPerPaymentMax: null,
  refundWindowDays: null,
  feeKnown: 'with-the-charge',
  questionsProveStore: true,
  notifies: true,
  executes: false,
  sessionLifeMinutes: null,
  takesCallbacks: true,
  payouts: 'unconfirmed-api',
  disputes: 'none',
};

const SESSION_PATH = '/gwprocess/v4/api.php';
const VALIDATION_PATH = '/validator/api/validationserverAPI.php';
const QUERY_PATH = '/validator/api/merchantTransIDvalidationAPI.php';

/**
 * Creates the adapter for SSLCOMMERZ v4 hosted checkout. Every call carries the credentials in its query or body, so its URLs must never be logged.
 */
export function createSslcommerzGateway(options: SslcommerzOptions): Gateway {
  const store = { id: options.storeId, password: options.storePassword };
  const call = createCall(options);
  return {
    capabilities: SSLCOMMERZ_CAPABILITIES,
    storeId: options.storeId,
    async openSession(order) {
      const { answer } = await call(SessionAnswer, {
        method: 'POST',
        path: SESSION_PATH,
        form: sessionForm(order, store),
      });
      if (answer.status === 'FAILED') {
        return { kind: 'refused', code: 'GATEWAY_REFUSED_SESSION', gatewayText: answer.failedreason };
      }
      if (
        answer.status !== 'SUCCESS' ||
        answer.sessionkey === '' ||
        !isGatewayPage(answer.GatewayPageURL, options.baseUrl, isPageHost)
      ) {
        throw new GatewayFailure('ambiguous', "the gateway's answer to a session request contains no session");
      }
      return { kind: 'opened', sessionKey: answer.sessionkey, gatewayUrl: answer.GatewayPageURL };
    },
    queryAttempt: (attempt) => queryAttempt(call, attempt),
    parseCallback: (rawBody) => parseCallback(rawBody, store),
    async refund({ gatewayTxnId, refundReference, amount, remarks }) {
      const { answer, raw } = await call(RefundAnswerBody, {
        path: QUERY_PATH,
        query: {
          bank_tran_id: gatewayTxnId,
          refund_trans_id: refundReference,
          refund_amount: toDecimalText(amount),
          refund_remarks: remarks,
        },
      });
      requireTaken(answer.APIConnect);
      if (isOfAnotherCharge(answer, gatewayTxnId)) {
        throw new GatewayFailure('ambiguous', 'the gateway answered for a different charge than the one to refund');
      }
      return refundAnswer(answer, raw);
    },
    async queryRefund(gatewayRefundId, { gatewayTxnId }) {
      const { answer, raw } = await call(RefundAnswerBody, {
        path: QUERY_PATH,
        query: { refund_ref_id: gatewayRefundId },
      });
      requireConnected(answer.APIConnect);
      // A refund that the gateway does not find has not necessarily failed. Only an answer that names this refund's charge counts.
      if (answer.status === 'failed' && answer.bank_tran_id === '') {
        return { kind: 'unknown', note: 'REFUND_NOT_FOUND' };
      }
      return answer.refund_ref_id !== gatewayRefundId || isOfAnotherCharge(answer, gatewayTxnId)
        ? { kind: 'unknown', note: 'ANOTHER_REFUND' }
        : refundAnswer(answer, raw);
    },
    readPayouts: (window) => readPayouts(call, store, window),
  };
}

/**
 * Validates a claimed `val_id` first. Without one, or if the gateway does not know it, queries by our `tran_id`. A paid element of that list is
 * validated too, since only the validation API is authoritative.
 */
async function queryAttempt(call: Call, attempt: AttemptHandle): Promise<AttemptAnswer> {
  const known = new Set(attempt.knownValidationIds);
  const claimed = attempt.claimedValidationId;
  if (claimed !== null && !known.has(claimed)) {
    const validated = await validate(call, claimed);
    if (validated !== null && validated.charge.attemptReference === attempt.attemptReference) {
      return validated;
    }
  }
  const { answer: list } = await call(TransactionList, {
    path: QUERY_PATH,
    query: { tran_id: attempt.attemptReference },
  });
  requireConnected(list.APIConnect);
  const elements = list.element;
  if (!Array.isArray(elements)) {
    // The list of an untouched session is empty. A missing list says nothing; above all it does not mean that nothing was paid.
    throw new GatewayFailure('ambiguous', "the gateway's answer to a transaction query contains no list");
  }
  const paid = elements.find(({ status, val_id }) => isPaidStatus(status) && !known.has(val_id));
  if (paid === undefined) {
    return answerOfUnpaid(elements.filter(({ status }) => !isPaidStatus(status)).map(({ status }) => status));
  }
  return (await validate(call, paid.val_id)) ?? { kind: 'unknown', note: 'LISTED_AS_PAID_BUT_NOT_VALIDATED' };
}

async function validate(call: Call, validationId: string): Promise<(AttemptAnswer & { kind: 'charged' }) | null> {
  const { answer, raw } = await call(TransactionAnswer, { path: VALIDATION_PATH, query: { val_id: validationId } });
  requireConnected(answer.APIConnect);
  if (!isPaidStatus(answer.status)) {
    return null;
  }
  if (answer.val_id !== validationId || answer.bank_tran_id === '') {
    throw new GatewayFailure('ambiguous', 'the gateway validated a different transaction than the one queried');
  }
  return { kind: 'charged', charge: chargeFrom(answer, raw) };
}

/** Money may have moved whatever the gateway answers, unless it says that it does not know the store. */
function requireTaken(apiConnect: string): void {
  if (apiConnect !== 'DONE' && apiConnect !== 'FAILED' && apiConnect !== 'INACTIVE') {
    throw new GatewayFailure('ambiguous', 'the gateway does not report whether it accepted the refund');
  }
  requireConnected(apiConnect);
}

/** Refusals may omit the charge. */
function isOfAnotherCharge({ bank_tran_id: named }: z.infer<typeof RefundAnswerBody>, gatewayTxnId: string): boolean {
  return named !== '' && named !== gatewayTxnId;
}

function refundAnswer(answer: z.infer<typeof RefundAnswerBody>, evidence: string): RefundAnswer {
  switch (answer.status) {
    case 'success':
      if (answer.refund_ref_id === '') {
        throw new GatewayFailure('ambiguous', 'the gateway accepted a refund without a reference');
      }
      return { kind: 'accepted', gatewayRefundId: answer.refund_ref_id, evidence };
    case 'processing':
      return {
        kind: 'processing',
        gatewayRefundId: answer.refund_ref_id === '' ? null : answer.refund_ref_id,
        evidence,
      };
    case 'refunded':
    case 'cancelled':
      return { kind: answer.status, evidence };
    case 'failed':
      return { kind: 'refused', gatewayText: answer.errorReason, evidence };
    default:
      return { kind: 'unknown', note: 'UNKNOWN_STATUS' };
  }
}

/** SSLCOMMERZ documents sister hosts of its API. */
function isPageHost({ host }: URL): boolean {
  return host.endsWith('.sslcommerz.com');
}
