import type { PayoutDesk } from '../payouts/desk.ts';
import { sumOf } from '../payouts/units.ts';

/** A transfer between a gateway and the merchant's bank account. */
export type Entry = {
  on: string;
  /** Smallest units: money to the merchant is positive. */
  amount: bigint;
  bankReference: string;
  /** What the transfer says about its purpose. */
  text: string;
};

/** The account that the merchant has for one currency. */
export type Statement = {
  id: string;
  account: string;
  currency: string;
  places: number;
  from: string;
  to: string;
  opening: bigint;
  closing: bigint;
  entries: readonly Entry[];
};

export type Window = { from: string; to: string; gateway?: string; owner?: string };

/** Makes the statements of a window from the payouts that were paid: one for each currency. What was paid before is the opening balance. */
export function statementsOf(desks: readonly PayoutDesk[], window: Window): Statement[] {
  const transfers = desks.flatMap((desk) => transfersOf(desk, window));
  const currencies = [...new Set(transfers.map(({ currency }) => currency))].toSorted();
  return currencies.map((currency) => {
    const own = transfers.filter((transfer) => transfer.currency === currency && transfer.on <= window.to);
    const entries = own.filter(({ on }) => on >= window.from).toSorted((left, right) => (left.on < right.on ? -1 : 1));
    const opening = sumOf(own.filter(({ on }) => on < window.from).map(({ amount }) => amount));
    return {
      id: `${currency}${window.to.replaceAll('-', '')}`,
      account: `00123456789${currency}`,
      currency,
      places: transfers.find((transfer) => transfer.currency === currency)?.places ?? 2,
      from: window.from,
      to: window.to,
      opening,
      closing: opening + sumOf(entries.map(({ amount }) => amount)),
      entries,
    };
  });
}

function transfersOf({ source, book }: PayoutDesk, { gateway, owner }: Window) {
  return [...book().payouts.values()]
    .filter((payout) => payout.status === 'paid')
    .filter((payout) => (gateway ?? source.gateway) === source.gateway && (owner ?? payout.owner) === payout.owner)
    .map(({ id, on, amount, bankReference, currency }) => ({
      on,
      amount,
      bankReference,
      currency,
      places: source.placesOf(currency),
      text: `${source.gateway.toUpperCase()} PAYOUT ${id}`,
    }));
}

/** The first and the last day on which anything was paid out. */
export function daysOf(desks: readonly PayoutDesk[]): { from: string; to: string } {
  const days = desks.flatMap(({ book }) => [...book().payouts.values()].map(({ on }) => on)).toSorted();
  const today = new Date().toISOString().slice(0, 10);
  return { from: days[0] ?? today, to: days.at(-1) ?? today };
}
