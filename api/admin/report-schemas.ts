import { z } from 'zod';
import { MODES } from '../../domain/mode.ts';
import { isPlainDate } from '../../domain/plain-date.ts';
import { REPORT_DAYS_MAX, REPORT_SPANS } from '../../domain/report.ts';
import { IdText } from '../http/fields.ts';
import { ModeFilter, Moment } from './filters.ts';
import { MinorSum } from './schemas.ts';

const Instant = z.iso.datetime();

export const ReportQuery = z.object({
  applicationId: IdText.optional(),
  mode: ModeFilter.optional().describe('Defaults to LIVE.'),
  from: Moment.optional(),
  to: Moment.optional(),
});

export const ReportSummary = z
  .object({
    mode: z.enum(MODES),
    from: Instant.nullable(),
    to: Instant.nullable().describe('The end of the period, exclusive.'),
    currencies: z.array(
      z.object({
        currency: z.string(),
        payments: z.record(z.string(), z.int()).describe('The number of payments in each status.'),
        grossMinor: z.int().describe('The total of payments that ended in the period.'),
        feeMinor: z.int(),
        refundedMinor: z.int().describe('The total of refunds that ended in the period.'),
        netMinor: z.int().describe('gross − fee − refunded'),
        lateHeldMinor: z.int().describe('Unapplied payments that currently wait for a decision.'),
      }),
    ),
  })
  .meta({ id: 'ReportSummary' });

const LAST_DAY = '2999-12-31';
const Day = z
  .string()
  .refine((text) => isPlainDate(text) && text <= LAST_DAY, `must be a date up to ${LAST_DAY}, such as 2026-07-01`)
  .meta({ format: 'date' });

const GROUPS = ['application', 'gateway', 'application,gateway', 'gateway,application'] as const;

export const PaymentReportQuery = z.object({
  from: Day.optional().describe('The first day of the business time zone. Defaults to 30 days before `to`.'),
  to: Day.optional().describe(
    `The last day, inclusive. Defaults to today. A report covers at most ${REPORT_DAYS_MAX.day} days by day and ${REPORT_DAYS_MAX.hour} by hour.`,
  ),
  by: z.enum(REPORT_SPANS, 'must be hour or day').optional().describe('Defaults to day.'),
  mode: ModeFilter.optional().describe('Defaults to LIVE.'),
  applicationId: IdText.optional(),
  gateway: z
    .string()
    .regex(/^[a-z]{1,30}$/, 'is not a gateway')
    .optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a currency code, such as BDT')
    .optional(),
  group: z
    .enum(GROUPS, 'must be application, gateway, or both with a comma in between')
    .optional()
    .describe('What has rows of its own besides each currency.'),
});
export type PaymentReportFilter = z.infer<typeof PaymentReportQuery>;

const Count = z.int();

export const PaymentReport = z
  .object({
    mode: z.enum(MODES),
    by: z.enum(REPORT_SPANS),
    timeZone: z.string().describe('The IANA name of the time zone whose hours and days the rows are.'),
    from: z.iso.date(),
    to: z.iso.date(),
    rows: z.array(
      z.object({
        date: z.iso.date(),
        from: Instant,
        to: Instant.describe('Exclusive.'),
        currency: z.string(),
        applicationId: z.int().nullable().describe('Null unless grouped by application.'),
        gateway: z.string().nullable().describe('Null unless grouped by gateway, and where a payment has none.'),
        created: Count.describe('Payments created in the period. What follows, up to `successRate`, is about these.'),
        open: Count,
        succeeded: Count.describe('Including those that were refunded.'),
        failed: Count,
        cancelled: Count,
        expired: Count,
        successRate: z
          .string()
          .nullable()
          .describe(
            'The share of the ended ones that succeeded, with four decimals, rounded half up. Null if none ended.',
          ),
        paid: Count.describe('Payments that were paid in the period, whenever they were created.'),
        grossMinor: MinorSum.describe(
          'Their amounts in minor units, as text: a sum can exceed what a JSON number holds exactly.',
        ),
        feeMinor: MinorSum.describe('Their fees.'),
        refunds: Count.describe('Refunds that succeeded in the period and have not turned out to have failed.'),
        refundedMinor: MinorSum.describe('The amounts of these refunds.'),
        netMinor: MinorSum.describe('gross − fee − refunded'),
        timeToPaySeconds: z
          .object({ p50: z.int(), p95: z.int() })
          .nullable()
          .describe(
            'Within which time half of the paid ones, and 95 of 100, were paid after their creation, rounded up to a step. Null if none was paid.',
          ),
      }),
    ),
  })
  .meta({ id: 'PaymentReport' });
