import { z } from 'zod';
import { isCurrency } from '../../domain/currency.ts';
import { RATE } from '../../domain/payouts/conversion.ts';
import { isPlainDate } from '../../domain/plain-date.ts';
import { text } from '../http/fields.ts';
import { PendingChanges } from './change-schemas.ts';
import { GatewayName } from './gateway-schemas.ts';

const BPS_MAX = 10_000;
const DAYS_MAX = 90;
const STORES_MAX = 100;
const RATES_MAX = 200;
const HOLIDAYS_MAX = 400;

const Tolerance = z.int().min(0);
const Share = z.int().min(0).max(BPS_MAX).describe('In hundredths of a percent.');
const AgreedFee = z.object({ feeBps: Share, taxBps: Share });
const CurrencyCode = z.string().refine(isCurrency, 'is not a currency');
const AgreedRate = z.object({
  from: CurrencyCode.describe('In which the payer pays.'),
  to: CurrencyCode.describe('In which the gateway settles.'),
  rate: z.string().regex(RATE, 'is not a rate').describe('1 of `from` is so much of `to`.'),
  toleranceBps: Share.describe('By how much a rate may differ from it, in hundredths of a percent of it.'),
});
const Rates = z
  .array(AgreedRate)
  .max(RATES_MAX, 'has too many members')
  .refine((rates) => new Set(rates.map(({ from, to }) => `${from} ${to}`)).size === rates.length, 'names a pair twice')
  .refine((rates) => rates.every(({ from, to }) => from !== to), 'names one currency twice');
const Weekday = z.int().min(0).max(6).describe('0 is Sunday.');
const PlainDay = z.string().refine(isPlainDate, 'is not a date').meta({ format: 'date' });

function distinct<Member extends string | number>(member: z.ZodType<Member>, membersMax: number) {
  return z
    .array(member)
    .max(membersMax, 'has too many members')
    .meta({ uniqueItems: true })
    .refine((members) => new Set(members).size === members.length, 'names a member twice');
}

const CHOSEN = {
  toleranceMinor: Tolerance.optional().describe('By how much an amount may differ and still match. Defaults to 0.'),
  feeToleranceMinor: Tolerance.optional().describe('By how much a fee may differ and still match. Defaults to 0.'),
  statesNetOnly: z.boolean().optional().describe('Whether the files of the gateway state only what was credited.'),
  agreedFee: AgreedFee.nullable().optional().describe('Your rate, and the tax on it. Null: none is agreed.'),
  rates: Rates.optional().describe('The exchange rates that a payout file may state, one for a pair of currencies.'),
  expectedWithinDays: z
    .int()
    .min(0)
    .max(DAYS_MAX)
    .optional()
    .describe('Business days after which a payment without a line is flagged.'),
  trustedStores: distinct(text(120), STORES_MAX)
    .optional()
    .describe('Stores whose payouts are read through an API that the gateway does not document.'),
  weeklyHolidays: distinct(Weekday, 6).optional(),
  holidays: distinct(PlainDay, HOLIDAYS_MAX).optional(),
} as const;

export const MatchSettingsParams = z.object({ gateway: GatewayName });

/** Strict, because a misspelt member would otherwise reset a setting. */
export const MatchSettingsBody = z.strictObject(CHOSEN).meta({ id: 'MatchSettingsBody' });

export const MatchSettings = z
  .object({
    gateway: z.string(),
    chosen: z.object(CHOSEN).describe('What operators have set. What they have not is left out.'),
    applied: z
      .object({
        toleranceMinor: z.int(),
        feeToleranceMinor: z.int(),
        statesNetOnly: z.boolean(),
        agreedFee: AgreedFee.nullable(),
        rates: z.array(AgreedRate),
        expectedWithinDays: z.int(),
        trustedStores: z.array(z.string()),
        weeklyHolidays: z.array(z.int()),
        holidays: z.array(z.string()),
      })
      .describe('What runs use: what was set, or what is usual for the gateway.'),
    pendingChanges: PendingChanges,
  })
  .meta({ id: 'MatchSettings' });
