import { defineEntity, p } from '@mikro-orm/core';
import { MODES } from '../../domain/mode.ts';
import { clockOffset } from './clock-offset.ts';
import { REFUND_REVIEW_REASONS, REFUND_STATUSES } from '../../domain/refund.ts';

export const RefundSchema = defineEntity({
  name: 'Refund',
  tableName: 'refunds',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    paymentId: p.bigint('bigint'),
    unappliedPaymentId: p.bigint('bigint').nullable(),
    reference: p.text(),
    status: p.enum(REFUND_STATUSES),
    amountMinor: p.bigint('bigint'),
    currency: p.text(),
    reason: p.text().nullable(),
    gateway: p.text(),
    storeId: p.text(),
    gatewayTxnId: p.text(),
    gatewayRefundId: p.text().nullable(),
    merchantReference: p.text().nullable(),
    queriedAt: p.datetime().nullable(),
    acceptedAt: p.datetime().nullable(),
    doubtful: p.boolean().default(false),
    evidence: p.text().nullable(),
    failureCode: p.text().nullable(),
    reviewReason: p.enum(REFUND_REVIEW_REASONS).nullable(),
    reviewSince: p.datetime().nullable(),
    createdByType: p.text().$type<'APP' | 'USER' | 'SYSTEM'>(),
    createdByOperatorId: p.bigint('bigint').nullable(),
    approvedByOperatorId: p.bigint('bigint').nullable(),
    approvalDueAt: p.datetime().nullable(),
    reopensInvoice: p.boolean().default(false),
    nextSweepAt: p.datetime().defaultRaw("now() + interval '30 seconds'"),
    clockOffset: clockOffset(),
    /** When it succeeded, even if it failed afterwards. */
    succeededAt: p.datetime().nullable(),
    endedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class Refund extends RefundSchema.class {}
RefundSchema.setClass(Refund);

export const DecisionSchema = defineEntity({
  name: 'Decision',
  tableName: 'decisions',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    kind: p.text().$type<'refund' | 'review' | 'unapplied-payment' | 'manual'>(),
    paymentId: p.bigint('bigint'),
    refundId: p.bigint('bigint').nullable(),
    unappliedPaymentId: p.bigint('bigint').nullable(),
    manualSubmissionId: p.bigint('bigint').nullable(),
    decision: p.text().$type<'approve' | 'reject' | 'accept' | 'refund' | 'keep'>(),
    reason: p.text().nullable(),
    operatorId: p.bigint('bigint'),
    amountMinor: p.bigint('bigint').nullable(),
    currency: p.text().nullable(),
    needsSecond: p.boolean().default(false),
    secondOperatorId: p.bigint('bigint').nullable(),
    secondedAt: p.datetime().nullable(),
    consumedAt: p.datetime().nullable(),
    outcome: p.text().nullable(),
    nextSweepAt: p.datetime().defaultRaw("now() + interval '30 seconds'"),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class Decision extends DecisionSchema.class {}
DecisionSchema.setClass(Decision);

/** A transaction that an operator found in an account. */
export const ManualConfirmationSchema = defineEntity({
  name: 'ManualConfirmation',
  tableName: 'manual_confirmations',
  properties: {
    submissionId: p.bigint('bigint').primary().autoincrement(false),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    /** The owner of the account; null: the installation. */
    storeApplicationId: p.bigint('bigint').nullable(),
    storeId: p.text(),
    normalized: p.text(),
    decisionId: p.bigint('bigint'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class ManualConfirmation extends ManualConfirmationSchema.class {}
ManualConfirmationSchema.setClass(ManualConfirmation);
