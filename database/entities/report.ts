import { defineEntity, p } from '@mikro-orm/core';
import { MODES } from '../../domain/mode.ts';
import { REPORT_SPANS } from '../../domain/report.ts';

/** What identifies a summary. */
const summarized = () => ({
  span: p.enum(REPORT_SPANS).primary(),
  mode: p.enum(MODES).primary(),
  startsAt: p.datetime().primary(),
  applicationId: p.bigint('bigint').primary(),
  currency: p.text().primary(),
  /** Empty: the payment ended before a gateway was chosen. */
  gateway: p.text().primary(),
});

export const ReportSumSchema = defineEntity({
  name: 'ReportSum',
  tableName: 'report_sums',
  properties: {
    ...summarized(),
    succeeded: p.integer(),
    failed: p.integer(),
    cancelled: p.integer(),
    expired: p.integer(),
    paid: p.integer(),
    grossMinor: numeric(),
    feeMinor: numeric(),
    refunds: p.integer(),
    refundedMinor: numeric(),
  },
});
export class ReportSum extends ReportSumSchema.class {}
ReportSumSchema.setClass(ReportSum);

export const ReportTimeSchema = defineEntity({
  name: 'ReportTime',
  tableName: 'report_times',
  properties: {
    ...summarized(),
    /** A step of `TIME_TO_PAY_STEPS`. */
    seconds: p.integer().primary(),
    payments: p.integer(),
  },
});
export class ReportTime extends ReportTimeSchema.class {}
ReportTimeSchema.setClass(ReportTime);

/** The only row says how far the summaries reach. Its times may be -infinity, so they are read as text. */
export const ReportProgressSchema = defineEntity({
  name: 'ReportProgress',
  tableName: 'report_progress',
  properties: {
    id: p.smallint().primary().autoincrement(false).default(1),
    timeZone: p.text().default(''),
    through: p.datetime().defaultRaw("'-infinity'"),
    completeUntil: p.datetime().defaultRaw("'-infinity'"),
    fenceAt: p.datetime().nullable(),
    fence: p.array().nullable(),
  },
});
export class ReportProgress extends ReportProgressSchema.class {}
ReportProgressSchema.setClass(ReportProgress);

/** A sum of amounts, which may exceed a bigint. */
function numeric() {
  return p.string().columnType('numeric');
}
