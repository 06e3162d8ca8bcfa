import { z } from 'zod';
import type { Detail } from '../../core/payments/store/payment-detail.ts';
import { CALLBACK_KINDS, CALLBACK_OUTCOMES } from '../../database/entities/payment.ts';
import { DISPUTE_STATUSES } from '../../domain/dispute.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { ATTEMPT_STATUSES } from '../../domain/payment.ts';
import { refundView } from '../../domain/refund-view.ts';
import { PAYOUT_LINE_KINDS } from '../../domain/payouts/payout-line.ts';
import { DELIVERY_STATUSES } from '../../domain/webhook.ts';
import { Explanation, Payment, Refund } from '../native/schemas.ts';
import { ClockAhead } from './clock-ahead.ts';

const Instant = z.iso.datetime();

export const PaymentDetail = z
  .object({
    payment: Payment,
    explanation: Explanation,
    workflow: z.object({ id: z.string(), url: z.string().nullable() }),
    customerReference: z.string().describe('The application’s identifier for the customer.'),
    merchantReference: z.string().nullable().describe('The application’s number of the order.'),
    invoice: z
      .object({ id: z.int(), reference: z.string(), number: z.string().nullable() })
      .nullable()
      .describe('The invoice that it pays.'),
    payoutLines: z
      .array(
        z.object({
          id: z.int(),
          payout: z.string().describe('The reference of the payout.'),
          arrivesOn: z.iso.date().nullable(),
          kind: z.enum(PAYOUT_LINE_KINDS),
          netMinor: z.int(),
          currency: z.string(),
          status: z.enum(['MATCHED', 'FLAGGED', 'DEFERRED']),
        }),
      )
      .describe('Lines of payouts that belong to it. Empty unless you may see all applications.'),
    clockAheadSeconds: ClockAhead,
    refunds: z.array(Refund),
    attempts: z.array(
      z.object({
        number: z.int(),
        reference: z.string(),
        gateway: z.string(),
        storeId: z.string(),
        status: z.enum(ATTEMPT_STATUSES),
        grossMinor: z.int().nullable(),
        feeMinor: z.int().nullable(),
        gatewayTxnId: z.string().nullable(),
        createdAt: Instant,
      }),
    ),
    ledger: z.array(
      z.object({
        kind: z.string(),
        debit: z.string(),
        credit: z.string(),
        amountMinor: z.int(),
        currency: z.string(),
        createdAt: Instant,
      }),
    ),
    callbacks: z.array(
      z.object({
        id: z.int(),
        kind: z.enum(CALLBACK_KINDS),
        signatureValid: z.boolean(),
        outcome: z.enum(CALLBACK_OUTCOMES),
        repeats: z.int(),
        createdAt: Instant,
      }),
    ),
    unappliedPayments: z.array(
      z.object({
        id: z.int(),
        status: z.enum(['HELD', 'REFUNDING', 'REFUNDED', 'KEPT']),
        amountMinor: z.int(),
        currency: z.string(),
        createdAt: Instant,
      }),
    ),
    disputes: z.array(
      z.object({
        id: z.int(),
        status: z.enum(DISPUTE_STATUSES),
        amountMinor: z.int().nullable(),
        currency: z.string().nullable(),
        respondBy: Instant.nullable(),
        createdAt: Instant,
      }),
    ),
    decisions: z.array(
      z.object({
        id: z.int(),
        kind: z.enum(['refund', 'review', 'unapplied-payment', 'manual']),
        decision: z.string(),
        reason: z.string().nullable(),
        by: z.string(),
        secondedBy: z.string().nullable(),
        outcome: z.string().nullable(),
        createdAt: Instant,
      }),
    ),
    deliveries: z.array(
      z.object({
        id: z.int(),
        eventId: z.string(),
        type: z.string(),
        deliveryStatus: z.enum(DELIVERY_STATUSES),
        attempts: z.int(),
        nextAttemptAt: Instant.nullable(),
        deliveredAt: Instant.nullable().describe('When the first 2xx was received.'),
        createdAt: Instant,
      }),
    ),
  })
  .meta({ id: 'PaymentDetail' });

/** Returns the payment's detail for operators: ids, codes and amounts, without raw callbacks or the payer's data. */
export function detailView(detail: Detail) {
  return {
    invoice: detail.invoice === null ? null : { ...detail.invoice, id: toJsonInteger(detail.invoice.id) },
    payoutLines: detail.payoutLines.map(({ id, payoutReference, netMinor, ...line }) => ({
      ...line,
      id: toJsonInteger(id),
      payout: payoutReference,
      netMinor: toJsonInteger(netMinor),
    })),
    clockAheadSeconds: detail.clockAheadSeconds,
    refunds: detail.refunds.map((refund) =>
      refundView({
        ...refund,
        reason: refund.reason ?? null,
        gatewayRefundId: refund.gatewayRefundId ?? null,
        failureCode: refund.failureCode ?? null,
        reviewReason: refund.reviewReason ?? null,
        reviewSince: refund.reviewSince ?? null,
        createdByOperatorId: refund.createdByOperatorId ?? null,
        approvedByOperatorId: refund.approvedByOperatorId ?? null,
      }),
    ),
    attempts: detail.attempts.map(({ number, reference, gateway, storeId, status, ...attempt }) => ({
      number,
      reference,
      gateway,
      storeId,
      status,
      grossMinor: integer(attempt.grossMinor),
      feeMinor: integer(attempt.feeMinor),
      gatewayTxnId: attempt.gatewayTxnId ?? null,
      createdAt: attempt.createdAt.toISOString(),
    })),
    ledger: detail.postings.map((posting) => ({
      ...posting,
      amountMinor: toJsonInteger(posting.amountMinor),
      createdAt: posting.createdAt.toISOString(),
    })),
    callbacks: detail.callbacks.map(({ id, kind, signatureValid, outcome, repeats, createdAt }) => ({
      id: toJsonInteger(id),
      kind,
      signatureValid,
      outcome,
      repeats,
      createdAt: createdAt.toISOString(),
    })),
    unappliedPayments: detail.unappliedPayments.map(({ id, status, grossMinor, currency, createdAt }) => ({
      id: toJsonInteger(id),
      status,
      amountMinor: toJsonInteger(grossMinor),
      currency,
      createdAt: createdAt.toISOString(),
    })),
    disputes: detail.disputes.map(({ id, status, createdAt, ...dispute }) => ({
      id: toJsonInteger(id),
      status,
      amountMinor: integer(dispute.amountMinor),
      currency: dispute.currency ?? null,
      respondBy: dispute.respondBy?.toISOString() ?? null,
      createdAt: createdAt.toISOString(),
    })),
    decisions: detail.decisions.map(({ id, kind, decision, operatorId, createdAt, ...rest }) => ({
      id: toJsonInteger(id),
      kind,
      decision,
      reason: rest.reason ?? null,
      by: `operator:${operatorId}`,
      secondedBy: typeof rest.secondOperatorId === 'bigint' ? `operator:${rest.secondOperatorId}` : null,
      outcome: rest.outcome ?? null,
      createdAt: createdAt.toISOString(),
    })),
    deliveries: detail.events.map(({ id, eventId, type, deliveryStatus, attempts, createdAt, ...event }) => ({
      id: toJsonInteger(id),
      eventId,
      type,
      deliveryStatus,
      attempts,
      nextAttemptAt: event.nextAttemptAt?.toISOString() ?? null,
      deliveredAt: event.deliveredAt?.toISOString() ?? null,
      createdAt: createdAt.toISOString(),
    })),
  };
}

function integer(minor: bigint | null | undefined): number | null {
  return typeof minor === 'bigint' ? toJsonInteger(minor) : null;
}
