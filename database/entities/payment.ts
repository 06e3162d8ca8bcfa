import { defineEntity, p } from '@mikro-orm/core';
import { CONTRACTS } from '../../domain/contract.ts';
import { MODES } from '../../domain/mode.ts';
import { clockOffset } from './clock-offset.ts';
import { ATTEMPT_STATUSES, PAYMENT_STATUSES, REVIEW_REASONS } from '../../domain/payment.ts';

export const PaymentSchema = defineEntity({
  name: 'Payment',
  tableName: 'payments',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    reference: p.text(),
    /** The contract in which it was created. Its events and its payer's return URL follow it. */
    contract: p.enum(CONTRACTS).default('native'),
    status: p.enum(PAYMENT_STATUSES).default('CREATED'),
    amountMinor: p.bigint('bigint'),
    currency: p.text(),
    customerReference: p.text(),
    customerEmail: p.text().nullable(),
    customerPhone: p.text().nullable(),
    customerName: p.text().nullable(),
    productName: p.text().nullable(),
    returnUrl: p.text().nullable(),
    /** The merchant's own order number, if the contract has one. */
    merchantReference: p.text().nullable(),
    cancelUrl: p.text().nullable(),
    /** JSON text of an object. */
    metadata: p.text().nullable(),
    /** Null until the payer has chosen. */
    gateway: p.text().nullable(),
    /** The gateways that the payer may choose from; null if the application has chosen. */
    gatewayChoices: p.array().nullable(),
    gatewayTxnId: p.text().nullable(),
    gatewayRedirectUrl: p.text().nullable(),
    invoiceId: p.bigint('bigint').nullable(),
    overpaymentMinor: p.bigint('bigint').default(0),
    failureCode: p.text().nullable(),
    reviewReason: p.enum(REVIEW_REASONS).nullable(),
    reviewSince: p.datetime().nullable(),
    cancelRequestedAt: p.datetime().nullable(),
    expiresAt: p.datetime(),
    paidAt: p.datetime().nullable(),
    endedAt: p.datetime().nullable(),
    feeMinor: p.bigint('bigint').nullable(),
    eventSequence: p.integer().default(0),
    /** Set while a signal is sent but not handled yet. Further callbacks then need no signal of their own. */
    callbackSignalledAt: p.datetime().nullable(),
    /** When the last signal was sent. It delays the next one: briefly with a valid signature, for a minute without. */
    lastSignalledAt: p.datetime().nullable(),
    lastSignalledAttemptId: p.bigint('bigint').nullable(),
    lastUnsignedSignalledAt: p.datetime().nullable(),
    /** When our page first sent the payer to a gateway. */
    ledOnAt: p.datetime().nullable(),
    nextSweepAt: p.datetime(),
    clockOffset: clockOffset(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class Payment extends PaymentSchema.class {}
PaymentSchema.setClass(Payment);

export const PaymentAttemptSchema = defineEntity({
  name: 'PaymentAttempt',
  tableName: 'payment_attempts',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    paymentId: p.bigint('bigint'),
    number: p.integer(),
    reference: p.text(),
    gateway: p.text(),
    storeId: p.text(),
    status: p.enum(ATTEMPT_STATUSES).default('CREATED'),
    sessionKey: p.text().nullable(),
    gatewayUrl: p.text().nullable(),
    failureCode: p.text().nullable(),
    validationId: p.text().nullable(),
    gatewayTxnId: p.text().nullable(),
    grossMinor: p.bigint('bigint').nullable(),
    feeMinor: p.bigint('bigint').nullable(),
    netText: p.text().nullable(),
    evidence: p.text().nullable(),
    openedAt: p.datetime().nullable(),
    /** The payer has moved on to another gateway. */
    supersededAt: p.datetime().nullable(),
    confirmedAt: p.datetime().nullable(),
    queryAgainAt: p.datetime().nullable(),
    queriedAgain: p.integer().default(0),
    /** Our executions, at a gateway where money moves only by them: how many were sent, and what is unknown about them. */
    executionsSent: p.integer().default(0),
    executionAtWorkUntil: p.datetime().nullable(),
    executionDoubt: p.text().$type<'LOST' | 'EXECUTED'>().nullable(),
    executionBarred: p.boolean().default(false),
    /** All callbacks without a valid signature, stored or not. */
    unsignedCallbacks: p.integer().default(0),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class PaymentAttempt extends PaymentAttemptSchema.class {}
PaymentAttemptSchema.setClass(PaymentAttempt);

export const CALLBACK_KINDS = ['ipn', 'success', 'fail', 'cancel'] as const;
export type CallbackKind = (typeof CALLBACK_KINDS)[number];

export const CALLBACK_OUTCOMES = [
  'RECEIVED',
  'ACCEPTED',
  'DUPLICATE',
  'FORGED',
  'UNMATCHED',
  'MISMATCH',
  'LATE',
  'IGNORED',
  // About a payout or a dispute, and no attempt.
  'NOTICED',
] as const;
export type CallbackOutcome = (typeof CALLBACK_OUTCOMES)[number];

export const GatewayCallbackSchema = defineEntity({
  name: 'GatewayCallback',
  tableName: 'gateway_callbacks',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint').nullable(),
    mode: p.enum(MODES),
    paymentId: p.bigint('bigint').nullable(),
    attemptId: p.bigint('bigint').nullable(),
    gateway: p.text(),
    reference: p.text().nullable(),
    kind: p.enum(CALLBACK_KINDS),
    signatureValid: p.boolean(),
    outcome: p.enum(CALLBACK_OUTCOMES).default('RECEIVED'),
    note: p.text().nullable(),
    /** Whether it says itself that nothing was paid. */
    claimsNoMoney: p.boolean().default(false),
    rawPayload: p.text(),
    digest: p.uint8array(),
    repeats: p.integer().default(0),
    /** Decided once, when its retention would be over: it belongs to money and is never removed. */
    kept: p.boolean().default(false),
    consumedAt: p.datetime().nullable(),
    sweeps: p.integer().default(0),
    nextSweepAt: p.datetime().defaultRaw("now() + interval '30 seconds'"),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class GatewayCallback extends GatewayCallbackSchema.class {}
GatewayCallbackSchema.setClass(GatewayCallback);

export const UnappliedPaymentSchema = defineEntity({
  name: 'UnappliedPayment',
  tableName: 'unapplied_payments',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    paymentId: p.bigint('bigint'),
    attemptId: p.bigint('bigint'),
    gateway: p.text(),
    validationId: p.text(),
    gatewayTxnId: p.text(),
    evidence: p.text(),
    grossMinor: p.bigint('bigint'),
    feeMinor: p.bigint('bigint'),
    currency: p.text(),
    status: p.text().$type<'HELD' | 'REFUNDING' | 'REFUNDED' | 'KEPT'>().default('HELD'),
    /** `overpayment`: the part of a successful payment that exceeds what its invoice asked for. */
    kind: p.text().$type<'late' | 'overpayment'>().default('late'),
    /** How much of it was kept and applied to the payment's invoice. */
    appliedMinor: p.bigint('bigint').default(0),
    /** Set while no workflow is known to run for it: when one is started again. */
    nextSweepAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class UnappliedPayment extends UnappliedPaymentSchema.class {}
UnappliedPaymentSchema.setClass(UnappliedPayment);

export const IdempotencyKeySchema = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  properties: {
    applicationId: p.bigint('bigint').primary(),
    mode: p.enum(MODES).primary(),
    operation: p.text().primary(),
    key: p.text().primary(),
    fingerprint: p.uint8array(),
    paymentId: p.bigint('bigint').nullable(),
    refundId: p.bigint('bigint').nullable(),
    invoiceId: p.bigint('bigint').nullable(),
    leaseUntil: p.datetime(),
    responseStatus: p.integer().nullable(),
    responseBody: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    expiresAt: p.datetime(),
  },
});
export class IdempotencyKey extends IdempotencyKeySchema.class {}
IdempotencyKeySchema.setClass(IdempotencyKey);

/** The transaction number that a payer wrote for a manual payment. */
export const ManualSubmissionSchema = defineEntity({
  name: 'ManualSubmission',
  tableName: 'manual_submissions',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    paymentId: p.bigint('bigint'),
    attemptId: p.bigint('bigint'),
    /** The owner of the account; null: the installation. */
    storeApplicationId: p.bigint('bigint').nullable(),
    /** As the payer wrote it. */
    transaction: p.text(),
    /** As it is compared. */
    normalized: p.text(),
    sender: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class ManualSubmission extends ManualSubmissionSchema.class {}
ManualSubmissionSchema.setClass(ManualSubmission);
