import type { Dispute, Payout } from '../kit/payouts/book.ts';
import type { Gateway } from './gateway.ts';
import { disputeFields, payoutFields } from './payout-records.ts';

/** Tells that a payout was made, that its lines can be listed, and that it has arrived. */
export function tellOfPayout(gateway: Gateway, payout: Payout): void {
  const types = [
    'payout.created',
    ...(payout.automatic ? ['payout.reconciliation_completed'] : []),
    ...(payout.status === 'paid' ? ['payout.paid'] : []),
  ];
  for (const type of types) {
    gateway.tellAccount(payout.owner, type, payoutFields(gateway, payout));
  }
}

export function tellOfEnd(gateway: Gateway, payout: Payout): void {
  gateway.tellAccount(
    payout.owner,
    payout.status === 'failed' ? 'payout.failed' : 'payout.paid',
    payoutFields(gateway, payout),
  );
}

export function tellOfDispute(gateway: Gateway, dispute: Dispute): void {
  const type = dispute.status === 'needs_response' ? 'charge.dispute.created' : 'charge.dispute.closed';
  gateway.tellAccount(dispute.owner, type, disputeFields(gateway, dispute));
}
