import { z } from 'zod';
import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from '../../database/connection.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { magnitude } from '../../domain/payouts/conversion.ts';
import { isPlainDate } from '../../domain/plain-date.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { outdated, propose } from '../operators/propose.ts';
import { type AuditFacts, recordAudit } from '../operators/store/audit.ts';
import { type PendingChange, plain } from '../operators/store/pending-changes.ts';
import { acceptingNeedsSecond } from '../reconciliation/store/case-approval.ts';
import { hasEntries, lockPayout, type PayoutRecord, stateBankAmount } from './store/payout-list.ts';

export interface BankAmount {
  readonly reference: string;
  /** Negative if the bank took it. */
  readonly amountMinor: bigint;
  readonly arrivedOn: string;
  readonly reason: string;
}

/**
 * Records what the bank received of a payout, where no statement says so: its statement names several payouts, or there is none. What moves the amount by more
 * than one person may decide waits for a second operator.
 *
 * @throws DomainError RESOURCE_NOT_FOUND; INVALID_OPERATION_STATE if entries of a statement say the amount, or too many changes wait
 */
export function stateAmount(
  { database }: Pick<CoreDependencies, 'database'>,
  caller: ActingOperator,
  { reference, amountMinor, arrivedOn, reason }: BankAmount,
): Promise<void> {
  return database.withOperator(caller.view, async (em) => {
    const payout = await lockForWord(em, reference);
    const movedMinor = movedBy(payout, amountMinor);
    if (await needsSecond(em, caller, { payout, movedMinor })) {
      await propose(em, caller, {
        applicationId: null,
        mode: payout.mode,
        kind: 'bank-amount',
        target: { type: 'payout', id: reference },
        before: factsOf(payout),
        after: { bankMinor: amountMinor, arrivesOn: arrivedOn, reason },
      });
      return;
    }
    const alone = { operatorId: caller.operator.id, movedMinor };
    await stateBankAmount(em, { id: payout.id, amountMinor, arrivedOn, alone });
    await audit(em, caller, payout, { bankMinor: amountMinor, arrivesOn: arrivedOn, reason });
  });
}

const Proposed = z.strictObject({
  bankMinor: z
    .string()
    .regex(/^-?\d{1,16}$/)
    .transform(BigInt),
  arrivesOn: z.string().refine(isPlainDate),
  reason: z.string(),
});

/**
 * Records an amount that a second operator has confirmed, in that operator's transaction.
 * @throws DomainError INVALID_OPERATION_STATE if something else is known to have arrived since it was proposed
 */
export async function confirmBankAmount(
  em: EntityManager,
  { caller, change }: { readonly caller: ActingOperator; readonly change: PendingChange },
): Promise<void> {
  const payout = await lockForWord(em, change.target.id);
  if (!isDeepStrictEqual(plain(factsOf(payout)), change.before)) {
    throw outdated();
  }
  const { bankMinor, arrivesOn, reason } = Proposed.parse(change.after);
  await stateBankAmount(em, { id: payout.id, amountMinor: bankMinor, arrivedOn: arrivesOn, alone: null });
  await audit(em, caller, payout, { bankMinor, arrivesOn, reason, proposedBy: change.proposedBy });
}

async function lockForWord(em: EntityManager, reference: string): Promise<PayoutRecord> {
  const payout = await lockPayout(em, reference);
  if (payout === null) {
    throw notFound('payout');
  }
  if (await hasEntries(em, payout.id)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'entries of a bank statement say what arrived');
  }
  return payout;
}

/** Compared with what the bank or the gateway has said so far. Of a payout of which neither has, nothing counts as arrived. */
function movedBy({ bankMinor, statedMinor }: PayoutRecord, amountMinor: bigint): bigint {
  return magnitude(amountMinor - (bankMinor ?? statedMinor ?? 0n));
}

function needsSecond(
  em: EntityManager,
  { operator: { id: operatorId } }: ActingOperator,
  { payout, movedMinor }: { readonly payout: PayoutRecord; readonly movedMinor: bigint },
): Promise<boolean> {
  const { mode, gateway, storeId, storeApplicationId: applicationId, currency } = payout;
  return acceptingNeedsSecond(em, {
    operatorId,
    mode,
    concerned: { applicationId, store: { mode, gateway, storeId, isShared: applicationId === null } },
    amount: { amountMinor: movedMinor, currency },
  });
}

function factsOf({ bankMinor, arrivesOn }: PayoutRecord): AuditFacts {
  return { bankMinor, arrivesOn };
}

interface Stated {
  readonly bankMinor: bigint;
  readonly arrivesOn: string;
  readonly reason: string;
  /** Set when another operator proposed the amount. */
  readonly proposedBy?: bigint;
}

async function audit(
  em: EntityManager,
  { actor }: ActingOperator,
  payout: PayoutRecord,
  { reason, ...after }: Stated,
): Promise<void> {
  await recordAudit(em, {
    actor,
    action: 'payout.bank-amount-stated',
    target: { type: 'payout', id: payout.reference },
    before: factsOf(payout),
    after: { ...after },
    reason,
  });
}
