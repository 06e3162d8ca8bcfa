import { disputeView } from '../../domain/dispute.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import type { StatedDispute } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { followUp, type FollowUp } from '../follow-up.ts';
import { recordPaymentEvent } from '../payments/payment-event.ts';
import { numberEvents } from '../payments/store/event-numbers.ts';
import { keepDisputeCases, openDisputeCase } from '../reconciliation/store/dispute-cases.ts';
import { attempt, type Sweep } from '../sweep/engine.ts';
import { deliveryFollowUps } from '../webhooks/deliveries.ts';
import { type DueDispute, giveUpOnDispute, lockDispute, takeDueDisputes, writeDispute } from './store/disputes.ts';

/** Few, because each is a request to the gateway. */
const TAKEN_MAX = 20;
/** By then, some twelve hours have passed since the notice. */
const UNKNOWN_QUERIES_MAX = 20;

/** Disputes about which a callback spoke, or that are open, and about which the gateway is to be asked. */
export function dueDisputes(deps: CoreDependencies): Sweep<DueDispute> {
  let reachable = true;
  return {
    due: (em) => takeDueDisputes(em, TAKEN_MAX),
    drive: async (due) => {
      // A gateway that does not answer would hold up what else the sweeper does.
      reachable &&= await attempt(deps, { dispute: due.gatewayDisputeId, what: 'dispute not queried' }, () =>
        queryDispute(deps, due),
      );
      return reachable;
    },
  };
}

/** Asks the gateway about a dispute and stores what it says. Only the gateway's own answer counts, never the callback. */
export async function queryDispute(deps: CoreDependencies, due: DueDispute): Promise<void> {
  const { gateway, mode, storeId, sealedSecret, gatewayDisputeId, gatewayTxnId, paymentReference } = due;
  const opened = openOrAlert(deps, { gateway, mode, store: { storeId, sealedSecret } });
  if (opened?.queryDispute === undefined) {
    return;
  }
  const stated = await opened.queryDispute(gatewayDisputeId);
  if (stated === null || stated.gatewayTxnId !== gatewayTxnId) {
    return passOver(deps, due, stated);
  }
  const followUps = await record(deps, due, stated);
  if (followUps === null) {
    return;
  }
  const opens = stated.status === 'OPEN';
  deps.log.warn(
    {
      dispute: gatewayDisputeId,
      payment: paymentReference,
      status: stated.status,
      alert: opens ? 'dispute-opened' : 'dispute-closed',
    },
    opens ? 'a payer disputes a charge' : 'a dispute has ended',
  );
  await followUp(deps, { reference: paymentReference }, followUps);
  // The case says how the dispute stands. If this is lost, the next run does it.
  await deps.database
    .withSystem((em) => keepDisputeCases(em, { mode, gateway }))
    .catch((error: unknown) => {
      deps.log.warn(
        { dispute: gatewayDisputeId, error: describeError(error) },
        'the case of a dispute was not renewed',
      );
    });
}

/** A gateway that does not know its dispute, or names another charge for it, is asked again for a while. */
async function passOver(deps: CoreDependencies, due: DueDispute, stated: StatedDispute | null): Promise<void> {
  if (stated === null && due.sweeps < UNKNOWN_QUERIES_MAX) {
    return;
  }
  deps.log.error(
    { dispute: due.gatewayDisputeId, payment: due.paymentReference, alert: 'dispute-unknown' },
    stated === null
      ? 'the gateway does not know a dispute of which it has sent a callback'
      : 'the gateway names another charge for a dispute than its callback did',
  );
  await deps.database.withSystem((em) => giveUpOnDispute(em, due.id));
}

/** Stores what the gateway says, with the case and the event if the dispute has opened or ended, in one transaction. Returns null if it has not. */
function record(deps: CoreDependencies, due: DueDispute, stated: StatedDispute): Promise<FollowUp[] | null> {
  const { id, applicationId, mode, paymentId, paymentReference: reference } = due;
  return deps.database.withScope({ applicationId, mode }, async (statements) => {
    const before = await lockDispute(statements, id);
    const { status, gatewayStatus, reason, amountMinor, currency, respondBy, evidence } = stated;
    const change = { id, status, gatewayStatus, reason, amountMinor, currency, respondBy, evidence, asked: due.sweeps };
    const dispute = await writeDispute(statements, change);
    if (before === null || before.status === dispute.status) {
      return null;
    }
    await openDisputeCase(statements, id);
    const type = dispute.status === 'OPEN' ? 'dispute.opened' : 'dispute.closed';
    const payment = await numberEvents(statements, { paymentId, count: 1 });
    const data = disputeView(dispute, payment);
    const recorded = await recordPaymentEvent(statements, payment, { type, sequence: payment.eventSequence, data });
    return deliveryFollowUps(deps, { applicationId, mode, type, reference }, recorded);
  });
}
