import { readAnswer } from '../json.ts';
import { GatewayFailure, type RefundAnswer as Outcome, type RefundedCharge, type RefundRequest } from '../port.ts';
import { RefundAnswer } from './answers.ts';
import type { StripeLibrary } from './library.ts';
import { toStripeAmount } from './units.ts';

const NOT_FOUND = 404;
const PAGE = 100;
const PAGES_MAX = 10;

/**
 * Refunds with an idempotency key that stays the same over every retry. Stripe keeps keys for at least a day, so a retry first looks for a refund
 * with our reference, however old it is.
 */
export async function refund(library: StripeLibrary, request: RefundRequest): Promise<Outcome> {
  const amount = toStripeAmount(request.amount);
  if (amount === null) {
    return { kind: 'refused', gatewayText: 'not an amount that Stripe can represent', evidence: '' };
  }
  const made = request.queriedBefore ? await findOwn(library, request) : null;
  if (made !== null) {
    return accepted(made, JSON.stringify(made), request);
  }
  const answered = await library.call((stripe) =>
    stripe.refunds.create(
      {
        payment_intent: request.gatewayTxnId,
        amount,
        reason: 'requested_by_customer',
        // Stripe's refund events carry this metadata, including the event of a refund that fails long after it succeeded.
        metadata: {
          refund_reference: request.refundReference,
          ...(request.attemptReference === undefined ? {} : { attempt_reference: request.attemptReference }),
        },
      },
      { idempotencyKey: request.refundReference },
    ),
  );
  if (answered.ok) {
    return accepted(readAnswer(RefundAnswer, answered.value), answered.raw, request);
  }
  const { type, code, status } = answered.error;
  if (type === 'idempotency_error') {
    throw new GatewayFailure(
      'ambiguous',
      'the gateway has used the idempotency key of this refund for another request',
    );
  }
  if (status === NOT_FOUND) {
    throw new GatewayFailure('unauthorized', "the payment does not exist in the store's account");
  }
  return { kind: 'refused', gatewayText: `code ${code}`, evidence: answered.raw };
}

export async function queryRefund(
  library: StripeLibrary,
  gatewayRefundId: string,
  charge: RefundedCharge,
): Promise<Outcome> {
  const answered = await library.call((stripe) => stripe.refunds.retrieve(gatewayRefundId));
  if (!answered.ok) {
    if (answered.error.status !== NOT_FOUND) {
      throw new GatewayFailure('ambiguous', `the gateway refused the query: ${answered.error.code}`);
    }
    // A refund that the gateway does not find has not necessarily failed.
    return { kind: 'unknown', note: 'REFUND_NOT_FOUND' };
  }
  const found = readAnswer(RefundAnswer, answered.value);
  if (found.id !== gatewayRefundId || found.payment_intent !== charge.gatewayTxnId) {
    return { kind: 'unknown', note: 'ANOTHER_REFUND' };
  }
  switch (found.status) {
    case 'succeeded':
      return { kind: 'refunded', evidence: answered.raw };
    case 'pending':
    case 'requires_action':
      return { kind: 'processing', gatewayRefundId, evidence: answered.raw };
    case 'failed':
    case 'canceled':
      return { kind: 'refused', gatewayText: `status ${found.status}`, evidence: answered.raw };
    default:
      return { kind: 'unknown', note: 'UNKNOWN_STATUS' };
  }
}

/** Returns the refund with our reference, or null if the payment has none. */
async function findOwn(library: StripeLibrary, request: RefundRequest): Promise<RefundAnswer | null> {
  let after: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const from = after === undefined ? {} : { starting_after: after };
    const answered = await library.call((stripe) =>
      stripe.refunds.list({ payment_intent: request.gatewayTxnId, limit: PAGE, ...from }),
    );
    if (!answered.ok) {
      throw new GatewayFailure('ambiguous', `the gateway refused the query: ${answered.error.code}`);
    }
    const refunds = answered.value.data.map((one) => readAnswer(RefundAnswer, one));
    const own = refunds.find(({ metadata }) => metadata?.['refund_reference'] === request.refundReference);
    if (own !== undefined || !answered.value.has_more) {
      return own ?? null;
    }
    after = refunds.at(-1)?.id;
  }
  throw new GatewayFailure('ambiguous', 'the payment has more refunds than Lenden reads');
}

/** A created refund counts as accepted, and its result is queried later, unless it has failed already. */
function accepted(answer: RefundAnswer, evidence: string, { amount, gatewayTxnId }: RefundRequest): Outcome {
  const same =
    answer.payment_intent === gatewayTxnId &&
    answer.amount === toStripeAmount(amount) &&
    answer.currency.toUpperCase() === amount.currency;
  if (!same) {
    throw new GatewayFailure('ambiguous', 'the gateway answered for a different refund than the one queried');
  }
  return answer.status === 'failed' || answer.status === 'canceled'
    ? { kind: 'refused', gatewayText: `status ${answer.status}`, evidence }
    : { kind: 'accepted', gatewayRefundId: answer.id, evidence };
}
