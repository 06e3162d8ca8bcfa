import { describe, expect, test } from '@jest/globals';
import { INVOICE_STATUSES, invoiceStatusesBefore } from '../../domain/invoice.ts';
import {
  canRefundBecome,
  FINAL_REFUND_STATUSES,
  OPEN_REFUND_STATUSES,
  REFUND_STATUSES,
  refundStatusesBefore,
} from '../../domain/refund.ts';
import { UNAPPLIED_STATUSES, unappliedStatusesBefore } from '../../domain/unapplied-payment.ts';

const table = <Status extends string>(statuses: readonly Status[], before: (to: Status) => readonly Status[]) =>
  Object.fromEntries(statuses.map((to) => [to, before(to)]));

describe('the transitions that guard updates', () => {
  test('of a refund: only one that succeeded can still fail, and nothing leaves another end', () => {
    // A refund that ends twice moves money twice in the ledger.
    expect(table(REFUND_STATUSES, refundStatusesBefore)).toEqual({
      AWAITING_APPROVAL: [],
      PENDING: ['AWAITING_APPROVAL'],
      SUCCEEDED: ['PENDING'],
      FAILED: ['PENDING', 'SUCCEEDED'],
      REJECTED: ['AWAITING_APPROVAL'],
    });
    expect(canRefundBecome('AWAITING_APPROVAL', 'SUCCEEDED')).toBe(false);
  });

  test('of a refund: each status is open or final', () => {
    expect([...OPEN_REFUND_STATUSES, ...FINAL_REFUND_STATUSES]).toEqual([...REFUND_STATUSES]);
  });

  test('of unapplied money: what the application keeps stays kept, and it is refunded only while it is held', () => {
    // Money that is kept and refunded would leave twice.
    expect(table(UNAPPLIED_STATUSES, unappliedStatusesBefore)).toEqual({
      HELD: ['REFUNDING', 'REFUNDED'],
      REFUNDING: ['HELD'],
      REFUNDED: ['REFUNDING'],
      KEPT: ['HELD'],
    });
  });

  test('of an invoice: only one on which nothing was paid can be voided', () => {
    // A void invoice with money on it is owed to nobody.
    expect(table(INVOICE_STATUSES, invoiceStatusesBefore)).toEqual({
      DRAFT: [],
      ISSUED: ['DRAFT', 'PARTIALLY_PAID', 'PAID'],
      PARTIALLY_PAID: ['ISSUED', 'PAID'],
      PAID: ['ISSUED', 'PARTIALLY_PAID'],
      VOID: ['ISSUED'],
    });
  });
});
