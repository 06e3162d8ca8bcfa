import type { EntityManager } from '../../database/connection.ts';
import type { PayoutAmounts } from '../../domain/ledger.ts';
import { amountsFrom, isNothing, minus, plus } from '../../domain/payouts/booking.ts';
import { bankBookingsOf, installationId, noteBooked, payoutsNeedingBooking, post, sharesOf } from './store/bookings.ts';
import type { AtGateway } from './store/movements.ts';

const PAYOUTS_MAX = 50;

/**
 * Posts the transfers of payouts whose amount the bank has confirmed: each application's share moves from transit to the bank, and what no line explains
 * goes to the owner of the store. Returns how many payouts it looked at; 0 when nothing is left.
 */
export async function bookTransfers(em: EntityManager, { mode, gateway }: AtGateway): Promise<number> {
  const payouts = await payoutsNeedingBooking(em, { mode, gateway, limit: PAYOUTS_MAX });
  for (const { id: payoutId, currency, bankMinor, linesMinor, storeApplicationId, acceptedResidualMinor } of payouts) {
    const wanted = new Map<bigint, PayoutAmounts>();
    const want = (applicationId: bigint, amounts: PayoutAmounts): void => {
      wanted.set(applicationId, plus(wanted.get(applicationId) ?? {}, amounts));
    };
    if (bankMinor !== null) {
      for (const { applicationId, netMinor } of await sharesOf(em, payoutId)) {
        want(applicationId, { bank: -netMinor });
      }
      if (bankMinor !== linesMinor) {
        const residualMinor = bankMinor - linesMinor;
        want(storeApplicationId ?? (await installationId(em)), {
          bank: -residualMinor,
          [residualMinor === acceptedResidualMinor ? 'differences' : 'unexplained']: residualMinor,
        });
      }
    }
    for (const { applicationId, amounts } of await bankBookingsOf(em, payoutId)) {
      want(applicationId, minus(amountsFrom(amounts)));
    }
    for (const [applicationId, amounts] of wanted) {
      if (!isNothing(amounts)) {
        await post(em, { mode, gateway, applicationId, currency, payoutId, kind: 'bank', lines: 0, amounts });
      }
    }
  }
  await noteBooked(
    em,
    payouts.map(({ id }) => id),
  );
  return payouts.length;
}
