import type { EntityManager } from '../../database/connection.ts';
import { Payment, PaymentAttempt } from '../../database/entities/payment.ts';
import { WebhookEvent } from '../../database/entities/webhook.ts';
import { postTransaction } from '../../database/ledger.ts';
import { recordEvent } from '../../database/webhooks.ts';
import { paymentSettlement } from '../../domain/ledger.ts';
import { canBecome, OPEN_STATUSES, type SettledStatus } from '../../domain/payment.ts';
import { paymentView } from '../../domain/payment-view.ts';
import type { EventType } from '../../domain/webhook.ts';
import type { SettleInput } from '../../workflows/messages/payment.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { describeError } from '../../runtime/logger.ts';
import { endOf } from './open-checkout.ts';
import { scopeOf } from './scope.ts';

const EVENT_OF: Readonly<Record<SettledStatus, EventType>> = {
  SUCCEEDED: 'payment.succeeded',
  FAILED: 'payment.failed',
  CANCELLED: 'payment.cancelled',
  EXPIRED: 'payment.expired',
};

/**
 * Ends a payment: status by guarded update, ledger and event, in one transaction. Run twice, or by two workers at once, it changes nothing
 * more and answers the status that stands. The delivery of the event is started after the commit; the sweeper starts it otherwise.
 */
export async function settlePayment(deps: ActivityDependencies, input: SettleInput): Promise<SettledStatus> {
  const { status, eventId } = await deps.database.withScope(scopeOf(input), (em) => settle(deps, em, input));
  if (eventId !== null) {
    const { applicationId, mode } = scopeOf(input);
    await deps.dispatch
      .startDelivery({ eventId, applicationId, mode, type: EVENT_OF[status], reference: input.reference })
      .catch((error: unknown) => {
        deps.log.warn({ event: eventId, error: describeError(error) }, 'delivery not started; the sweeper will');
      });
  }
  return status;
}

interface Settled {
  readonly status: SettledStatus;
  /** Null when there is nothing to deliver: no endpoint, or delivered before. */
  readonly eventId: string | null;
}

async function settle(deps: ActivityDependencies, em: EntityManager, input: SettleInput): Promise<Settled> {
  const charge = input.status === 'SUCCEEDED' ? await confirmedAttempt(em, BigInt(input.paymentId)) : null;
  const payment = await endPayment(em, input, charge);
  if (payment === null) {
    return alreadySettled(em, input);
  }
  if (charge !== null) {
    await postTransaction(em, paymentSettlement({ ...ownerOf(payment), ...charge }));
  }
  const event = await recordEvent(em, {
    applicationId: payment.applicationId,
    mode: payment.mode,
    paymentId: payment.id,
    type: EVENT_OF[input.status],
    sequence: payment.eventSequence,
    data: paymentView(payment, deps.webUrl),
  });
  deps.log.info(
    { payment: payment.reference, application: payment.applicationId.toString(), status: input.status },
    'payment settled',
  );
  return { status: input.status, eventId: event.parked ? null : event.eventId };
}

function ownerOf({ applicationId, mode, currency, gateway, reference }: Payment) {
  return { applicationId, mode, currency, gateway, reference };
}

interface ConfirmedCharge {
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly gatewayTxnId: string;
}

/** Nothing is marked paid without the gateway's own confirmation in the attempt's row. */
async function confirmedAttempt(em: EntityManager, paymentId: bigint): Promise<ConfirmedCharge> {
  const attempt = await em.findOneOrFail(PaymentAttempt, { paymentId, status: 'CONFIRMED' });
  const { grossMinor, feeMinor, gatewayTxnId } = attempt;
  if (typeof grossMinor !== 'bigint' || typeof feeMinor !== 'bigint' || typeof gatewayTxnId !== 'string') {
    throw new TypeError(`attempt ${attempt.reference} is confirmed without its facts`);
  }
  return { grossMinor, feeMinor, gatewayTxnId };
}

/** The state check and the state change are one statement: only one caller ever gets the row back. */
async function endPayment(
  em: EntityManager,
  input: SettleInput,
  charge: ConfirmedCharge | null,
): Promise<Payment | null> {
  if (!canBecome('PENDING', input.status)) {
    throw new RangeError(`a payment does not end as ${input.status}`);
  }
  const [row] = await em.execute<Record<string, unknown>[]>(
    `update payments set status = ?, ended_at = now(), updated_at = now(), event_sequence = event_sequence + 1, failure_code = ?,
       paid_at = case when ? then now() end, gateway_txn_id = ?, fee_minor = ?, review_reason = null, review_since = null
     where id = ? and status in (?, ?) returning *`,
    [
      input.status,
      input.failureCode ?? null,
      charge !== null,
      charge?.gatewayTxnId ?? null,
      charge?.feeMinor ?? null,
      BigInt(input.paymentId),
      ...OPEN_STATUSES,
    ],
  );
  return row === undefined ? null : em.map(Payment, row);
}

async function alreadySettled(em: EntityManager, input: SettleInput): Promise<Settled> {
  const payment = await em.findOneOrFail(Payment, { id: BigInt(input.paymentId) });
  const event = await em.findOne(WebhookEvent, { paymentId: payment.id, sequence: 1 });
  const waiting = event !== null && (event.deliveryStatus === 'PENDING' || event.deliveryStatus === 'RETRYING');
  return { status: endOf(payment), eventId: waiting ? event.eventId : null };
}
