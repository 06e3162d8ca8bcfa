import { DomainError, notFound } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { hasEntries, lockPayout, readPayout, stateBankAmount, type PayoutRecord } from './store/payout-list.ts';

export interface BankAmount {
  readonly reference: string;
  /** Negative if the bank took it. */
  readonly amountMinor: bigint;
  readonly arrivedOn: string;
  readonly reason: string;
}

/**
 * Records what the bank received of a payout, where no statement says so: its statement names several payouts, or there is none.
 *
 * @throws DomainError RESOURCE_NOT_FOUND; INVALID_OPERATION_STATE if entries of a statement say the amount
 */
export function stateAmount(
  { database }: Pick<CoreDependencies, 'database'>,
  { view, actor }: Pick<ActingOperator, 'view' | 'actor'>,
  { reference, amountMinor, arrivedOn, reason }: BankAmount,
): Promise<PayoutRecord> {
  return database.withOperator(view, async (em) => {
    const before = await lockPayout(em, reference);
    if (before === null) {
      throw notFound('payout');
    }
    if (await hasEntries(em, before.id)) {
      throw new DomainError('INVALID_OPERATION_STATE', 'entries of a bank statement say what arrived');
    }
    await stateBankAmount(em, { id: before.id, amountMinor, arrivedOn });
    await recordAudit(em, {
      actor,
      action: 'payout.bank-amount-stated',
      target: { type: 'payout', id: reference },
      before: { bankMinor: before.bankMinor, arrivesOn: before.arrivesOn },
      after: { bankMinor: amountMinor, arrivesOn: arrivedOn },
      reason,
    });
    const after = await readPayout(em, reference);
    if (after === null) {
      throw new Error('the payout has gone');
    }
    return after;
  });
}
