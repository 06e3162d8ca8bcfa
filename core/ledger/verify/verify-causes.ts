import { reversal, type LedgerTransaction } from '../../../domain/ledger.ts';
import type { EntityManager } from '../../../database/connection.ts';
import type { Findings } from './findings.ts';
import { differenceFrom, postedJson, type PostedTransaction } from './posted.ts';

const LISTED_MAX = 100;
const REVERSALS_PER_PAGE = 500;

/**
 * Checks that every posting is explained by a payment, unapplied payment, refund, payout or reversed transaction, and that every confirmed charge is posted.
 */
export async function verifyCauses(em: EntityManager, findings: Findings): Promise<void> {
  const unexplained = await em.execute<{ id: string; cause: string }[]>(UNEXPLAINED);
  for (const { id, cause } of unexplained) {
    const what = `is posted without a cause: ${cause} does not exist or was not paid`;
    findings.add({ check: 'unexplained', table: 'ledger_transactions', id, what });
  }
  await verifyReversals(em, findings);
  const unsettled = await em.execute<{ id: string; reference: string; status: string }[]>(UNSETTLED);
  for (const { id, reference, status } of unsettled) {
    const what = `was confirmed by the gateway, but its payment ${reference} is ${status} and no unapplied payment holds the money`;
    findings.add({ check: 'payment', table: 'payment_attempts', id, what });
  }
}

const UNEXPLAINED = `
select t.id::text, concat_ws(' ', t.kind, 'of', t.cause_type, t.cause_id) as cause
from ledger_transactions t
  left join payments p on t.cause_type = 'payment' and t.kind = 'charge' and p.reference = t.cause_id
    and p.status in ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED')
  left join (unapplied_payments l join payment_attempts a on a.id = l.attempt_id)
    on t.cause_type = 'unapplied-payment' and a.reference || ':' || l.validation_id = t.cause_id
      and ((t.kind = 'unapplied' and l.kind = 'late') or (t.kind = 'kept' and l.status = 'KEPT'))
  left join refunds r on t.cause_type = 'refund' and t.kind = 'refund' and r.reference = t.cause_id
    and (r.status = 'SUCCEEDED') <> exists (select from ledger_transactions b where b.reverses_id = t.id)
  left join ledger_transactions o on t.cause_type = 'transaction' and t.kind = 'reversal' and o.id = t.reverses_id
    and o.id::text = t.cause_id
  left join payout_bookings b on t.cause_type = 'payout' and t.kind = 'payout' and b.id::text = t.cause_id
where p.id is null and l.id is null and o.id is null and r.id is null and b.id is null
order by t.id limit ${LISTED_MAX}`;

/** While a payment is open, its confirmed attempt will still finalize it. After an unpaid end it never will. */
const UNSETTLED = `
select a.id::text, p.reference, p.status
from payment_attempts a join payments p on p.id = a.payment_id
where a.status = 'CONFIRMED' and p.status in ('FAILED', 'CANCELLED', 'EXPIRED')
  and not exists (select from unapplied_payments l where l.attempt_id = a.id and l.validation_id = a.validation_id)
order by a.id limit ${LISTED_MAX}`;

interface ReversalRow {
  readonly id: string;
  readonly reversal: PostedTransaction;
  readonly original: PostedTransaction;
}

const REVERSALS = `
select t.id::text, ${postedJson('t')} as reversal, ${postedJson('o')} as original
from ledger_transactions t join ledger_transactions o on o.id = t.reverses_id
where t.reverses_id is not null and t.id > ?::bigint order by t.id limit ${REVERSALS_PER_PAGE}`;

async function verifyReversals(em: EntityManager, findings: Findings): Promise<void> {
  let after = '0';
  while (true) {
    const rows = await em.execute<ReversalRow[]>(REVERSALS, [after]);
    for (const { reversal: posted, original } of rows) {
      const difference = differenceFrom(reversal({ ...asLedger(original), id: BigInt(original.id) }), posted);
      if (difference !== null) {
        findings.add({ check: 'unexplained', ...difference });
      }
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < REVERSALS_PER_PAGE) {
      return;
    }
    after = end.id;
  }
}

/** Cause and kind are placeholders: a reversal does not depend on them. */
function asLedger({ id, applicationId, mode, currency, postings }: PostedTransaction): LedgerTransaction {
  return {
    applicationId: BigInt(applicationId),
    mode,
    currency,
    cause: { type: 'transaction', id },
    kind: 'charge',
    postings: (postings ?? []).map(({ debit, credit, amount }) => ({
      debit: debit ?? '?',
      credit: credit ?? '?',
      amountMinor: BigInt(amount),
    })),
  };
}
