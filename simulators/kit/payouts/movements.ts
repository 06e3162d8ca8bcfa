import type { ChargeLine } from '../charge-log.ts';
import { portionOf } from './units.ts';
import type { PayoutSettings } from './settings.ts';

export type MovementKind =
  | 'charge'
  | 'refund'
  | 'refund_failure'
  | 'dispute'
  | 'dispute_reversal'
  | 'reserve_hold'
  | 'reserve_release'
  | 'payout_reversal';

/** Money that a gateway owes or is owed, and one line of the payout in which it is settled. */
export type Movement = {
  /** What the gateway's files and API call the line. */
  lineId: string;
  kind: MovementKind;
  /** Milliseconds since 1970. */
  at: number;
  /** The charge, refund or dispute that moved the money; '' for a reserve. */
  sourceId: string;
  /** The charge to which it belongs, as the charge log names it; '' if it belongs to none. */
  tranId: string;
  valId: string;
  bankTranId: string;
  currency: string;
  /** Money to the merchant is positive. A fee and a tax that the merchant pays are positive too. */
  gross: bigint;
  fee: bigint;
  tax: bigint;
  /**
   * Where the gateway has converted: the payer's currency, how many units of this one an amount of it is worth, and what the payer paid or got back,
   * without a sign.
   */
  original?: { currency: string; rate: string; amount: bigint };
  /** The first day on which it can be paid out. */
  dueOn: string;
};

/** A charge or refund as the merchant's account sees it. */
export type Settled = Pick<Movement, 'currency' | 'gross' | 'fee' | 'tax' | 'original'>;

export type Identity = Pick<Movement, 'sourceId' | 'tranId' | 'valId' | 'bankTranId'>;

/** What differs from gateway to gateway. */
export type PayoutSource = {
  /** As in the charge log. */
  gateway: string;
  /** How far the gateway's clocks are ahead of UTC. */
  offsetMinutes: number;
  defaults: PayoutSettings;
  /** The decimal places of a currency's smallest unit. */
  placesOf(currency: string): number;
  /** Returns what a charge or refund of the log moves. Of a refund only the positive gross counts. */
  settle(line: ChargeLine, settings: PayoutSettings): Settled;
  /** Returns the id of a line; `letters` are 24, and the same for the same line. A copy is a second line about the same source. */
  lineId(kind: MovementKind, given: { sourceId: string; letters: string; copy?: boolean }): string;
  payoutId(letters: string): string;
  disputeId(letters: string): string;
  /** Invents a charge that the merchant never made. */
  foreign(letters: (count: number) => string): Identity;
  /** Whether a refund is taken from the next payout when it is accepted, or only when it has ended well. */
  refundsCount: 'at-acceptance' | 'at-end';
  /** Whether the gateway's files and API can say in which currency a line is. */
  namesCurrency: boolean;
};

export function netOf({ gross, fee, tax }: Pick<Movement, 'gross' | 'fee' | 'tax'>): bigint {
  return gross - fee - tax;
}

const whole = 10_000n;

/** The fee of a gateway that tells it only with the payout, with the tax on top. */
export function feeOnTop(gross: bigint, settings: PayoutSettings): Pick<Movement, 'fee' | 'tax'> {
  const fee = portionOf(gross, { of: BigInt(settings.feeBps), from: whole }) + BigInt(settings.feeFixed);
  return { fee, tax: portionOf(fee, { of: BigInt(settings.vatBps), from: whole }) };
}

/** Parts the sum of fee and tax, which was told with the charge. */
export function feeWithin(total: bigint, { vatBps }: PayoutSettings): Pick<Movement, 'fee' | 'tax'> {
  const tax = portionOf(total, { of: BigInt(vatBps), from: whole + BigInt(vatBps) });
  return { fee: total - tax, tax };
}
