import { listOf, membersOf, oneOf, wholeUpTo } from '../member-checks.ts';
import type { Check } from '../member-checks.ts';
import { isDay } from './days.ts';
import type { Opening } from './days.ts';

/** How a gateway pays out. Rates are in ten-thousandths; fixed amounts are in the currency's smallest unit. */
export type PayoutSettings = Opening & {
  /** The fee, for gateways that tell it only with the payout. */
  feeBps: number;
  feeFixed: number;
  /** The tax on the fee: on top of it, or within it where the charge has already told the sum of both. */
  vatBps: number;
  /** Open days from a charge to its payout: the n of T+n. */
  delayDays: number;
  /** A payout of less than nothing waits for the next one, or takes money from the bank. */
  negative: 'carry' | 'pay';
  /** The part of charges that is held back, and for how many days. */
  reserveBps: number;
  reserveDays: number;
  disputeFee: number;
};

/** What the control API can change: settings of the gateway, and of one merchant. */
export type PayoutChanges = Partial<PayoutSettings> & {
  merchants?: Readonly<Record<string, Partial<PayoutSettings>>>;
};

const rate = wholeUpTo(10_000);
const checks: Record<keyof PayoutSettings, Check> = {
  feeBps: rate,
  feeFixed: wholeUpTo(1_000_000),
  vatBps: rate,
  delayDays: wholeUpTo(30),
  closedWeekdays: listOf(oneOf(0, 1, 2, 3, 4, 5, 6)),
  holidays: listOf(isDay),
  negative: oneOf('carry', 'pay'),
  reserveBps: rate,
  reserveDays: wholeUpTo(365),
  disputeFee: wholeUpTo(1_000_000),
};

const ofMerchant = membersOf(checks);

export const payoutChanges: Check = membersOf({
  ...checks,
  merchants: (value) => typeof value === 'object' && value !== null && Object.values(value).every(ofMerchant),
});

export function settingsFor(defaults: PayoutSettings, { merchants, ...changes }: PayoutChanges, owner: string) {
  return { ...defaults, ...changes, ...merchants?.[owner] };
}
