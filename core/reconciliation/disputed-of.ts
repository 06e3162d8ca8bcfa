import type { EntityManager } from '../../database/connection.ts';
import type { Movement } from '../../domain/payouts/matching.ts';
import { findDisputed } from './store/disputed.ts';

interface Charges {
  readonly batch: { readonly tellsDisputes: boolean };
  readonly movements: readonly Movement[];
  readonly paymentIds: ReadonlySet<bigint>;
}

/** Returns how much of each charge its payer disputes, by the movement's key. Empty, if the gateway does not tell. */
export async function disputedOf(
  em: EntityManager,
  { batch: { tellsDisputes }, movements, paymentIds }: Charges,
): Promise<ReadonlyMap<string, bigint>> {
  if (!tellsDisputes) {
    return new Map();
  }
  const disputes = await findDisputed(em, [...paymentIds]);
  const charges = movements.filter(({ kind }) => kind === 'CHARGE');
  return new Map(
    charges.map(({ key, gatewayTxnId, currency, amountMinor }) => {
      const own = disputes.filter((dispute) => dispute.gatewayTxnId === gatewayTxnId);
      // A dispute in another currency than the charge may be about all of it.
      const disputed = own.map((dispute) => (dispute.currency === currency ? dispute.amountMinor : amountMinor));
      return [key, disputed.reduce((sum, minor) => sum + minor, 0n)];
    }),
  );
}
