import { z } from 'zod';
import { MODES } from '../../domain/mode.ts';
import { FLAG_REASONS } from '../../domain/payouts/matching.ts';
import { PAYOUT_LINE_KINDS } from '../../domain/payouts/payout-line.ts';
import { RUN_STATES, RUN_STEPS } from '../../domain/payouts/reconciliation.ts';
import { isPlainDate } from '../../domain/plain-date.ts';
import { IdText } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';
import { ModeFilter } from './filters.ts';

const Day = z
  .string()
  .refine(isPlainDate, 'must be a date, such as 2026-11-24')
  .meta({ format: 'date' })
  .describe('A day of the business time zone (Asia/Dhaka).');
const GatewayName = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/, 'is not the name of a gateway')
  .describe('The name of a gateway.');
const Status = z.enum(['MATCHED', 'FLAGGED', 'DEFERRED'], 'must be MATCHED, FLAGGED or DEFERRED');
const Reason = z.enum(FLAG_REASONS, 'is not a reason');

export const StartRunsQuery = z.object({
  period: Day,
  mode: ModeFilter.optional().describe('LIVE unless given. TEST runs are for trying.'),
  gateway: GatewayName.optional().describe('Only this gateway.'),
});

const RUN = {
  runId: z.string().describe('The reference of the run.'),
  mode: z.enum(MODES),
  gateway: z.string(),
  period: z.string(),
  state: z.enum(RUN_STATES),
  step: z.enum(RUN_STEPS).describe('What it does now, or did last.'),
  ledgerBalanced: z
    .boolean()
    .nullable()
    .describe('Whether the books of the payouts of the day add up. Null until the run has looked.'),
  problem: z.string().nullable().describe('The first thing that is wrong, or why the run ended early.'),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
};

export const ReconciliationRun = z
  .object({
    ...RUN,
    progress: z
      .object({ lines: z.int(), movements: z.int() })
      .nullable()
      .describe('How much it has looked at. Null for callers who do not see every application.'),
  })
  .meta({ id: 'ReconciliationRun' });

export const RunSummary = z
  .object({
    period: z.string(),
    matched: z.int(),
    missingInSettlement: z.int().describe('Payments and refunds without a line.'),
    missingInternal: z
      .int()
      .describe('Lines without a payment or refund; duplicates, lines of another store and unknown refunds included.'),
    amountMismatch: z.int().describe('Lines whose amount, fee or currency differs.'),
    deferred: z.int().describe('Not due yet, or not confirmed yet.'),
    ledgerBalanced: z.boolean(),
    runId: z.string().nullable().describe('The reference of the first run; `runs` has all of them.'),
    state: z.enum(RUN_STATES).describe('RUNNING until all of them have ended. The counts are those so far.'),
    runs: z.array(ReconciliationRun),
  })
  .meta({ id: 'ReconciliationSummary' });

export const RunsQuery = z.object({
  ...listQuery(['id']),
  mode: ModeFilter.optional(),
  gateway: GatewayName.optional(),
  period: Day.optional(),
  state: z.enum(RUN_STATES, 'is not a state').optional(),
});

export const RunParams = z.object({
  reference: z.string().regex(/^rec_[0-9A-Za-z]{22}$/, 'is not the reference of a run'),
});

export const ResultsQuery = z.object({
  ...listQuery(['id']),
  mode: ModeFilter.optional(),
  period: Day.optional(),
  status: Status.optional(),
  reason: Reason.optional(),
  gateway: GatewayName.optional(),
  applicationId: IdText.optional(),
  paymentId: IdText.optional(),
  payout: z
    .string()
    .regex(/^po_[0-9A-Za-z]{22}$/, 'is not the reference of a payout')
    .optional(),
});

/** It stops at what a JSON number holds exactly. */
const Sum = z.int().nullable();

export const ReconciliationResult = z
  .object({
    id: z.int(),
    period: z.string(),
    mode: z.enum(MODES),
    gateway: z.string(),
    storeId: z.string(),
    applicationId: z.int().nullable().describe('Null: of the installation’s store, and of no payment.'),
    paymentId: z.int().nullable(),
    paymentReference: z.string().nullable(),
    refundId: z.int().nullable(),
    refundReference: z.string().nullable(),
    payout: z.string().nullable().describe('The reference of the payout of its line.'),
    lineKind: z.enum(PAYOUT_LINE_KINDS).nullable().describe('Null: no line explains the payment or refund yet.'),
    gatewayTxnId: z.string().nullable(),
    currency: z.string(),
    expectedMinor: Sum.describe('Signed: money to us is positive. Null if nothing was compared.'),
    settledMinor: Sum,
    feeExpectedMinor: Sum,
    feeSettledMinor: Sum,
    status: Status,
    reason: Reason.nullable().describe('Only of a flagged result.'),
    code: z.string().describe('Says more than the reason; the codes are stable.'),
    detail: z.string().describe('The same in a sentence.'),
    acceptedAt: z.iso.datetime().nullable().describe('When operators took the difference as it is.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'ReconciliationResult' });
