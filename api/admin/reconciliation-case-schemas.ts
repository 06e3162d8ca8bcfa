import { z } from 'zod';
import { DISPUTE_STATUSES } from '../../domain/dispute.ts';
import { MODES } from '../../domain/mode.ts';
import { FLAG_REASONS } from '../../domain/payouts/matching.ts';
import { PAYOUT_LINE_KINDS } from '../../domain/payouts/payout-line.ts';
import {
  ACTION_OUTCOMES,
  CASE_ACTIONS,
  CASE_ENTRY_KINDS,
  CASE_KINDS,
  CASE_RESOLUTIONS,
  CASE_STATES,
  CORRECTION_ACCOUNTS,
} from '../../domain/payouts/reconciliation.ts';
import { freeText, IdText } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';
import { ModeFilter } from './filters.ts';

const REASON_CHARS_MAX = 500;
const NOTE_CHARS_MAX = 2_000;
/** It stops at what a JSON number holds exactly. */
const Sum = z.int().nullable();
const Operator = z.object({ id: z.int(), name: z.string() }).nullable();

export const CasesQuery = z.object({
  ...listQuery(['id']),
  state: z.enum(CASE_STATES, 'must be OPEN, ASSIGNED or RESOLVED').optional(),
  kind: z.enum(CASE_KINDS, 'is not a kind of case').optional(),
  reason: z
    .string()
    .regex(/^[A-Z_]{1,40}$/, 'is not a reason')
    .optional(),
  gateway: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is not the name of a gateway')
    .optional(),
  mode: ModeFilter.optional(),
  applicationId: IdText.optional(),
  ownerId: IdText.optional().describe('The operator to whom it is assigned.'),
  minAgeDays: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a number of days')
    .transform(Number)
    .meta({ type: 'integer', minimum: 0, maximum: 99_999 })
    .optional()
    .describe('Opened so many days ago or earlier.'),
});

export const CaseParams = z.object({
  reference: z.string().regex(/^case_[0-9A-Za-z]{22}$/, 'is not the reference of a case'),
});

export const AssignCase = z
  .object({ operatorId: z.int().positive().optional().describe('The caller unless given.') })
  .meta({ id: 'AssignCase' });

export const CaseNote = z.object({ text: freeText(NOTE_CHARS_MAX) }).meta({ id: 'CaseNote' });

const GivenReason = freeText(REASON_CHARS_MAX);
export const CaseActionBody = z
  .discriminatedUnion('action', [
    z.object({ action: z.literal('query-gateway') }),
    z.object({
      action: z.literal('create-refund'),
      amountMinor: z.int().positive(),
      reason: GivenReason,
    }),
    z.object({
      action: z.literal('post-correction'),
      reason: GivenReason,
      movement: z.string().min(1).max(300).optional().describe('The key of the payment or refund that the line means.'),
      account: z.enum(CORRECTION_ACCOUNTS, 'is not an account for a line').optional(),
    }),
    z.object({ action: z.literal('accept'), reason: GivenReason }),
  ])
  .refine(
    (body) => body.action !== 'post-correction' || (body.movement === undefined) !== (body.account === undefined),
    { error: 'takes either movement or account', path: ['movement'] },
  )
  .meta({ id: 'CaseAction' });

/** What the second operator agrees to, as they have read it. */
export const SecondedAction = z
  .object({
    action: z.enum(['accept', 'post-correction']),
    movement: z.string().min(1).max(300).optional().describe('As the proposed correction has it.'),
    account: z.enum(CORRECTION_ACCOUNTS, 'is not an account for a line').optional(),
  })
  .meta({ id: 'SecondedAction' });

const CASE = {
  reference: z.string(),
  mode: z.enum(MODES),
  gateway: z.string(),
  applicationId: z.int().nullable().describe('Null: of no application.'),
  kind: z.enum(CASE_KINDS),
  reason: z.string(),
  amountMinor: z.int().describe('How much is at stake: at most 9007199254740991, also if it is more.'),
  currency: z.string(),
  state: z.enum(CASE_STATES),
  owner: Operator,
  ageDays: z.int().describe('Whole days until now, or until it was resolved.'),
  resolution: z.enum(CASE_RESOLUTIONS).nullable(),
  createdAt: z.iso.datetime(),
  resolvedAt: z.iso.datetime().nullable(),
};

export const ReconciliationCase = z.object(CASE).meta({ id: 'ReconciliationCase' });

const Movement = z.object({
  key: z.string(),
  kind: z.enum(['CHARGE', 'REFUND']),
  amountMinor: z.int(),
  currency: z.string(),
  happenedOn: z.string(),
  gatewayTxnId: z.string().nullable(),
  attemptReference: z.string(),
  refundReference: z.string().nullable(),
});

export const ReconciliationCaseDetail = z
  .object({
    ...CASE,
    payout: z.string().nullable().describe('The payout that does not add up, or that of the line.'),
    refundReference: z.string().nullable(),
    dispute: z
      .object({ id: z.int(), gatewayDisputeId: z.string(), status: z.enum(DISPUTE_STATUSES) })
      .nullable()
      .describe('The dispute that the case is about.'),
    result: z
      .object({
        id: z.int(),
        period: z.string(),
        storeId: z.string(),
        status: z.string(),
        reason: z.enum(FLAG_REASONS).nullable(),
        code: z.string(),
        detail: z.string(),
        movement: z.string().nullable(),
        paymentId: z.int().nullable(),
        paymentReference: z.string().nullable(),
        refundId: z.int().nullable(),
        refundReference: z.string().nullable(),
        expectedMinor: Sum,
        settledMinor: Sum,
        feeExpectedMinor: Sum,
        feeSettledMinor: Sum,
      })
      .nullable(),
    line: z
      .object({
        kind: z.enum(PAYOUT_LINE_KINDS),
        gatewayTxnId: z.string().nullable(),
        attemptReference: z.string().nullable(),
        lineReference: z.string().nullable(),
        currency: z.string(),
        grossMinor: z.int(),
        feeMinor: z.int(),
        taxMinor: z.int(),
        netMinor: z.int(),
        occurredAt: z.iso.datetime().nullable(),
        paidOutOn: z.string().nullable(),
        description: z.string().nullable(),
      })
      .nullable(),
    proposals: z
      .array(z.object({ score: z.int(), reasons: z.array(z.string()), movement: Movement }))
      .describe('What the line may mean, likeliest first. A proposal moves nothing.'),
    entries: z.array(
      z.object({
        id: z.int(),
        kind: z.enum(CASE_ENTRY_KINDS),
        action: z.enum(CASE_ACTIONS).nullable(),
        text: z.string().nullable(),
        operator: Operator.describe('Null: Lenden itself.'),
        movement: z.string().nullable(),
        account: z.enum(CORRECTION_ACCOUNTS).nullable(),
        needsSecond: z.boolean(),
        secondOperator: Operator,
        outcome: z.enum(ACTION_OUTCOMES).nullable().describe('Null: it waits.'),
        outcomeText: z.string().nullable(),
        answer: z
          .object({
            about: z.enum(['attempt', 'refund']),
            reference: z.string(),
            kind: z.string().describe('Such as `charged`, `not-started`, `refunded` or `unknown`.'),
            gatewayReference: z.string().nullable(),
            amountMinor: z.int().nullable(),
            currency: z.string().nullable(),
            note: z.string().nullable(),
          })
          .nullable()
          .describe('What the gateway said at `endedAt`.'),
        createdAt: z.iso.datetime(),
        endedAt: z.iso.datetime().nullable(),
      }),
    ),
  })
  .meta({ id: 'ReconciliationCaseDetail' });

export const DecidedCase = z
  .object({
    case: ReconciliationCaseDetail,
    decision: z.enum(['awaiting-second-approval', 'in-progress', 'executed']),
  })
  .meta({ id: 'DecidedReconciliationCase' });
