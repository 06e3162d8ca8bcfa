import type { EntityManager } from '../../../database/connection.ts';
import { trialBalance, type TrialBalanceLine } from './balances.ts';
import type { Findings } from './findings.ts';

const LISTED_MAX = 100;

/** Postings with contradictory keys. The database's constraints prevent them unless they were disabled. */
const CONTRADICTIONS = `
select p.id::text,
  case
    when t.id is null then 'belongs to no ledger transaction: that one was deleted'
    when d.id is null then 'debits an account that does not exist'
    when c.id is null then 'credits an account that does not exist'
    when (t.application_id, t.mode, t.currency) is distinct from (p.application_id, p.mode, p.currency)
      then 'is of another app, mode or currency than its ledger transaction'
    when (d.application_id, d.mode, d.currency) is distinct from (p.application_id, p.mode, p.currency)
      then 'debits an account of another app, mode or currency'
    when (c.application_id, c.mode, c.currency) is distinct from (p.application_id, p.mode, p.currency)
      then 'credits an account of another app, mode or currency'
    when p.debit_account_id = p.credit_account_id then 'debits and credits the same account'
    when p.amount_minor <= 0 then 'has an amount that is not positive'
  end as what
from ledger_postings p
  left join ledger_transactions t on t.id = p.transaction_id
  left join ledger_accounts d on d.id = p.debit_account_id
  left join ledger_accounts c on c.id = p.credit_account_id
where t.id is null or d.id is null or c.id is null or p.debit_account_id = p.credit_account_id or p.amount_minor <= 0
  or (t.application_id, t.mode, t.currency) is distinct from (p.application_id, p.mode, p.currency)
  or (d.application_id, d.mode, d.currency) is distinct from (p.application_id, p.mode, p.currency)
  or (c.application_id, c.mode, c.currency) is distinct from (p.application_id, p.mode, p.currency)
order by p.id limit ${LISTED_MAX}`;

/** Checks that every posting matches its keys, that every transaction has postings, and that debits equal credits in every mode and currency. */
export async function verifyStructure(em: EntityManager, findings: Findings): Promise<TrialBalanceLine[]> {
  for (const { id, what } of await em.execute<{ id: string; what: string }[]>(CONTRADICTIONS)) {
    findings.add({ check: 'balance', table: 'ledger_postings', id, what });
  }
  const empty = await em.execute<{ id: string }[]>(
    `select t.id::text from ledger_transactions t
     where not exists (select from ledger_postings p where p.transaction_id = t.id) order by t.id limit ${LISTED_MAX}`,
  );
  for (const { id } of empty) {
    findings.add({ check: 'balance', table: 'ledger_transactions', id, what: 'has no posting' });
  }
  const lines = await trialBalance(em);
  for (const { mode, currency, debitsMinor, creditsMinor } of lines) {
    if (debitsMinor !== creditsMinor) {
      const what = `debits ${debitsMinor} and credits ${creditsMinor} differ`;
      findings.add({ check: 'balance', table: 'ledger_postings', id: `${mode} ${currency}`, what });
    }
  }
  return lines;
}
