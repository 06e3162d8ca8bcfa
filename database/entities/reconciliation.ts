import { defineEntity, p } from '@mikro-orm/core';
import { PAYOUT_BOOKING_KINDS } from '../../domain/ledger.ts';
import { MODES } from '../../domain/mode.ts';
import { PAYOUT_LINE_KINDS } from '../../domain/payouts/payout-line.ts';
import {
  ACTION_OUTCOMES,
  CASE_ACTIONS,
  CASE_ENTRY_KINDS,
  CASE_KINDS,
  CASE_RESOLUTIONS,
  CASE_STATES,
  CORRECTION_ACCOUNTS,
  RUN_STATES,
  RUN_STEPS,
} from '../../domain/payouts/reconciliation.ts';

export const ReconciliationRunSchema = defineEntity({
  name: 'ReconciliationRun',
  tableName: 'reconciliation_runs',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    reference: p.text(),
    mode: p.enum(MODES),
    gateway: p.text(),
    period: p.date(),
    startedByOperatorId: p.bigint('bigint').nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    state: p.enum(RUN_STATES).default('RUNNING'),
    step: p.enum(RUN_STEPS).default('fetching'),
    /** Where the step goes on, as JSON. */
    position: p.text().nullable(),
    linesDone: p.integer().default(0),
    movementsDone: p.integer().default(0),
    ledgerBalanced: p.boolean().nullable(),
    problem: p.text().nullable(),
    /** Somebody has asked for the day meanwhile: once more from the beginning, before the run ends. */
    again: p.boolean().default(false),
    endedAt: p.datetime().nullable(),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class ReconciliationRun extends ReconciliationRunSchema.class {}
ReconciliationRunSchema.setClass(ReconciliationRun);

export const ReconciliationResultSchema = defineEntity({
  name: 'ReconciliationResult',
  tableName: 'reconciliation_results',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    mode: p.enum(MODES),
    gateway: p.text(),
    storeId: p.text(),
    applicationId: p.bigint('bigint').nullable(),
    lineId: p.bigint('bigint').nullable(),
    lineKind: p.enum(PAYOUT_LINE_KINDS).nullable(),
    currency: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
    movementKey: p.text().nullable(),
    movementKind: p.text().$type<'CHARGE' | 'REFUND'>().nullable(),
    paymentId: p.bigint('bigint').nullable(),
    refundId: p.bigint('bigint').nullable(),
    unappliedPaymentId: p.bigint('bigint').nullable(),
    gatewayTxnId: p.text().nullable(),
    period: p.date(),
    status: p.text().$type<'MATCHED' | 'FLAGGED' | 'DEFERRED'>(),
    reason: p.text().nullable(),
    detail: p.text(),
    expectedMinor: p.bigint('bigint').nullable(),
    settledMinor: p.bigint('bigint').nullable(),
    feeExpectedMinor: p.bigint('bigint').nullable(),
    feeSettledMinor: p.bigint('bigint').nullable(),
    bookedApplicationId: p.bigint('bigint').nullable(),
    /** JSON: account to what it was credited, in minor units as text. */
    booked: p.text().nullable(),
    convertedCurrency: p.text().nullable(),
    convertedMinor: p.bigint('bigint').nullable(),
    acceptedAt: p.datetime().nullable(),
    correctedMovementKey: p.text().nullable(),
    correctedAccount: p.enum(CORRECTION_ACCOUNTS).nullable(),
    superseded: p.boolean().default(false),
    /** Changes whenever what is said changes. */
    revision: p.integer().default(1),
    runId: p.bigint('bigint').nullable(),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class ReconciliationResult extends ReconciliationResultSchema.class {}
ReconciliationResultSchema.setClass(ReconciliationResult);

export const PayoutBookingSchema = defineEntity({
  name: 'PayoutBooking',
  tableName: 'payout_bookings',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    gateway: p.text(),
    currency: p.text(),
    payoutId: p.bigint('bigint').nullable(),
    kind: p.enum(PAYOUT_BOOKING_KINDS),
    lines: p.integer(),
    /** JSON: account to what it was credited, in minor units as text. */
    amounts: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class PayoutBooking extends PayoutBookingSchema.class {}
PayoutBookingSchema.setClass(PayoutBooking);

export const ReconciliationCaseSchema = defineEntity({
  name: 'ReconciliationCase',
  tableName: 'reconciliation_cases',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    reference: p.text(),
    mode: p.enum(MODES),
    gateway: p.text(),
    applicationId: p.bigint('bigint').nullable(),
    kind: p.enum(CASE_KINDS),
    resultId: p.bigint('bigint').nullable(),
    payoutId: p.bigint('bigint').nullable(),
    refundId: p.bigint('bigint').nullable(),
    disputeId: p.bigint('bigint').nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    currency: p.text(),
    reason: p.text(),
    amountMinor: p.bigint('bigint'),
    state: p.enum(CASE_STATES).default('OPEN'),
    ownerOperatorId: p.bigint('bigint').nullable(),
    resolution: p.enum(CASE_RESOLUTIONS).nullable(),
    resolvedAt: p.datetime().nullable(),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class ReconciliationCase extends ReconciliationCaseSchema.class {}
ReconciliationCaseSchema.setClass(ReconciliationCase);

export const CaseEntrySchema = defineEntity({
  name: 'CaseEntry',
  tableName: 'reconciliation_case_entries',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    caseId: p.bigint('bigint'),
    applicationId: p.bigint('bigint').nullable(),
    mode: p.enum(MODES),
    kind: p.enum(CASE_ENTRY_KINDS),
    action: p.enum(CASE_ACTIONS).nullable(),
    text: p.text().nullable(),
    /** Null: Lenden itself. */
    operatorId: p.bigint('bigint').nullable(),
    currency: p.text().nullable(),
    amountMinor: p.bigint('bigint').nullable(),
    atRiskMinor: p.bigint('bigint').nullable(),
    resultRevision: p.integer().nullable(),
    movementKey: p.text().nullable(),
    account: p.enum(CORRECTION_ACCOUNTS).nullable(),
    needsSecond: p.boolean().default(false),
    createdAt: p.datetime().defaultRaw('now()'),
    secondOperatorId: p.bigint('bigint').nullable(),
    secondedAt: p.datetime().nullable(),
    consumedAt: p.datetime().nullable(),
    outcome: p.enum(ACTION_OUTCOMES).nullable(),
    outcomeText: p.text().nullable(),
    /** What the gateway said, as JSON. */
    answer: p.text().nullable(),
  },
});
export class CaseEntry extends CaseEntrySchema.class {}
CaseEntrySchema.setClass(CaseEntry);
