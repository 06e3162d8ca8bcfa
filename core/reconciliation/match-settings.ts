import { z } from 'zod';
import { isCurrency } from '../../domain/currency.ts';
import { RATE } from '../../domain/payouts/conversion.ts';
import { isPlainDate } from '../../domain/plain-date.ts';
import type { MatchSettings } from '../../domain/payouts/matching.ts';

const Minor = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform((text) => BigInt(text));

const Currency = z.string().refine(isCurrency, 'is not a currency');
const AgreedRate = z.strictObject({
  from: Currency,
  to: Currency,
  rate: z.string().regex(RATE, 'is not a rate'),
  toleranceBps: z.int().min(0).max(10_000),
});

/** What an operator may set for a gateway. Amounts are minor units as text. */
export const GatewayMatchSettings = z.strictObject({
  /** What is let pass per movement; 0 unless set. */
  toleranceMinor: Minor.optional(),
  feeToleranceMinor: Minor.optional(),
  /** The files of the gateway state only what was credited. */
  statesNetOnly: z.boolean().optional(),
  /** In hundredths of a percent: the agreed fee, and the tax on it. */
  agreedFee: z
    .strictObject({ feeBps: z.int().min(0).max(10_000), taxBps: z.int().min(0).max(10_000) })
    .nullable()
    .optional(),
  /** The exchange rates that a file may state. */
  rates: z.array(AgreedRate).max(200).optional(),
  /** Business days after which a payment without a line is flagged. */
  expectedWithinDays: z.int().min(0).max(90).optional(),
  /** Stores whose payouts are read through an API that the gateway does not document. */
  trustedStores: z.array(z.string().min(1).max(120)).max(100).optional(),
  /** 0 is Sunday. */
  weeklyHolidays: z.array(z.int().min(0).max(6)).max(6).optional(),
  holidays: z.array(z.string().refine(isPlainDate, 'is not a date')).max(400).optional(),
});
export type GatewayMatchSettings = z.infer<typeof GatewayMatchSettings>;

/** Returns settings as they are stored: amounts as text. */
export function textOfSettings({
  toleranceMinor,
  feeToleranceMinor,
  ...others
}: GatewayMatchSettings): z.input<typeof GatewayMatchSettings> {
  return {
    ...others,
    ...(toleranceMinor === undefined ? {} : { toleranceMinor: toleranceMinor.toString() }),
    ...(feeToleranceMinor === undefined ? {} : { feeToleranceMinor: feeToleranceMinor.toString() }),
  };
}

interface Usual {
  readonly statesNetOnly: boolean;
  readonly expectedWithinDays: number;
  readonly weeklyHolidays: readonly number[];
}

const FRIDAY_SATURDAY = [5, 6] as const;
const SATURDAY_SUNDAY = [6, 0] as const;
const OTHERWISE: Usual = { statesNetOnly: false, expectedWithinDays: 7, weeklyHolidays: FRIDAY_SATURDAY };
const USUAL: Readonly<Record<string, Usual>> = {
  // Its settlement records have no fee member.
  sslcommerz: { statesNetOnly: true, expectedWithinDays: 7, weeklyHolidays: FRIDAY_SATURDAY },
  stripe: { statesNetOnly: false, expectedWithinDays: 10, weeklyHolidays: SATURDAY_SUNDAY },
};

/** Returns how the lines of a gateway are judged: as set, else as is usual for it. */
export function matchSettingsOf(gateway: string, set: GatewayMatchSettings): MatchSettings {
  const usual = USUAL[gateway] ?? OTHERWISE;
  return {
    tolerance: { amountMinor: set.toleranceMinor ?? 0n, feeMinor: set.feeToleranceMinor ?? 0n },
    statesNetOnly: set.statesNetOnly ?? usual.statesNetOnly,
    agreedFee: set.agreedFee ?? null,
    rates: set.rates ?? [],
    expectedWithinDays: set.expectedWithinDays ?? usual.expectedWithinDays,
    businessDays: {
      weeklyHolidays: set.weeklyHolidays ?? usual.weeklyHolidays,
      holidays: set.holidays ?? [],
    },
  };
}
