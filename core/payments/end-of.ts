import type { FinalStatus } from '../../domain/payment.ts';
import type { PaymentRecord } from './store/payments.ts';

/** Returns how the payment's workflow ended. A refunded payment counts as succeeded. */
export function endOf(payment: Pick<PaymentRecord, 'status'>): FinalStatus {
  switch (payment.status) {
    case 'FAILED':
    case 'CANCELLED':
    case 'EXPIRED':
      return payment.status;
    default:
      return 'SUCCEEDED';
  }
}
