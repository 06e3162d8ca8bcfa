import type { Calendar } from '../../domain/calendar.ts';
import type { Movement } from '../../domain/payouts/matching.ts';
import type { ChargeRow, RefundRow } from './store/movements.ts';

interface AtSettlement {
  /** The gateway's answers never contain the fee: its lines state it. */
  readonly feeAtSettlement: boolean;
  readonly calendar: Calendar;
}

/** Returns a charge as lines are matched with it. */
export function movementOfCharge(charge: ChargeRow, { feeAtSettlement, calendar }: AtSettlement): Movement {
  const { attemptReference, validationId, storeId, gatewayTxnId, currency, grossMinor, feeMinor, happenedAt } = charge;
  return {
    kind: 'CHARGE',
    key: `charge:${attemptReference}:${validationId ?? ''}`,
    storeId,
    gatewayTxnId,
    attemptReference,
    refundReference: null,
    gatewayRefundId: null,
    currency,
    amountMinor: grossMinor ?? 0n,
    feeMinor: feeAtSettlement ? null : (feeMinor ?? 0n),
    reversed: false,
    disputedMinor: null,
    happenedOn: calendar.today(happenedAt ?? new Date(0)),
  };
}

/** Returns a refund as lines are matched with it. */
export function movementOfRefund(refund: RefundRow, { feeAtSettlement, calendar }: AtSettlement): Movement {
  const { reference, storeId, gatewayTxnId, gatewayRefundId, attemptReference, currency, amountMinor } = refund;
  return {
    kind: 'REFUND',
    key: `refund:${reference}`,
    storeId,
    gatewayTxnId,
    attemptReference: attemptReference ?? '',
    refundReference: reference,
    gatewayRefundId,
    currency,
    amountMinor,
    // Where fees come with charges, a refund costs nothing.
    feeMinor: feeAtSettlement ? null : 0n,
    reversed: refund.status === 'FAILED',
    disputedMinor: null,
    happenedOn: calendar.today(refund.succeededAt ?? new Date(0)),
  };
}
