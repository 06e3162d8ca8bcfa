import { consumeDecision } from '../../database/decisions.ts';
import { postTransaction } from '../../database/ledger.ts';
import { endPayment, readEnded, type SettledPayment } from '../../database/settlements.ts';
import type { Statements } from '../../database/statements.ts';
import { recordEvent } from '../../database/webhooks.ts';
import { paymentSettlement } from '../../domain/ledger.ts';
import { canBecome, type SettledStatus } from '../../domain/payment.ts';
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
  const { status, eventId } = await deps.database.inTransaction(scopeOf(input), (statements) =>
    settle(deps, statements, input),
  );
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

async function settle(deps: ActivityDependencies, statements: Statements, input: SettleInput): Promise<Settled> {
  if (!canBecome('PENDING', input.status)) {
    throw new RangeError(`a payment does not end as ${input.status}`);
  }
  const settled = await endPayment(statements, {
    paymentId: BigInt(input.paymentId),
    status: input.status,
    failureCode: input.failureCode ?? null,
  });
  if (settled === null) {
    return alreadySettled(statements, input);
  }
  if (input.decisionId !== undefined) {
    await consumeDecision(statements, BigInt(input.decisionId), input.status);
  }
  const { payment } = settled;
  const [, event] = await Promise.all([
    postCharge(statements, settled),
    recordEvent(statements, {
      applicationId: payment.applicationId,
      mode: payment.mode,
      paymentId: payment.id,
      type: EVENT_OF[input.status],
      sequence: payment.eventSequence,
      data: paymentView(payment, deps.webUrl),
    }),
  ]);
  deps.log.info(
    { payment: payment.reference, application: payment.applicationId.toString(), status: input.status },
    'payment settled',
  );
  return { status: input.status, eventId: event.parked ? null : event.eventId };
}

/** Nothing is marked paid without the gateway's own confirmation in the attempt's row. */
async function postCharge(statements: Statements, { payment, charge }: SettledPayment): Promise<void> {
  if (charge !== null) {
    const { applicationId, mode, currency, gateway, reference } = payment;
    await postTransaction(
      statements,
      paymentSettlement({ applicationId, mode, currency, gateway, reference, ...charge }),
    );
  }
}

async function alreadySettled(statements: Statements, input: SettleInput): Promise<Settled> {
  const { status, waitingEventId } = await readEnded(statements, BigInt(input.paymentId));
  return { status: endOf({ status }), eventId: waitingEventId };
}
